//! Every kind of file read back gives the arguments that it was made from.
use crate::support::scenario;
use planner::{
    ArtifactKind, Plan, RenderOptions, Scenario,
    artifact::serve_words,
    command,
    engine::EngineArgs,
    evaluate, import,
    model::ModelInput,
    plan::{Defaults, Outcome},
    profile, render, share,
};
use std::{fs, path::Path};

/// Who reads a kind back.
enum Reader {
    /// [`import::read`].
    Deployment,
    /// [`profile::read`].
    Profile,
    /// [`share::scenario_from_json`].
    Scenario,
    /// Nobody, for this reason.
    Nobody(&'static str),
}

/// A kind that is not listed here by its name is a deployment: a new kind comes with its reader.
fn reader(kind: ArtifactKind) -> Reader {
    match kind.name() {
        "profile" => Reader::Profile,
        "plan" => Reader::Scenario,
        "report" => Reader::Nobody("prose for people; plan.json holds the same for programs"),
        "bench" => Reader::Nobody("drives a server, does not start one"),
        _ => Reader::Deployment,
    }
}

/// What vLLM is told, as vLLM reads it.
fn engine(plan: &Plan) -> EngineArgs {
    let words = serve_words(plan);
    command::parse(plan.scenario.vllm_version, &words).unwrap().engine
}

/// Traps for quotes, in all places that take free text.
fn trapped() -> Scenario {
    let mut case = scenario(
        "Qwen/Qwen3-8B",
        "H100 SXM",
        &[("gpus", "2"), ("tensor_parallel_size", "2"), ("port", "9001")],
    );
    case.engine.served_model_name = Some("it's \"my\" $HOME %h {x}: #1 ✓".to_owned());
    case.engine.vllm_args = vec![
        ("--seed".to_owned(), Some("7".to_owned())),
        ("--enable-auto-tool-choice".to_owned(), None),
        (
            "--chat-template".to_owned(),
            Some("{{ a }} - \\b $(c) `d` 'e'".to_owned()),
        ),
        (
            "--speculative-config".to_owned(),
            Some(r#"{"method": "ngram", "num_speculative_tokens": 3}"#.to_owned()),
        ),
    ];
    case
}

fn cases() -> Vec<(String, Scenario)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let example = |path: &Path| {
        let json = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let name = path.display().to_string();
        (name, share::scenario_from_json(&json).unwrap())
    };
    let entries = fs::read_dir(folder).unwrap();
    let mut cases: Vec<(String, Scenario)> = entries.map(|entry| example(&entry.unwrap().path())).collect();
    cases.push(("quotes".to_owned(), trapped()));
    let amd = scenario(
        "Qwen/Qwen3-8B",
        "MI300X",
        &[("gpus", "4"), ("tensor_parallel_size", "2")],
    );
    cases.push(("amd".to_owned(), amd));
    let old = [("vllm_version", "0.11.2"), ("max_model_len", "8192")];
    cases.push(("old".to_owned(), scenario("Qwen/Qwen3-8B", "L40S", &old)));
    cases
}

#[test]
fn every_file_gives_its_arguments_back() {
    let mut read = 0;
    for (name, case) in cases() {
        let plan = evaluate(&case);
        assert_ne!(plan.verdict.outcome, Outcome::Unsupported, "{name}");
        for file in render(&plan, &RenderOptions::default()).files {
            let what = format!("{name}, {}:\n{}", file.kind.path(), file.text);
            match reader(file.kind) {
                Reader::Deployment => {
                    let imported = import::read(&file.text).unwrap_or_else(|error| panic!("{error}\n{what}"));
                    assert_eq!(imported.command.model, case.model.id, "{what}");
                    assert_eq!(imported.command.engine, engine(&plan), "{what}");
                    assert_eq!(imported.command.revision, case.model.revision, "{what}");
                    same_plan(&plan, &imported, &what);
                }
                Reader::Profile => {
                    let supply = profile::Supply::default();
                    let profile =
                        profile::read(&file.text, &supply).unwrap_or_else(|error| panic!("{error}\n{what}"));
                    assert_eq!(profile.scenario, case, "{what}");
                }
                Reader::Scenario => {
                    let json = serde_json::from_str(&file.text).unwrap();
                    assert_eq!(share::scenario_from_json(&json).unwrap(), case, "{what}");
                }
                Reader::Nobody(why) => assert!(!why.is_empty()),
            }
            read += 1;
        }
    }
    assert!(read > 40, "{read}");
}

/// Version and number of GPUs come back too, so the plan is the same but for what the file cannot say.
fn same_plan(plan: &Plan, imported: &import::Imported, what: &str) {
    let case = &plan.scenario;
    let model = ModelInput::from_catalog(&imported.command.model).unwrap();
    let scenario = imported.scenario(model, case.hardware.clone());
    assert_eq!(
        scenario.hardware.gpus,
        plan.args.as_ref().unwrap().gpus(),
        "{what}"
    );
    assert_eq!(scenario.defaults, Defaults::Vllm);
    if imported.image.is_some() {
        assert_eq!(imported.vllm_version, Some(case.vllm_version), "{what}");
        assert_eq!(scenario.deploy.image, case.deploy.image, "{what}");
    }
    if let Some(gpu) = imported.gpu {
        assert_eq!(gpu.name, case.hardware.gpu.name, "{what}");
    }
    assert!(imported.command.unknown.is_empty(), "{what}");
}
