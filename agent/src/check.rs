//! `check`: what an existing command, container or manifest will do, taken as it is.
use crate::{
    bench_check,
    cli::{CheckArgs, SourceArgs},
    error::{Exit, ExpectedError},
    files, hardware_source, log_check, model_source,
    output::{self, Screen},
    plan_cmd, report, scenario_source, search,
};
use planner::{
    Plan, Scenario,
    artifact::review,
    command::Command,
    evaluate,
    import::{self, ImportError, Imported},
    plan::{Bias, Defaults, Hardware, Note, Severity},
};
use std::path::Path;

/// `check`.
pub(crate) fn run(args: &CheckArgs) -> Result<Exit, ExpectedError> {
    if let Some(path) = &args.profile {
        return profile(args, path);
    }
    let log = match &args.log {
        Some(path) => Some((path, log_check::read(path)?)),
        None => None,
    };
    let imported = match (&args.file, &log) {
        (Some(path), _) => from_file(path)?,
        (None, Some((path, log))) if args.argv.is_empty() => {
            let words = log_check::command(path, log)?;
            import::read_words(words).map_err(|error| explained(Some(path), error))?
        }
        (None, None) if args.argv.is_empty() => {
            return Err(ExpectedError::usage(
                "check what? --file, --profile, --log and a command are missing",
            )
            .help("Such as `check --gpu L4 -- vllm serve Qwen/Qwen3-8B`, or `--file docker-compose.yaml`."));
        }
        (None, _) => import::read_words(&args.argv).map_err(|error| explained(None, error))?,
    };
    if args.file.is_some() {
        output::say(&output::printable(&format!(
            "read as {}: {}",
            imported.form.words(),
            imported.place
        )));
    }
    let first = &imported.command;
    let revision = args.config.revision.as_deref().or(first.revision.as_deref());
    let model = model_source::find(Some(&first.model), &args.config, revision)?;
    let hardware = hardware(args, &imported)?;
    let mut scenario = imported.scenario(model, hardware.clone());
    count(&mut scenario, args, &imported, hardware);
    if let Some((_, log)) = &log {
        log_check::apply(&mut scenario, args, log)?;
    }
    let bench = match &args.bench {
        Some(path) => Some(bench_check::read(path)?),
        None => None,
    };
    if let Some(bench) = &bench {
        bench_check::apply(&mut scenario, bench)?;
    }
    scenario_source::set_fields(&mut scenario, &args.machine, &args.fields)?;
    if let Some(all) = imported.gpus
        && !scenario.hardware.others.is_empty()
        && args.fields.value("gpus").is_none()
    {
        // The file counts them all.
        scenario.hardware.gpus = all;
    }
    let name = args.file.as_deref();
    let command = imported
        .command_of(scenario.vllm_version)
        .map_err(|error| explained(name, error))?;
    scenario.engine = command.engine.clone();
    model_source::find_draft(&mut scenario, args.config.draft_config.as_deref())?;
    scenario_source::count_gpus(&mut scenario, &args.machine, &args.fields);
    let mut plan = evaluate(&scenario);
    let refused = note(&mut plan, &command, &imported.notes);
    match (&log, &bench) {
        (Some((_, log)), _) => log_check::show(&plan, log, args.view)?,
        (None, Some(bench)) => bench_check::show(&plan, bench, args.view)?,
        (None, None) => plan_cmd::show(&plan, args.view, true)?,
    }
    if log.is_none() && !args.view.json {
        let found = review(&command.given, &plan);
        let text = report::review(&plan, &found, Screen::of_stdout());
        output::answer(&format!("\n{text}"))?;
        if let Some(text) = search::better(&plan) {
            output::answer(&format!(
                "\n{}",
                Screen::of_stdout().wrap(&output::printable(&text), 0)
            ))?;
        }
    }
    Ok(if refused {
        Exit::DoesNotFit
    } else {
        plan_cmd::exit(&plan)
    })
}

fn from_file(path: &Path) -> Result<Imported, ExpectedError> {
    let text = files::read_text(path, files::MAX_DEPLOYMENT, "a script, manifest or unit")?;
    import::read(&text).map_err(|error| explained(Some(path), error))
}

