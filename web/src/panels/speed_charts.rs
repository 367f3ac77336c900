//! Three looks behind the speed: other loads, a step's time, and requests one by one.
use super::{export_buttons, speed::row};
use crate::{
    browser,
    chart::{
        curve::{Axis, Curve, curve},
        step_bar::step_bar,
    },
    controls::{Part, hear_key, part, words},
    lean::{effect, memo},
    state::{AppState, actions, derive::after_pause, use_app},
    text,
};
use leptos::{ev, prelude::*};
use planner::{
    Plan,
    plan::{Course, Ranged, Run, Simulation, StepTime, Sweep, SweepPoint, requests, simulation},
};

/// What the charts show.
#[derive(Clone, Debug, PartialEq)]
struct Shown {
    sweep: Sweep,
    ttft: Ranged,
    tpot: Ranged,
    /// There are no answers.
    pools: bool,
    /// Limits of both, in milliseconds.
    limits: [Option<f64>; 2],
    step: StepTime,
}

fn look(plan: &Plan) -> Option<Shown> {
    let found = plan.performance.as_ref()?;
    Some(Shown {
        sweep: plan.sweep()?,
        ttft: found.ttft_ms,
        tpot: found.tpot_ms,
        pools: found.pools,
        limits: plan.scenario.workload.limits_ms(),
        step: found.step,
    })
}

/// The charts. They are some twenty estimates and a simulation, so they follow once nothing was changed for a moment.
#[component]
pub(crate) fn SpeedCharts() -> AnyView {
    let state = use_app();
    let shown = after_pause(state, look);
    let run = simulated(state);
    let pools = memo(move || shown.with(|shown| shown.as_ref().is_some_and(|shown| shown.pools)));
    let of = move |view: fn(&Shown) -> AnyView| {
        part(move || shown.with(|shown| shown.as_ref().map_or_else(|| ().into_any(), view)))
    };
    view! {
        <div class="panel-head">
            <h3>"Throughput against latency"</h3>
        </div>
        <p class="why">{words(move || shown.with(|shown| shown.as_ref().map_or_else(String::new, |shown| text::loads(&shown.sweep, shown.limits))))}</p>
        <div
            class="curve-box curves"
            role="group"
            tabindex="0"
            aria-label=text::LOADS_KEYS
            on:keydown=hear_key(move |event| key(state, &event))
        >
            {part(move || if pools.get() {
                ().into_any()
            } else {
                figure(state, "tpot-chart", "Time per output token", of(|shown| {
                    let [_, limit] = shown.limits;
                    load_curve("tpot-chart", "Time per output token", shown, shown.tpot, limit, |point| point.tpot_ms)
                }))
            })}
            {part(move || {
                let what = text::first(pools.get());
                figure(state, "ttft-chart", what, of(|shown| {
                    let [limit, _] = shown.limits;
                    load_curve("ttft-chart", text::first(shown.pools), shown, shown.ttft, limit, |point| point.ttft_ms)
                }))
            })}
        </div>
        <details class="more">
            <summary>"The loads as a table"</summary>
            {of(load_table)}
        </details>
        <div class="panel-head">
            <h3>"Where the time of a step goes"</h3>
            {export_buttons(state, "step-chart", ".step + table", "step")}
        </div>
        {of(|shown| step_bar(shown.step))}
        <div class="panel-head">
            <h3>{words(move || format!("{}, request by request", text::first(pools.get())))}</h3>
            {export_buttons(state, "requests-chart", ".run table", "requests")}
        </div>
        <div class="run">{part(move || run.with(|run| run.as_ref().map_or_else(|| ().into_any(), |run| requests_view(state, run))))}</div>
    }
    .into_any()
}

/// Arrow keys change the load by a factor of two.
fn key(state: AppState, event: &ev::KeyboardEvent) {
    let up = match event.key().as_str() {
        "ArrowRight" | "ArrowUp" => true,
        "ArrowLeft" | "ArrowDown" => false,
        _ => return,
    };
    event.prevent_default();
    let (id, milli) = state.scenario.with_untracked(|scenario| {
        let workload = &scenario.workload;
        workload
            .rate_milli()
            .map_or(("concurrency", u64::from(workload.concurrency) * 1000), |rate| {
                ("request_rate", rate)
            })
    });
    let next = if up { milli.saturating_mul(2) } else { milli / 2 };
    let whole = if id == "concurrency" {
        (next / 1000).max(1) * 1000
    } else {
        next.max(1)
    };
    actions::step(state, id, &text::milli(whole));
}

fn figure(state: AppState, id: &'static str, what: &'static str, chart: Part) -> AnyView {
    view! {
        <figure>
            <figcaption class="panel-head">
                <span>{format!("{what}, and tokens per second")}</span>
                {export_buttons(state, id, "#speed .more table", what)}
            </figcaption>
            {chart}
        </figure>
    }
    .into_any()
}

