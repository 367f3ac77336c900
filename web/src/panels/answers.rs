//! The table of a search's answers: sorted by any column, filtered by name, taken over with one click.
use super::export::save_button;
use crate::{
    browser,
    controls::{hear, part, press},
    lean::memo,
    state::{
        AppState, actions,
        search::{Among, Answers, Searched, Seek, Wishes, use_seek},
    },
    text,
};
use leptos::{ev, prelude::*};
use planner::{
    Outcome, order,
    recommend::{self, Answer, Layout, Offer, lost, won},
};
use std::{cmp::Ordering, sync::Arc};

/// Rows before somebody asks for all.
const MOST: usize = 8;

/// The figures of an answer: heading, and whether more is better, as a first click on it sorts.
const COLUMNS: [(&str, bool); 8] = [
    ("GPUs", false),
    ("Context", true),
    ("Tokens/s", true),
    ("per GPU", true),
    ("per user", true),
    ("TTFT ms", false),
    ("TPOT ms", false),
    ("/M tokens", false),
];

/// The one of the cost, which is there where prices are.
const COST: usize = 7;

/// Which is first, and why.
pub(super) fn lead(answers: &Answers) -> String {
    let rows = answers.rows();
    let Some(first) = rows.first() else {
        return String::new();
    };
    let why = won(&answers.goal, &answers.offers, first, rows.get(1).copied());
    let judged = answers.found.judged;
    let (place, name) = match answers.offers.get(first.offer) {
        Some(offer) if answers.question.among == Among::Everywhere => (
            format!("{} kinds of GPU", rows.len()),
            format!("{offer}, {}", first.layout),
        ),
        _ => (answers.question.hardware(), first.layout.to_string()),
    };
    if first.serves() {
        format!("First of {judged} layouts on {place}: {name}. {why}")
    } else {
        format!("{judged} layouts on {place}. {why}")
    }
}

/// How a table is looked at.
#[derive(Clone, Copy)]
struct View {
    state: AppState,
    seek: Seek,
    /// A column, and whether the most comes first; as ranked where there is none.
    sorted: RwSignal<Option<(usize, bool)>>,
    filter: RwSignal<String>,
    all: RwSignal<bool>,
}

/// The table with its tools. `prefix` tells its ids from those of another.
pub(super) fn answers_table(state: AppState, searched: Searched, prefix: &'static str) -> AnyView {
    let seek = use_seek();
    let view = View {
        state,
        seek,
        sorted: RwSignal::new(None),
        filter: RwSignal::new(String::new()),
        all: RwSignal::new(false),
    };
    let here = memo(move || {
        let formats = seek.wishes.with(|wishes| wishes.formats);
        state.plan.with(|plan| {
            let gpu = plan.scenario.hardware.gpu.name.clone();
            Layout::of(plan, formats).map(|layout| (gpu, layout))
        })
    });
    let filter = (prefix == "explore").then(|| {
        let typed = move |event: ev::Event| view.filter.set(event_target_value(&event));
        view! {
            <div class="wishes">
                <div class="field">
                    <label for="explore-filter">"Only GPUs with"</label>
                    <input id="explore-filter" class="box" type="text" autocomplete="off" spellcheck="false" on:input=hear(typed) />
                </div>
            </div>
        }
        .into_any()
    });
    view! {
        {filter}
        {part(move || {
            browser::keep_focus(prefix);
            let here = here.get();
            let answers = searched.answers.get();
            answers.map_or_else(|| ().into_any(), |answers| table(&view, prefix, &answers, here.as_ref()))
        })}
    }
    .into_any()
}

