//! Sentences of the page itself, and how numbers read. Verdicts, notes, remedies, errors and help come from planner.
use crate::state::fleet::Found;
use planner::{
    Plan,
    bench_result::{BenchResult, BenchRow},
    bounds::{Field, FieldKind},
    engine::{SetBy, VllmVersion},
    import::Form,
    plan::{self, Amount, Run, Sweep},
    recommend::{Answer, Objective, Way},
    units::{Bytes, GIB, MIB},
    vllm_log::{Comparison, Quantity},
};

/// The name.
pub(crate) const NAME: &str = "vLLM Wizard";
/// Under the name.
pub(crate) const TAGLINE: &str = "Will it fit, with which flags, and the files to run it.";
/// At first load.
pub(crate) const EXAMPLE: &str = "Example — change anything";
/// Above a list of what a link held and could not be used.
pub(crate) const IGNORED: &str = "Not everything could be read. These were left out, the rest is used:";
/// Above what the reader of a host report remarks.
pub(crate) const HOST_NOTES: &str = "About the imported hardware:";
/// A link that gives no scenario at all.
pub(crate) const LINK_UNREADABLE: &str = "This link could not be read, so the page shows its example:";
/// A host report in a link that does not decode.
pub(crate) const HOST_DAMAGED: &str =
    "The hardware in the link is damaged; the link may have been cut off. Paste the report instead.";
/// After a pinned scenario was taken.
pub(crate) const PIN_TAKEN: &str = "Pinned scenario taken.";
/// Compare panel.
pub(crate) const NO_DIFFERENCE: &str = "Nothing differs yet: change anything, and what differs stands here.";

/// After Compare: as what it was pinned.
pub(crate) fn pinned(name: Option<&str>) -> String {
    name.map_or_else(
        || "Two are pinned already: clear the comparison first.".to_owned(),
        |name| format!("Pinned as {name}. Change anything: what differs stands under Compare."),
    )
}

/// Slider of the context length, as a screen reader says it.
pub(crate) fn length_said(length: usize, each: Option<Bytes>) -> String {
    let each = each.map_or_else(String::new, |each| {
        format!(", needs {each} of KV cache per sequence")
    });
    format!("{} tokens{each}", grouped_size(length))
}

/// Under the slider of the context length.
pub(crate) fn length_about(each: Bytes, longest: Option<usize>, own: usize) -> String {
    let longest = match longest {
        None => "no length fits".to_owned(),
        Some(longest) if longest >= own => "the model's full length fits".to_owned(),
        Some(longest) => format!("up to {} fit (mark)", grouped_size(longest)),
    };
    format!("{each} of KV cache per sequence; {longest}")
}

/// In the heading of a part of the form.
pub(crate) fn changed(count: usize) -> String {
    if count == 0 {
        String::new()
    } else {
        format!("{count} changed")
    }
}

/// Memory bar.
pub(crate) const BAR_KEYS: &str = "Memory bar. Left and right choose a part, Enter explains it.";

/// Context chart.
pub(crate) const CONTEXT_KEYS: &str = "Chart of context against concurrency. Left and right halve and double the prompt, up and down the concurrent sequences.";

/// Pasted command: all of it stays.
pub(crate) const NOTHING_BETTER: &str = "Nothing better is known for this load: every flag stays.";
/// After the recommended command was taken.
pub(crate) const BETTER_TAKEN: &str = "Recommended command taken.";
/// An answer that the scenario does not take.
pub(crate) const ANSWER_REFUSED: &str = "This layout cannot be set here; nothing was changed.";
/// Recommended panel, under the objective.
pub(crate) const NEEDS_PRICE: &str = "Give a price per GPU-hour: without one, fewer GPUs come first.";
/// Recommended panel: a box that is not used.
pub(crate) const NOT_A_NUMBER: &str = "Expected a number, such as 2.50. Not used.";

/// Fleet: no rate is given.
pub(crate) const NO_RATE: &str =
    "Give the requests of an average second to see how many replicas, GPUs and nodes carry them.";
/// Fleet: nothing was found.
const NO_FLEET: &str = "No layout of this GPU serves a single request within the limits on one node.";
/// Fleet: a box that is not used.
pub(crate) const NOT_A_COUNT: &str = "Expected a whole number up to 1000. Not used.";
/// Fleet: what the other ways are held against.
pub(crate) const THIS_FLEET: &str = "This fleet";

/// The first fleet, and how its replicas are used.
pub(crate) fn fleet(found: &Found) -> String {
    let Some(first) = found.fleets.first() else {
        return NO_FLEET.to_owned();
    };
    let mut said = format!(
        "{} replicas of {}, {}: {}",
        grouped(first.replicas),
        found.offer(first),
        first.replica.layout,
        first.said(found.demand())
    );
    let simulated = found.simulated(first);
    for more in found.routing.iter().chain(&simulated) {
        said.push(' ');
        said.push_str(more);
    }
    grouped_digits(&said)
}

