//! What a reader should know about the figures: doubts with their direction, and hints.
use super::{
    arguments::Resolved,
    drafting,
    evaluate::Need,
    measured_speed,
    output::{Bias, Note, Severity},
    scenario::Scenario,
};
use crate::{
    engine::{Extras, FlagTable, Sampling, VllmVersion},
    gpu::{Vendor, VisibleBasis},
    memory::{budget::RankBudget, checkpoint, lora, packed},
    model::{LayerRun, LinearScheme, Unasked, checked, published_pooling},
    units::Bytes,
};
use std::fmt::Write as _;

/// Notes of a plan.
pub(super) fn notes(
    scenario: &Scenario,
    resolved: &Resolved<'_>,
    rank: &RankBudget,
    need: &Need,
) -> Vec<Note> {
    let mut notes = Vec::new();
    let mut note = |code, severity, bias, message: String| {
        notes.push(Note {
            code,
            severity,
            bias,
            message,
        });
    };
    let gpu = &scenario.hardware.gpu;
    if gpu.visible_basis == VisibleBasis::Estimated {
        note(
            "gpu.visible_estimated",
            Severity::Caution,
            Bias::None,
            format!(
                "What a process sees of the memory of {} is estimated from what NVML reports; on cards where both are known the rule is within 0.7 %.",
                gpu.name
            ),
        );
    }
    if scenario.hardware.is_mixed() {
        note(
            "gpu.mixed",
            Severity::Caution,
            Bias::None,
            "GPUs of different kinds: each pipeline stage is held against its own GPU, and the files keep the GPUs in the order of their slots (CUDA_DEVICE_ORDER=PCI_BUS_ID). One published start of such an engine agrees (vllm-project/vllm#34076).".to_owned(),
        );
    }
    if may_pool(scenario, resolved) {
        note(
            "model.may_pool",
            Severity::Caution,
            Bias::Over,
            "By its name or its architecture, a model for embeddings: where the repository has sentence-transformers' modules.json, vLLM pools by itself, without the output head and the sampler. Say `--runner pooling` to plan that.".to_owned(),
        );
    }
    if !resolved.spec.named {
        let message = format!(
            "The config names no `architectures`, as published ones do: by its `model_type` it is taken for `{}`. vLLM itself would take such a file for a model that pools, or refuse it.",
            resolved.spec.architecture
        );
        note("model.architecture", Severity::Caution, Bias::None, message);
    }
    if resolved.spec.pooling.is_some() {
        note(
            "model.pools",
            Severity::Caution,
            Bias::None,
            format!(
                "The model pools{}. A mean or first-token pooling in the repository's files turns chunked prefill and prefix caching off; the tokenizer's own length may shorten the context. Three logs of pooling runs agree with the plan's peak.",
                if pools_unasked(scenario, resolved) {
                    " without being asked: its repository has sentence-transformers' files (`--runner generate` keeps vLLM from it)"
                } else {
                    ""
                }
            ),
        );
    }
    if let Some(measured) = &scenario.measured {
        let applied = resolved.settings.correction == measured.correction;
        let message = if applied {
            format!(
                "Calibrated to a start that was measured ({}): {} per GPU beyond the estimate, kept as the question changes.",
                measured.on,
                signed_size(measured.correction.total()),
            )
        } else {
            format!(
                "Measured values are set aside: they are of {}, and model, version, GPU and layout must be the same.",
                measured.on
            )
        };
        let severity = if applied {
            Severity::Info
        } else {
            Severity::Caution
        };
        note("measured", severity, Bias::None, message);
    }
    let table = FlagTable::of(scenario.vllm_version);
    for (flag, _) in &scenario.engine.vllm_args {
        if table.find(flag).is_none() {
            let error = table.unknown(flag);
            let message = format!("`{}`: {}, and would not start.", error.field, error.problem);
            note("args.unknown_flag", Severity::Caution, Bias::None, message);
        }
    }
    let shape = &scenario.workload.shape;
    for (id, p95, mean) in [
        ("prompt_p95", shape.prompt_p95, scenario.workload.prompt()),
        ("gen_p95", shape.gen_p95, scenario.workload.generated()),
    ] {
        let Some(p95) = p95.filter(|_| shape.trace.is_empty()) else {
            continue;
        };
        if p95 < mean || u64::from(p95) * 100 > u64::from(mean) * 387 {
            let message = format!(
                "{id}: no lognormal lengths have an average of {mean} and a 95th percentile of {p95} tokens; the nearest are taken (from 1 to 3.87 times the average)."
            );
            note("workload.lengths", Severity::Caution, Bias::None, message);
        }
    }
    if shape.spec_acceptance_rate.is_some() && resolved.settings.speculative.is_none() {
        let message =
            "spec_acceptance_rate is set, and no --speculative-config: it counts for nothing.".to_owned();
        note("workload.speculation", Severity::Caution, Bias::None, message);
    }
    if let Some(measured) = &scenario.measured_speed {
        let (severity, message) = if measured_speed::applying(scenario, &resolved.args).is_some() {
            let message = format!(
                "Speed is scaled to a benchmark ({}), and stays so as the question changes.",
                measured.on
            );
            (Severity::Info, message)
        } else {
            let message = format!(
                "Measured speed is set aside: it is of {}, and model, version, GPU and layout must be the same.",
                measured.on
            );
            (Severity::Caution, message)
        };
        note("measured_speed", severity, Bias::None, message);
    }
    if scenario.deploy.non_root && !scenario.runs_as_user() {
        note("deploy.non_root", Severity::Caution, Bias::None, "The containers run as root: of vLLM's own images, those for CUDA from 0.22.0 on are prepared for another user. Name an image of your own that is.".to_owned());
    }
    if let Some(message) = device_ids(scenario, resolved) {
        note("deploy.device_ids", Severity::Caution, Bias::None, message);
    }
    if let Some(message) = cross_check(scenario) {
        note("weights.cross_check", Severity::Caution, Bias::None, message);
    }
    if resolved.spec.kv_in_model_type && resolved.args.kv_cache_dtype.value.is_fp8() {
        note(
            "kv.model_type",
            Severity::Caution,
            Bias::None,
            "vLLM's class for this model does not take `--kv-cache-dtype`: the cache stays in the model's type.".to_owned(),
        );
    }
    if gpu.unified_memory {
        note(
            "gpu.unified_memory",
            Severity::Caution,
            Bias::Over,
            "CPU and GPU share this memory: what other programs use is missing here, and vLLM counts the free system memory at start.".to_owned(),
        );
    }
    if gpu.vendor == Vendor::Amd {
        note("gpu.amd", Severity::Caution, Bias::None, "Weights and KV cache follow the same rules on ROCm; peaks, graphs and kernels were not checked there.".to_owned());
    }
    if gpu.vendor == Vendor::Intel {
        let stacks = if gpu.is_stack() {
            " Each of the card's two stacks is a GPU of its own."
        } else {
            ""
        };
        note(
            "gpu.intel",
            Severity::Caution,
            Bias::None,
            format!(
                "Weights, KV cache and blocks follow vLLM's code for Intel's GPUs, as four published starts of gpt-oss 20B on an Arc Pro B60 do; what lies outside torch is from these alone, and graphs are assumed as on CUDA.{stacks}"
            ),
        );
    }
    if gpu.vendor == Vendor::Amd
        && gpu.unified_memory
        && resolved.settings.tower.is_some_and(|tower| tower.profiled)
    {
        note(
            "memory.tower_attention",
            Severity::Caution,
            Bias::Under,
            "Without a fast attention kernel on this GPU the tower's attention keeps every score: in a public log (gfx1151, images of 65,536 patches) profiling asked for 256 GiB at once, and vLLM did not start. `--skip-mm-profiling` starts there; images of fewer pixels (`--mm-processor-kwargs`) take less.".to_owned(),
        );
    }
    if gpu.compute_capability.is_none() && gpu.vendor == Vendor::Nvidia {
        note(
            "gpu.capability_unknown",
            Severity::Unknown,
            Bias::None,
            "Without a compute capability it is not checked whether vLLM's kernels run on this GPU."
                .to_owned(),
        );
    }
    let version = scenario.vllm_version;
    if !version.has_rules() {
        note(
            "vllm.version_unknown",
            Severity::Unknown,
            Bias::None,
            format!(
                "The rules of vLLM {version} are not known here; those of the nearest known version were used."
            ),
        );
    } else if version != VllmVersion::latest() {
        note(
            "vllm.version",
            Severity::Caution,
            Bias::None,
            format!(
                "vLLM {version} differs from {} in more than its memory rules; kernels and flags may differ too.",
                VllmVersion::latest()
            ),
        );
    }
    if resolved.settings.rules.sampling == Sampling::Sort && version < VllmVersion::new(11, 1) {
        let rows = u64::from(resolved.settings.max_num_seqs);
        let less = Bytes::new(24 * rows * u64::from(resolved.spec.vocab_size));
        note(
            "memory.sampler",
            Severity::Caution,
            Bias::Over,
            format!(
                "vLLM {version} sorts all logits unless FlashInfer is installed, as in its container image; the peak is up to {less} lower there."
            ),
        );
    }
    let tower = resolved.settings.tower.and(resolved.spec.tower.as_ref().ok());
    let unchecked = resolved.spec.unchecked || tower.is_some_and(|tower| tower.unchecked);
    if unchecked || packed::pooled(&resolved.spec).is_some() {
        note(
            "model.from_code",
            Severity::Caution,
            Bias::None,
            "This model follows vLLM's code alone: neither its classes nor a run of it was at hand to compare.".to_owned(),
        );
    }
    quantization_notes(resolved, &mut note);
    if resolved.args.kv_cache_dtype.value.is_turboquant() {
        note(
            "engine.turboquant",
            Severity::Caution,
            Bias::Under,
            "What TurboQuant's kernels reserve beside the cache, a 16-bit copy of one sequence's keys and values in one layer among it, is not counted.".to_owned(),
        );
    }
    if rank.offloaded > Bytes::ZERO {
        note(
            "engine.cpu_offload",
            Severity::Caution,
            Bias::None,
            format!(
                "{} of the weights stay in the host's memory and are read from there in every step, which is many times slower: the speed assumes the full rate of that link.",
                rank.offloaded
            ),
        );
    }
    let table = |run: &LayerRun| {
        let ngrams = run.mixer.ngrams();
        u64::from(run.count) * ngrams.map_or(0, |ngrams| ngrams.tables(u64::from(rank.shape.tp))[1])
    };
    let tables: u64 = resolved.spec.layers.iter().map(table).sum();
    if tables > 0 {
        note(
            "engine.tables",
            Severity::Caution,
            Bias::None,
            format!(
                "For each GPU {} of tables of n-grams lie in the host's pinned memory, vLLM's default, and each is filled up to a power of two there; `--engram-config '{{\"cpu_offload\":false}}'` puts them on the GPU.",
                Bytes::new(tables)
            ),
        );
    }
    if rank.offloaded == Bytes::ZERO && resolved.settings.cpu_offload > Bytes::ZERO {
        note(
            "engine.cpu_offload",
            Severity::Caution,
            Bias::None,
            format!(
                "vLLM {} runs this model with its second runner, which takes `--cpu-offload-gb` without a word and leaves all weights on the GPU (mended after 0.27.1).",
                scenario.vllm_version
            ),
        );
    }
    extras_notes(scenario, resolved, &mut note);
    if rank.non_torch > Bytes::from_gib(1) {
        note(
            "memory.non_torch",
            Severity::Caution,
            Bias::Under,
            "With tensor parallelism 2.1 GiB are set aside for communicators, as logs of 0.19 on H100 show; other machines may need less, and then have more KV cache.".to_owned(),
        );
    }
    if let (None, Some(word)) = (&resolved.spec.quantization, quantised_by_name(&scenario.model.id)) {
        note(
            "quantization.name_only",
            Severity::Caution,
            Bias::Over,
            format!(
                "The name says {word}, but config.json describes no quantisation (some checkpoints keep it in hf_quant_config.json); the weights are planned in 16 bits."
            ),
        );
    }
    if let Some(tower) = resolved.settings.tower {
        let encoder = rank.runner.encoder;
        if encoder.items > 0 {
            note(
                "memory.encoder",
                Severity::Caution,
                Bias::None,
                format!(
                    "The profile run encodes {} of the largest items, {} tokens each as the family's published preprocessor allows; a preprocessor of your own, `--limit-mm-per-prompt` or `--mm-processor-kwargs` change that.",
                    encoder.items, encoder.tokens
                ),
            );
        } else if tower.profiled && rank.shape.is_first() {
            note(
                "memory.encoder_unknown",
                Severity::Caution,
                Bias::Under,
                "How large an image or video this model takes is not known here: what encoding takes in the profile run is missing.".to_owned(),
            );
        } else if !tower.profiled {
            note(
                "memory.encoder_skipped",
                Severity::Caution,
                Bias::Under,
                "With `--skip-mm-profiling` vLLM sets no memory aside for encoding images, videos or sound."
                    .to_owned(),
            );
        }
    }
    if resolved.args.enforce_eager.value {
        note(
            "engine.eager",
            Severity::Info,
            Bias::None,
            "Eager mode saves the memory of CUDA graphs and makes decoding slower.".to_owned(),
        );
    }
    if need.workload > rank.available.unwrap_or_default() && scenario.workload.concurrency > 1 {
        note(
            "workload.waits",
            Severity::Info,
            Bias::None,
            "Sequences beyond the KV cache wait or are preempted; vLLM does not fail.".to_owned(),
        );
    }
    let unused = scenario
        .hardware
        .total_gpus()
        .saturating_sub(resolved.args.gpus());
    if unused > 0 {
        note(
            "hardware.unused",
            Severity::Info,
            Bias::None,
            format!(
                "{unused} of {} GPUs are not used by this layout.",
                scenario.hardware.total_gpus()
            ),
        );
    }
    note(
        "model.checked",
        Severity::Info,
        Bias::None,
        held_against(&resolved.spec.architecture),
    );
    notes
}

