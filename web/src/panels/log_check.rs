//! A start of vLLM beside its plan: term by term, with the deviation; measured values taken over; a report to send on.
use crate::{
    browser,
    controls::{part, press, words},
    effects::read_files,
    state::{
        AppState, actions,
        log::{self, Start},
        use_app,
    },
    text,
};
use leptos::{ev, prelude::*};
use planner::{
    RenderOptions,
    artifact::{log_check_json, log_lines},
    vllm_log::Comparison,
};
use std::sync::Arc;
use wasm_bindgen::JsCast;

/// The panel.
#[component]
pub(crate) fn LogCheck() -> AnyView {
    let state = use_app();
    let typed = RwSignal::new(String::new());
    let problem = RwSignal::new(String::new());
    let compare = press(move || {
        let read = typed.with_untracked(|text| log::hold(state, text));
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
            <h2 id="log-title">"Check against a start"</h2>
            <div class="log-check">
                <div class="log-in">
                    <p class="why">{text::LOG_LEAD}</p>
                    <pre class="log-lines" tabindex="0">{lines}</pre>
                    <label for="log-text">"Start-up log"</label>
                    <textarea
                        id="log-text"
                        class="box"
                        rows="5"
                        spellcheck="false"
                        aria-describedby="log-problem"
                        on:input=move |event| typed.set(event_target_value(&event))
                    ></textarea>
                    <p class="error" id="log-problem" role="alert">{words(move || problem.get())}</p>
                    <div class="file-tools">
                        <button type="button" class="button" on:click=compare>"Compare"</button>
                        <label class="file-label">
                            "or choose the file "
                            <input type="file" accept=".log,.txt,.json" on:change=chosen />
                        </label>
                    </div>
                </div>
                <div class="log-out" role="status">{part(move || held(state))}</div>
            </div>
        </section>
    }
    .into_any()
}

fn held(state: AppState) -> AnyView {
    let Some(start) = state.beside.with(|beside| beside.start.clone()) else {
        return ().into_any();
    };
    let against = match &start.command {
        Some(command) => view! {
            <p class="why">{text::AGAINST_COMMAND}</p>
            <pre class="log-lines" tabindex="0">{command.clone()}</pre>
        }
        .into_any(),
        None => view! { <p class="why">{text::AGAINST_PLAN}</p> }.into_any(),
    };
    let table = if start.rows.is_empty() {
        view! { <p>{text::NOTHING_TO_HOLD}</p> }.into_any()
    } else {
        let rows = start.rows.iter().map(row).collect_view();
        view! {
            <div class="wide" tabindex="0" role="group" aria-label="Plan and log"><table class="ranks">
                <thead>
                    <tr>
                        <th scope="col">"Figure"</th>
                        <th scope="col" class="number">"Plan"</th>
                        <th scope="col" class="number">"Log"</th>
                        <th scope="col" class="number">"Plan is off by"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table></div>
        }
        .into_any()
    };
    let error = start.log.error.clone().map(|error| {
        view! { <h3>"The start ended with"</h3><pre class="vllm-error">{error}</pre> }.into_any()
    });
    let take = start.calibrated.clone().map(|scenario| {
        let take = press(move || actions::calibrate(state, scenario.clone()));
        view! { <button type="button" class="button primary" on:click=take>"Calibrate to this start"</button> }.into_any()
    });
    let report = Arc::clone(&start);
    view! {
        {against}
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

fn row(row: &Comparison) -> AnyView {
    view! {
        <tr>
            <th scope="row">{row.label}</th>
            <td class="number">{text::quantity(row.predicted)}</td>
            <td class="number">{text::quantity(row.measured)}</td>
            <td class="number">{text::deviation(row)}</td>
        </tr>
    }
    .into_any()
}

fn download(state: AppState, start: &Start) {
    let files = planner::render(&start.plan, &RenderOptions::default());
    let report = log_check_json(&start.plan, &start.log, &files);
    if browser::download("vllm-log-check.json", report.as_bytes(), "application/json").is_none() {
        actions::inform(state, text::NO_DOWNLOAD.to_owned());
    }
}

/// Says that measured values are in the figures, with the way back.
pub(crate) fn measured_tag(state: AppState) -> AnyView {
    let (held, counted) = state
        .plan
        .with(|plan| (plan.scenario.measured.is_some(), plan.is_measured()));
    if !held {
        return ().into_any();
    }
    let words = if counted { text::MEASURED } else { text::SET_ASIDE };
    view! {
        <p class="measured">
            <span>{words}</span>
            <button type="button" class="button" on:click=press(move || actions::estimate(state))>
                "Back to the estimate"
            </button>
        </p>
    }
    .into_any()
}