/// What a way is called, and that it takes clearly less.
pub(crate) fn way(way: &Way) -> String {
    let name = match way.id {
        "larger_tensor_parallel" => "Larger tensor parallel",
        "data_parallel" => "More copies",
        _ => "Disaggregated prefill",
    };
    let favoured = if way.favoured {
        ": at least a fifth fewer GPUs"
    } else {
        ""
    };
    format!("{name}{favoured}")
}

/// Thousandths, in three digits.
pub(crate) fn milli_figure(milli: u64) -> String {
    u32::try_from(milli).map_or_else(
        |_| grouped(milli / 1000),
        |milli| figure(f64::from(milli) / 1000.0),
    )
}

/// A share as per cent.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// Of a link: what a search would go by.
pub(crate) const NOT_A_WISH: &str = "no price, goal or currency that a search goes by";

/// Scatter charts.
pub(crate) const SCATTER_KEYS: &str =
    "Chart of the GPUs. Left and right go from one to the next, Enter takes it over.";
/// The takeaway of a scatter chart.
pub(crate) const SCATTER: &str = "Numbers of each kind of GPU. Filled, and named where there is room: no other is at least as good in both. What is over 200 times worse stands at the edge.";
/// Its table.
pub(crate) const UNBEATEN: &str = "What no other beats in both, as a table";

/// A load's limits, and how many of a hundred requests keep them.
pub(crate) fn limits(scenario: &planner::Scenario) -> String {
    let limits = [
        ("TTFT", "slo_ttft_ms"),
        ("TPOT", "slo_tpot_ms"),
        ("end to end", "slo_e2e_ms"),
    ]
    .into_iter()
    .filter_map(|(name, id)| Some(format!("{name} ≤ {} ms", scenario.get(id)?)));
    let limits: Vec<String> = limits.collect();
    if limits.is_empty() {
        return "none".to_owned();
    }
    format!("p{}: {}", scenario.workload.slo_percentile, limits.join(", "))
}

/// While a search goes on.
pub(crate) fn searching(judged: usize) -> String {
    format!("Searching: {} layouts judged…", grouped_size(judged))
}

/// An axis without its arrow.
pub(crate) fn axis(axis: &str) -> &str {
    axis.trim_matches([' ', '→', '←', '↑', '↓'])
}

/// The heading of a scatter chart.
pub(crate) fn axes(axes: [&str; 2]) -> String {
    sentence(&axes.map(axis).join(" against "))
}

/// A dot of a scatter chart.
pub(crate) fn dot(name: &str, answer: &Answer, at: [f64; 2], axes: [&str; 2]) -> String {
    let [along, across] = axes.map(axis);
    let [x, y] = at.map(figure);
    format!("{name}, {}: {x} {along}, {y} {across}.", answer.layout)
}

/// After an answer of a search was taken.
pub(crate) fn answer_taken(layout: &str) -> String {
    format!("Taken: {layout}.")
}

/// The words of an objective.
pub(crate) const fn objective(objective: Objective) -> &'static str {
    match objective {
        Objective::Balanced => "Balanced",
        Objective::Throughput => "Most tokens per second",
        Objective::Latency => "Shortest time per request",
        Objective::Gpus => "Fewest GPUs",
        Objective::Cost => "Lowest cost per token",
    }
}

/// After a log was taken over.
pub(crate) const CALIBRATED: &str = "Calibrated to the start in the log.";
/// After measured values were given up.
pub(crate) const ESTIMATED: &str = "Back to the estimate.";
/// The mark of measured values.
pub(crate) const MEASURED: &str = "Calibrated to your machine: measured values are in these figures.";
/// The mark where they do not hold.
pub(crate) const SET_ASIDE: &str =
    "Measured values are set aside: they are of another model, version, GPU or layout.";
/// Log panel.
pub(crate) const LOG_LEAD: &str = "Start it, then paste what vLLM prints until it serves, with any prefix of Docker or Kubernetes. Nothing is sent anywhere. These are the lines to look for, with the figures of this plan:";
/// Run panel: benchmarks.
pub(crate) const BENCH_LEAD: &str = "Once it serves, `bench.sh` among the files measures this plan's load: paste its bench.json, or what `vllm bench serve` prints, or the JSON of guidellm, GenAI-Perf or AIPerf.";
/// After a benchmark's speed was taken over.
pub(crate) const SCALED: &str = "Speed is scaled to the benchmark.";
/// Log panel: the log names no command.
pub(crate) const AGAINST_PLAN: &str =
    "The log does not print its arguments, so it is held against the plan above.";
