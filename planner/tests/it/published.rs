//! Commands that the vLLM project publishes for a model on a machine: they start by our verdict too, and what the search
//! answers for that machine is the published layout, or better by the estimate.
use planner::{
    Scenario, evaluate, gpu,
    model::ModelInput,
    recommend::{Answer, Goal, Layout, Offer, Search, fitting, left_open, won},
};
use std::fmt::Write as _;

const DEPLOYMENTS: &str = include_str!("../../../tests/published/deployments.tsv");

struct Published {
    name: String,
    scenario: Scenario,
}

fn rows() -> Vec<Published> {
    let lines = DEPLOYMENTS.lines().filter(|line| !line.starts_with('#')).skip(1);
    lines
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            let [model, gpu, gpus, nodes, arguments, source] = cells[..] else {
                panic!("{line}");
            };
            let mut scenario = Scenario::new(
                ModelInput::from_catalog(model).unwrap_or_else(|| panic!("{model}")),
                gpu::find(gpu).unwrap_or_else(|| panic!("{gpu}")).clone(),
            );
            let mut set =
                |id: &str, value: &str| scenario.set(id, value).unwrap_or_else(|e| panic!("{line}: {e}"));
            set("gpus", gpus);
            set("nodes", nodes);
            set("tensor_parallel_size", "1");
            for argument in arguments.split_whitespace() {
                let (id, value) = argument.split_once('=').unwrap();
                set(id, value);
            }
            // As that command starts: what it leaves out is vLLM's default.
            set("defaults", "vllm");
            Published {
                name: format!("{model} on {nodes} × {gpus} × {gpu} ({source})"),
                scenario,
            }
        })
        .collect()
}

/// What does not start by our figures, and what is known of it.
const DOUBTFUL: &[(&str, &str)] = &[
    // 0.6 of 12.1 GiB are missing for the model's whole length; with 190,000 tokens it starts. Ours may be off by that.
    (
        "MiniMaxAI/MiniMax-M2.7 on 1 × 4 × H100 SXM",
        "One sequence of 204800 tokens",
    ),
    // A sixteenth of the experts and what every GPU holds whole are 72.4 GiB, exactly; 0.85 of the card is 67.2 GiB.
    (
        "moonshotai/Kimi-K2-Instruct on 2 × 8 × H800 SXM",
        "Weights, buffers and peaks take",
    ),
    // 0.5 of 40.0 GiB are missing for the model's whole length. Peaks on AMD's GPUs were not checked.
    (
        "meta-llama/Llama-3.3-70B-Instruct on 1 × 1 × MI300X",
        "One sequence of 131072 tokens",
    ),
];

#[test]
fn published_commands_start() {
    let rows = rows();
    assert!(rows.len() >= 40, "{}", rows.len());
    let mut doubtful = 0;
    for row in &rows {
        let verdict = evaluate(&row.scenario).verdict;
        let known = DOUBTFUL.iter().find(|(name, _)| row.name.starts_with(name));
        let starts = verdict.outcome.starts();
        match known {
            None => assert!(starts, "{}: {}", row.name, verdict.reason),
            Some((_, reason)) => {
                assert!(
                    !starts && verdict.reason.starts_with(reason),
                    "{}: {}",
                    row.name,
                    verdict.reason
                );
                doubtful += 1;
            }
        }
    }
    assert_eq!(doubtful, DOUBTFUL.len());
}

#[test]
fn the_search_answers_what_is_published_or_better() {
    let goal = Goal::default();
    let (mut text, mut same) = (String::new(), 0);
    for row in rows() {
        let scenario = left_open(&row.scenario, false);
        let hardware = &scenario.hardware;
        let whole: Vec<Offer> = fitting(&hardware.gpu, hardware.gpus, hardware.nodes, None)
            .into_iter()
            .filter(|offer| offer.total_gpus() == hardware.total_gpus())
            .collect();
        let found = Search::new(&scenario, whole.clone(), goal, false).run(true);
        let published = Layout::of(&evaluate(&row.scenario), false).unwrap();
        let theirs: &Answer = found
            .all
            .iter()
            .find(|answer| answer.layout == published)
            .unwrap_or_else(|| panic!("{}: {published} was not tried", row.name));
        let ours = &found.all[0];
        if ours.layout == published {
            same += 1;
            let _ = writeln!(text, "{}\n  {published}", row.name);
        } else {
            let reason = won(&goal, &whole, ours, Some(theirs));
            let _ = writeln!(text, "{}\n  {} instead. {reason}", row.name, ours.layout);
        }
    }
    insta::assert_snapshot!(format!("{same} are the published layouts.\n\n{text}"));
}
