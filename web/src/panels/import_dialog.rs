//! Paste or open a config.json, a host report, a saved scenario, or what starts vLLM elsewhere. The one modal of the page.
use crate::{
    controls::{CopyButton, hear, part, press, with_code, words},
    effects::{AGENT_PORT, WebRequest, fetch_host, read_files},
    lean::effect,
    state::{AppState, Import, actions, import, use_app},
    text,
};
use leptos::{ev, prelude::*};
use wasm_bindgen::JsCast;

/// What somebody typed in it.
#[derive(Clone, Copy)]
struct Form {
    name: RwSignal<String>,
    revision: RwSignal<String>,
    text: RwSignal<String>,
    port: RwSignal<String>,
    problem: RwSignal<String>,
    request: WebRequest,
}

/// The dialog.
#[component]
pub(crate) fn ImportDialog() -> AnyView {
    let state = use_app();
    let node = NodeRef::<leptos::html::Dialog>::new();
    let form = Form {
        name: RwSignal::new(String::new()),
        revision: RwSignal::new(String::new()),
        text: RwSignal::new(String::new()),
        port: RwSignal::new(AGENT_PORT.to_string()),
        problem: RwSignal::new(String::new()),
        request: WebRequest::new(),
    };
    effect(move || {
        let open = state.import.get().is_some();
        let Some(dialog) = node.get() else { return };
        if open && !dialog.open() {
            for field in [form.name, form.revision, form.text, form.problem] {
                field.set(String::new());
            }
            drop(dialog.show_modal());
        } else if !open {
            // Nothing may come into a page whose dialog was left.
            form.request.cancel();
            if dialog.open() {
                dialog.close();
            }
        }
    });
    view! {
        <dialog class="dialog" node_ref=node aria-labelledby="import-title" on:close=move |_| actions::open_import(state, None)>
            {part(move || state.import.get().map_or_else(|| ().into_any(), |kind| body(state, form, kind)))}
        </dialog>
    }
    .into_any()
}

fn body(state: AppState, form: Form, kind: Import) -> AnyView {
    let (title, lead) = match kind {
        Import::Model => ("Use a config.json", text::IMPORT_MODEL),
        Import::Hardware => ("Import a machine's GPUs", text::IMPORT_HARDWARE),
        Import::Scenario => ("Open a scenario", text::IMPORT_SCENARIO),
    };
    let take = press(move || {
        let revision = Some(form.revision.get_untracked());
        let taken = form.text.with_untracked(|text| {
            import::take(state, Some(kind), &form.name.get_untracked(), revision, text)
        });
        match taken {
            Ok(()) => actions::open_import(state, None),
            Err(problem) => form.problem.set(text::sentence(&problem)),
        }
    });
    let extra = match kind {
        Import::Model => names(form),
        Import::Hardware => (commands(), connect(state, form)).into_any(),
        Import::Scenario => ().into_any(),
    };
    view! {
        <h2 id="import-title">{title}</h2>
        <p>{lead}</p>
        {extra}
        <label for="import-text">"Text"</label>
        <textarea
            id="import-text"
            class="box"
            rows="9"
            spellcheck="false"
            aria-describedby="import-problem"
            on:input=hear(move |event| form.text.set(event_target_value(&event)))
        ></textarea>
        <p class="error" id="import-problem" role="alert">{part(move || form.problem.with(|problem| with_code(problem)).into_any())}</p>
        <div class="dialog-tools">
            <label class="file-label">
                "or choose a file "
                <input type="file" accept=".json,.csv,.txt,.yaml,.yml,.sh,.service,.container,application/json" on:change=hear(move |event| chosen(state, form, kind, &event)) />
            </label>
            <button type="button" class="button" on:click=press(move || actions::open_import(state, None))>"Cancel"</button>
            <button type="button" class="button primary" on:click=take>"Use it"</button>
        </div>
    }
    .into_any()
}

fn chosen(state: AppState, form: Form, kind: Import, event: &ev::Event) {
    let Some(input) = event
        .target()
        .and_then(|t| t.dyn_into::<web_sys::HtmlInputElement>().ok())
    else {
        return;
    };
    if let Some(files) = input.files() {
        read_files(state, Some(kind), &files, form.name.get_untracked());
    }
    // Else choosing the same file again would fire no event.
    input.set_value("");
}

fn names(form: Form) -> AnyView {
    let field = |id: &'static str, label: &'static str, hint: &'static str, text: RwSignal<String>| {
        view! {
            <label for=id>{label}</label>
            <input
                id=id
                type="text"
                class="box box-wide"
                autocomplete="off"
                spellcheck="false"
                placeholder=hint
                on:input=hear(move |event| text.set(event_target_value(&event)))
            />
        }
    };
    view! {
        {field("import-name", "Repository id or path, as vllm serve takes it", text::UNNAMED_MODEL, form.name)}
        {field("import-revision", "Revision, if it is not the main branch", "main", form.revision)}
    }
    .into_any()
}

fn commands() -> AnyView {
    let [first, second] = text::HARDWARE_COMMANDS;
    view! {
        <ul class="commands">
            <li><code id="command-1">{first}</code><CopyButton label="Copy" text=move |()| first.to_owned() from="command-1" /></li>
            <li><code id="command-2">{second}</code><CopyButton label="Copy" text=move |()| second.to_owned() from="command-2" /></li>
        </ul>
    }
    .into_any()
}

/// The button that asks the agent on this machine. What it says or gives goes the way of a paste.
fn connect(state: AppState, form: Form) -> AnyView {
    let request = form.request;
    let port = move || {
        form.port
            .with(|port| port.trim().parse::<u16>().ok().filter(|port| *port > 0))
    };
    // One button, so that it keeps the keyboard: it asks, and while it does it stops.
    let ask_or_stop = press(move || {
        if untrack(|| request.running()) {
            return request.cancel();
        }
        let Some(port) = untrack(port) else {
            return form.problem.set(text::AGENT_NO_PORT.to_owned());
        };
        form.problem.set(String::new());
        fetch_host(request, port, move |answer| {
            match answer.and_then(|report| import::take_host(state, &report)) {
                Ok(()) => actions::open_import(state, None),
                Err(problem) => form.problem.set(text::sentence(&problem)),
            }
        });
    });
    let label = words(move || {
        let act = if request.running() {
            "Stop asking"
        } else {
            "Connect to"
        };
        format!("{act} 127.0.0.1:{}", port().unwrap_or(AGENT_PORT))
    });
    let asking = words(move || if request.running() { text::AGENT_ASKING } else { "" }.to_owned());
    view! {
        <p>{text::AGENT_LEAD}</p>
        <p class="dialog-tools">
            <button type="button" class="button" aria-describedby="import-problem" on:click=ask_or_stop>{label}</button>
            <label>
                "Port "
                <input
                    id="agent-port"
                    type="text"
                    class="box box-port"
                    inputmode="numeric"
                    autocomplete="off"
                    prop:value=form.port
                    on:input=hear(move |event| form.port.set(event_target_value(&event)))
                />
            </label>
        </p>
        <p class="why" role="status">{asking}</p>
    }
    .into_any()
}
