//! The files: groups by where they are used, one tab each, copy, download, and the options that change no memory.
use super::{changes::Changes, liked::liked};
use crate::{
    browser,
    code_view::{
        diff::Marks,
        view::{lines, lines_view},
    },
    controls::{CopyButton, Field, flag, hear, hear_key, part, press, words},
    lean::{each, memo},
    state::{AppState, actions, derive, use_app},
    text,
};
use leptos::{ev, prelude::*};
use planner::{
    ArtifactKind, Outcome,
    artifact::{ArtifactGroup, omitted, zip},
};

const CODE: &str = "artifact-code";

/// The panel.
#[component]
pub(crate) fn Artifacts() -> AnyView {
    let state = use_app();
    let outcome = memo(move || state.plan.with(|plan| plan.verdict.outcome));
    let anyway = RwSignal::new(false);
    let against = RwSignal::new(false);
    let changes = Changes::follow(state, against);
    let body = part(move || {
        match outcome.get() {
        Outcome::Unsupported => view! { <p class="refusal">{text::NO_FILES_UNSUPPORTED}</p> }.into_any(),
        Outcome::DoesNotFit if !anyway.get() => view! {
            <div class="refusal">
                <p>{text::NO_FILES_DOES_NOT_FIT}</p>
                <button type="button" class="button" on:click=press(move || anyway.set(true))>"Show anyway"</button>
            </div>
        }
        .into_any(),
        _ => files(state, changes, against),
    }
    });
    view! {
        <section class="panel artifacts" id="artifacts" tabindex="-1" aria-labelledby="artifacts-title">
            <h2 id="artifacts-title">"Files"</h2>
            {body}
        </section>
    }
    .into_any()
}

fn files(state: AppState, changes: Changes, against: RwSignal<bool>) -> AnyView {
    let groups = ArtifactGroup::ALL
        .iter()
        .map(|one| group(state, *one))
        .collect_view();
    let shown = memo(move || state.tab.get().group());
    let tabs = part(move || {
        shown
            .get()
            .kinds()
            .map(|kind| tab(state, changes, kind))
            .collect_view()
            .into_any()
    });
    let text = derive::file(state);
    let missing = memo(move || text.with(Option::is_none));
    let label = words(move || format!("tab-{}", state.tab.get().name()));
    view! {
        <div class="files">
            <div class="groups" role="group" aria-label="Kinds of files">{groups}</div>
            <div class="tabs" role="tablist" aria-label="Files" on:keydown=hear_key(move |event| key(state, &event))>{tabs}</div>
            <div class="file" role="tabpanel" id="artifact" aria-labelledby=label>
                {part(move || if missing.get() { reason(state) } else { file(state, text, changes, against) })}
            </div>
            <div class="deploy" role="group" aria-label="Options of the files">
                <h3>"Options"</h3>
                <Field id="served_model_name" />
                <Field id="port" />
                <Field id="image" />
                <Field id="name" />
                <Field id="hf_secret" />
                <Field id="non_root" />
                <Field id="device_ids" />
            </div>
        </div>
    }
    .into_any()
}

/// The file that the tab names, with what can be done with it.
fn file(state: AppState, text: Memo<Option<String>>, changes: Changes, against: RwSignal<bool>) -> AnyView {
    let shown = words(move || text.get().unwrap_or_default());
    let marks = memo(move || {
        if state.likes.with(|likes| likes.marks) || changes.against_a() {
            changes.marks(state.tab.get(), &shown.get())
        } else {
            Marks::default()
        }
    });
    let read = move || marks.with(|marks| lines(state.tab.get().path(), &shown.get(), marks));
    let class = words(move || {
        if changes.fresh() {
            "fresh".to_owned()
        } else {
            String::new()
        }
    });
    let pinned = memo(move || state.beside.with(|beside| beside.pins.len()));
    view! {
        <div class="file-tools">
            <CopyButton id="copy-file" label="Copy" text=move |()| shown.get() from=CODE />
            <button type="button" class="button" on:click=press(move || download(state, &untrack(|| shown.get())))>"Download"</button>
            <button type="button" class="button" on:click=press(move || download_all(state))>"Download all (.zip)"</button>
            {liked(state, "Mark changes", |likes| &mut likes.marks)}
            {part(move || if pinned.get() > 0 { against_a(against) } else { ().into_any() })}
        </div>
        <pre tabindex="0" class=class>
            <code id=CODE>{each(read, lines_view)}</code>
        </pre>
    }
    .into_any()
}

