//! The kinds of files beside the first ones: the same words everywhere, on one node and on several.
use crate::{
    artifacts::{TRAPS, nasty, options, run_with_stub, text},
    support::scenario,
};
use planner::{
    ArtifactKind, Plan, Scenario,
    artifact::{omitted, serve_words},
    evaluate, render,
};
use serde::Deserialize as _;
use serde_json::Value;

fn several(fields: &[(&str, &str)]) -> Scenario {
    let mut all = vec![("gpus", "8"), ("nodes", "2")];
    all.extend(fields);
    scenario("Qwen/Qwen3-30B-A3B", "H100 SXM", &all)
}

/// Every document of a file.
fn documents(text: &str) -> Vec<Value> {
    serde_yaml::Deserializer::from_str(text)
        .map(|one| Value::deserialize(one).unwrap_or_else(|e| panic!("{e}\n{text}")))
        .filter(|one| !one.is_null())
        .collect()
}

fn object(plan: &Plan, kind: ArtifactKind, name: &str) -> Value {
    let text = text(plan, kind);
    let found = documents(&text).into_iter().find(|one| one["kind"] == name);
    found.unwrap_or_else(|| panic!("no {name} in\n{text}"))
}

/// What Kubernetes makes of `$`.
fn words(list: &Value) -> Vec<String> {
    let words = list.as_array().unwrap().iter();
    words
        .map(|word| word.as_str().unwrap().replace("$$", "$"))
        .collect()
}

/// What systemd makes of an `Exec…=` line (`systemd.service(5)`).
fn systemd_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut letters = line
        .replace("\\\n", " ")
        .chars()
        .collect::<Vec<_>>()
        .into_iter()
        .peekable();
    loop {
        while letters.next_if_eq(&' ').is_some() {}
        let Some(first) = letters.peek() else { break };
        let quoted = *first == '"';
        if quoted {
            letters.next();
        }
        let mut word = String::new();
        while let Some(c) = letters.next() {
            match c {
                '"' if quoted => break,
                ' ' if !quoted => break,
                '%' | '$' => word.push(letters.next_if_eq(&c).expect("doubled")),
                '\\' => match letters.next().unwrap() {
                    'n' => word.push('\n'),
                    'x' => {
                        let hex: String = [letters.next().unwrap(), letters.next().unwrap()]
                            .iter()
                            .collect();
                        word.push(char::from(u8::from_str_radix(&hex, 16).unwrap()));
                    }
                    other => word.push(other),
                },
                c => word.push(c),
            }
        }
        words.push(word);
    }
    words
}

/// The value of a key that goes on over lines.
fn value<'a>(text: &'a str, key: &str) -> &'a str {
    let start = text.find(&format!("\n{key}=")).unwrap() + key.len() + 2;
    let rest = &text[start..];
    let end = rest
        .char_indices()
        .find(|(at, c)| *c == '\n' && !rest[..*at].ends_with('\\'));
    &rest[..end.unwrap().0]
}

#[test]
fn units_start_vllm_with_the_plans_words() {
    for case in [nasty(TRAPS), nasty(["100%d", "a\\b\"c", ";", "org/m"])] {
        let plan = evaluate(&case);
        let unit = text(&plan, ArtifactKind::Systemd);
        let exec = systemd_words(value(&unit, "ExecStart"));
        assert_eq!(exec[..2], ["/opt/vllm/bin/vllm", "serve"]);
        assert_eq!(exec[2..], serve_words(&plan));
        let quadlet = text(&plan, ArtifactKind::Quadlet);
        assert_eq!(systemd_words(value(&quadlet, "Exec")), serve_words(&plan));
    }
    let plan = evaluate(&nasty(["\u{FFFE}", "a", "b", "c"]));
    assert!(
        omitted(&plan, ArtifactKind::Systemd)
            .unwrap()
            .contains("code point")
    );
}