/// Log panel: the log's own command.
pub(crate) const AGAINST_COMMAND: &str =
    "Held against the command that the log prints, on the GPUs chosen above:";
/// Log panel: nothing to compare.
pub(crate) const NOTHING_TO_HOLD: &str = "There is no figure that both have.";
/// After Undo.
pub(crate) const UNDONE: &str = "Undone.";
/// After Redo.
pub(crate) const REDONE: &str = "Redone.";
/// Undo at the first step.
pub(crate) const NOTHING_TO_UNDO: &str = "Nothing to undo.";
/// Redo at the last step.
pub(crate) const NOTHING_TO_REDO: &str = "Nothing to redo.";
/// An explanation of what this plan does not have.
pub(crate) const NO_SUCH_FIGURE: &str = "No such figure";
/// The same, in the sheet.
pub(crate) const NO_SUCH_FIGURE_WHY: &str =
    "This plan does not have the figure: it is zero here, or the link names one that is not known.";
/// After a scenario was opened.
pub(crate) const SCENARIO_LOADED: &str = "Scenario opened.";
/// Above what the reader of a profile remarks.
pub(crate) const PROFILE_NOTES: &str = "About the profile:";
/// After the custom GPU was chosen.
pub(crate) const CUSTOM_GPU_SET: &str = "Custom GPU: give its memory and compute capability.";
/// A model whose config.json has no name.
pub(crate) const UNNAMED_MODEL: &str = "my-org/my-model";
/// After Share, where storage is blocked.
pub(crate) const NOT_KEPT: &str =
    " This browser keeps nothing for this page: only the link holds your scenario.";
/// After Share, where no link can hold the scenario.
pub(crate) const SCENARIO_SAVED: &str = "It was saved as scenario.json, which Open takes.";
/// After Share.
pub(crate) const LINK_COPIED: &str = "Link copied. It holds the whole scenario.";
/// Share without clipboard.
pub(crate) const LINK_NOT_COPIED: &str = "The browser did not allow copying. The link is in the address bar.";
/// A copy that failed.
pub(crate) const PRESS_CTRL_C: &str = "Selected: press Ctrl+C";
/// Where the model is out of reach.
pub(crate) const NO_FILES_UNSUPPORTED: &str = "No files: they would rest on a guess.";
/// Where vLLM would not start.
pub(crate) const NO_FILES_DOES_NOT_FIT: &str = "These files would start a vLLM that stops with an error.";
/// Footer.
pub(crate) const PRIVACY: &str = "Nothing leaves your browser: no account, no tracking, no server. The only requests this page makes are for a config.json and for the GPUs of this machine, each when you press the button that names the host.";
/// Footer.
pub(crate) const HOW_COMPUTED: &str = "Memory is accounted the way vLLM does it when it starts: weights tensor by tensor, the buffers of its runner, the peak of its profile run, CUDA graphs, and KV cache in whole blocks from what is left of gpu_memory_utilization. Each row of the memory table opens its formula, its inputs, the file of vLLM it mirrors, and how far it was checked. The parts sum to the card to the byte.";
/// Footer.
pub(crate) const LIMITS: &str = "These are estimates. Driver and library versions, other programs on the GPU and separate draft models change them; the notes of a plan name what it leaves out and how far its model was checked. A model that is not understood gets no figures instead of a guess.";
/// Import dialog.
pub(crate) const IMPORT_MODEL: &str = "Paste the model's config.json, choose the file, or drop it anywhere on the page. It stays in this browser.";
/// Import dialog.
pub(crate) const IMPORT_HARDWARE: &str =
    "On the machine with the GPUs, run one of these and paste what it prints, or choose the saved file:";
/// Import dialog.
pub(crate) const IMPORT_SCENARIO: &str = "Paste what was saved before (a scenario, plan.json or profile.yaml) or what runs elsewhere: a vllm serve or docker run command, a compose file, a Kubernetes manifest, chart values, a unit. Or choose the file. Nothing is run.";
/// Commands whose output the hardware dialog reads.
pub(crate) const HARDWARE_COMMANDS: [&str; 2] = [
    "vllm-wizard detect --json",
    "nvidia-smi --query-gpu=name,memory.total,compute_cap --format=csv",
];
/// A download that the browser refused.
pub(crate) const NO_DOWNLOAD: &str = "The browser did not allow the download. Use Copy.";
/// Where there is no model at all.
pub(crate) const NO_MODEL: &str = "no model is chosen";
/// Hub look-up: no connection.
pub(crate) const HUB_OFFLINE: &str = "This browser is offline. Paste the config.json instead.";
/// Hub look-up: the browser's own refusal.
pub(crate) const HUB_DENIED: &str = "The browser does not let this page reach the local network. Allow it in the site's settings, or paste the config.json.";
/// Hub look-up: an address that cannot be used.
pub(crate) const HUB_ADDRESS: &str = "Hub address: expected https://host or https://host/path (http only for 127.0.0.1 and localhost). Correct it, or empty the box to ask huggingface.co.";
/// Hub look-up: an address with somebody's secret in it.
pub(crate) const HUB_ADDRESS_SECRET: &str = "Hub address: take out the part before @. This browser keeps the address; a token goes into the box below.";
/// Hub look-up: a token that no header can hold.
pub(crate) const HUB_TOKEN: &str = "Token: expected letters, digits and signs without a space between them, such as hf_abc123. Copy it again.";
/// Hub look-up, under the address.
pub(crate) const HUB_ADDRESS_LEAD: &str =
    "A mirror or proxy, as HF_ENDPOINT. This browser remembers it; links do not hold it.";
