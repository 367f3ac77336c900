//! The whole scenario lives in the page's address: `#…`, which no server ever sees.
use super::storage::last_scenario;
use crate::{
    browser,
    lean::{effect, memo},
    state::{
        AppState, Banner, Sheet, actions, import, link, presets,
        search::{Seek, Wishes},
    },
    text,
};
use leptos::{ev, prelude::*};

/// Opens what the address holds, else the last scenario of this browser, else the example.
pub(crate) fn open_first(state: AppState, seek: Seek) {
    if browser::fragment().is_empty() {
        if let Some((scenario, ignored)) = last_scenario() {
            actions::load(state, scenario, &ignored);
            state.steps.update(|steps| steps.back.clear());
        }
    } else {
        open(state, seek);
        state.steps.update(|steps| steps.back.clear());
    }
}

/// Keeps address and scenario the same, in both directions.
pub(crate) fn sync_url(state: AppState, seek: Seek) {
    let pins = memo(move || pin_links(state));
    let address = move || address(state, seek, &pins.get());
    let timer = browser::Timer::new();
    let mut before: Option<(String, u32)> = None;
    effect(move || {
        let address = address();
        let acts = state.acts.get();
        match before.take() {
            // An imported machine does not stay in the address in its raw form.
            None if acts > 0 => browser::set_fragment(&address, false),
            None => {}
            Some((old, counted)) if counted != acts => {
                timer.stop();
                browser::set_fragment(&old, false);
                browser::set_fragment(&address, true);
            }
            Some((old, _)) if old == address => {}
            Some(_) => {
                let address = address.clone();
                timer.start(300, move || browser::set_fragment(&address, false));
            }
        }
        before = Some((address, acts));
    });
    let handle = window_event_listener(ev::hashchange, move |_| {
        // The page's own changes fire no such event; a person, a link or Back does.
        if untrack(address) != browser::fragment() {
            timer.stop();
            open(state, seek);
        }
    });
    on_cleanup(move || handle.remove());
}

/// The key of what the sheet explains.
const EXPLAIN: &str = "&explain=";

/// What stands behind `#`: the scenario, what is pinned beside it, what searches go by, and what the sheet explains.
fn address(state: AppState, seek: Seek, pins: &[String]) -> String {
    let fragment = state.fragment.with(|f| f.clone().unwrap_or_default());
    let fragment = beside(seek, &fragment, pins);
    state.sheet.with(|sheet| match sheet {
        Sheet::Explain(id) => format!("{fragment}{EXPLAIN}{id}"),
        _ => fragment,
    })
}

/// The links of what is pinned.
pub(crate) fn pin_links(state: AppState) -> Vec<String> {
    state.beside.with(|beside| {
        let links = beside.pins.iter().map(|pin| link::to_fragment(&pin.scenario));
        links.filter_map(Result::ok).collect()
    })
}

/// The fragment with what is pinned beside it, and what searches go by.
pub(crate) fn beside(seek: Seek, fragment: &str, pins: &[String]) -> String {
    let fragment = planner::share::with_pins(fragment, pins);
    let wishes = seek.wishes.with(Wishes::pairs);
    planner::share::with_wishes(&fragment, &wishes)
}

/// What a link asks to explain.
fn asked_sheet(fragment: &str) -> Option<String> {
    let (_, id) = fragment.split_once(EXPLAIN)?;
    let id: String = id.split('&').next()?.chars().take(60).collect();
    Some(id).filter(|id| !id.is_empty())
}

fn open(state: AppState, seek: Seek) {
    let fragment = browser::fragment();
    if let Some(id) = asked_sheet(&fragment) {
        actions::show_explanation(state, &id);
    }
    let (_, pins) = planner::share::split_pins(&fragment);
    let pins = pins.iter().filter_map(|pin| link::from_fragment(pin).ok());
    let pins: Vec<_> = pins.map(|(scenario, _)| scenario).collect();
    actions::set_pins(state, &pins);
    let (wishes, unread) = Wishes::of(planner::share::wishes_of(&fragment));
    actions::wish(seek, |old| *old = wishes);
    if let Some(host) = fragment.strip_prefix("host=") {
        let report = browser::packed_text(host).ok_or_else(|| text::HOST_DAMAGED.to_owned());
        if let Err(problem) = report.and_then(|report| import::take_host(state, &report)) {
            unreadable(state, problem);
        }
        return;
    }
    if fragment.is_empty() {
        actions::load(state, presets::example(), &[]);
        return;
    }
    match link::from_fragment(&fragment) {
        Ok((scenario, mut ignored)) => {
            ignored.extend(unread);
            actions::load(state, scenario, &ignored);
        }
        Err(problem) => unreadable(state, problem),
    }
}

fn unreadable(state: AppState, problem: String) {
    state.banner.set(Some(Banner {
        title: text::LINK_UNREADABLE.to_owned(),
        items: vec![problem],
    }));
}