/// A command that vLLM would not take is a usage error where it was typed, and a bad input where it was read.
fn explained(path: Option<&Path>, error: ImportError) -> ExpectedError {
    match (path, error) {
        (None, ImportError::Command { error, .. }) => error.into(),
        (None, error) => ExpectedError::usage(error.to_string()).help(error.help()),
        (Some(path), error) => {
            ExpectedError::input(output::printable(&format!("{}: {error}", files::shown(path))))
                .help(error.help())
        }
    }
}

/// The machine of the flags, else one of the GPUs that the file names, else this machine.
fn hardware(args: &CheckArgs, imported: &Imported) -> Result<Hardware, ExpectedError> {
    let named = hardware_source::named(&args.machine, &args.fields)?;
    match (named, imported.gpu) {
        (Some(hardware), _) => Ok(hardware),
        (None, Some(gpu)) => Ok(hardware_source::one(gpu.clone())),
        (None, None) => hardware_source::detected(args.machine.mixed_gpus),
    }
}

/// Kind and number of GPUs where flags and file differ: flags win, and a machine that is there has its own number.
fn count(scenario: &mut Scenario, args: &CheckArgs, imported: &Imported, hardware: Hardware) {
    let kind = args.machine.gpu.is_some() || args.machine.gpu_memory_gib.is_some();
    let named = kind || args.machine.host.is_some();
    if imported.gpus.is_none() && (named || imported.gpu.is_none()) {
        scenario.hardware.gpus = hardware.gpus;
    }
    if !named {
        return;
    }
    scenario.hardware.gpu = hardware.gpu;
    if let Some(gpu) = imported.gpu.filter(|gpu| gpu.name != scenario.hardware.gpu.name) {
        output::say(&format!(
            "note: the file asks for {}; planned on what the flags name",
            gpu.name
        ));
    }
}

/// A profile, nothing recommended on top.
fn profile(args: &CheckArgs, path: &Path) -> Result<Exit, ExpectedError> {
    let source = SourceArgs {
        profile: Some(path.to_owned()),
        config: args.config.clone(),
        ..SourceArgs::default()
    };
    let mut scenario = scenario_source::read(&source, &args.machine, &args.fields)?.scenario;
    scenario.defaults = Defaults::Vllm;
    let Some(path) = &args.bench else {
        let plan = evaluate(&scenario);
        plan_cmd::show(&plan, args.view, true)?;
        return Ok(plan_cmd::exit(&plan));
    };
    let bench = bench_check::read(path)?;
    bench_check::apply(&mut scenario, &bench)?;
    scenario_source::set_fields(&mut scenario, &args.machine, &args.fields)?;
    let plan = evaluate(&scenario);
    bench_check::show(&plan, &bench, args.view)?;
    Ok(plan_cmd::exit(&plan))
}

/// Adds what the command's reader has to say; true where this very vLLM would refuse a flag.
fn note(plan: &mut Plan, command: &Command, read: &[String]) -> bool {
    // A plan that there is says it itself.
    let said = plan.notes.iter().any(|note| note.code == "args.unknown_flag");
    let mut add = |code, severity, message: String| {
        plan.notes.push(Note {
            code,
            severity,
            bias: Bias::None,
            message,
        });
    };
    for error in &command.unknown {
        let message = format!("`{}`: {}", error.field, error.problem);
        output::say(&format!("caution: {}", output::printable(&message)));
        if !said {
            add("command.unknown_flag", Severity::Caution, message);
        }
    }
    if !command.unmodelled.is_empty() {
        let flags = command.unmodelled.join(", ");
        let message = format!("Not part of the figures, though some may change memory: {flags}.");
        add("command.not_modelled", Severity::Info, message);
    }
    for text in command.notes.iter().chain(read) {
        add("command.note", Severity::Info, text.clone());
    }
    for text in read {
        output::say(&output::printable(&format!("note: {text}")));
    }
    !command.unknown.is_empty() && plan.scenario.vllm_version.is_bundled()
}