/// A request that the user stopped.
pub(crate) const CANCELLED: &str = "Cancelled.";
/// Hardware dialog, above the button.
pub(crate) const AGENT_LEAD: &str = "Or, on this machine, run vllm-wizard serve and connect. The browser may ask whether this page may reach your local network. A page from another machine also needs --allow-origin with its address.";
/// A port that is none.
pub(crate) const AGENT_NO_PORT: &str =
    "Port: expected a number from 1 to 65535, as vllm-wizard serve prints it.";
/// While the agent is asked.
pub(crate) const AGENT_ASKING: &str = "Asking… If the browser asks for permission, allow it.";
/// Agent: nobody there, or not for this page.
pub(crate) const AGENT_NO_ANSWER: &str = "No readable answer from that port: vllm-wizard serve is not running there, or was started without --allow-origin and this page's address. Or paste what vllm-wizard detect --json prints.";
/// Agent: the browser's own refusal.
pub(crate) const AGENT_DENIED: &str = "The browser does not let this page reach the local network. Allow it in the site's settings, or paste what vllm-wizard detect --json prints.";
/// Agent: took too long.
pub(crate) const AGENT_TIME_OUT: &str =
    "The agent did not answer within 10 seconds. Try again, or paste what vllm-wizard detect --json prints.";
/// Agent: something else listens there.
pub(crate) const AGENT_OTHER: &str = "What answers at that port gives no host report: it may be another program. Paste what vllm-wizard detect --json prints.";

/// Agent: what it says itself.
pub(crate) fn agent_error(error: &str, help: &str) -> String {
    format!("The agent says: {}", with_help(error, help))
}

/// Hub look-up, above the token. No host while its address cannot be used.
pub(crate) fn hub_token(host: &str) -> String {
    format!("Token for {host}").trim_end_matches(" for ").to_owned()
}

/// Hub look-up, under the token.
pub(crate) fn hub_token_lead(host: &str) -> String {
    if host.is_empty() {
        return String::new();
    }
    format!("For gated models. Sent to {host} alone, never stored, gone when the page is left or reloaded.")
}

/// Hub look-up: took too long.
pub(crate) fn hub_time_out(host: &str) -> String {
    format!("{host} did not answer within 15 seconds. Try again, or paste the config.json.")
}

/// Hub look-up: fetch failed without a status.
pub(crate) fn hub_no_answer(host: &str, with_token: bool) -> String {
    let header = if with_token {
        ", and Authorization among its allowed headers"
    } else {
        ""
    };
    format!(
        "No readable answer from {host}: out of reach, blocked, or not open to web pages (it has to send the CORS headers that let this page read it{header}). Paste the config.json instead."
    )
}

/// Hub look-up: a status other than 200.
pub(crate) fn hub_status(host: &str, id: &str, with_token: bool, status: u16) -> String {
    match status {
        401 if with_token => format!(
            "{host} refused the token: it may be incomplete, revoked, or of another host. Paste it again, or paste the config.json of {id}."
        ),
        403 if with_token => format!(
            "{host} knows the token, but it may not read {id}: accept the model's terms with that account, or give the token the right to read gated repositories. Or paste the config.json."
        ),
        401 | 403 => format!(
            "{host} says that {id} is gated, private or does not exist. Accept the model's terms at its page and give a token below, or download config.json there and paste it."
        ),
        404 => format!("{host} has no config.json of {id} at this revision."),
        429 => format!("{host} asks to slow down. Try again in a minute, or paste the config.json."),
        _ => format!("{host} answered with status {status}. Paste the config.json instead."),
    }
}

/// An error with what to do about it.
pub(crate) fn with_help(error: &str, help: &str) -> String {
    if help.is_empty() {
        format!("{error}.")
    } else {
        format!("{error}. {help}")
    }
}