fn table(
    view: &View,
    prefix: &'static str,
    answers: &Arc<Answers>,
    here: Option<&(String, Layout)>,
) -> AnyView {
    let everywhere = answers.question.among == Among::Everywhere;
    let rows = answers.rows();
    let best = rows.first().copied();
    let priced = rows.iter().any(|row| row.price_per_hour.is_some());
    let columns = if priced { COLUMNS.len() } else { COST };
    let filter = view.filter.get().to_ascii_lowercase();
    let named = |answer: &Answer| {
        answers
            .offers
            .get(answer.offer)
            .is_some_and(|offer| offer.gpu.name.to_ascii_lowercase().contains(filter.trim()))
    };
    let mut shown: Vec<&Answer> = rows.into_iter().filter(|row| named(row)).collect();
    let sorted = view.sorted.get();
    if let Some((column, most_first)) = sorted {
        order::sort(&mut shown, |a, b| {
            compared(figures(a)[column], figures(b)[column], most_first)
        });
    }
    let count = shown.len();
    if !view.all.get() {
        shown.truncate(MOST);
    }
    let currency = &answers.question.wishes.currency;
    let heads = (0..columns)
        .map(|column| head(view, prefix, column, sorted, currency))
        .collect_view();
    let body = shown
        .into_iter()
        .map(|answer| {
            let Some(offer) = answers.offers.get(answer.offer) else {
                return ().into_any();
            };
            let is_here =
                here.is_some_and(|(gpu, layout)| *gpu == offer.gpu.name && *layout == answer.layout);
            row(view, prefix, answers, (best, answer, offer), columns, is_here)
        })
        .collect_view();
    let all = view.all;
    let more = (count > MOST).then(|| {
        let label = if view.all.get() { "Show fewer".to_owned() } else { format!("Show all {count}") };
        view! {
            <button type="button" class="button" id=format!("{prefix}-more") on:click=press(move || all.update(|all| *all = !*all))>
                {label}
            </button>
        }
        .into_any()
    });
    let (first, label) = if everywhere {
        ("Hardware", "Kinds of GPU, ranked")
    } else {
        ("Layout", "Layouts, ranked")
    };
    view! {
        <div class="wide" tabindex="0" role="group" aria-label=label>
            <table class="ranks answers">
                <thead><tr><th scope="col">{first}</th>{heads}{everywhere.then(|| view! { <th scope="col" class="number price-head">"Price/h"</th> }.into_any())}<th scope="col"><span class="vh">"Take over"</span></th></tr></thead>
                <tbody>{body}</tbody>
            </table>
        </div>
        {more}
    }
    .into_any()
}

/// Known figures first.
fn compared(a: Option<f64>, b: Option<f64>, most_first: bool) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) if most_first => b.total_cmp(&a),
        (Some(a), Some(b)) => a.total_cmp(&b),
        (a, b) => a.is_none().cmp(&b.is_none()),
    }
}

fn head(view: &View, prefix: &str, column: usize, sorted: Option<(usize, bool)>, currency: &str) -> AnyView {
    let (label, more_is_better) = COLUMNS[column];
    let label = if column == COST {
        format!("{currency}{label}")
    } else {
        label.to_owned()
    };
    let by = sorted
        .filter(|(by, _)| *by == column)
        .map(|(_, most_first)| most_first);
    let (order, arrow) = match by {
        None => (None, ""),
        Some(true) => (Some("descending"), " ↓"),
        Some(false) => (Some("ascending"), " ↑"),
    };
    // The better first, then the other way round, then as ranked.
    let sorted = view.sorted;
    let click = press(move || {
        sorted.set(match by {
            None => Some((column, more_is_better)),
            Some(most_first) if most_first == more_is_better => Some((column, !more_is_better)),
            Some(_) => None,
        });
    });
    view! {
        <th scope="col" class="number" aria-sort=order>
            <button type="button" class="sort" id=format!("{prefix}-by-{column}") on:click=click>{label}{arrow}</button>
        </th>
    }
    .into_any()
}

fn row(
    view: &View,
    prefix: &'static str,
    answers: &Arc<Answers>,
    (best, answer, offer): (Option<&Answer>, &Answer, &Offer),
    columns: usize,
    is_here: bool,
) -> AnyView {
    let everywhere = answers.question.among == Among::Everywhere;
    let layout = answer.layout.to_string();
    let (name, beside) = if everywhere {
        (offer.to_string(), layout.clone())
    } else {
        (layout.clone(), String::new())
    };
    let words = answer.outcome.words();
    let verdict = match best {
        Some(first) if first != answer && !(everywhere && answer.serves()) => {
            let reason = lost(&answers.goal, first, answer);
            if answer.serves() {
                format!("{words}: {reason}")
            } else {
                text::sentence(&reason)
            }
        }
        _ => words.to_owned(),
    };
    let cells = COLUMNS[..columns]
        .iter()
        .zip(texts(answer))
        .map(|((label, _), words)| view! { <td class="number" data-label=*label>{words}</td> }.into_any())
        .collect_view();
    let id = row_id(prefix, if everywhere { &offer.gpu.name } else { &layout });
    let take = if is_here {
        view! { <span class="in-use" id=id tabindex="-1">"In use"</span> }.into_any()
    } else if answer.outcome == Outcome::Unsupported {
        ().into_any()
    } else {
        let View { state, seek, .. } = *view;
        let act = |act: &'static str, class: &'static str, id: String| {
            let (all, own) = (Arc::clone(answers), answer.clone());
            let then = press(move || {
                if act == "Use" {
                    actions::take_answer(state, seek, &all, &own);
                } else {
                    actions::compare_answer(state, &all, &own);
                }
            });
            let label = format!("{act} {name} {beside}").trim_end().to_owned();
            view! { <button type="button" class=class id=id aria-label=label on:click=then>{act}</button> }
                .into_any()
        };
        let compare = act("Compare", "button quiet", format!("{id}-compare"));
        (act("Use", "button", id), compare).into_any()
    };
    view! {
        <tr class=if is_here { "is-here" } else { "" }>
            <th scope="row">{name.clone()}" "<small>{beside.clone()}</small><small class="why">{verdict}</small></th>
            {cells}
            {everywhere.then(|| price_cell(view.seek, prefix, &offer.gpu.name))}
            <td class="take">{take}</td>
        </tr>
    }
    .into_any()
}