#[test]
fn pods_start_vllm_with_the_plans_words() {
    let plan = evaluate(&nasty(TRAPS));
    for (kind, name, path) in [
        (ArtifactKind::K8s, "Deployment", "/spec/template/spec"),
        (ArtifactKind::Kserve, "InferenceService", "/spec/predictor"),
    ] {
        let object = object(&plan, kind, name);
        let pod = object.pointer(path).unwrap();
        let container = &pod["containers"][0];
        assert_eq!(words(&container["args"]), serve_words(&plan), "{name}");
        assert_eq!(pod["enableServiceLinks"], false);
        // Every mount has a volume, every probe a port that is there, and GPUs are asked for as they are limited.
        for mount in container["volumeMounts"].as_array().unwrap() {
            let volumes = pod["volumes"].as_array().unwrap();
            assert!(volumes.iter().any(|volume| volume["name"] == mount["name"]));
        }
        for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
            assert_eq!(container[probe]["httpGet"]["port"], container["ports"][0]["name"]);
        }
        let resources = &container["resources"];
        assert_eq!(
            resources["limits"]["nvidia.com/gpu"],
            resources["requests"]["nvidia.com/gpu"]
        );
        assert!(container["env"][0]["value"].is_null());
    }
    let deployment = object(&plan, ArtifactKind::K8s, "Deployment");
    let labels = &deployment["spec"]["template"]["metadata"]["labels"];
    assert_eq!(deployment["spec"]["selector"]["matchLabels"], *labels);
    let service = object(&plan, ArtifactKind::K8s, "Service");
    assert_eq!(service["spec"]["selector"], *labels);
    assert_ne!(service["metadata"]["name"], "vllm");
}

#[test]
fn skypilot_runs_what_the_script_runs() {
    let plan = evaluate(&nasty(TRAPS));
    let task = &documents(&text(&plan, ArtifactKind::Skypilot))[0];
    // What activates the environment is not here.
    let run = task["run"].as_str().unwrap().replace("source ", "true ");
    let script = format!("HF_TOKEN= VLLM_API_KEY=\n{} \"$@\"\n", run.trim_end());
    assert_eq!(run_with_stub("sky", "vllm", &script)[1..], serve_words(&plan));
}

#[test]
fn each_node_is_told_its_part() {
    for (fields, common, others) in [
        (
            &[("tensor_parallel_size", "4"), ("pipeline_parallel_size", "4")][..],
            "--nnodes 2 --node-rank RANK --master-addr HEAD",
            "--headless",
        ),
        (
            &[
                ("tensor_parallel_size", "2"),
                ("pipeline_parallel_size", "1"),
                ("data_parallel_size", "8"),
                ("enable_expert_parallel", "true"),
            ],
            "--data-parallel-size-local 4 --data-parallel-address HEAD --data-parallel-rpc-port 13345",
            "--data-parallel-start-rank 4 --headless",
        ),
    ] {
        let plan = evaluate(&several(fields));
        let words = serve_words(&plan).join(" ");
        for (rank, more) in [("0", String::new()), ("1", format!(" {others}"))] {
            let expected = format!(
                "serve {words} {}{more}",
                common.replace("RANK", rank).replace("HEAD", "10.0.0.1")
            );
            let export = format!("export NODE_RANK={rank} HEAD_ADDRESS=10.0.0.1\n");
            let script = text(&plan, ArtifactKind::Command);
            let run = run_with_stub(&format!("node{rank}"), "vllm", &(export + &script));
            assert_eq!(run.join(" "), expected);
        }
        let set = object(&plan, ArtifactKind::Lws, "LeaderWorkerSet");
        let template = &set["spec"]["leaderWorkerTemplate"];
        assert_eq!(template["size"], 2);
        let leader = &template["leaderTemplate"]["spec"]["containers"][0];
        let own = common
            .replace("RANK", "0")
            .replace("HEAD", "$(LWS_LEADER_ADDRESS)");
        assert_eq!(self::words(&leader["args"]).join(" "), format!("{words} {own}"));
        let worker = &template["workerTemplate"]["spec"]["containers"][0];
        assert!(worker["startupProbe"].is_null());
        assert!(self::words(&worker["args"]).join(" ").ends_with("--headless"));
        let compose = &documents(&text(&plan, ArtifactKind::Compose))[0];
        let head = &compose["services"]["llm-server"];
        assert_eq!(head["network_mode"], "host");
        assert!(
            self::words(&compose["services"]["llm-server-worker"]["command"])
                .join(" ")
                .ends_with("--headless")
        );
    }
}

