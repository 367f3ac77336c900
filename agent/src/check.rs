//! `check`: what an existing `vllm serve` command will do, taken as it is.
use crate::{
    cli::CheckArgs,
    error::{Exit, ExpectedError},
    hardware_source, model_source, output, plan_cmd, scenario_source,
};
use planner::{
    Plan, command,
    command::Command,
    engine::VllmVersion,
    evaluate,
    plan::{Bias, Defaults, Note, Severity},
};

/// `check`.
pub(crate) fn run(args: &CheckArgs) -> Result<Exit, ExpectedError> {
    let argv = bare(&args.argv);
    // The command decides about its model only; flags are read once the version is known.
    let first = command::parse(VllmVersion::latest(), argv)?;
    let revision = args.config.revision.as_deref().or(first.revision.as_deref());
    let model = model_source::find(Some(&first.model), args.config.model_config.as_deref(), revision)?;
    let hardware = hardware_source::find(&args.machine, &args.fields)?;
    let mut scenario = scenario_source::from_scratch(model, hardware).scenario;
    scenario.defaults = Defaults::Vllm;
    scenario_source::set_fields(&mut scenario, &args.machine, &args.fields)?;
    let command = command::parse(scenario.vllm_version, argv)?;
    scenario.engine = command.engine.clone();
    model_source::find_draft(&mut scenario, args.config.draft_config.as_deref())?;
    scenario_source::count_gpus(&mut scenario, &args.machine, &args.fields);
    let mut plan = evaluate(&scenario);
    let refused = note(&mut plan, &command);
    plan_cmd::show(&plan, args.view, true)?;
    Ok(if refused {
        Exit::DoesNotFit
    } else {
        plan_cmd::exit(&plan)
    })
}

/// Adds what the command's reader has to say; true where this very vLLM would refuse a flag.
fn note(plan: &mut Plan, command: &Command) -> bool {
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
        add("command.unknown_flag", Severity::Caution, message);
    }
    if !command.unmodelled.is_empty() {
        let flags = command.unmodelled.join(", ");
        let message = format!("Not part of the figures, though some may change memory: {flags}.");
        add("command.not_modelled", Severity::Info, message);
    }
    for text in &command.notes {
        add("command.note", Severity::Info, text.clone());
    }
    !command.unknown.is_empty() && plan.scenario.vllm_version.is_bundled()
}

/// The words from vLLM's own on: no variables in front, no `docker run … IMAGE`.
fn bare(words: &[String]) -> &[String] {
    let variable = |word: &String| {
        word.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty()
                && name
                    .chars()
                    .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        })
    };
    let start = words.iter().take_while(|word| variable(word)).count();
    let words = words.get(start..).unwrap_or_default();
    let container = words
        .first()
        .is_some_and(|word| matches!(word.as_str(), "docker" | "podman"));
    let image = words
        .iter()
        .position(|word| word.contains("vllm-openai") && !word.starts_with('-'));
    match image {
        Some(image) if container => words.get(image + 1..).unwrap_or_default(),
        _ => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_before_vllms_words_is_left_out() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for text in [
            "vllm serve m --port 1",
            "VLLM_USE_V1=1 CUDA_VISIBLE_DEVICES=0 vllm serve m --port 1",
        ] {
            assert_eq!(bare(&words(text)), words("vllm serve m --port 1"));
        }
        let docker = words("docker run --gpus all -p 8000:8000 vllm/vllm-openai:v0.33.0 --model m");
        assert_eq!(bare(&docker), words("--model m"));
    }
}
