//! Whole plans against what real runs logged at start-up: the aggregate must not get worse unseen.
use crate::support;
use planner::{
    Outcome, Scenario, evaluate,
    gpu::{self, GpuSpec},
    model::{CHECKED, ModelInput, checked},
    units::{Bytes, GIB},
};
use serde_json::Value;
use std::{collections::BTreeMap, fmt::Write as _};

/// Largest error allowed at the median and at nine of ten.
struct Limit {
    median: f64,
    p90: f64,
}

#[derive(Default)]
struct Errors(Vec<(f64, String)>);

impl Errors {
    fn push(&mut self, ours: f64, theirs: Option<f64>, name: &str) {
        if let Some(theirs) = theirs.filter(|value| *value != 0.0) {
            self.0
                .push(((ours - theirs) / theirs, format!("{name}: {ours:.4} of {theirs}")));
        }
    }

    /// The README's row.
    fn hold(mut self, what: &str, limit: &Limit) -> String {
        self.0.sort_by(|a, b| a.0.abs().total_cmp(&b.0.abs()));
        for (error, name) in self.0.iter().rev().take(20) {
            println!("{what:12} {:+7.1} % {name}", error * 100.0);
        }
        let last = self.0.len() - 1;
        let at = |tenths: usize| self.0[last * tenths / 10].0.abs();
        let (median, p90) = (at(5), at(9));
        println!(
            "{what:12} {} rows: median {:.2} %, nine of ten {:.2} %",
            self.0.len(),
            median * 100.0,
            p90 * 100.0
        );
        assert!(
            median <= limit.median && p90 <= limit.p90,
            "{what}: {median:.4} {p90:.4}"
        );
        format!(
            "| {what} | {} | {:.2} % | {:.1} % |\n",
            self.0.len(),
            median * 100.0,
            p90 * 100.0
        )
    }
}

/// The logs of one architecture.
#[derive(Default)]
struct Family {
    logs: u32,
    weights: Vec<f64>,
    available: Vec<f64>,
}

/// In hundredths of a percent, without sign.
fn error(ours: f64, theirs: Option<f64>) -> Option<f64> {
    let theirs = theirs.filter(|value| *value != 0.0)?;
    Some(((ours - theirs) / theirs).abs() * 10_000.0)
}

/// What plans say of an architecture must be true of its logs.
fn hold_table(families: &mut BTreeMap<String, Family>) {
    for (architecture, family) in families.iter_mut() {
        family.available.sort_by(f64::total_cmp);
        let median = family.available.get(family.available.len() / 2).copied();
        let worst = family.weights.iter().copied().fold(0.0, f64::max);
        println!("{architecture}: {} logs, {worst:.1} {median:.1?}", family.logs);
        let Some(row) = checked(architecture) else {
            continue;
        };
        assert!(family.logs >= row.logs, "{architecture}: {} logs", family.logs);
        let worst = Some(worst).filter(|_| !family.weights.is_empty());
        for (ours, stated, what) in [
            (worst, row.weights, "weights"),
            (median, row.kv_cache, "KV cache"),
        ] {
            let stated = stated.map(f64::from);
            let holds = ours.is_none_or(|ours| stated.is_some_and(|stated| ours <= stated));
            assert!(holds, "{architecture}: {what} {ours:.1?}, stated {stated:?}");
        }
    }
    for row in CHECKED {
        assert!(families.contains_key(row.architecture), "{}", row.architecture);
    }
}

