//! `plan`: the answer as a report or as plan.json.
use crate::{
    batch,
    cli::{PlanArgs, ViewArgs},
    error::{Exit, ExpectedError},
    output::{self, Screen},
    report::{self, View},
    scenario_source, search, sensitivity,
};
use planner::{
    Outcome, Plan, RenderOptions, Scenario,
    artifact::plan_json,
    evaluate,
    plan::{Course, Run},
    render,
};

/// `plan`.
pub(crate) fn run(args: &PlanArgs) -> Result<Exit, ExpectedError> {
    if let Some(path) = &args.batch {
        if !args.fields.values.is_empty() {
            return Err(ExpectedError::usage(
                "--batch stands alone: each line is a whole scenario",
            ));
        }
        return batch::run(path);
    }
    let mut question = scenario_source::read(&args.source, &args.machine, &args.fields)?;
    let searched = search::apply(&mut question.scenario, &args.search)?;
    let mut plan = evaluate(&question.scenario);
    if let Some(searched) = searched {
        searched.tell(&mut plan);
    }
    let run = args
        .simulate
        .map(|requests| simulated(&question.scenario, requests));
    if let Some(Some(run)) = &run {
        plan.take_simulated(run.clone());
    }
    show(&plan, args.view, false)?;
    if let Some(run) = run
        && !args.view.json
    {
        let text = run.map_or_else(
            || "Nothing to simulate: there is no estimate of its speed.".to_owned(),
            |run| {
                report::simulated(
                    &run,
                    question.scenario.workload.shape.lengths_said(),
                    Screen::of_stdout(),
                )
            },
        );
        output::answer(&format!("\n{text}"))?;
    }
    if args.sensitivity {
        let screen = Screen::of_stdout();
        output::answer(&format!("\n{}", sensitivity::text(&question.scenario, screen)))?;
    }
    Ok(exit(&plan))
}

/// Lengths lie so far around the stated ones, as benchmarks draw them; `Plan::take_simulated` says so in words.
const SPREAD: f64 = 0.2;

fn simulated(scenario: &Scenario, requests: u32) -> Option<Run> {
    let course = Course {
        requests,
        spread: SPREAD,
        seed: 1,
    };
    planner::plan::simulate(scenario, course)
}

/// Prints a plan.
pub(crate) fn show(plan: &Plan, asked: ViewArgs, all_flags: bool) -> Result<(), ExpectedError> {
    if asked.json {
        let files = render(plan, &RenderOptions::default());
        return output::answer(&plan_json(plan, &files));
    }
    let view = View {
        explain: asked.explain,
        all_flags,
        screen: Screen::of_stdout(),
    };
    output::answer(&report::report(plan, view))
}

/// How a plan ends the program.
pub(crate) fn exit(plan: &Plan) -> Exit {
    match plan.verdict.outcome {
        Outcome::Fits | Outcome::Tight => Exit::Ok,
        Outcome::DoesNotFit => Exit::DoesNotFit,
        // A sound model whose flags vLLM refuses is an answer; the rest is not.
        Outcome::Unsupported if plan.scenario.model.spec.is_ok() && plan.verdict.vllm_error.is_some() => {
            Exit::DoesNotFit
        }
        Outcome::Unsupported => Exit::Unsupported,
    }
}