/// The switch that holds the files against those of A.
fn against_a(against: RwSignal<bool>) -> AnyView {
    view! {
        <label class="check">
            <input type="checkbox" prop:checked=against on:change=hear(move |event| against.set(event_target_checked(&event))) />
            "Diff against A"
        </label>
    }
    .into_any()
}

/// Why there is no such file.
fn reason(state: AppState) -> AnyView {
    let kind = state.tab.get();
    let why = state.plan.with(|plan| omitted(plan, kind)).unwrap_or_default();
    view! { <p class="refusal">{format!("No {}: {why}.", kind.path())}</p> }.into_any()
}

/// Shows the first file of a group, and the tabs of the others.
fn group(state: AppState, group: ArtifactGroup) -> AnyView {
    let here = flag(move || state.tab.get().group() == group);
    let first = move || {
        if state.tab.get_untracked().group() != group
            && let Some(kind) = group.kinds().next()
        {
            actions::show_file(state, kind);
        }
    };
    view! {
        <button
            type="button"
            class="button"
            aria-pressed=words(move || here.get().to_string())
            on:click=press(first)
        >
            {group.label()}
        </button>
    }
    .into_any()
}

fn tab(state: AppState, changes: Changes, kind: ArtifactKind) -> AnyView {
    let here = flag(move || state.tab.get() == kind);
    let changed = memo(move || !here.get() && changes.changed(kind));
    view! {
        <button
            type="button"
            role="tab"
            id=format!("tab-{}", kind.name())
            aria-controls="artifact"
            aria-selected=words(move || here.get().to_string())
            tabindex=words(move || if here.get() { "0".to_owned() } else { "-1".to_owned() })
            on:click=press(move || actions::show_file(state, kind))
        >
            {kind.path()}
            <span class="dot" hidden=flag(move || !changed.get())>
                <span class="vh">{words(move || if changed.get() { " changed".to_owned() } else { String::new() })}</span>
            </span>
        </button>
    }
    .into_any()
}

/// Arrows, Home and End move between tabs and show what they reach.
fn key(state: AppState, event: &ev::KeyboardEvent) {
    let all: Vec<ArtifactKind> = state.tab.get_untracked().group().kinds().collect();
    let Some(now) = all.iter().position(|kind| *kind == state.tab.get_untracked()) else {
        return;
    };
    let next = match event.key().as_str() {
        "ArrowRight" => (now + 1) % all.len(),
        "ArrowLeft" => (now + all.len() - 1) % all.len(),
        "Home" => 0,
        "End" => all.len() - 1,
        _ => return,
    };
    event.prevent_default();
    if let Some(kind) = all.get(next) {
        actions::show_file(state, *kind);
        browser::go_to(&format!("tab-{}", kind.name()));
    }
}

fn download(state: AppState, text: &str) {
    let path = state.tab.get_untracked().path();
    if browser::download(path, text.as_bytes(), "text/plain").is_none() {
        actions::inform(state, text::NO_DOWNLOAD.to_owned());
    }
}

fn download_all(state: AppState) {
    let zip = state.files.with_untracked(zip);
    if browser::download("vllm-deployment.zip", &zip, "application/zip").is_none() {
        actions::inform(state, text::NO_DOWNLOAD.to_owned());
    }
}
