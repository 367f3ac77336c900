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
use std::{fmt::Write as _, fs, path::Path};

/// Who reads a kind back.
enum Reader {
    /// [`import::read`]: the same engine arguments.
    Deployment,
    /// [`import::read`]: vLLM runs with the same arguments, though the file says more or less, for this reason. The fields
    /// named are not in the file.
    Told(&'static str, &'static [&'static str]),
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
        "production-stack" => Reader::Told(
            "the chart writes --tensor-parallel-size and the switch of prefix caching whatever one says",
            &[],
        ),
        "llmisvc" => Reader::Told("KServe has ports of its own", &["port"]),
        "ray" => Reader::Told("Ray serves on a port of its own", &["port"]),
        "report" | "readme" => Reader::Nobody("prose for people; plan.json holds the same for programs"),
        "bench" => Reader::Nobody("drives a server, does not start one"),
        "env" => Reader::Nobody("variables beside the compose file, which has the command"),
        "autoscale" => Reader::Nobody("scales the Deployment of k8s.yaml, which has the command"),
        _ => Reader::Deployment,
    }
}

/// What tells a node its place; the scenario says it as `nodes`.
const PLACES: &[&str] = &[
    "--nnodes",
    "--node-rank",
    "--master-addr",
    "--master-port",
    "--headless",
    "--data-parallel-size-local",
    "--data-parallel-address",
    "--data-parallel-rpc-port",
    "--data-parallel-start-rank",
    "--distributed-executor-backend",
];

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
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut cases: Vec<(String, Scenario)> = paths
        .filter(|path| path.is_file())
        .map(|path| example(&path))
        .collect();
    cases.push(("quotes".to_owned(), trapped()));
    let amd = scenario(
        "Qwen/Qwen3-8B",
        "MI300X",
        &[("gpus", "4"), ("tensor_parallel_size", "2")],
    );
    cases.push(("amd".to_owned(), amd));
    let old = [("vllm_version", "0.11.2"), ("max_model_len", "8192")];
    let parts = [
        ("gpus", "8"),
        ("nodes", "2"),
        ("tensor_parallel_size", "8"),
        ("pipeline_parallel_size", "2"),
    ];
    let llama = "meta-llama/Llama-3.3-70B-Instruct";
    cases.push(("parts".to_owned(), scenario(llama, "H100 SXM", &parts)));
    let engines = [
        ("gpus", "8"),
        ("nodes", "2"),
        ("tensor_parallel_size", "1"),
        ("pipeline_parallel_size", "1"),
        ("data_parallel_size", "16"),
        ("enable_expert_parallel", "true"),
    ];
    cases.push((
        "engines".to_owned(),
        scenario("Qwen/Qwen3-30B-A3B", "H100 SXM", &engines),
    ));
    let mut own = scenario(
        "Qwen/Qwen3-8B",
        "L4",
        &[
            ("image", "registry.example:5000/vllm/own:v0.33.0"),
            ("max_model_len", "8192"),
        ],
    );
    own.model.revision = Some("main".to_owned());
    cases.push(("own".to_owned(), own));
    cases.push(("old".to_owned(), scenario("Qwen/Qwen3-8B", "L40S", &old)));
    cases
}

#[test]
fn every_file_gives_its_arguments_back() {
    let (mut read, mut wrong) = (0, String::new());
    for (name, case) in cases() {
        let plan = evaluate(&case);
        assert_ne!(
            plan.verdict.outcome,
            Outcome::Unsupported,
            "{name}: {}",
            plan.verdict.reason
        );
        for file in render(&plan, &RenderOptions::default()).files {
            let held = match reader(file.kind) {
                Reader::Deployment => deployment(&plan, &file.text, None),
                Reader::Told(why, without) => {
                    deployment(&plan, &file.text, Some(without)).map_err(|e| format!("{e} ({why})"))
                }
                Reader::Profile => profile::read(&file.text, &profile::Supply::default())
                    .map_err(|error| error.to_string())
                    .and_then(|profile| same(&profile.scenario, &case)),
                Reader::Scenario => {
                    let json = serde_json::from_str(&file.text).unwrap();
                    same(&share::scenario_from_json(&json).unwrap(), &case)
                }
                Reader::Nobody(why) => {
                    assert!(!why.is_empty());
                    continue;
                }
            };
            if let Err(error) = held {
                writeln!(wrong, "{name}, {}: {error}", file.kind.path()).unwrap();
            }
            read += 1;
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(read > 40, "{read}");
}

fn same<T: PartialEq + std::fmt::Debug>(found: &T, expected: &T) -> Result<(), String> {
    (found == expected)
        .then_some(())
        .ok_or_else(|| format!("{found:?}\n  instead of {expected:?}"))
}

/// Model, arguments, version and number of GPUs come back; `told`: the arguments as vLLM resolves them, without some.
fn deployment(plan: &Plan, text: &str, told: Option<&[&str]>) -> Result<(), String> {
    let imported = import::read(text).map_err(|error| error.to_string())?;
    let case = &plan.scenario;
    same(&imported.command.model, &case.model.id)?;
    same(&imported.command.revision, &case.model.revision)?;
    same(&imported.command.unknown, &Vec::new())?;
    let mut scenario = imported.scenario(
        ModelInput::from_catalog(&case.model.id).unwrap(),
        case.hardware.clone(),
    );
    let args = &mut scenario.engine.vllm_args;
    args.retain(|(flag, _)| !PLACES.contains(&flag.as_str()));
    match told {
        None => same(&scenario.engine, &engine(plan))?,
        Some(without) => {
            let rows = |engine: EngineArgs| -> Vec<(&str, String)> {
                let mut scenario = case.clone();
                (scenario.engine, scenario.defaults) = (engine, Defaults::Vllm);
                let rows = evaluate(&scenario).arg_rows().into_iter();
                let kept = rows.filter(|row| !without.contains(&row.id));
                kept.map(|row| (row.id, row.value)).collect()
            };
            let extra = |engine: &EngineArgs| {
                let mut extra: Vec<(String, Option<serde_json::Value>)> = Vec::new();
                for (flag, value) in &engine.vllm_args {
                    let json = value
                        .as_ref()
                        .map(|text| serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into()));
                    extra.push((flag.clone(), json));
                }
                extra.sort_by(|a, b| a.0.cmp(&b.0));
                extra
            };
            same(&extra(&scenario.engine), &extra(&engine(plan)))?;
            same(&rows(scenario.engine.clone()), &rows(engine(plan)))?;
        }
    }
    same(
        &scenario.hardware.total_gpus(),
        &plan.args.as_ref().unwrap().gpus(),
    )?;
    same(&scenario.defaults, &Defaults::Vllm)?;
    if imported
        .image
        .as_deref()
        .is_some_and(|image| image.contains("vllm/"))
    {
        same(&imported.vllm_version, &Some(case.vllm_version))?;
        same(&scenario.deploy.image, &case.deploy.image)?;
    }
    if let Some(gpu) = imported.gpu {
        same(&gpu.name, &case.hardware.gpu.name)?;
    }
    Ok(())
}
