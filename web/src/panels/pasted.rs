//! A command that somebody pasted: what of it counts, what would be better, and a way to either.
use super::compare::differences_table;
use crate::{
    controls::{part, press, with_code},
    lean::memo,
    state::{AppState, Pasted, actions, use_app},
    text,
};
use leptos::prelude::*;
use planner::{
    Plan,
    artifact::{Line, Mark, Review, review},
    plan::{Differences, differences},
};

/// The panel, while what was pasted is on the page.
#[component]
pub(crate) fn PastedPanel() -> AnyView {
    let state = use_app();
    part(move || {
        let pasted = state.beside.with(|beside| beside.pasted.clone());
        let found = pasted.and_then(|pasted| {
            let plan = state.scenario.with(|now| pasted.plan(now))?;
            let review = review(&pasted.command.given, &plan);
            Some(panel(state, &pasted, &plan, review))
        });
        found.unwrap_or_else(|| ().into_any())
    })
    .into_any()
}

fn panel(state: AppState, pasted: &Pasted, plan: &Plan, review: Review) -> AnyView {
    let notes = pasted
        .notes
        .iter()
        .map(|note| view! { <li>{with_code(&text::full_sentence(note))}</li> })
        .collect_view();
    let lines = review.lines.iter().map(line).collect_view();
    let close = press(move || actions::review(state, None));
    let better = review.better.map_or_else(
        || {
            view! {
                <p>{text::NOTHING_BETTER}</p>
                <button type="button" class="button" on:click=close>"Close"</button>
            }
            .into_any()
        },
        |better| recommended(state, plan, better),
    );
    view! {
        <section class="panel pasted" id="pasted" tabindex="-1" aria-labelledby="pasted-title">
            <h2 id="pasted-title">"The pasted command"</h2>
            <p class="why">{with_code(&pasted.title)}</p>
            <ul class="plain">{notes}</ul>
            <ul class="diff" aria-label="The command, line by line">{lines}</ul>
            {better}
        </section>
    }
    .into_any()
}

fn line(line: &Line) -> AnyView {
    let (class, said) = match line.mark {
        Mark::Same => ("", ""),
        Mark::Removed => ("is-removed", "Remove: "),
        Mark::Added => ("is-added", "Add: "),
    };
    view! {
        <li class=class>
            <span class="sign" aria-hidden="true">{line.mark.sign().to_string()}</span>
            <code><span class="vh">{said}</span>{line.words.clone()}</code>
            <span class="why">{with_code(&text::grouped_digits(&line.why))}</span>
        </li>
    }
    .into_any()
}

fn recommended(state: AppState, plan: &Plan, better: Plan) -> AnyView {
    let found = Differences {
        inputs: Vec::new(),
        ..differences(&[plan, &better])
    };
    let found = memo(move || found.clone());
    let take = press(move || actions::take_better(state, better.scenario.clone()));
    let keep = press(move || actions::review(state, None));
    view! {
        {differences_table("pasted-table", &["Pasted", "Better"], "Change", found)}
        <div class="file-tools">
            <button type="button" class="button primary" on:click=take>"Use the recommended command"</button>
            <button type="button" class="button" on:click=keep>"Keep the pasted one"</button>
        </div>
    }
    .into_any()
}