/// GPUs that were named, where they are not as many as the plan takes on a machine: no file names them then.
fn device_ids(scenario: &Scenario, resolved: &Resolved<'_>) -> Option<String> {
    let named = scenario.deploy.device_ids.as_ref()?.split(',').count();
    let total = resolved.args.gpus();
    let each = total.div_ceil(total.div_ceil(scenario.hardware.gpus.max(1)).max(1));
    (u32::try_from(named) != Ok(each)).then(|| {
        format!("`device_ids` names {named}, and the plan takes {each} on each machine: the files leave the choice open. Name as many as the plan takes.")
    })
}

/// The checkpoint's published size against what its config says, where they are more than 1 % apart.
fn cross_check(scenario: &Scenario) -> Option<String> {
    let spec = scenario.model.spec.as_ref().ok()?;
    let total = spec.checkpoint_bytes.filter(|bytes| *bytes > 0)?;
    let expected = checkpoint::expected(spec)?;
    let apart = expected.get().abs_diff(total);
    // In thousandths, so that nothing overflows.
    let permille = u128::from(apart) * 1000 / u128::from(total);
    if permille <= 10 {
        return None;
    }
    let (more, less) = if total > expected.get() {
        (
            "more",
            "Layers that vLLM leaves out, such as those for multi-token prediction, are not in that; else the",
        )
    } else {
        ("less", "The")
    };
    Some(format!(
        "The checkpoint's files hold {}, {}.{} % {more} than the {expected} that its config describes. {less} weights here may be off by as much.",
        Bytes::new(total),
        permille / 10,
        permille % 10,
    ))
}