#[test]
fn ray_holds_an_engine_together_before_0_11_2() {
    let plan = evaluate(&several(&[("vllm_version", "0.10.2")]));
    let script = text(&plan, ArtifactKind::Command);
    assert!(script.contains("ray start --head") && script.contains("--distributed-executor-backend ray"));
    assert!(
        omitted(&plan, ArtifactKind::Docker)
            .unwrap()
            .contains("Ray cluster")
    );
    let service = object(&plan, ArtifactKind::Ray, "RayService");
    let config = &documents(service["spec"]["serveConfigV2"].as_str().unwrap())[0];
    let engine = &config["applications"][0]["args"]["llm_configs"][0]["engine_kwargs"];
    assert_eq!(engine["pipeline_parallel_size"], 2);
    assert_eq!(
        service["spec"]["rayClusterConfig"]["workerGroupSpecs"][0]["replicas"],
        2
    );
}

#[test]
fn no_secret_is_written_and_every_file_says_what_made_it() {
    for case in [nasty(TRAPS), several(&[])] {
        let plan = evaluate(&case);
        for file in render(&plan, &options()).files {
            assert!(
                file.text.contains("vLLM Wizard") || file.kind == ArtifactKind::Plan,
                "{:?}",
                file.kind
            );
            for line in file.text.lines() {
                let given = line.trim_start().strip_prefix("HF_TOKEN=").unwrap_or_default();
                assert!(given.is_empty(), "{:?}: {line}", file.kind);
            }
        }
    }
}

#[test]
fn parsers_of_a_family_are_named_where_the_version_has_them() {
    for (model, version, parts) in [
        (
            "Qwen/Qwen3-8B",
            "0.33.0",
            &["--tool-call-parser hermes", "--reasoning-parser qwen3"][..],
        ),
        ("Qwen/Qwen3-8B", "0.8.5", &["--tool-call-parser hermes"]),
        (
            "Qwen/Qwen3-Coder-30B-A3B-Instruct",
            "0.33.0",
            &["--tool-call-parser qwen3_coder"],
        ),
        (
            "openai/gpt-oss-20b",
            "0.33.0",
            &["--tool-call-parser openai", "--reasoning-parser openai_gptoss"],
        ),
        (
            "deepseek-ai/DeepSeek-V3.1",
            "0.33.0",
            &["deepseek_v31", "--reasoning-parser deepseek_v3"],
        ),
        (
            "meta-llama/Llama-3.3-70B-Instruct",
            "0.33.0",
            &["llama3_json", "tool_chat_template_llama3.1_json.jinja"],
        ),
    ] {
        let plan = evaluate(&scenario(
            model,
            "H100 SXM",
            &[("gpus", "8"), ("vllm_version", version)],
        ));
        let (script, report) = (
            text(&plan, ArtifactKind::Command),
            text(&plan, ArtifactKind::Report),
        );
        for part in parts {
            assert!(
                script.contains(part) && report.contains(part),
                "{model}: {part}\n{script}"
            );
        }
        // Comments only.
        assert!(!serve_words(&plan).iter().any(|word| word.contains("parser")));
    }
    let old = evaluate(&scenario(
        "Qwen/Qwen3-8B",
        "H100 SXM",
        &[("vllm_version", "0.8.5")],
    ));
    assert!(!text(&old, ArtifactKind::Command).contains("--reasoning-parser"));
}
