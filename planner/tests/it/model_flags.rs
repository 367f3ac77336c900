//! Flags that change the model: its config's fields, and where its weights lie.
use crate::support::scenario;
use planner::{Outcome, Plan, Scenario, evaluate, model::ModelInput, units::GIB};

/// Llama 3 70B (8192 positions), which a log of `--cpu-offload-gb 70` is of.
const LLAMA: &str = r#"{"architectures":["LlamaForCausalLM"],"hidden_size":8192,"intermediate_size":28672,"num_hidden_layers":80,"num_attention_heads":64,"num_key_value_heads":8,"vocab_size":128256,"max_position_embeddings":8192,"torch_dtype":"bfloat16"}"#;
/// QwQ 32B in AWQ.
const QWQ: &str = r#"{"architectures":["Qwen2ForCausalLM"],"hidden_size":5120,"intermediate_size":27648,"num_hidden_layers":64,"num_attention_heads":40,"num_key_value_heads":8,"vocab_size":152064,"max_position_embeddings":40960,"torch_dtype":"float16","quantization_config":{"bits":4,"group_size":128,"quant_method":"awq","version":"gemm","zero_point":true}}"#;
/// As the model card of Qwen3 8B says it.
const YARN: &str = r#"{"rope_type":"yarn","factor":4.0,"original_max_position_embeddings":32768}"#;

fn plan(config: Option<&str>, version: &str, flags: &[(&str, &str)]) -> Plan {
    let mut scenario = scenario("Qwen/Qwen3-8B", "H200 SXM", &[("vllm_version", version)]);
    if let Some(config) = config {
        scenario.model = ModelInput::from_config("x/y", config).unwrap();
    }
    evaluate(&with(scenario, flags))
}

fn with(mut scenario: Scenario, flags: &[(&str, &str)]) -> Scenario {
    for (flag, value) in flags {
        match flag.strip_prefix("--") {
            Some(_) => {
                let given = ((*flag).to_owned(), Some((*value).to_owned()));
                scenario.engine.vllm_args.push(given);
            }
            None => scenario.set(flag, value).unwrap(),
        }
    }
    scenario
}

fn gib(plan: &Plan) -> f64 {
    plan.memory.as_ref().unwrap().weights_bytes.get() as f64 / GIB as f64
}

fn offloaded(plan: &Plan) -> f64 {
    let terms = &plan.memory.as_ref().unwrap().terms;
    let term = terms.iter().find(|term| term.id == "weights.offloaded");
    term.map_or(0.0, |term| -term.bytes as f64 / GIB as f64)
}

#[test]
fn offloaded_weights_leave_what_a_log_says() {
    // vllm#6496, vLLM 0.5.2: "Loading model weights took 61.2922 GB".
    let plan = plan(Some(LLAMA), "0.8.5", &[("--cpu-offload-gb", "70")]);
    assert!((gib(&plan) - 61.2922).abs() < 0.0001, "{}", gib(&plan));
    // 44 layers of 1.594 GiB: the tensor that crosses 70 GiB goes too.
    assert!((offloaded(&plan) - 70.126).abs() < 0.002, "{}", offloaded(&plan));
    assert!(plan.performance.as_ref().unwrap().assumed);
    let sum: i64 = plan.memory.as_ref().unwrap().terms.iter().map(|t| t.bytes).sum();
    assert_eq!(sum, plan.memory.as_ref().unwrap().gpu_total_bytes.get() as i64);
}

#[test]
fn the_second_runner_offloads_from_0_28_on() {
    // vllm#56319: 0.27.1 offloads nothing; in 0.29.0 "Total CPU offloaded parameters: 8.02".
    for (version, expected) in [("0.27.1", 0.0), ("0.29.0", 8.02)] {
        let plan = plan(Some(QWQ), version, &[("--cpu-offload-gb", "8")]);
        let found = offloaded(&plan);
        assert!((found - expected).abs() < 0.005, "{version}: {found}");
        assert!(plan.notes.iter().any(|note| note.code == "engine.cpu_offload"));
    }
}