/// How far plans of an architecture were held against real runs.
fn held_against(architecture: &str) -> String {
    let Some(row) = checked(architecture) else {
        return format!(
            "Plans of {architecture} were not checked against a real run yet; they follow vLLM's code alone."
        );
    };
    let percent = |hundredths: u32| format!("{}.{} %", hundredths / 100, hundredths / 10 % 10);
    let (count, plural) = (row.logs, if row.logs == 1 { "" } else { "s" });
    let mut text = format!("Plans of {architecture} were held against {count} start-up log{plural}");
    if let Some(weights) = row.weights {
        let _ = write!(text, "; weights within {}", percent(weights));
    }
    if let Some(kv_cache) = row.kv_cache {
        let _ = write!(text, "; KV cache {} off at the median", percent(kv_cache));
    }
    text.push('.');
    text
}

/// An amount with its sign.
fn signed_size(bytes: i64) -> String {
    let sign = if bytes < 0 { "−" } else { "+" };
    format!("{sign}{}", Bytes::new(bytes.unsigned_abs()))
}

/// A word in a model's name that promises quantised weights.
fn quantised_by_name(id: &str) -> Option<&'static str> {
    let name = id.to_ascii_uppercase();
    [
        "NVFP4", "MXFP4", "FP8", "AWQ", "GPTQ", "W4A16", "W8A8", "INT4", "INT8",
    ]
    .into_iter()
    .find(|word| name.contains(word))
}

