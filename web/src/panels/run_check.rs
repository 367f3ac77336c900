//! A run of vLLM beside its plan: figure by figure, with the deviation; measured values taken over; a report to send on.
use crate::{
    browser,
    controls::{hear, part, press, with_code, words},
    effects::read_files,
    state::{
        AppState, actions,
        held::{self, Held, Run},
        use_app,
    },
    text,
};
use leptos::{ev, prelude::*};
use planner::{
    RenderOptions,
    artifact::{bench_check_json, log_check_json, log_lines},
};
use std::sync::Arc;
use wasm_bindgen::JsCast;

/// The panel.
#[component]
pub(crate) fn RunCheck() -> AnyView {
    let state = use_app();
    let typed = RwSignal::new(String::new());
    let problem = RwSignal::new(String::new());
    let compare = press(move || {
        let read = typed.with_untracked(|text| held::hold(state, text));
        problem.set(text::full_sentence(&read.err().unwrap_or_default()));
        if problem.with_untracked(|problem| problem == ".") {
            problem.set(String::new());
        }
    });
    let chosen = move |event: ev::Event| {
        let input = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::HtmlInputElement>().ok());
        if let Some(input) = input {
            if let Some(files) = input.files() {
                read_files(state, None, &files, String::new());
            }
            input.set_value("");
        }
    };
    let lines = words(move || state.plan.with(log_lines).join("\n"));
    view! {
        <section class="panel" id="log-check" tabindex="-1" aria-labelledby="log-title">
            <h2 id="log-title">"Check against a run"</h2>
            <div class="log-check">
                <div class="log-in">
                    <p class="why">{text::LOG_LEAD}</p>
                    <pre class="log-lines" tabindex="0">{lines}</pre>
                    <p class="why">{with_code(text::BENCH_LEAD)}</p>
                    <label for="log-text">"Start-up log, or a benchmark's result"</label>
                    <textarea
                        id="log-text"
                        class="box"
                        rows="5"
                        spellcheck="false"
                        aria-describedby="log-problem"
                        on:input=hear(move |event| typed.set(event_target_value(&event)))
                    ></textarea>
                    <p class="error" id="log-problem" role="alert">{words(move || problem.get())}</p>
                    <div class="file-tools">
                        <button type="button" class="button" on:click=compare>"Compare"</button>
                        <label class="file-label">
                            "or choose the file "
                            <input type="file" accept=".log,.txt,.json,.jsonl" on:change=hear(chosen) />
                        </label>
                    </div>
                </div>
                <div class="log-out" role="status">{part(move || shown(state))}</div>
            </div>
        </section>
    }
    .into_any()
}

fn shown(state: AppState) -> AnyView {
    let Some(held) = state.beside.with(|beside| beside.held.clone()) else {
        return ().into_any();
    };
    let command = held
        .command
        .clone()
        .map(|command| view! { <pre class="log-lines" tabindex="0">{command}</pre> }.into_any());
    let table = if held.rows.is_empty() {
        view! { <p>{text::NOTHING_TO_HOLD}</p> }.into_any()
    } else {
        let rows = held.rows.iter().cloned().map(row).collect_view();
        view! {
            <div class="wide" tabindex="0" role="group" aria-label="Plan and run"><table class="ranks">
                <thead>
                    <tr>
                        <th scope="col">"Figure"</th>
                        <th scope="col" class="number">"Plan"</th>
                        <th scope="col" class="number">"Measured"</th>
                        <th scope="col" class="number">"Plan is off by"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table></div>
        }
        .into_any()
    };
    let error = match &held.run {
        Run::Start(log) => log.error.clone(),
        Run::Bench(_) => None,
    };
    let error = error.map(|error| {
        view! { <h3>"The start ended with"</h3><pre class="vllm-error">{error}</pre> }.into_any()
    });
    let take = held.calibrated.clone().map(|scenario| {
        let start = matches!(held.run, Run::Start(_));
        let label = if start {
            "Calibrate to this start"
        } else {
            "Scale to this benchmark"
        };
        let take = press(move || {
            if start {
                actions::calibrate(state, scenario.clone());
            } else {
                actions::scale(state, scenario.measured_speed.clone());
            }
        });
        view! { <button type="button" class="button primary" on:click=take>{label}</button> }.into_any()
    });
    let report = Arc::clone(&held);
    view! {
        <p class="why">{held.against.clone()}</p>
        {command}
        {table}
        {error}
        <div class="file-tools">
            {take}
            <button type="button" class="button" on:click=press(move || download(state, &report))>
                "Download for a bug report"
            </button>
            <button type="button" class="button quiet" on:click=press(move || actions::hold(state, None))>"Clear"</button>
        </div>
    }
    .into_any()
}

fn row([what, plan, run, off]: [String; 4]) -> AnyView {
    view! {
        <tr>
            <th scope="row">{what}</th>
            <td class="number">{plan}</td>
            <td class="number">{run}</td>
            <td class="number">{off}</td>
        </tr>
    }
    .into_any()
}

fn download(state: AppState, held: &Held) {
    let files = planner::render(&held.plan, &RenderOptions::default());
    let (name, report) = match &held.run {
        Run::Start(log) => ("vllm-log-check.json", log_check_json(&held.plan, log, &files)),
        Run::Bench(result) => (
            "vllm-bench-check.json",
            bench_check_json(&held.plan, result, &files),
        ),
    };
    if browser::download(name, report.as_bytes(), "application/json").is_none() {
        actions::inform(state, text::NO_DOWNLOAD.to_owned());
    }
}

/// Says that what was measured of memory or of `speed` is in the figures, with the way back.
pub(crate) fn measured_tag(state: AppState, speed: bool) -> AnyView {
    let (held, counted) = state.plan.with(|plan| {
        let scenario = &plan.scenario;
        if speed {
            let counted = plan.performance.as_ref().is_some_and(|speed| speed.measured);
            (scenario.measured_speed.is_some(), counted)
        } else {
            (scenario.measured.is_some(), plan.is_measured())
        }
    });
    if !held {
        return ().into_any();
    }
    let words = if counted { text::MEASURED } else { text::SET_ASIDE };
    view! {
        <p class="measured">
            <span>{words}</span>
            <button type="button" class="button" on:click=press(move || actions::estimate(state, speed))>
                "Back to the estimate"
            </button>
        </p>
    }
    .into_any()
}
