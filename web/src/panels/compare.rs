//! Pinned plans beside the page's own: what differs in the question, then in the answer.
use crate::{
    chart::compare_bars::{bars, compare_bars},
    controls::{CopyButton, part, press, words},
    lean::{each, memo},
    state::{AppState, Beside, actions, use_app},
    text,
};
use leptos::prelude::*;
use planner::{
    Plan,
    plan::{Amount, Differences, Input, Output, beside, differences},
};

/// The panel, while something is pinned. Its head is built once for what is pinned, its body with every plan.
#[component]
pub(crate) fn Compare() -> AnyView {
    let state = use_app();
    let count = memo(move || state.beside.with(|beside| beside.pins.len()));
    part(move || match count.get() {
        0 => ().into_any(),
        count => panel(state, count),
    })
    .into_any()
}

fn panel(state: AppState, count: usize) -> AnyView {
    let takes = Beside::NAMES
        .into_iter()
        .take(count)
        .enumerate()
        .map(|(at, name)| {
            let swap = press(move || actions::take_pin(state, at, true));
            let copy = press(move || actions::take_pin(state, at, false));
            view! {
                <button type="button" class="button" on:click=swap>{format!("Swap with {name}")}</button>
                <button type="button" class="button" on:click=copy>{format!("Copy {name} to Now")}</button>
            }
            .into_any()
        })
        .collect_view();
    let names: Vec<&'static str> = Beside::NAMES.into_iter().take(count).chain(["Now"]).collect();
    let table = move |()| with_plans(state, |names, plans| markdown(names, &differences(plans)));
    view! {
        <section class="panel" id="compare" tabindex="-1" aria-labelledby="compare-title">
            <div class="panel-head">
                <h2 id="compare-title">"Compare"</h2>
                <div class="panel-tools">
                    {takes}
                    <CopyButton label="Copy table" text=table from="compare-table" />
                    <button type="button" class="button quiet" on:click=press(move || actions::unpin(state))>"Clear"</button>
                </div>
            </div>
            {body(state, &names)}
        </section>
    }
    .into_any()
}

/// The pinned plans with their names, and the page's own behind them.
fn with_plans<T>(state: AppState, read: fn(&[&'static str], &[&Plan]) -> T) -> T {
    let pins = state.beside.with(|beside| beside.pins.clone());
    let names: Vec<&'static str> = Beside::NAMES
        .into_iter()
        .take(pins.len())
        .chain(["Now"])
        .collect();
    state.plan.with(|plan| {
        let plans: Vec<&Plan> = pins.iter().map(AsRef::as_ref).chain([plan]).collect();
        read(&names, &plans)
    })
}

/// Only rows that change are built again.
fn body(state: AppState, names: &[&'static str]) -> AnyView {
    let found = memo(move || with_plans(state, |_, plans| differences(plans)));
    let none = memo(move || found.with(|found| found.inputs.is_empty() && found.outputs.is_empty()));
    let bars = memo(move || with_plans(state, bars));
    let names = names.to_vec();
    part(move || {
        if none.get() {
            return view! { <p class="why">{text::NO_DIFFERENCE}</p> }.into_any();
        }
        (
            differences_table("compare-table", &names, "Now against A", found),
            compare_bars(bars),
        )
            .into_any()
    })
    .into_any()
}

/// What differs, a column for each plan, and how far the last is from the first.
pub(super) fn differences_table(
    id: &'static str,
    names: &[&'static str],
    change: &'static str,
    found: Memo<Differences>,
) -> AnyView {
    let heads = names
        .iter()
        .enumerate()
        .map(|(at, name)| {
            let outcome = words(move || {
                let outcome = found.with(|found| found.outcomes.get(at).copied());
                outcome.map_or_else(String::new, |outcome| outcome.words().to_owned())
            });
            view! { <th scope="col" class="number">{*name}" "<small>{outcome}</small></th> }.into_any()
        })
        .collect_view();
    view! {
        <div class="wide" tabindex="0" role="group" aria-label="Differences">
            <table class=format!("ranks compare of-{}", names.len()) id=id>
                <thead>
                    <tr><th scope="col">"Differs in"</th><th scope="col" class="number">{change}</th>{heads}</tr>
                </thead>
                <tbody>{each(move || found.with(|found| found.inputs.clone()), input)}</tbody>
                <tbody>{each(move || found.with(|found| found.outputs.clone()), output)}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn input(input: &Input) -> AnyView {
    let values = input
        .values
        .iter()
        .map(|value| cell(value.clone()))
        .collect_view();
    view! { <tr><th scope="row">{input.label}</th><td></td>{values}</tr> }.into_any()
}

fn cell(words: String) -> AnyView {
    let words = if words.is_empty() { "—".to_owned() } else { words };
    view! { <td class="number">{words}</td> }.into_any()
}

fn output(output: &Output) -> AnyView {
    let values = output
        .values
        .iter()
        .map(|value| cell(value.map_or_else(String::new, text::amount)))
        .collect_view();
    view! {
        <tr>
            <th scope="row">{output.label}</th>
            <td class="number">{change(output)}</td>
            {values}
        </tr>
    }
    .into_any()
}

/// From the first to the last: sign and words; the colour only says again whether that is good.
fn change(output: &Output) -> AnyView {
    let first = output.values.first().copied().flatten();
    let last = output.values.last().copied().flatten();
    let Some((words, more)) = first.zip(last).and_then(|(first, last)| text::delta(first, last)) else {
        return ().into_any();
    };
    let class = match output.more_is_better {
        None => "delta",
        Some(better) if better == more => "delta is-better",
        Some(_) => "delta is-worse",
    };
    view! { <span class=class>{words}</span> }.into_any()
}

/// How far a figure of the page's plan is from A's.
pub(crate) fn against(state: AppState, id: &str) -> AnyView {
    let Some(a) = state.beside.with(|beside| beside.pins.first().cloned()) else {
        return ().into_any();
    };
    let output = state.plan.with(|plan| beside(id, &[&a, plan]));
    output.map_or_else(|| ().into_any(), |output| change(&output))
}

/// The table as Markdown.
fn markdown(names: &[&str], found: &Differences) -> String {
    let line = |label: &str, cells: Vec<String>| {
        let cells = std::iter::once(label.to_owned()).chain(cells);
        // A bar would end the cell.
        let cells: Vec<String> = cells.map(|cell| cell.replace('|', "\\|")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let heads = names
        .iter()
        .zip(&found.outcomes)
        .map(|(name, outcome)| format!("{name}: {}", outcome.words()));
    let mut out = line("", heads.collect());
    out.push_str(&line("---", names.iter().map(|_| "---:".to_owned()).collect()));
    for input in &found.inputs {
        out.push_str(&line(input.label, input.values.clone()));
    }
    let amounts = |values: &[Option<Amount>]| {
        let texts = values
            .iter()
            .map(|value| value.map_or_else(String::new, text::amount));
        texts.collect()
    };
    for output in &found.outputs {
        out.push_str(&line(output.label, amounts(&output.values)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::presets;

    #[test]
    fn table_reads_as_markdown() {
        let a = presets::example();
        let mut b = a.clone();
        b.set("kv_cache_dtype", "fp8").unwrap();
        let (a, b) = (planner::evaluate(&a), planner::evaluate(&b));
        let text = markdown(&["A", "Now"], &differences(&[&a, &b]));
        assert!(
            text.starts_with("|  | A: Fits | Now: Fits |\n| --- | ---: | ---: |\n"),
            "{text}"
        );
        assert!(text.contains("| KV cache type | auto | fp8 |"), "{text}");
    }
}
