//! What the programs that read our files do not look for: held here over every kind of plan.
use crate::{matrix, support::scenario};
use planner::{
    ArtifactKind, Plan, RenderOptions,
    artifact::serve_args,
    engine::{FlagKind, FlagTable},
    evaluate, render,
};
use serde::Deserialize as _;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

/// Plans that have files, with a name for messages.
fn plans() -> &'static [(String, Plan)] {
    static PLANS: LazyLock<Vec<(String, Plan)>> = LazyLock::new(|| {
        matrix::scenarios()
            .into_iter()
            .map(|(name, scenario)| (name, evaluate(&scenario)))
            .filter(|(_, plan)| plan.args.is_some())
            .collect()
    });
    assert!(PLANS.len() >= 200, "{}", PLANS.len());
    &PLANS
}

/// Every file of every plan whose name ends so.
fn files(ending: &str) -> Vec<(String, &'static Plan, String)> {
    plans()
        .iter()
        .flat_map(|(name, plan)| {
            let files = render(plan, &RenderOptions::default()).files;
            files
                .into_iter()
                .filter(|file| file.kind.path().ends_with(ending))
                .map(|file| (format!("{name}/{}", file.kind.path()), plan, file.text))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn documents(text: &str) -> Vec<Value> {
    serde_yaml::Deserializer::from_str(text)
        .map(|document| serde_yaml::Value::deserialize(document).unwrap())
        .filter(|document| !document.is_null())
        .map(|document| serde_json::to_value(document).unwrap())
        .collect()
}

/// Every map in a document for which `wanted` has an answer.
fn walk<'a, T>(node: &'a Value, wanted: &dyn Fn(&'a Value) -> Option<T>, found: &mut Vec<T>) {
    found.extend(wanted(node));
    match node {
        Value::Array(items) => items.iter().for_each(|item| walk(item, wanted, found)),
        Value::Object(map) => map.values().for_each(|item| walk(item, wanted, found)),
        _ => {}
    }
}

/// Specs of pods, wherever they stand.
fn pods(document: &Value) -> Vec<&Value> {
    let mut found = Vec::new();
    walk(
        document,
        &|node| node["containers"].is_array().then_some(node),
        &mut found,
    );
    found
}

fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    let list = |key: &str| pod[key].as_array().into_iter().flatten();
    list("containers").chain(list("initContainers"))
}

fn names(list: &Value) -> BTreeSet<&str> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(|item| item["name"].as_str()).collect()
}

/// A quantity of Kubernetes in thousandths; `None` where it is none.
fn quantity(value: &Value) -> Option<u128> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        value => value.as_str()?.to_owned(),
    };
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let scale = match &text[digits.len()..] {
        "" => 1000,
        "m" => 1,
        "Mi" => 1000 << 20,
        "Gi" => 1000 << 30,
        "Ti" => 1000 << 40,
        _ => return None,
    };
    Some(digits.parse::<u128>().ok()? * scale)
}

#[test]
fn what_an_api_server_refuses_is_not_written() {
    let mut seen = 0;
    for (name, plan, text) in files(".yaml") {
        let documents = documents(&text);
        for document in documents
            .iter()
            .filter(|document| document["apiVersion"].is_string())
        {
            let label = document["metadata"]["name"].as_str().unwrap();
            assert!(is_dns_label(label), "{name}: {label}");
            if document["kind"] == "Deployment" {
                let spec = &document["spec"];
                let labels = spec["template"]["metadata"]["labels"].as_object().unwrap();
                for (key, value) in spec["selector"]["matchLabels"].as_object().unwrap() {
                    assert_eq!(labels.get(key), Some(value), "{name}: selector and labels");
                }
            }
            for pod in pods(document) {
                seen += 1;
                a_pod_is_whole(&name, plan, pod);
            }
        }
    }
    // Until there are manifests.
    let any = ArtifactKind::ALL.iter().any(|kind| kind.path() == "k8s.yaml");
    assert!(!any || seen > 200, "{seen}");
}

fn is_dns_label(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    text.len() <= 63
        && text.chars().all(plain)
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
}