/// A fragment as a sentence: planner's errors begin in lower case. Names such as vLLM stay as they are.
pub(crate) fn sentence(fragment: &str) -> String {
    let mut letters = fragment.chars();
    match letters.next() {
        Some(first) if !letters.clone().next().is_some_and(char::is_uppercase) => {
            // In ASCII: the tables for all of Unicode take 9 kB, and planner's errors are English.
            [first.to_ascii_uppercase()].into_iter().chain(letters).collect()
        }
        _ => fragment.to_owned(),
    }
}

/// The same with its full stop.
pub(crate) fn full_sentence(fragment: &str) -> String {
    let stop = if fragment.ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    format!("{}{stop}", sentence(fragment))
}

/// An error under a field.
pub(crate) fn not_used(error: &str, used: &str) -> String {
    let error = sentence(error);
    if used.is_empty() {
        format!("{error}.")
    } else {
        format!("{error}. Using {used}.")
    }
}

/// The first option of a select while nothing is set.
pub(crate) fn unset(effective: &str) -> String {
    if effective.is_empty() {
        "not set".to_owned()
    } else {
        format!("{effective} · not set")
    }
}

/// Why a value holds that nobody set.
pub(crate) fn reason(set_by: SetBy, why: &str) -> String {
    match set_by {
        SetBy::Recommended => format!("Recommended: {why}").replace('`', ""),
        SetBy::User | SetBy::VllmDefault => why.replace('`', ""),
    }
}

/// A word of a select.
pub(crate) fn choice(word: &str) -> &str {
    match word {
        "true" => "on",
        "false" => "off",
        "unknown" => "not stated",
        "pcie" => "PCIe",
        "nvlink" => "NVLink",
        "vllm" => "vLLM's own",
        word => word,
    }
}

/// Why a tensor_parallel_size is out of reach.
pub(crate) fn too_few_gpus(gpus: u32) -> String {
    if gpus == 1 {
        "there is 1 GPU".to_owned()
    } else {
        format!("there are {gpus} GPUs")
    }
}

/// After a command or a file that starts vLLM was read.
pub(crate) fn deployment_read(form: Form, place: &str) -> String {
    format!(
        "Read as {} ({place}). What it leaves out is vLLM's own default.",
        form.words()
    )
}

/// The same as a message.
pub(crate) fn form_read(form: Form) -> String {
    format!("Read as {}.", form.words())
}

/// A model that a command or a file names.
pub(crate) fn unknown_model(id: &str) -> String {
    format!(
        "The model {id} is not in the catalogue. Choose it first (look it up, or use its config.json under this name), then open this again."
    )
}

/// A release that the page does not have.
pub(crate) fn other_version(version: VllmVersion) -> String {
    format!(
        "The image is vLLM {version}; this page plans it as {}.",
        VllmVersion::latest()
    )
}

/// A text that does not name its GPU.
pub(crate) fn gpu_not_named(name: &str) -> String {
    format!("It does not name its kind of GPU; planned on {name}, as chosen before.")
}

/// After a model was chosen.
pub(crate) fn model_is(id: &str) -> String {
    format!("Model: {id}")
}

/// After a GPU was chosen.
pub(crate) fn gpu_is(name: &str) -> String {
    format!("GPU: {name}")
}

/// Where the load is that of no use.
pub(crate) const NO_USE: &str = "Own load";

/// After the load of a use was chosen.
pub(crate) fn load_is(title: &str) -> String {
    format!("Load: {title}")
}

/// Where lengths and limits are from.
pub(crate) fn from_source(source: &str) -> String {
    format!("From {source}")
}

/// After another vLLM version was chosen: which values changed with it.
pub(crate) fn version_is(version: &str, changes: &[String]) -> String {
    match changes {
        [] => format!("vLLM {version}: all values stay."),
        [first, second, third, rest @ ..] if !rest.is_empty() => {
            format!(
                "vLLM {version}: {first}, {second}, {third} and {} more.",
                rest.len()
            )
        }
        changes => format!("vLLM {version}: {}.", changes.join(", ")),
    }
}

/// After hardware was imported.
pub(crate) fn host_is(gpus: u32, name: &str) -> String {
    format!("Hardware imported: {gpus} × {name}")
}

/// What other processes hold on an imported machine.
pub(crate) fn memory_in_use(used: Bytes) -> String {
    format!(
        "Other processes hold {used} on a GPU now. That is not counted; enter it under “Memory used by other processes” if they stay."
    )
}

/// One item of a link that was left out.
pub(crate) fn ignored(key: &str, value: &str, reason: &str) -> String {
    if value.is_empty() {
        format!("{key}: {reason}")
    } else {
        format!("{key}={value}: {reason}")
    }
}

