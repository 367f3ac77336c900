//! The GPUs of the catalogue for this model and load: searched while it is open, as a table and as charts.
use super::{
    answers::{answers_table, export_answers, lead},
    export_buttons,
};
use crate::{
    chart::scatter::{Dot, Kind, scatter, unbeaten},
    controls::{aria, hear_key, part, press, words},
    lean::memo,
    state::{
        AppState, actions,
        search::{Among, Answers, Question, Searched, use_seek},
        use_app,
    },
    text,
};
use leptos::{ev, prelude::*};
use planner::{
    order,
    recommend::{self, Answer},
};
use std::sync::Arc;

static RATES: Kind = Kind {
    id: "pareto-chart",
    table: "#pareto-chart-table",
    axes: ["tokens/s per user →", "↑ tokens/s per GPU"],
    more_is_better: true,
};

static COSTS: Kind = Kind {
    id: "cost-chart",
    table: "#cost-chart-table",
    axes: ["← seconds per request", "↓ cost per million tokens"],
    more_is_better: false,
};

/// The panel.
#[component]
pub(crate) fn Explore() -> AnyView {
    let (state, seek) = (use_app(), use_seek());
    let open = RwSignal::new(false);
    let question = memo(move || {
        let question = open.get().then(|| Question::of(state, seek, Among::Everywhere));
        question.flatten().map(Arc::new)
    });
    let searched = Searched::new(question);
    let toggle = press(move || open.update(|open| *open = !*open));
    let count = recommend::kinds().count();
    view! {
        <section class="panel" id="explore" tabindex="-1" aria-labelledby="explore-title">
            <div class="panel-head">
                <h2 id="explore-title">"Other hardware"</h2>
                {part(move || if open.get() { export_answers(state, searched, "explore") } else { ().into_any() })}
            </div>
            <button type="button" class="button" aria-expanded=aria(move || open.get()) aria-controls="explored" on:click=toggle>
                {words(move || if open.get() { "Close".to_owned() } else { format!("Explore {count} kinds of GPU") })}
            </button>
            <div id="explored">
                {part(move || if open.get() { explored(state, searched) } else { ().into_any() })}
            </div>
        </section>
    }
    .into_any()
}

fn explored(state: AppState, searched: Searched) -> AnyView {
    let said = words(move || {
        searched
            .answers
            .with(|found| found.as_deref().map_or_else(String::new, lead))
    });
    let progress = words(move || {
        let judged = searched.judged.get();
        judged.map_or_else(String::new, text::searching)
    });
    view! {
        <p class="why" role="status" id="explore-why">{said}</p>
        <p class="why">{progress}</p>
        {answers_table(state, searched, "explore")}
        {chart(state, searched, &RATES, "pareto", |answer| {
            Some([answer.per_user()?, answer.per_gpu()?])
        })}
        {chart(state, searched, &COSTS, "cost", |answer| {
            Some([answer.speed?.end_to_end_ms.estimate / 1e3, answer.cost_per_million?])
        })}
    }
    .into_any()
}

/// Every number of every kind that serves, and which answer each is, from left to right.
fn dots(answers: &Answers, at: fn(&Answer) -> Option<[f64; 2]>) -> Vec<(Dot, &Answer)> {
    let mut dots: Vec<(Dot, &Answer)> = answers
        .found
        .best
        .iter()
        .filter(|answer| answer.serves())
        .filter_map(|answer| {
            let dot = Dot {
                at: at(answer)?,
                name: answers.offers.get(answer.offer)?.to_string(),
            };
            Some((dot, answer))
        })
        .collect();
    order::sort(&mut dots, |a, b| a.0.at[0].total_cmp(&b.0.at[0]));
    dots
}

/// The dot that was chosen, or else the one of the best answer.
fn looked_at(answers: &Answers, dots: &[(Dot, &Answer)], chosen: Option<usize>) -> usize {
    let best = || {
        let best = answers.found.best.first()?;
        dots.iter().position(|(_, answer)| std::ptr::eq(*answer, best))
    };
    let at = chosen.or_else(best).unwrap_or_default();
    at.min(dots.len().saturating_sub(1))
}

