//! The page: its state, the effects by name, the panels in order.
use crate::{
    browser,
    controls::{BannerView, ToastView},
    effects::{
        accept_drops, announce_verdict, keep_last_scenario, listen_keys, open_first, set_title, sync_url,
    },
    panels::{
        Advice, Arguments, Artifacts, Compare, ContextPanel, Dock, Engine, Explore, Footer, HardwarePanel,
        Header, ImportDialog, MemoryPanel, ModelPanel, Notes, PastedPanel, Recommended, RunCheck, SheetView,
        SpeedPanel, VerdictPanel, WorkloadPanel,
    },
    state::{AppState, derive::follow_fields, search::Seek},
};
use leptos::{ev, prelude::*};

/// The page.
#[component]
pub fn App() -> impl IntoView {
    let state = AppState::new();
    provide_context(state);
    let seek = Seek::new();
    provide_context(seek);

    open_first(state, seek);
    sync_url(state, seek);
    keep_last_scenario(state);
    set_title(state);
    follow_fields(state);
    accept_drops(state);
    listen_keys(state);
    let announced = announce_verdict(state);

    view! {
        <SkipLinks />
        <Header />
        <Dock />
        <BannerView />
        <main class="main">
            <div class="columns">
            <form class="inputs" aria-label="Inputs" on:submit=|event: ev::SubmitEvent| event.prevent_default()>
                <ModelPanel />
                <HardwarePanel />
                <WorkloadPanel />
                <Engine />
            </form>
            <div class="results">
                <VerdictPanel />
                <PastedPanel />
                <Advice />
                <Compare />
                <MemoryPanel />
                <ContextPanel />
                <SpeedPanel />
                <Recommended />
                <Explore />
                <Notes />
                <Arguments />
            </div>
            </div>
            <Artifacts />
            <RunCheck />
        </main>
        <Footer />
        <ImportDialog />
        <SheetView />
        <ToastView />
        <p class="vh" role="status" id="announcement">{announced}</p>
    }
}

/// Links for the keyboard, seen when they have it. The address keeps the scenario, so they do not use it.
#[component]
fn SkipLinks() -> AnyView {
    let link = |id: &'static str, label: &'static str| {
        let go = move |event: ev::MouseEvent| {
            event.prevent_default();
            browser::go_to(id);
        };
        view! { <a class="skip" href=format!("#{id}") on:click=go>{label}</a> }
    };
    view! {
        {link("result", "To the result")}
        {link("artifacts", "To the files")}
    }
    .into_any()
}
