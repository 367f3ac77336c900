//! Writes the files of many plans, for `cargo xtask check-artifacts`: `<out>/plans/<name>/` with what the files must
//! say in `expected.json`, and `<out>/hostile/<name>/` for texts that try to break out of their quotes.
#![allow(clippy::panic, clippy::disallowed_methods)]

#[path = "../tests/it/hostile.rs"]
mod hostile;
#[path = "../tests/it/matrix.rs"]
mod matrix;

use planner::{
    Plan, RenderOptions, Scenario,
    artifact::{omitted, serve_words},
    evaluate, render, share,
};
use serde_json::{Value, json};
use std::{env, fs, io, path::Path};

/// Texts through the doors that take one: a plan each.
const SINGLE: usize = 60;
/// Texts through the door that takes many.
const LISTED: usize = 10_000;
/// Texts of one plan.
const LIST: usize = 500;

fn main() -> io::Result<()> {
    let out = env::args().nth(1).ok_or(io::ErrorKind::InvalidInput)?;
    let out = Path::new(&out);
    let mut plans = matrix::scenarios();
    for file in fs::read_dir("examples")? {
        let file = file?.path();
        if file.extension().is_none_or(|end| end != "json") {
            continue;
        }
        let document: Value = serde_json::from_str(&fs::read_to_string(&file)?)?;
        let scenario = share::scenario_from_json(&document).map_err(io::Error::other)?;
        let name = file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        plans.push((name, scenario));
    }
    plans.sort_by(|a, b| a.0.cmp(&b.0));
    let mut written = 0;
    for (name, scenario) in &plans {
        written += usize::from(write(&out.join("plans").join(name), &evaluate(scenario))?);
    }
    let (held, refused) = hostile_plans(&out.join("hostile"))?;
    println!("{written} plans; {held} hostile texts held, {refused} refused");
    Ok(())
}

/// Writes the files and what they must say; `false` where the plan has none.
fn write(folder: &Path, plan: &Plan) -> io::Result<bool> {
    let options = RenderOptions {
        date: Some("2026-11-25".to_owned()),
        link: Some("https://example.org/#s=1&model=x".to_owned()),
        emit: Vec::new(),
    };
    let files = render(plan, &options).files;
    let Some(args) = plan.args.as_ref().filter(|_| !files.is_empty()) else {
        return Ok(false);
    };
    fs::create_dir_all(folder)?;
    for file in &files {
        fs::write(folder.join(file.kind.path()), &file.text)?;
    }
    let scenario = &plan.scenario;
    let left_out: Vec<Value> = planner::ArtifactKind::ALL
        .iter()
        .filter_map(|kind| Some(json!([kind.path(), omitted(plan, *kind)?])))
        .collect();
    let expected = json!({
        "argv": serve_words(plan),
        "version": scenario.vllm_version.to_string(),
        "model": scenario.model.id,
        "name": scenario.deploy.name,
        "port": scenario.engine.port.unwrap_or(8000),
        "gpus": args.gpus(),
        "node_gpus": scenario.hardware.gpus,
        "nodes": scenario.hardware.nodes,
        "vendor": scenario.hardware.gpu.vendor,
        "left_out": left_out,
    });
    fs::write(folder.join("expected.json"), expected.to_string())?;
    Ok(true)
}

/// Plans with hostile texts in them; says how many texts a plan holds, and how many were refused.
fn hostile_plans(out: &Path) -> io::Result<(usize, usize)> {
    let texts = hostile::texts(LISTED);
    let base = evaluate(&hostile::fresh());
    let (mut held, mut refused) = (0, Vec::new());
    let mut enter = |name: String, door: &str, texts: &[String]| -> io::Result<()> {
        let mut scenario: Scenario = hostile::fresh();
        match hostile::enter(&mut scenario, door, texts) {
            hostile::Taken::Refused(message) => {
                refused.push(json!({"door": door, "texts": texts, "message": message}));
            }
            hostile::Taken::Held => {
                // The arithmetic does not read these texts.
                let plan = Plan {
                    scenario,
                    ..base.clone()
                };
                held += texts.len();
                write(&out.join(name), &plan)?;
            }
        }
        Ok(())
    };
    for (i, some) in texts.chunks(LIST).enumerate() {
        enter(format!("list-{i:03}"), "list", some)?;
    }
    // Every door gets texts of its own.
    for (d, door) in hostile::DOORS.iter().filter(|door| **door != "list").enumerate() {
        let own = texts
            .iter()
            .skip(d)
            .step_by(LISTED / SINGLE / 2)
            .chain(&texts[..88]);
        for (i, text) in own.take(SINGLE * 3).enumerate() {
            enter(format!("{door}-{i:03}"), door, std::slice::from_ref(text))?;
        }
    }
    let count = refused.len();
    fs::create_dir_all(out)?;
    fs::write(out.join("refused.json"), Value::from(refused).to_string())?;
    Ok((held, count))
}
