//! The whole scenario lives in the page's address: `#…`, which no server ever sees.
use super::storage::last_scenario;
use crate::{
    browser,
    state::{AppState, Banner, actions, import, link, presets},
    text,
};
use leptos::{ev, prelude::*};

/// Opens what the address holds, else the last scenario of this browser, else the example.
pub(crate) fn open_first(state: AppState) {
    if browser::fragment().is_empty() {
        if let Some((scenario, ignored)) = last_scenario() {
            actions::load(state, scenario, &ignored);
            state.history.set(Vec::new());
        }
    } else {
        open(state);
        state.history.set(Vec::new());
    }
}

/// Keeps address and scenario the same, in both directions.
pub(crate) fn sync_url(state: AppState) {
    let timer = browser::Timer::new();
    Effect::new(move |before: Option<(String, u32)>| {
        let fragment = state.fragment.get().unwrap_or_default();
        let acts = state.acts.get();
        match before {
            // An imported machine does not stay in the address in its raw form.
            None if acts > 0 => browser::set_fragment(&fragment, false),
            None => {}
            Some((old, counted)) if counted != acts => {
                timer.stop();
                browser::set_fragment(&old, false);
                browser::set_fragment(&fragment, true);
            }
            Some((old, _)) if old == fragment => {}
            Some(_) => {
                let fragment = fragment.clone();
                timer.start(300, move || browser::set_fragment(&fragment, false));
            }
        }
        (fragment, acts)
    });
    let handle = window_event_listener(ev::hashchange, move |_| {
        // The page's own changes fire no such event; a person, a link or Back does.
        if state
            .fragment
            .with_untracked(|now| now.as_ref().ok() != Some(&browser::fragment()))
        {
            timer.stop();
            open(state);
        }
    });
    on_cleanup(move || handle.remove());
}

fn open(state: AppState) {
    let fragment = browser::fragment();
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
        Ok((scenario, ignored)) => actions::load(state, scenario, &ignored),
        Err(problem) => unreadable(state, problem),
    }
}

fn unreadable(state: AppState, problem: String) {
    state.banner.set(Some(Banner {
        title: text::LINK_UNREADABLE.to_owned(),
        items: vec![problem],
    }));
}