fn load_curve(
    id: &'static str,
    what: &'static str,
    Shown { sweep, pools, .. }: &Shown,
    own: Ranged,
    limit: Option<f64>,
    along: fn(&SweepPoint) -> f64,
) -> AnyView {
    let at = |point: &SweepPoint| (text::micros(along(point)), text::micros(point.output_tok_per_s));
    let points: Vec<(u64, u64)> = sweep.points.iter().map(at).collect();
    let limit = limit.map(text::micros);
    let range = (text::micros(own.low), text::micros(own.high));
    let times = points
        .iter()
        .map(|point| point.0)
        .chain(limit)
        .chain([range.0, range.1]);
    let note = sweep.knee.and_then(|(knee, _)| {
        Some((
            *points.get(knee)?,
            text::load_words(sweep, sweep.points.get(knee)?.load),
        ))
    });
    curve(&Curve {
        id,
        title: text::load_title(what, sweep, *pools),
        axes: (Axis::of(times), Axis::of(points.iter().map(|point| point.1))),
        words: (text::duration, text::rate),
        chosen: points.get(sweep.chosen).map(|point| (*point, range)),
        notes: note.into_iter().collect(),
        dots: true,
        limit,
        points,
    })
}

fn load_table(shown: &Shown) -> AnyView {
    let sweep = &shown.sweep;
    let rows = sweep
        .points
        .iter()
        .enumerate()
        .map(|(at, point)| {
            let knee = sweep.knee.filter(|(knee, _)| *knee == at);
            let mark = if at == sweep.chosen { " ● this plan" } else { "" };
            let knee = knee.map_or_else(String::new, |(_, full)| format!(" {}", full.words()));
            let time = |ms: f64| text::duration(text::micros(ms));
            view! {
                <tr>
                    <th scope="row">{text::load(point.load)}{mark}{knee}</th>
                    <td class="number">{time(point.ttft_ms)}</td>
                    {(!shown.pools).then(|| view! { <td class="number">{time(point.tpot_ms)}</td> }.into_any())}
                    <td class="number">{text::rate(text::micros(point.output_tok_per_s))}</td>
                </tr>
            }
            .into_any()
        })
        .collect_view();
    view! {
        <table class="ranks">
            <thead>
                <tr>
                    <th scope="col">{if sweep.at_a_rate { "Requests per second" } else { "Requests at once" }}</th>
                    <th scope="col" class="number">{if shown.pools { "A request" } else { "First token" }}</th>
                    {(!shown.pools).then(|| view! { <th scope="col" class="number">"Each further token"</th> }.into_any())}
                    <th scope="col" class="number">{text::tokens(shown.pools)}</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

/// Lengths lie so far around the stated ones, as `plan --simulate` has them.
const SPREAD: f64 = 0.2;
/// Steps between two looks at the clock.
const STEPS: u32 = 32;

/// The workload request by request, once nothing was changed for a moment, in slices.
fn simulated(state: AppState) -> RwSignal<Option<Run>> {
    let run = RwSignal::new(None);
    let timer = browser::Timer::new();
    effect(move || {
        state.plan.track();
        timer.start(400, move || {
            let begun = state.scenario.with_untracked(|scenario| {
                let course = Course {
                    requests: requests(&scenario.workload),
                    spread: SPREAD,
                    seed: 1,
                };
                simulation(scenario, course)
            });
            match begun {
                Some(begun) => go_on(timer, begun, run),
                None => run.set(None),
            }
        });
    });
    run
}

fn go_on(timer: browser::Timer, mut simulation: Simulation, run: RwSignal<Option<Run>>) {
    if browser::slice(&mut || simulation.advance(STEPS)) {
        return run.set(Some(simulation.finish()));
    }
    timer.start(0, move || go_on(timer, simulation, run));
}

fn requests_view(state: AppState, run: &Run) -> AnyView {
    let times = run
        .ttft_hundredths
        .iter()
        .map(|seconds| text::micros(seconds * 1e3));
    let points: Vec<(u64, u64)> = times.zip(1..).collect();
    let ([limit, _], lengths) = state.scenario.with_untracked(|scenario| {
        let workload = &scenario.workload;
        (workload.limits_ms(), workload.shape.lengths_said())
    });
    let limit = limit.map(text::micros);
    let notes = [50, 90, 99].into_iter().filter_map(|percent| {
        let point = points.get(percent - 1)?;
        Some((*point, format!("p{percent} {}", text::duration(point.0))))
    });
    let chart = curve(&Curve {
        id: "requests-chart",
        title: text::requests_title(run, limit),
        axes: (
            Axis::of(points.iter().map(|point| point.0).chain(limit)),
            Axis::SHARES,
        ),
        words: (text::duration, |share| format!("{share} %")),
        chosen: None,
        notes: notes.collect(),
        dots: false,
        limit,
        points: points.clone(),
    });
    let rows = run.rows();
    view! {
        <p class="why">{text::requests_about(run, lengths)}</p>
        <div class="curve-box">{chart}</div>
        <table class="speed">
            <caption class="vh">"The simulated requests"</caption>
            <tbody>{rows.iter().map(row).collect_view()}</tbody>
        </table>
    }
    .into_any()
}