/// What the further flags add that is not counted.
fn extras_notes(
    scenario: &Scenario,
    resolved: &Resolved<'_>,
    note: &mut impl FnMut(&'static str, Severity, Bias, String),
) {
    let extras = Extras::read(&scenario.engine).unwrap_or_default();
    drafting::notes(scenario, resolved, &extras, note);
    if extras.lora.is_some() && !lora::counts_mixers(&resolved.spec) {
        note(
            "engine.lora",
            Severity::Caution,
            Bias::Over,
            "LoRA buffers of linear, recurrent and sparse attention are not counted.".to_owned(),
        );
    }
}

fn quantization_notes(resolved: &Resolved<'_>, note: &mut impl FnMut(&'static str, Severity, Bias, String)) {
    let Some(quantization) = &resolved.spec.quantization else {
        return;
    };
    let capability = resolved.settings.capability;
    let float = !matches!(
        quantization.scheme,
        LinearScheme::PackedInt { .. }
            | LinearScheme::Nf4 { .. }
            | LinearScheme::PerChannel8 { float: false, .. }
    );
    if float && capability != 0 && capability < 89 {
        note(
            "quantization.marlin",
            Severity::Caution,
            Bias::None,
            "This GPU has no FP8 tensor cores: vLLM keeps FP8 weights and computes in 16 bits (Marlin), which saves memory but not time.".to_owned(),
        );
    }
    if !quantization.held_against_classes() {
        note(
            "quantization.unchecked",
            Severity::Caution,
            Bias::None,
            format!(
                "Weights of `{}` follow vLLM's tensor shapes; they were not held against its own classes yet.",
                quantization.method
            ),
        );
    }
}

/// Cautions as sentences.
pub(super) fn warnings(notes: &[Note]) -> Vec<String> {
    notes
        .iter()
        .filter(|note| note.severity != Severity::Info)
        .map(|note| note.message.clone())
        .collect()
}

/// Whether vLLM pools for what lies in the repository.
fn pools_unasked(scenario: &Scenario, resolved: &Resolved<'_>) -> bool {
    let found = resolved.spec.unasked == Unasked::Pools || published_pooling(&scenario.model.id);
    scenario.engine.runner().is_none() && found
}

/// Whether vLLM may pool where the plan lets it generate.
fn may_pool(scenario: &Scenario, resolved: &Resolved<'_>) -> bool {
    let spec = &resolved.spec;
    let named = scenario.model.id.to_ascii_lowercase().contains("embed");
    scenario.engine.runner().is_none() && spec.pooling.is_none() && (named || spec.unasked == Unasked::Either)
}