#[test]
fn yarn_stretches_the_context_by_itself_up_to_0_29() {
    // vllm#56446; the command is the model card's.
    let length = ("max_model_len", "131072");
    for (version, flag) in [("0.10.2", "--rope-scaling"), ("0.29.0", "--hf-overrides")] {
        let value = match flag {
            "--rope-scaling" => YARN.to_owned(),
            _ => format!("{{\"rope_parameters\":{YARN}}}"),
        };
        let plan = plan(None, version, &[(flag, &value), length]);
        assert_ne!(plan.verdict.outcome, Outcome::Unsupported, "{version}");
    }
    let overrides = format!("{{\"rope_parameters\":{YARN}}}");
    let refused = plan(None, "0.33.0", &[("--hf-overrides", &overrides), length]);
    let message = refused.verdict.vllm_error.unwrap();
    assert!(message.contains("max_position_embeddings=40960"), "{message}");
    let both = format!("{{\"rope_parameters\":{YARN},\"max_position_embeddings\":131072}}");
    let plan = plan(None, "0.33.0", &[("--hf-overrides", &both), length]);
    assert_ne!(plan.verdict.outcome, Outcome::Unsupported);
}

#[test]
fn overrides_stay_flags_and_bad_ones_are_told() {
    let layers = ("--hf-overrides.num_hidden_layers", "2");
    let half = plan(None, "0.33.0", &[layers]);
    // Embedding and output of Qwen3 8B: 151936 × 4096, twice.
    assert!((2.3..3.2).contains(&gib(&half)), "{}", gib(&half));
    assert_eq!(half.scenario.model, plan(None, "0.33.0", &[]).scenario.model);
    let bad = plan(None, "0.33.0", &[("--hf-overrides", "[1]")]);
    assert!(
        bad.verdict.reason.contains("--hf-overrides"),
        "{}",
        bad.verdict.reason
    );
    let wrong = plan(None, "0.33.0", &[("--hf-overrides", "{\"hidden_size\":\"x\"}")]);
    assert!(
        wrong.verdict.reason.contains("hidden_size"),
        "{}",
        wrong.verdict.reason
    );
}

#[test]
fn a_number_of_blocks_is_taken_as_it_is() {
    // `get_num_blocks`: the override, whatever is free; checked like any other size.
    let flags = [("--num-gpu-blocks-override", "1000"), ("max_model_len", "40960")];
    let plan = plan(None, "0.33.0", &flags);
    let memory = plan.memory.unwrap();
    assert_eq!(memory.num_blocks, 1000);
    // One sequence of 40960 tokens needs 2560 of them.
    assert_eq!(plan.verdict.outcome, Outcome::DoesNotFit);
    assert!(plan.verdict.vllm_error.unwrap().contains("40960"));
}

#[test]
fn a_mig_slice_is_planned_alone() {
    let one = scenario(
        "Qwen/Qwen3-8B",
        "NVIDIA H100 80GB HBM3 MIG 3g.40gb",
        &[("gpus", "2")],
    );
    let plan = evaluate(&one);
    assert_eq!(plan.verdict.outcome, Outcome::Fits, "{}", plan.verdict.reason);
    assert_eq!(plan.args.as_ref().unwrap().gpus(), 1);
    assert!(plan.performance.as_ref().unwrap().assumed);
    let two = evaluate(&with(one, &[("tensor_parallel_size", "2")]));
    assert_eq!(two.verdict.outcome, Outcome::Unsupported);
    assert!(two.verdict.reason.contains("MIG"), "{}", two.verdict.reason);
}

#[test]
fn without_graphs_none_are_counted() {
    // `CompilationConfig.cudagraph_mode`; `-O0` sets it to NONE.
    let graphs = |flags: &[(&str, &str)]| plan(None, "0.33.0", flags).memory.unwrap().cuda_graph_bytes.get();
    let eager = graphs(&[("enforce_eager", "true")]);
    for flag in [
        ("--compilation-config", r#"{"cudagraph_mode":"NONE"}"#),
        ("--compilation-config.cudagraph_mode", "none"),
        ("--optimization-level", "0"),
    ] {
        assert_eq!((graphs(&[flag]), eager), (0, 0), "{flag:?}");
    }
    for flag in [
        ("--compilation-config", r#"{"cudagraph_mode":"FULL"}"#),
        ("--optimization-level", "2"),
    ] {
        assert_eq!(graphs(&[flag]), graphs(&[]), "{flag:?}");
    }
}