/// A field's value as its box shows it: amounts of memory in the largest unit that is exact.
pub(crate) fn value(field: &Field, value: &str) -> String {
    match (field.kind, value.parse::<u64>()) {
        (FieldKind::Memory, Ok(bytes)) => memory(bytes),
        _ => choice(value).to_owned(),
    }
}

/// An amount of memory without loss: `80 GiB`, `79.25 GiB`, `81559 MiB`, or bytes.
fn memory(bytes: u64) -> String {
    let amount = Bytes::new(bytes);
    let exact = |text: String| (Bytes::parse(&text) == Ok(amount)).then_some(text);
    let gib = || (0..=2).find_map(|digits| exact(format!("{} GiB", amount.gib_text(digits))));
    let mib = || bytes.is_multiple_of(MIB).then(|| format!("{} MiB", bytes / MIB));
    (bytes >= GIB)
        .then(gib)
        .flatten()
        .or_else(mib)
        .unwrap_or_else(|| bytes.to_string())
}

/// The id of the button that opens the explanation of a figure.
pub(crate) fn opener(id: &str) -> String {
    format!("why-{id}")
}

/// A count with its thousands apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 * 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

fn grouped_size(number: usize) -> String {
    grouped(u64::try_from(number).unwrap_or(u64::MAX))
}

/// A text whose counts have their thousands apart. Decimals and names with digits stay as they are.
pub(crate) fn grouped_digits(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end.max(first.len_utf8()));
        let alone = !(before.is_ascii_alphanumeric() || matches!(before, '_' | '.'));
        match run.parse::<u64>() {
            Ok(number) if end > 3 && alone => out.push_str(&grouped(number)),
            _ => out.push_str(run),
        }
        before = run.chars().next_back().unwrap_or(' ');
        rest = after;
    }
    out
}

/// An estimate in three digits, with its thousands apart.
pub(crate) fn figure(value: f64) -> String {
    grouped_digits(&plan::figure(value))
}

/// A figure of a plan.
pub(crate) fn amount(amount: Amount) -> String {
    match amount {
        Amount::Bytes(bytes) => {
            let sign = if bytes < 0 { "−" } else { "" };
            format!("{sign}{}", Bytes::new(bytes.unsigned_abs()))
        }
        Amount::Count(count) => grouped(count),
        Amount::Times(times) => self::times(times),
        Amount::Millis(ms) => time(ms),
        Amount::PerSecond(rate) => figure(rate),
    }
}

fn time(ms: f64) -> String {
    if ms < 10_000.0 {
        format!("{} ms", figure(ms))
    } else {
        format!("{} s", figure(ms / 1000.0))
    }
}

/// From one figure to another, with its sign and in words, and whether it is more. Nothing where they are the same.
pub(crate) fn delta(from: Amount, to: Amount) -> Option<(String, bool)> {
    if from == to {
        return None;
    }
    let (more, size) = match (from, to) {
        (Amount::Bytes(a), Amount::Bytes(b)) => (b > a, Bytes::new(a.abs_diff(b)).to_string()),
        (Amount::Count(a), Amount::Count(b)) => (b > a, grouped(a.abs_diff(b))),
        (Amount::Times(a), Amount::Times(b)) => (b > a, times((b - a).abs())),
        (Amount::Millis(a), Amount::Millis(b)) => (b > a, time((b - a).abs())),
        (Amount::PerSecond(a), Amount::PerSecond(b)) => (b > a, figure((b - a).abs())),
        _ => return None,
    };
    // Less than a digit that is shown.
    if size.chars().all(|c| matches!(c, '0' | '.' | ' ' | 'm' | 's')) {
        return None;
    }
    let words = if more {
        format!("+{size}, more")
    } else {
        format!("−{size}, less")
    };
    Some((words, more))
}

/// A figure of a log or of its plan.
fn quantity(quantity: Quantity) -> String {
    match quantity {
        Quantity::Bytes(bytes) => {
            let sign = if bytes < 0 { "−" } else { "" };
            format!("{sign}{} GiB", Bytes::new(bytes.unsigned_abs()).gib_text(2))
        }
        Quantity::Tokens(tokens) => format!("{} tokens", grouped(tokens)),
        Quantity::Sequences(times) => format!("{times:.2}×"),
    }
}

/// A figure of a log beside the plan's.
pub(crate) fn log_row(row: &Comparison) -> [String; 4] {
    [
        row.label.to_owned(),
        quantity(row.predicted),
        quantity(row.measured),
        deviation(row),
    ]
}

/// A figure of a benchmark beside the plan's.
pub(crate) fn bench_row(row: &BenchRow) -> [String; 4] {
    let range = if row.in_range { "in" } else { "out of" };
    [
        row.label.to_owned(),
        figure(row.estimated),
        figure(row.measured),
        format!("{} · {range} its range", off(row.estimated / row.measured - 1.0)),
    ]
}