/// Ids have no spaces.
fn row_id(prefix: &str, name: &str) -> String {
    format!("{prefix}-{name}").replace(' ', "-")
}

/// What clouds ask for a GPU of that kind, each with its place, source and day.
pub(super) fn listed_prices(id: &str, gpu: &str) -> AnyView {
    let known = recommend::listed().filter(|one| one.gpu == gpu);
    let options = known
        .map(|one| {
            view! { <option value=one.amount() label=format!("US dollars: {}", one.words())></option> }
                .into_any()
        })
        .collect::<Vec<_>>();
    view! { <datalist id=id.to_owned()>{options}</datalist> }.into_any()
}

/// What a GPU of that kind costs, as somebody says.
fn price_cell(seek: Seek, prefix: &str, name: &str) -> AnyView {
    let own = seek.wishes.with_untracked(|wishes| {
        let own = wishes.prices.iter().find(|(kind, _)| kind == name);
        own.map(|(_, text)| text.clone()).unwrap_or_default()
    });
    let id = row_id(prefix, &format!("price-{name}"));
    let label = format!("Price of one {name} per hour");
    let list = row_id(prefix, &format!("listed-{name}"));
    let offered = listed_prices(&list, name);
    let name = name.to_owned();
    let typed = move |event: ev::Event| {
        let text = event_target_value(&event);
        actions::wish(seek, |wishes| wishes.set_price(&name, text));
    };
    view! {
        <td class="number" data-label="Price/h">
            <input
                class="box price"
                id=id
                type="text"
                inputmode="decimal"
                autocomplete="off"
                list=list
                aria-label=label
                aria-invalid=(!own.is_empty() && !Wishes::is_price(&own)).to_string()
                value=own.clone()
                on:change=hear(typed)
            />
            {offered}
        </td>
    }
    .into_any()
}

fn figures(answer: &Answer) -> [Option<f64>; 8] {
    let speed = answer.speed.as_ref();
    [
        Some(f64::from(answer.total_gpus)),
        answer.outcome.starts().then(|| f64::from(answer.max_model_len)),
        speed.map(|speed| speed.output_tok_per_s.estimate),
        answer.per_gpu(),
        answer.per_user(),
        speed.map(|speed| speed.ttft_ms.estimate),
        speed.and_then(|speed| Some(speed.tpot_ms?.estimate)),
        answer.cost_per_million,
    ]
}

fn texts(answer: &Answer) -> [String; 8] {
    let mut words = figures(answer).map(|value| value.map_or_else(|| "—".to_owned(), text::figure));
    words[0] = answer.total_gpus.to_string();
    if answer.outcome.starts() {
        words[1] = text::context(answer.max_model_len);
    }
    words
}

/// The buttons that save the answers as files.
pub(super) fn export_answers(state: AppState, searched: Searched, name: &'static str) -> AnyView {
    let save = |kind, mime, text: fn(&Answers) -> String| {
        let read = move || {
            searched
                .answers
                .with_untracked(|answers| Some(text(answers.as_ref()?)))
        };
        save_button(state, name, kind, mime, Box::new(read))
    };
    view! {
        <div class="panel-tools">
            {save("CSV", "text/csv", Answers::csv)}
            {save("JSON", "application/json", Answers::json)}
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_figures_come_last_both_ways() {
        let all = [None, Some(1.0), Some(3.0), Some(2.0)];
        for (most_first, expected) in [
            (true, [Some(3.0), Some(2.0), Some(1.0), None]),
            (false, [Some(1.0), Some(2.0), Some(3.0), None]),
        ] {
            let mut sorted = all;
            sorted.sort_by(|a, b| compared(*a, *b, most_first));
            assert_eq!(sorted, expected);
        }
    }
}