fn a_pod_is_whole(name: &str, plan: &Plan, pod: &Value) {
    let volumes = names(&pod["volumes"]);
    for container in containers(pod) {
        for mount in names(&container["volumeMounts"]) {
            assert!(volumes.contains(mount), "{name}: mounts {mount} of {volumes:?}");
        }
        let (requests, limits) = (
            &container["resources"]["requests"],
            &container["resources"]["limits"],
        );
        for (resource, limit) in limits.as_object().into_iter().flatten() {
            let limit = quantity(limit).unwrap_or_else(|| panic!("{name}: {resource} {limit}"));
            let asked = quantity(&requests[resource]);
            if resource.ends_with("/gpu") {
                assert!(
                    asked.is_none_or(|asked| asked == limit),
                    "{name}: GPUs asked and limit"
                );
                assert!(
                    limit / 1000 <= u128::from(plan.scenario.hardware.gpus),
                    "{name}: {limit}"
                );
            }
            assert!(asked.is_none_or(|asked| asked <= limit), "{name}: {resource}");
        }
        let ports: Vec<&Value> = container["ports"].as_array().into_iter().flatten().collect();
        for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
            for way in ["httpGet", "tcpSocket"] {
                let port = &container[probe][way]["port"];
                let there = ports
                    .iter()
                    .any(|own| own["name"] == *port || own["containerPort"] == *port);
                assert!(port.is_null() || there, "{name}: {probe} asks {port}");
            }
        }
    }
}

#[test]
fn no_service_is_named_vllm() {
    for (name, _, text) in files(".yaml") {
        for document in documents(&text) {
            let service = document["kind"] == "Service" && document["metadata"]["name"] == "vllm";
            assert!(!service && document["serviceName"] != "vllm", "{name}");
            for pod in pods(&document) {
                // Another release's service may be named so.
                assert_eq!(pod["enableServiceLinks"], false, "{name}");
            }
        }
    }
}

#[test]
fn compose_says_restart_and_gpus_in_words_that_exist() {
    for (name, plan, text) in files("docker-compose.yaml") {
        for document in documents(&text) {
            for (_, service) in document["services"].as_object().unwrap() {
                let restart = service["restart"].as_str().unwrap_or("no");
                let known = ["no", "always", "unless-stopped", "on-failure"].contains(&restart);
                assert!(known, "{name}: {restart}");
                let devices = &service["deploy"]["resources"]["reservations"]["devices"];
                for device in devices.as_array().into_iter().flatten() {
                    let (count, ids) = (&device["count"], &device["device_ids"]);
                    assert_ne!(count.is_null(), ids.is_null(), "{name}: {device}");
                    assert_eq!(device["capabilities"], serde_json::json!(["gpu"]), "{name}");
                    let gpus = u64::from(plan.scenario.hardware.gpus);
                    assert!(
                        count.as_u64().is_none_or(|count| count <= gpus),
                        "{name}: {count}"
                    );
                }
            }
        }
    }
}

#[test]
fn units_keep_what_systemd_would_replace_and_restart_in_its_words() {
    for ending in [".service", ".container"] {
        for (name, _, text) in files(ending) {
            // Lines that go on are one line.
            let joined = text.replace("\\\n", " ");
            for line in joined.lines().filter(|line| !line.starts_with('#')) {
                let Some((key, value)) = line.split_once('=') else {
                    continue;
                };
                if ["ExecStart", "Exec"].contains(&key) {
                    for sign in ["%", "$"] {
                        assert!(
                            !value.replace(&sign.repeat(2), "").contains(sign),
                            "{name}: {line}"
                        );
                    }
                }
                if key == "Restart" {
                    let known = [
                        "no",
                        "always",
                        "on-success",
                        "on-failure",
                        "on-abnormal",
                        "on-watchdog",
                    ];
                    assert!(known.contains(&value), "{name}: {line}");
                }
            }
        }
    }
}

#[test]
fn every_flag_of_every_plan_is_spelled_as_its_version_spells_it() {
    let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, plan) in plans() {
        let version = plan.scenario.vllm_version;
        let table = FlagTable::of(version);
        for arg in serve_args(plan).iter().skip(1) {
            let flag = arg.flag.as_deref().unwrap();
            let found = table
                .find(flag)
                .unwrap_or_else(|| panic!("{name}: {flag} is not in {version}"));
            // argparse would take an abbreviation, until a second flag begins alike.
            assert_eq!(found.name(), flag, "{name}");
            let fits = match found.flag.kind {
                FlagKind::Switch | FlagKind::SwitchPair => arg.values.is_empty(),
                FlagKind::OptionalValue => arg.values.len() <= 1,
                FlagKind::Value => arg.values.len() == 1,
                FlagKind::List => !arg.values.is_empty(),
            };
            assert!(fits, "{name}: {flag} {:?}", arg.values);
            for value in &arg.values {
                let choices = &found.flag.choices;
                assert!(
                    choices.is_empty() || choices.contains(&value.as_str()),
                    "{name}: {flag} {value}"
                );
            }
            seen.entry(version.to_string())
                .or_default()
                .insert(flag.to_owned());
        }
    }
    assert_eq!(seen.len(), 3);
    assert!(seen.values().all(|flags| flags.len() >= 12), "{seen:?}");
}

