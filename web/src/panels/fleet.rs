//! Replicas, GPUs, nodes and money for a rate of requests, and what else the GPUs could do for it.
use super::export::save_button;
use crate::{
    browser,
    controls::{aria, hear, hear_focus, part, words},
    lean::memo,
    state::{
        AppState, actions,
        derive::shown,
        fleet::{Count, Found, counted},
        search::{Seek, Wishes},
    },
    text,
};
use leptos::{ev, prelude::*};
use planner::{
    bounds::{self, Field},
    recommend::{Fleet, Way},
};
use std::sync::Arc;

/// The table, for its CSV.
const TABLE: &str = "#fleet-table";

/// A part of the recommended layouts.
pub(super) fn fleet(state: AppState, seek: Seek) -> AnyView {
    let found = counted(memo(move || Count::of(state, seek).map(Arc::new)));
    let lead = words(move || {
        let asked = state
            .scenario
            .with(|scenario| scenario.workload.rate_milli().is_some());
        let said = |found: &Arc<Found>| text::fleet(found);
        if asked {
            found.with(|found| found.as_ref().map(said)).unwrap_or_default()
        } else {
            text::NO_RATE.to_owned()
        }
    });
    view! {
        <section id="fleet" aria-labelledby="fleet-title">
            <div class="panel-head">
                <h3 id="fleet-title">"Fleet"</h3>
                <div class="panel-tools">
                    {save_button(state, "fleet", "CSV", "text/csv", Box::new(|| browser::table_csv(TABLE)))}
                    {save_button(state, "fleet", "JSON", "application/json", Box::new(move || {
                        found.with_untracked(|found| Some(found.as_ref()?.json()))
                    }))}
                </div>
            </div>
            <div class="wishes" role="group" aria-label="Fleet">
                {rate(state, "request_rate", "Requests per second")}
                {rate(state, "peak_rate", "At the peak")}
                {spare(seek)}
            </div>
            <p class="why" id="fleet-why">{lead}</p>
            {part(move || found.with(|found| found.as_ref().map(|found| tables(found)).into_any()))}
        </section>
    }
    .into_any()
}

/// A rate of the load, which is a field of the form too.
fn rate(state: AppState, id: &'static str, label: &'static str) -> AnyView {
    let of = |field: &'static Field| {
        let shown = shown(field);
        let typed = move |event: ev::Event| actions::edit(state, id, &event_target_value(&event));
        let leave = hear_focus(move |_| actions::leave(state, id));
        let text = words(move || shown.with(|shown| shown.text.clone()));
        let error = words(move || shown.with(|shown| shown.error.clone()));
        own_box(&format!("fleet-{id}"), label, text, error, typed, Some(leave))
    };
    bounds::field(id).map(of).into_any()
}

fn spare(seek: Seek) -> AnyView {
    let wishes = seek.wishes;
    let typed = move |event: ev::Event| {
        actions::wish(seek, |wishes| wishes.spare = event_target_value(&event));
    };
    let text = words(move || wishes.with(|wishes| wishes.spare.clone()));
    let error = words(move || {
        let used = wishes.with(|wishes| Wishes::is_spare(&wishes.spare));
        if used {
            String::new()
        } else {
            text::NOT_A_COUNT.to_owned()
        }
    });
    own_box("fleet-spare", "Spare replicas", text, error, typed, None)
}

type Leave = Box<dyn FnMut(ev::FocusEvent) + Send>;

fn own_box(
    id: &str,
    label: &'static str,
    text: Signal<String>,
    error: Signal<String>,
    typed: impl FnMut(ev::Event) + Send + 'static,
    leave: Option<Leave>,
) -> AnyView {
    let about = format!("{id}-error");
    view! {
        <div class="field">
            <label for=id.to_owned()>{label}</label>
            <input
                id=id.to_owned()
                class="box"
                type="text"
                inputmode="decimal"
                autocomplete="off"
                aria-invalid=aria(move || !error.with(String::is_empty))
                aria-describedby=about.clone()
                prop:value=text
                on:input=hear(typed)
                on:blur=leave.unwrap_or_else(|| hear_focus(|_| ()))
            />
            <p class="error" id=about>{error}</p>
        </div>
    }
    .into_any()
}

fn tables(found: &Found) -> AnyView {
    let Some(first) = found.fleets.first() else {
        return ().into_any();
    };
    let priced = found.fleets.iter().any(|fleet| fleet.price_per_hour.is_some());
    let currency = found.currency();
    let mut heads = ["Requests/s", "Replicas", "GPUs", "Nodes", "Load"]
        .map(str::to_owned)
        .to_vec();
    if priced {
        heads.extend([format!("{currency}/month"), format!("{currency}/M tokens")]);
    }
    let head = |label: &String| view! { <th scope="col" class="number">{label.clone()}</th> }.into_any();
    view! {
        <div class="wide" tabindex="0" role="group" aria-label="Fleets, ranked">
            <table class="ranks answers fleets" id=&TABLE[1..]>
                <thead><tr><th scope="col">"Replica"</th>{heads.iter().map(head).collect_view()}</tr></thead>
                <tbody>{found.fleets.iter().map(|fleet| row(found, fleet, &heads)).collect_view()}</tbody>
            </table>
        </div>
        {(!found.ways.is_empty()).then(|| ways(first, &found.ways))}
        <p class="why">{found.demand().said()}</p>
    }
    .into_any()
}

fn row(found: &Found, fleet: &Fleet, heads: &[String]) -> AnyView {
    let figure = |value: Option<f64>| value.map_or_else(|| "—".to_owned(), text::figure);
    let cells = [
        text::milli_figure(fleet.capacity_milli),
        text::grouped(fleet.replicas),
        text::grouped(fleet.total_gpus),
        text::grouped(fleet.nodes),
        text::percent(fleet.utilization(found.demand())),
        figure(fleet.price_per_month()),
        figure(fleet.cost_per_million),
    ];
    let cell = |(label, words): (&String, String)| {
        view! { <td class="number" data-label=label.clone()>{words}</td> }.into_any()
    };
    view! {
        <tr>
            <th scope="row">{found.offer(fleet)}" "<small>{fleet.replica.layout.to_string()}</small></th>
            {heads.iter().zip(cells).map(cell).collect_view()}
        </tr>
    }
    .into_any()
}

/// The first fleet, and what would serve the same.
fn ways(first: &Fleet, ways: &[Way]) -> AnyView {
    let row = |name: String, why: &str, gpus: Option<u64>| {
        view! {
            <tr>
                <th scope="row">{name}<small class="why">{text::grouped_digits(why)}</small></th>
                <td class="number">{gpus.map_or_else(|| "—".to_owned(), text::grouped)}</td>
            </tr>
        }
        .into_any()
    };
    let others = ways
        .iter()
        .map(|way| row(text::way(way), &way.reason, way.total_gpus))
        .collect_view();
    view! {
        <table class="ranks ways">
            <caption class="vh">"Other ways to serve the same"</caption>
            <thead><tr><th scope="col">"Other ways"</th><th scope="col" class="number">"GPUs"</th></tr></thead>
            <tbody>
                {row(text::THIS_FLEET.to_owned(), &first.replica.layout.to_string(), Some(first.total_gpus))}
                {others}
            </tbody>
        </table>
    }
    .into_any()
}