fn chart(
    state: AppState,
    searched: Searched,
    kind: &'static Kind,
    name: &'static str,
    at: fn(&Answer) -> Option<[f64; 2]>,
) -> AnyView {
    let seek = use_seek();
    // Which dot is looked at; at first the best answer's.
    let here = RwSignal::new(None);
    let count = memo(move || {
        searched
            .answers
            .with(|found| found.as_deref().map_or(0, |found| dots(found, at).len()))
    });
    let key = move |event: ev::KeyboardEvent| {
        let last = count.get_untracked().saturating_sub(1);
        let now = searched.answers.with_untracked(|found| {
            let found = found.as_deref();
            found.map_or(0, |found| {
                looked_at(found, &dots(found, at), here.get_untracked())
            })
        });
        match event.key().as_str() {
            "ArrowRight" => here.set(Some((now + 1).min(last))),
            "ArrowLeft" => here.set(Some(now.saturating_sub(1))),
            "Home" => here.set(Some(0)),
            "End" => here.set(Some(last)),
            "Enter" => searched.answers.with_untracked(|found| {
                let Some(found) = found.as_deref() else { return };
                if let Some((_, answer)) = dots(found, at).get(now) {
                    actions::take_answer(state, seek, found, answer);
                }
            }),
            _ => return,
        }
        event.prevent_default();
    };
    let said = words(move || {
        searched.answers.with(|found| {
            let Some(found) = found.as_deref() else {
                return String::new();
            };
            let dots = dots(found, at);
            let dot = dots.get(looked_at(found, &dots, here.get()));
            dot.map_or_else(String::new, |(dot, answer)| {
                text::dot(&dot.name, answer, dot.at, kind.axes)
            })
        })
    });
    let drawn = move || {
        searched.answers.with(|found| {
            let Some(found) = found.as_deref() else {
                return ().into_any();
            };
            let dots = dots(found, at);
            let chosen = looked_at(found, &dots, here.get());
            let dots: Vec<Dot> = dots.into_iter().map(|(dot, _)| dot).collect();
            scatter(
                kind,
                &dots,
                chosen,
                text::SCATTER,
                Callback::new(move |at| here.set(Some(at))),
            )
        })
    };
    part(move || {
        if count.get() == 0 {
            return ().into_any();
        }
        view! {
            <div class="panel-head chart-head">
                <h3>{text::axes(kind.axes)}</h3>
                {export_buttons(state, kind.id, kind.table, name)}
            </div>
            <div class="curve-box" role="group" tabindex="0" aria-label=text::SCATTER_KEYS on:keydown=hear_key(key)>
                {part(drawn)}
            </div>
            <p class="why" role="status">{said}</p>
            <details class="more">
                <summary>{text::UNBEATEN}</summary>
                {part(move || searched.answers.with(|found| {
                    found.as_deref().map_or_else(|| ().into_any(), |found| best(kind, &dots(found, at)))
                }))}
            </details>
        }
        .into_any()
    })
    .into_any()
}

/// The dots that no other beats, as a table.
fn best(kind: &Kind, dots: &[(Dot, &Answer)]) -> AnyView {
    let bare: Vec<Dot> = dots.iter().map(|(dot, _)| dot.clone()).collect();
    let rows = dots
        .iter()
        .zip(unbeaten(&bare, kind.more_is_better))
        .filter(|(_, best)| *best)
        .map(|((dot, answer), _)| {
            let cells = dot
                .at
                .map(|value| view! { <td class="number">{text::figure(value)}</td> }.into_any());
            view! { <tr><th scope="row">{dot.name.clone()}", "{answer.layout.to_string()}</th>{cells.into_iter().collect_view()}</tr> }.into_any()
        })
        .collect_view();
    let heads = kind
        .axes
        .map(|axis| view! { <th scope="col" class="number">{text::axis(axis)}</th> }.into_any());
    view! {
        <table class="ranks" id=&kind.table[1..]>
            <thead><tr><th scope="col">"Hardware"</th>{heads.into_iter().collect_view()}</tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}
