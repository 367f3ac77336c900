//! docs/methodology.md holds every formula that a plan shows, from the plans themselves.
use crate::support::hold_section;
use planner::{Scenario, evaluate, gpu, memory::Term, model::ModelInput, model::models};
use std::{collections::BTreeMap, fmt::Write as _};

/// A plan of each bundled model on eight H200, and what only some settings bring.
fn plans() -> impl Iterator<Item = planner::Plan> {
    let plan = |id: &str, version: &str, flags: &[(&str, Option<&str>)]| {
        let model = ModelInput::from_catalog(id).unwrap();
        let mut scenario = Scenario::new(model, gpu::find("H200 SXM").unwrap().clone());
        scenario.set("gpus", "8").unwrap();
        scenario.set("vllm_version", version).unwrap();
        for (flag, value) in flags {
            let value = value.map(str::to_owned);
            scenario.engine.vllm_args.push(((*flag).to_owned(), value));
        }
        evaluate(&scenario)
    };
    let some = [
        plan("Qwen/Qwen3-8B", "0.33.0", &[("--enable-lora", None)]),
        plan("Qwen/Qwen3-8B", "0.19.0", &[]),
        plan("Qwen/Qwen3-8B", "0.10.0", &[]),
        plan("Qwen/Qwen3-30B-A3B-FP8", "0.26.0", &[]),
    ];
    let all = models().iter().map(move |model| plan(model.id, "0.33.0", &[]));
    all.chain(some)
}

#[test]
fn the_table_of_formulas_is_what_plans_show() {
    let mut terms = BTreeMap::<_, Term>::new();
    for term in plans()
        .filter_map(|plan| plan.memory)
        .flat_map(|memory| memory.terms)
    {
        terms.entry((term.segment, term.id, term.formula)).or_insert(term);
    }
    let mut table =
        "\n| part | term | formula | source | basis | checked |\n|---|---|---|---|---|---|\n".to_owned();
    for term in terms.values() {
        let basis = format!("{:?}", term.basis).to_lowercase();
        let cell = |text: &str| text.replace('|', "\\|");
        writeln!(
            table,
            "| {} | {} `{}` | {} | `{}` | {basis} | {} |",
            term.segment.words(),
            term.label,
            term.id,
            cell(term.formula),
            cell(term.source),
            cell(term.checked)
        )
        .unwrap();
    }
    hold_section("docs/methodology.md", "formulas", &table);
}