fn scenario(case: &Value) -> Option<Scenario> {
    let model = match &case["config"] {
        Value::String(id) => ModelInput::from_catalog(id).unwrap_or_else(|| panic!("{id}")),
        config => {
            let id = case["model"].as_str().unwrap_or("local");
            ModelInput::from_object(id, config.as_object().unwrap()).unwrap()
        }
    };
    let total = case["gpu_total_gib"].as_f64();
    let gib = |total: f64| Bytes::parse(&format!("{total} GiB")).unwrap();
    let mut gpu = match case["gpu"].as_str() {
        Some(name) => gpu::find(name).unwrap_or_else(|| panic!("{name}")).clone(),
        None => GpuSpec::custom(gib(total?), None),
    };
    gpu.memory_visible = total.map(gib).or(gpu.memory_visible);
    let mut scenario = Scenario::new(model, gpu);
    scenario.set("defaults", "vllm").unwrap();
    // Builds between releases count as the release that they are named after.
    let version: String = case["vllm_version"]
        .as_str()?
        .split(|c: char| c != '.' && !c.is_ascii_digit())
        .next()?
        .split('.')
        .take(3)
        .collect::<Vec<_>>()
        .join(".");
    scenario.set("vllm_version", &version).unwrap();
    scenario
        .set("gpus", &case["gpu_count"].as_u64().unwrap().to_string())
        .unwrap();
    for (flag, value) in case["flags"].as_object().unwrap() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if flag.starts_with("--") {
            let value = (!value.is_null()).then_some(text);
            scenario.engine.vllm_args.push((flag.clone(), value));
        } else {
            scenario
                .set(flag, &text)
                .unwrap_or_else(|e| panic!("{flag}: {e}"));
        }
    }
    Some(scenario)
}

#[test]
fn start_up_logs_are_met() {
    let file = support::json("measured/start_up_logs.json");
    let (mut weights, mut available, mut concurrency) =
        (Errors::default(), Errors::default(), Errors::default());
    let mut families = BTreeMap::<String, Family>::new();
    let (mut right, mut wrong) = (0, Vec::new());
    for case in file["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        // Without a version nothing can be said of peaks and defaults.
        let Some(scenario) = scenario(case) else { continue };
        let plan = evaluate(&scenario);
        let Some(memory) = &plan.memory else {
            println!("no plan    {name}: {}", plan.verdict.reason);
            continue;
        };
        let measured = &case["measured"];
        let figure = |key: &str| measured[key].as_f64();
        let gib = |bytes: i64| bytes as f64 / GIB as f64;
        let loaded = gib(memory.weights_bytes.signed());
        weights.push(loaded, figure("weights_gib"), name);
        let ours = gib(memory.kv_cache_available_logged);
        let named = !(case["gpu"].is_null() && case["gpu_total_gib"].is_null());
        let architecture = scenario.model.spec.as_ref().unwrap().architecture.clone();
        let entry = families.entry(architecture).or_default();
        entry.logs += 1;
        entry.weights.extend(error(loaded, figure("weights_gib")));
        entry
            .available
            .extend(error(ours, figure("kv_available_gib")).filter(|_| named));
        if !named {
            continue;
        }
        available.push(ours, figure("kv_available_gib"), name);
        concurrency.push(memory.max_concurrency, figure("max_concurrency_x"), name);
        let fits = plan.verdict.outcome != Outcome::DoesNotFit;
        match measured["outcome"].as_str() {
            Some("crash_not_memory") | None => {}
            Some(outcome) if (outcome == "ok") == fits => right += 1,
            Some(outcome) => wrong.push(format!("{name}: {outcome}, we say fits: {fits}")),
        }
    }
    hold_table(&mut families);
    println!("verdicts: {right} right, {wrong:?}");
    let mut rows = weights.hold(
        "Model loading took",
        &Limit {
            median: 0.001,
            p90: 0.01,
        },
    );
    rows += &available.hold(
        "Available KV cache memory",
        &Limit {
            median: 0.015,
            p90: 0.11,
        },
    );
    rows += &concurrency.hold(
        "Maximum concurrency",
        &Limit {
            median: 0.015,
            p90: 0.11,
        },
    );
    let all = right + wrong.len();
    writeln!(rows, "| starts or not | {all} | {} wrong | |", wrong.len()).unwrap();
    assert!(wrong.is_empty());
    assert!(right >= 30, "{right}");
    let head = "\n| log line | logs | median error | 9 of 10 within |\n|---|---|---|---|\n";
    support::hold_section("README.md", "numbers", &format!("{head}{rows}"));
}