/// What a benchmark is held against.
pub(crate) fn against_load(plan: &Plan, result: &BenchResult) -> String {
    let scenario = &plan.scenario;
    let w = &scenario.workload;
    let pace = w.pace();
    let other = result.other_model(plan).map_or_else(String::new, |model| {
        format!(" The run is of {model}, another model: choose it first.")
    });
    format!(
        "Held against the estimate for the plan above with the load of the run ({}): requests {pace}, {} tokens in and {} out.{other}",
        result.tool,
        grouped(u64::from(w.prompt())),
        grouped(u64::from(w.generated())),
    )
}

/// Chart of loads.
pub(crate) const LOADS_KEYS: &str =
    "Charts of throughput against latency. Left and right halve and double the load.";

/// Milliseconds, or another figure, in thousandths: charts are laid out in whole numbers.
pub(crate) fn micros(figure: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it saturates, and nothing here is below zero"
    )]
    {
        (figure * 1000.0).round() as u64
    }
}

#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn thousandths(figure: u64) -> f64 {
    figure as f64 / 1000.0
}

/// A time of so many microseconds.
pub(crate) fn duration(micros: u64) -> String {
    let ms = thousandths(micros);
    match ms {
        1000.0.. => format!("{} s", trimmed(ms / 1000.0)),
        _ => format!("{} ms", trimmed(ms)),
    }
}

/// A rate in thousandths.
pub(crate) fn rate(milli: u64) -> String {
    trimmed(thousandths(milli))
}

/// Three digits, and no zeros behind the point.
fn trimmed(value: f64) -> String {
    let text = figure(value);
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// Thousandths as a field takes them.
pub(crate) fn milli(milli: u64) -> String {
    format!("{}.{:03}", milli / 1000, milli % 1000)
        .trim_end_matches('0')
        .trim_end_matches('.')
        .to_owned()
}

/// Requests at once or each second.
pub(crate) fn load(load: f64) -> String {
    rate(micros(load))
}

/// A load with what it counts.
pub(crate) fn load_words(sweep: &Sweep, of: f64) -> String {
    let how = if sweep.at_a_rate { "a second" } else { "at once" };
    format!("{} {how}", load(of))
}

/// The time that a request waits for, or that it takes where the model pools.
pub(crate) const fn first(pools: bool) -> &'static str {
    if pools {
        "Time of a request"
    } else {
        "Time to first token"
    }
}

/// What tokens per second count.
pub(crate) const fn tokens(pools: bool) -> &'static str {
    if pools {
        "Prompt tokens per second"
    } else {
        "Output tokens per second"
    }
}

/// Title of a chart of loads.
pub(crate) fn load_title(what: &str, sweep: &Sweep, pools: bool) -> String {
    let along = |at: usize| {
        let point = sweep.points.get(at)?;
        let time = if what == first(pools) {
            point.ttft_ms
        } else {
            point.tpot_ms
        };
        Some(format!(
            "{} {} at {}",
            rate(micros(point.output_tok_per_s)),
            time_of(time),
            load_words(sweep, point.load)
        ))
    };
    let own = along(sweep.chosen).unwrap_or_default();
    let knee = sweep.knee.and_then(|(at, full)| Some((along(at)?, full.words())));
    let knee = knee.map_or_else(String::new, |(knee, full)| format!(" {knee}, where {full}."));
    format!("{} against {what}: {own}.{knee}", tokens(pools))
}

fn time_of(ms: f64) -> String {
    format!("with {}", duration(micros(ms)))
}

/// Requests panel: the takeaway.
pub(crate) fn requests_title(run: &Run, limit: Option<u64>) -> String {
    let within = limit.map_or_else(String::new, |limit| {
        let within = run
            .ttft_hundredths
            .iter()
            .filter(|seconds| micros(**seconds * 1000.0) <= limit)
            .count();
        format!(" {within} % come within the limit of {}.", duration(limit))
    });
    let [p50, p99] = [run.ttft.p50, run.ttft.p99].map(|seconds| duration(micros(seconds * 1000.0)));
    let what = if run.pools { "vectors" } else { "first tokens" };
    format!("Half of the {what} come within {p50}, all but one of a hundred within {p99}.{within}")
}

/// Requests panel: what was simulated.
pub(crate) fn requests_about(run: &Run, lengths: &str) -> String {
    format!(
        "{} requests, as many as bench.sh sends, simulated through vLLM's scheduler step by step, with {lengths}.",
        run.requests
    )
}

