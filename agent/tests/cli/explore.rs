//! `explore`: what is tried, how it is shown, how it ends.
use crate::support::{Run, fixture};

#[test]
fn every_kind_of_gpu_has_its_best_row() {
    let ended = Run::new("explore --model Qwen/Qwen3-32B --top 5").code(0);
    ended.has(&[
        "layouts judged",
        "First: 1 × ",
        "Flags: --tensor-parallel-size 1",
        "more (--top ",
    ]);
    for line in ended.stdout.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn named_hardware_shows_why_other_splits_lose() {
    Run::new("explore --model Qwen/Qwen3-32B --objective throughput --gpu")
        .arg("H100 SXM")
        .code(0)
        .has(&[
            "8 × H100 SXM",
            "Others",
            "fewer tokens per second",
            "1 × H100 SXM",
        ]);
}

#[test]
fn a_report_limits_the_machine() {
    let json = Run::new("explore --json --model Qwen/Qwen3-8B --host")
        .arg(fixture("h100x2.json"))
        .code(0)
        .json();
    let counts: Vec<u64> = json["answers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|answer| answer["total_gpus"].as_u64().unwrap())
        .collect();
    assert_eq!(counts.iter().max(), Some(&2), "{counts:?}");
}

#[test]
fn prices_rank_by_money() {
    let ended = Run::new("explore --model Qwen/Qwen3-32B --among")
        .arg("H100 SXM,L40S")
        .args("--currency EUR --price L40S=0.01 --price")
        .arg("H100 SXM=9")
        .code(0);
    ended.has(&["EUR/h", "EUR/M tok", "× L40S,"]);
}

#[test]
fn limits_that_nothing_keeps_end_with_3_and_say_which() {
    Run::new("explore --model Qwen/Qwen3-32B --slo-ttft-ms 1")
        .code(3)
        .has(&["Nothing serves this load", "TTFT ", "ms instead of 1."]);
}

#[test]
fn wrong_goals_say_what_to_give() {
    for (args, message) in [
        ("--objective cost", "--objective cost needs prices"),
        ("--price H900=1", "--price: \"H900\" is not in the catalogue"),
        ("--price x", "--price: "),
        ("--among H10000", "--among: \"H10000\" is not in the catalogue"),
        ("--currency a;b", "expected a label such as USD"),
        ("--gpu L4 --gpus 2 --tp 3", "nothing to try"),
    ] {
        let ended = Run::new("explore --model Qwen/Qwen3-8B").args(args).code(2);
        assert!(ended.stderr.contains(message), "{args}: {}", ended.stderr);
    }
}

#[test]
fn a_spreadsheet_has_a_row_for_each_kind() {
    let ended = Run::new("explore --model Qwen/Qwen3-8B --csv --among L4,L40S").code(0);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{}", ended.stdout);
    assert!(lines[0].starts_with("gpu,gpus,nodes,layout,"));
    let columns = lines[0].split(',').count();
    assert!(lines[1..].iter().all(|line| line.split(',').count() == columns));
}

#[test]
fn a_searched_plan_has_the_first_layout_and_says_why() {
    let ended = Run::new("plan --json --search --objective throughput --model Qwen/Qwen3-32B --gpus 8 --gpu")
        .arg("H100 SXM")
        .code(0);
    let explored = Run::new("explore --json --objective throughput --model Qwen/Qwen3-32B --gpus 8 --gpu")
        .arg("H100 SXM")
        .code(0)
        .json();
    let first = &explored["answers"][0]["change"];
    let plan = ended.json();
    for size in ["tensor_parallel_size", "data_parallel_size"] {
        assert_eq!(plan["config"][size], first[size], "{size}");
        let why = &plan["config"]["explanations"][size];
        assert_eq!(why, "Chosen by the search.", "{size}");
    }
    let next = plan["alternatives"].as_array().unwrap();
    assert_eq!(next.len(), 8);
    for one in next {
        assert!(
            one["change"]["gpus"].is_u64() && !one["effect"].as_str().unwrap().is_empty(),
            "{one}"
        );
    }
    // What was set was not chosen, and what was not searched has no others.
    let set = Run::new("plan --json --search --tensor-parallel-size 2 --model Qwen/Qwen3-32B --gpus 8 --gpu")
        .arg("H100 SXM")
        .code(0)
        .json();
    let whys = &set["config"]["explanations"];
    assert_eq!(whys["tensor_parallel_size"], "Set by you.");
    assert_eq!(whys["data_parallel_size"], "Chosen by the search.");
    let plain = Run::new("plan --json --model Qwen/Qwen3-32B --gpus 8 --gpu")
        .arg("H100 SXM")
        .code(0)
        .json();
    assert_eq!(plain["alternatives"], serde_json::json!([]));
    assert!(
        ended.stderr.contains("layouts judged; first 8 × H100 SXM, TP "),
        "{}",
        ended.stderr
    );
}

#[test]
fn goals_without_a_search_are_refused() {
    let ended = Run::new("plan --objective gpus --model Qwen/Qwen3-8B --gpu L4").code(2);
    assert!(
        ended.stderr.contains("--objective is for a search"),
        "{}",
        ended.stderr
    );
}

#[test]
fn check_says_what_a_search_would_run_instead() {
    let check = |command: &str| {
        Run::new("check --gpus 8 --gpu")
            .arg("H100 SXM")
            .args(&format!("-- vllm serve Qwen/Qwen3-32B {command}"))
            .code(0)
            .stdout
    };
    let text = check("--tensor-parallel-size 1 --max-model-len 8192");
    assert!(
        text.contains("A search of these GPUs would run 8 × H100 SXM, TP "),
        "{text}"
    );
    assert!(text.contains("This command's TP 1: "), "{text}");
    let text = check("--tensor-parallel-size 8");
    assert!(!text.contains("A search of these GPUs"), "{text}");
}

#[test]
fn listed_prices_name_their_source_and_day() {
    let ended = Run::new("explore --price p5.48xlarge --json --model Qwen/Qwen3-8B --among")
        .arg("H100 SXM,L4")
        .code(0);
    assert!(
        ended.stderr.contains("USD 6.88 a GPU-hour") && ended.stderr.contains("2026-11-09"),
        "{}",
        ended.stderr
    );
    let answers = ended.json();
    let first = &answers["answers"][0];
    let per_gpu = first["price_per_hour"].as_f64().unwrap() / first["total_gpus"].as_f64().unwrap();
    assert!((per_gpu - 6.88).abs() < 0.01, "{first}");
    let other = Run::new("explore --price known --currency EUR --model Qwen/Qwen3-8B").code(2);
    assert!(
        other.stderr.contains("listed prices are in USD"),
        "{}",
        other.stderr
    );
}