#[test]
fn the_bench_script_measures_the_load_that_was_planned() {
    let bench = |changes: &[(&str, &str)]| {
        let plan = evaluate(&scenario("Qwen/Qwen3-8B", "H100 SXM", changes));
        let files = render(&plan, &RenderOptions::default());
        files.get(ArtifactKind::Bench).unwrap().text.clone()
    };
    let has = |text: &str, words: &[&str]| {
        for word in words {
            let given = text
                .lines()
                .any(|line| line.trim().trim_end_matches('\\').trim_end() == *word);
            assert!(given, "{word}\n{text}");
        }
    };
    let plain = bench(&[("concurrency", "7")]);
    has(&plain, &["--random-input-len 1024", "--max-concurrency 7"]);
    for absent in [
        "--burstiness",
        "--random-range-ratio",
        "--random-prefix-len",
        "average one",
    ] {
        assert!(!plain.contains(absent), "{plain}");
    }
    let shaped = bench(&[
        ("request_rate", "2.5"),
        ("burstiness", "0.5"),
        ("length_range", "0.3"),
        ("prefix_cache_hit_rate", "0.75"),
        ("prompt_tokens", "1000"),
    ]);
    // Prefix and the rest are the prompt.
    has(
        &shaped,
        &[
            "--request-rate 2.5",
            "--burstiness 0.5",
            "--random-range-ratio 0.3",
            "--random-prefix-len 750",
            "--random-input-len 250",
        ],
    );
    let before = [
        ("trace", "100/20 300/40"),
        ("length_range", "0.3"),
        ("vllm_version", "0.29.0"),
    ];
    let traced = bench(&before);
    has(&traced, &["--random-input-len 200", "--random-output-len 30"]);
    assert!(traced.contains("Every request is an average one") && !traced.contains("--random-range-ratio"));
    // From 0.30 on the tool can send a trace.
    let traced = bench(&[("trace", "100/20 300/40"), ("concurrency", "40")]);
    has(
        &traced,
        &[
            "300/40",
            "--dataset-name timed_trace",
            "--timed-trace-chunk-hash-size 300",
            "--no-self-timed",
            "--num-prompts 160",
            "--max-concurrency 40",
        ],
    );
    assert!(
        !traced.contains("average one") && !traced.contains("--random"),
        "{traced}"
    );
    let timed = bench(&[
        ("trace", "100/20@1 300/40@1.5 200/9@3"),
        ("prefix_cache_hit_rate", "0.5"),
        ("request_rate", "2"),
    ]);
    has(
        &timed,
        &[
            "300/40@0.5",
            "--timed-trace-chunk-hash-size 16",
            "--num-prompts 3",
            "--metadata arrivals=trace",
        ],
    );
    // It came once a second, and is to come twice.
    assert!(timed.contains("-v slower=0.5 "), "{timed}");
    for absent in ["self-timed", "--request-rate", "--max-concurrency"] {
        assert!(!timed.contains(absent), "{timed}");
    }
}

#[test]
fn the_readme_names_only_files_that_are_kept() {
    let plan = evaluate(&scenario("Qwen/Qwen3-8B", "H100 SXM", &[]));
    let readme = |emit: &[ArtifactKind]| {
        let options = RenderOptions {
            emit: emit.to_vec(),
            ..RenderOptions::default()
        };
        render(&plan, &options)
            .get(ArtifactKind::Readme)
            .unwrap()
            .text
            .clone()
    };
    let all = readme(&[]);
    for name in ["k8s.yaml", "docker-compose.yaml", "profile.yaml", "./bench.sh"] {
        assert!(all.contains(name), "{name}");
    }
    let some = readme(&[ArtifactKind::Docker, ArtifactKind::Bench, ArtifactKind::Readme]);
    assert!(
        some.contains("./docker_run.sh") && some.contains("./bench.sh"),
        "{some}"
    );
    for kind in ArtifactKind::ALL {
        let kept = matches!(
            kind,
            ArtifactKind::Docker | ArtifactKind::Bench | ArtifactKind::Readme
        );
        assert!(kept || !some.contains(kind.path()), "{}", kind.path());
    }
    let none = readme(&[ArtifactKind::Readme, ArtifactKind::Report]);
    assert!(!none.contains("Start it") && !none.contains("bench"), "{none}");
}