/// Loads panel: what the loads come to.
pub(crate) fn loads(sweep: &Sweep, [ttft, tpot]: [Option<f64>; 2]) -> String {
    let knee = sweep.knee.and_then(|(at, full)| {
        let load = load_words(sweep, sweep.points.get(at)?.load);
        Some(format!(
            " ○ is the most without a queue, {load}: more wait, since {}.",
            full.words()
        ))
    });
    let knee = knee.unwrap_or_default();
    let kept = if ttft.is_some() || tpot.is_some() {
        sweep.within(ttft, tpot).map_or_else(
            || " No load keeps to the limits.".to_owned(),
            |point| {
                format!(
                    " Of these loads, {} is the highest that keeps to the limits, with {} tokens per second.",
                    load_words(sweep, point.load),
                    rate(micros(point.output_tok_per_s))
                )
            },
        )
    } else {
        String::new()
    };
    format!("● is this plan, with the range of its time.{knee}{kept}")
}

/// A share by which a figure is off.
fn off(share: f64) -> String {
    format!("{:+.1} %", share * 100.0)
        .replace('-', "−")
        .replace("−0.0 ", "0.0 ")
        .replace("+0.0 ", "0.0 ")
}

/// How far the plan is off what was measured: in percent, and in GiB for memory.
fn deviation(row: &Comparison) -> String {
    let percent = row.deviation.map(off);
    match (row.predicted, row.measured) {
        (Quantity::Bytes(predicted), Quantity::Bytes(measured)) => {
            let bytes = predicted.saturating_sub(measured);
            let gib = Bytes::new(bytes.unsigned_abs()).gib_text(2);
            let sign = match bytes {
                _ if gib == "0.00" => "",
                ..0 => "−",
                _ => "+",
            };
            // A share of a figure near or below zero says nothing.
            let share = percent
                .filter(|_| measured > 0)
                .map(|percent| format!("{percent} · "));
            format!("{}{sign}{gib} GiB", share.unwrap_or_default())
        }
        _ => percent.unwrap_or_default(),
    }
}

/// A parameter count: `70.6 B`, `494 M`.
pub(crate) fn parameters(count: u64) -> String {
    let (unit, name) = if count >= 1_000_000_000 {
        (1_000_000_000, "B")
    } else {
        (1_000_000, "M")
    };
    let tenths = (u128::from(count) * 10 + unit / 2) / unit;
    if name == "M" || tenths >= 1000 {
        format!("{} {name}", (tenths + 5) / 10)
    } else {
        format!("{}.{} {name}", tenths / 10, tenths % 10)
    }
}

/// A context length: `128K` where it is round, else in full.
pub(crate) fn context(tokens: u32) -> String {
    if tokens >= 1024 && tokens.is_multiple_of(1024) {
        format!("{}K", tokens / 1024)
    } else {
        grouped(u64::from(tokens))
    }
}

/// `max_concurrency` with one decimal, as vLLM's log line has it with two; what is less than one never reads as one.
pub(crate) fn times(factor: f64) -> String {
    if 0.0 < factor && factor < 1.0 {
        format!("{:.2}", (factor * 100.0).floor() / 100.0)
    } else {
        format!("{factor:.1}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use planner::bounds;

    #[test]
    fn memory_is_shown_without_loss() {
        let field = bounds::field("gpu_memory").unwrap();
        for (bytes, shown) in [
            ("85899345920", "80 GiB"),
            ("85094039552", "79.25 GiB"),
            ("85520809984", "81559 MiB"),
            ("85520809985", "85520809985"),
            ("1024", "1024"),
        ] {
            assert_eq!(value(field, bytes), shown);
        }
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(grouped(999), "999");
        assert_eq!(
            grouped_digits("80000 × 0.92345 − h100000 1234 bytes"),
            "80\u{202f}000 × 0.92345 − h100000 1\u{202f}234 bytes"
        );
        assert_eq!(
            [0.0, 0.97, 0.999, 1.04].map(times),
            ["0.0", "0.97", "0.99", "1.0"]
        );
        assert_eq!(parameters(70_553_706_496), "70.6 B");
        assert_eq!(parameters(494_032_768), "494 M");
        assert_eq!(parameters(405_853_388_800), "406 B");
        assert_eq!(
            (context(131_072).as_str(), context(4000).as_str()),
            ("128K", "4\u{202f}000")
        );
    }

    #[test]
    fn fragments_become_sentences() {
        assert_eq!(full_sentence("missing `hidden_size`"), "Missing `hidden_size`.");
        assert_eq!(full_sentence("vLLM starts."), "vLLM starts.");
        assert_eq!(full_sentence(""), ".");
    }

    #[test]
    fn an_error_says_what_is_used_instead() {
        assert_eq!(
            not_used("expected a number", "32768"),
            "Expected a number. Using 32768."
        );
        assert_eq!(not_used("expected a number", ""), "Expected a number.");
    }
}
