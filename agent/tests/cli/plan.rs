//! `plan`: where the model comes from, what is printed, how it ends.
use crate::support::{CONFIG, Run, fixture};
use serde_json::Value;

#[test]
fn a_model_of_the_catalogue_fits() {
    let ended = Run::new("plan --model Qwen/Qwen3-8B --gpu")
        .arg("H100 SXM")
        .code(0);
    ended.has(&[
        "Qwen/Qwen3-8B on 1 × H100 SXM",
        "Fits",
        "Model loading took ",
        "Available KV cache memory: ",
        "GPU KV cache size: ",
        "Maximum concurrency for ",
    ]);
    assert!(ended.stderr.contains("catalogue"), "{}", ended.stderr);
    for line in ended.stdout.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn json_is_alone_on_stdout_and_sums_up() {
    let ended = Run::new("plan --json --model Qwen/Qwen3-8B --gpu L40S").code(0);
    let plan = ended.json();
    assert_eq!(plan["schema"], "vllm-wizard/plan/v1");
    assert_eq!(plan["verdict"]["outcome"], "fits");
    let terms = plan["memory"]["terms"].as_array().unwrap();
    let sum: i64 = terms.iter().map(|term| term["bytes"].as_i64().unwrap()).sum();
    assert_eq!(Some(sum), plan["memory"]["gpu_total_bytes"].as_i64());
}

#[test]
fn explain_shows_formula_source_and_basis() {
    Run::new("plan --explain --model Qwen/Qwen3-8B --gpu L40S")
        .code(0)
        .has(&[
            "Where the figures come from",
            "@0.33.0",
            "· exact",
            "· fitted",
            " = ",
        ]);
}

#[test]
fn what_does_not_fit_ends_with_3_and_says_what_would_help() {
    let run = || Run::new("plan --model meta-llama/Llama-3.3-70B-Instruct --gpu L4");
    run()
        .code(3)
        .has(&["Does not fit", "Missing on each GPU", "What would help"]);
    let plan = run().arg("--json").code(3).json();
    assert_eq!(plan["verdict"]["outcome"], "does_not_fit");
}

#[test]
fn flags_that_vllm_refuses_end_with_3() {
    let ended =
        Run::new("plan --model Qwen/Qwen3-8B --gpu L40S --gpus 3 --tensor-parallel-size 3 --json").code(3);
    assert!(ended.json()["verdict"]["vllm_error"].is_string());
}

#[test]
fn an_unsupported_model_ends_with_6_and_gives_no_figures() {
    let config = CONFIG.replace("Qwen3ForCausalLM", "MadeUpForCausalLM");
    let ended = Run::new("plan --json --model org/new --model-config c.json --gpu L4")
        .file("c.json", config)
        .code(6);
    let plan = ended.json();
    assert_eq!(plan["verdict"]["outcome"], "unsupported");
    assert!(plan["memory"].is_null());
}

#[test]
fn the_config_may_be_a_file_a_folder_or_stdin() {
    let weights = |run: Run| run.code(0).json()["memory"]["weights_bytes"].as_u64().unwrap();
    let file = Run::new("plan --json --gpu L4 --model org/name --model-config c.json").file("c.json", CONFIG);
    let folder =
        Run::new("plan --json --gpu L4 --model org/name --model-config m").file("m/config.json", CONFIG);
    let local = Run::new("plan --json --gpu L4 --model ./m").file("m/config.json", CONFIG);
    let stdin = Run::new("plan --json --gpu L4 --model org/name --model-config -").stdin(CONFIG);
    let bom =
        Run::new("plan --json --gpu L4 --model org/name --model-config -").stdin(format!("\u{feff}{CONFIG}"));
    let expected = weights(file);
    for run in [folder, local, stdin, bom] {
        assert_eq!(weights(run), expected);
    }
}

#[test]
fn a_config_without_a_name_gets_the_best_one_there_is() {
    let id = |run: Run| {
        run.code(0).json()["scenario"]["model"]["id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let named = CONFIG.replacen('{', r#"{"_name_or_path": "org/inside","#, 1);
    let run = || Run::new("plan --json --gpu L4 --model-config");
    assert_eq!(id(run().arg("-").stdin(named)), "org/inside");
    assert_eq!(id(run().arg("-").stdin(CONFIG)), "your-org/your-model");
    assert_eq!(id(run().arg("m").file("m/config.json", CONFIG)), "m");
    assert_eq!(id(run().arg("m/config.json").file("m/config.json", CONFIG)), "m");
}

#[test]
fn the_local_cache_goes_before_the_catalogue() {
    let at = "hub/models--Qwen--Qwen3-8B";
    let run = |name: &str, value: &str| {
        Run::new("plan --model Qwen/Qwen3-8B --gpu L4")
            .file(&format!("{at}/refs/main"), "abc123")
            .file(&format!("{at}/snapshots/abc123/config.json"), CONFIG)
            .env(name, value)
    };
    for (name, value) in [("HF_HOME", "."), ("HF_HUB_CACHE", "hub")] {
        let ended = run(name, value).code(0);
        assert!(ended.stderr.contains("Hugging Face cache"), "{}", ended.stderr);
        ended.has(&["Model loading took 1.1"]);
    }
    let ended = run("HF_HOME", "elsewhere").code(0);
    assert!(ended.stderr.contains("catalogue"), "{}", ended.stderr);
}

#[test]
fn a_quantisation_that_stands_beside_the_config_is_not_overlooked() {
    let run = |algorithm: &str| {
        let beside = format!(
            r#"{{"producer": {{"name": "modelopt"}}, "quantization": {{"quant_algo": "{algorithm}", "exclude_modules": ["lm_head"]}}}}"#
        );
        Run::new("plan --json --model ./m --gpu L4")
            .file("m/config.json", CONFIG)
            .file("m/hf_quant_config.json", beside)
    };
    let plain = Run::new("plan --json --model ./m --gpu L4")
        .file("m/config.json", CONFIG)
        .code(0);
    let weights = |plan: &serde_json::Value| plan["memory"]["weights_tensor_bytes"].as_u64().unwrap();
    assert!(weights(&run("FP8").code(0).json()) < weights(&plain.json()));
    run("MADE_UP").code(6).has(&["MADE_UP"]);
    run("\"").fails(5, &["hf_quant_config.json"]);
}

#[test]
fn modules_of_sentence_transformers_beside_the_config_make_the_model_pool() {
    let run = |flags: &str, modules: &str| {
        Run::new(&format!("plan --json --model ./m --gpu L4 {flags}"))
            .file("m/config.json", CONFIG)
            .file("m/modules.json", modules)
    };
    let pooling = r#"[{"idx":0,"type":"sentence_transformers.models.Transformer"},{"idx":1,"path":"1_Pooling","type":"sentence_transformers.models.Pooling"}]"#;
    let sampler = |plan: &serde_json::Value| {
        let terms = plan["memory"]["terms"].as_array().unwrap();
        terms.iter().any(|term| term["id"] == "persistent.sampler")
    };
    assert!(sampler(&run("", "[]").code(0).json()));
    assert!(!sampler(&run("", pooling).code(0).json()));
    run("", "{").fails(5, &["modules.json"]);
}

#[test]
fn bad_configs_end_with_5_and_name_the_problem() {
    let plan =
        |text: &str| Run::new("plan --gpu L4 --model org/name --model-config c.json").file("c.json", text);
    plan("").fails(5, &["c.json", "not JSON"]);
    plan(&CONFIG[..CONFIG.len() / 2]).fails(5, &["c.json", "not JSON", "line"]);
    plan("[1, 2]").fails(5, &["c.json", "expected a JSON object"]);
    plan("<html>").fails(5, &["c.json", "help: "]);
    plan(&CONFIG.replace("\"num_hidden_layers\": 28,", "")).fails(5, &["num_hidden_layers"]);
    let layers = |value: &str| plan(&CONFIG.replace(": 28,", &format!(": {value},")));
    layers("\"many\"").fails(5, &["num_hidden_layers", "many"]);
    layers("-1").fails(5, &["num_hidden_layers", "-1"]);
    plan(&" ".repeat(50 << 20)).fails(5, &["c.json", "52428800 bytes"]);
    Run::new("plan --gpu L4 --model-config -")
        .stdin(" ".repeat(50 << 20))
        .fails(5, &["stdin", "more than"]);
    Run::new("plan --gpu L4 --model-config c.json")
        .file("c.json", [0xff, 0xfe, 0])
        .fails(5, &["c.json", "UTF-8"]);
    Run::new("plan --gpu L4 --model-config gone.json").fails(5, &["gone.json", "no such file"]);
    Run::new("plan --gpu L4 --model ./m")
        .file("m/adapter_config.json", "{}")
        .fails(5, &["no config.json", "LoRA"]);
    Run::new("plan --gpu L4 --model Qwen/Qwen3-9B")
        .fails(5, &["Qwen/Qwen3-9B", "Qwen/Qwen3-8B", "--model-config"]);
    Run::new("plan --gpu L4 --model")
        .arg("a\nb")
        .fails(2, &["--model"]);
    Run::new("plan --gpu L4 --model=-x").fails(2, &["--model", "dash"]);
}

#[test]
fn the_hardware_may_come_from_a_report() {
    let run = |name: &str| {
        Run::new("plan --json --model Qwen/Qwen3-8B")
            .arg("--host")
            .arg(fixture(name))
    };
    let plan = run("h200x8.json").code(0).json();
    assert_eq!(plan["scenario"]["gpu"], "H200 SXM");
    assert_eq!(plan["scenario"]["gpus"], 8);
    let plan = run("one_unreadable.json").code(0).json();
    assert_eq!(plan["scenario"]["gpus"], 2);
}

#[test]
fn all_kinds_of_gpu_of_a_report_make_one_engine_on_request() {
    let run = |args: &str| {
        Run::new("plan --model Qwen/Qwen3-Coder-30B-A3B-Instruct-FP8")
            .args(args)
            .arg("--host")
            .arg(fixture("rtx5070ti_5090d.json"))
    };
    let alone = run("").code(3);
    assert!(alone.stderr.contains("--mixed-gpus"), "{}", alone.stderr);
    let both = run("--mixed-gpus --json").code(0);
    assert!(!both.stderr.contains("left out"), "{}", both.stderr);
    let plan = both.json();
    // The second is not in the catalogue, and is planned from what the driver says of it.
    let others = plan["scenario"]["other_gpus"].as_str().unwrap();
    assert!(
        others.starts_with("NVIDIA GeForce RTX 5090 D=") && others.ends_with("@12.0"),
        "{others}"
    );
    let stages = plan["memory"]["ranks"].as_array().unwrap();
    let layers: Vec<u64> = stages
        .iter()
        .map(|stage| stage["num_hidden_layers"].as_u64().unwrap())
        .collect();
    assert!(
        layers.iter().sum::<u64>() == 48 && layers[0] < layers[1],
        "{layers:?}"
    );
    // As a file it says the same.
    let again = Run::new("plan --json --scenario plan.json")
        .file("plan.json", &both.stdout)
        .code(0)
        .json();
    assert_eq!(again["memory"], plan["memory"]);
}

#[test]
fn memory_may_be_given_instead_of_a_gpu() {
    let total = |args: &str| {
        Run::new("plan --json --model Qwen/Qwen3-8B")
            .args(args)
            .code(0)
            .json()["memory"]["gpu_total_bytes"]
            .as_u64()
            .unwrap()
    };
    assert_eq!(
        total("--gpu-memory-gib 79.5 --compute-capability 9.0"),
        85_362_475_008
    );
    assert_eq!(total("--vram-gb 79.5"), 85_362_475_008);
    assert_eq!(total("--gpu-memory 79.5GiB"), 85_362_475_008);
    assert_eq!(total("--gpu L40S --gpu-memory-gib 44"), 44 << 30);
    assert_eq!(total("--gpu MyCard --gpu-memory-gib 44"), 44 << 30);
}

#[test]
fn an_older_release_is_answered_with_a_note() {
    let plan = Run::new("plan --json --model Qwen/Qwen3-8B --gpu L40S --vllm-version 0.11.2")
        .code(0)
        .json();
    let notes = plan["notes"].to_string();
    assert!(notes.contains("0.11.2"), "{notes}");
}

#[test]
fn a_scenario_comes_from_a_file_or_a_link_and_flags_win() {
    let first =
        Run::new("plan --json --model Qwen/Qwen3-8B --gpu L40S --gpus 2 --max-model-len 8192").code(0);
    let scenario = &first.json()["scenario"];
    let again = Run::new("plan --json --scenario plan.json")
        .file("plan.json", &first.stdout)
        .code(0);
    assert_eq!(&again.json()["scenario"], scenario);
    let changed = Run::new("plan --json --scenario plan.json --max-model-len 4096 --gpu L4")
        .file("plan.json", &first.stdout)
        .code(0);
    assert_eq!(changed.json()["scenario"]["max_model_len"], 4096);
    assert_eq!(changed.json()["scenario"]["gpu"], "L4");
    assert_eq!(changed.json()["scenario"]["gpus"], 2);
    let link = "#s=1&vllm=0.33.0&model=Qwen/Qwen3-8B&gpu=l40s&gpus=2&max_model_len=8192";
    for link in [link.to_owned(), format!("https://wizard.example/{link}")] {
        let ended = Run::new("plan --json --link").arg(link).code(0);
        assert_eq!(&ended.json()["scenario"], scenario);
    }
    Run::new("plan --scenario x.json")
        .file("x.json", "{}")
        .fails(5, &["x.json"]);
    Run::new("plan --scenario #s=9&model=a/b&gpu=l4").fails(5, &["newer"]);
    let ended = Run::new("plan --scenario #s=1&model=Qwen/Qwen3-8B&gpu=l40s&max_model_le=8").code(0);
    assert!(ended.stderr.contains("`max_model_le`"), "{}", ended.stderr);
}

#[test]
fn a_batch_answers_line_by_line_and_goes_on_after_a_bad_one() {
    let lines =
        "#s=1&model=Qwen/Qwen3-8B&gpu=l4\n\n{\"schema\":\"x\"}\nnonsense\n#s=1&model=Qwen/Qwen3-8B&gpu=l40s";
    let ended = Run::new("plan --batch -").stdin(lines).code(5);
    let answers: Vec<serde_json::Value> = ended
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), 5);
    assert_eq!(answers[0]["scenario"]["gpu"], "L4");
    for (place, answer) in answers.iter().enumerate().take(4).skip(1) {
        assert_eq!(answer["error"]["line"], place + 1);
        assert!(answer["error"]["message"].is_string());
    }
    assert_eq!(answers[4]["verdict"]["outcome"], "fits");
    Run::new("plan --batch gone.jsonl").fails(5, &["gone.jsonl"]);
    Run::new("plan --batch - --gpu L4").fails(2, &["--batch"]);
}

#[test]
fn simulate_sends_requests_one_by_one_and_says_the_same_each_time() {
    let run = || {
        Run::new("plan --simulate 300 --model Qwen/Qwen3-8B --concurrency 16 --gpu")
            .arg("H100 SXM")
            .code(0)
    };
    let ended = run();
    ended.has(&[
        "300 simulated requests",
        "Time to first token",
        "p99 ",
        "Preemptions",
    ]);
    assert_eq!(ended.stdout, run().stdout);
    Run::new("plan --simulate 0 --model Qwen/Qwen3-8B --gpu L4").code(2);
    Run::new("plan --simulate 9 --batch -").code(2);
    let json = |flags: &str| -> Value {
        let run = Run::new(&format!("plan {flags} --json --model Qwen/Qwen3-8B --gpu L4")).code(0);
        serde_json::from_str(&run.stdout).unwrap()
    };
    let (alone, simulated) = (json(""), json("--simulate 200"));
    assert!(alone["performance"]["ttft_ms"]["p99"].is_null());
    assert!(simulated["performance"]["ttft_ms"]["p99"].is_number());
    assert_eq!(simulated["performance"]["simulated_requests"], 200);
    assert_eq!(alone["memory"], simulated["memory"]);
}

#[test]
fn sensitivity_says_what_each_input_brings() {
    Run::new("plan --sensitivity --model Qwen/Qwen3-32B --gpu L40S --gpus 2")
        .code(0)
        .has(&[
            "What each doubling brings",
            "requests at once",
            "What the verdict hangs on: gpu_memory_utilization most",
            " and less",
        ]);
}
