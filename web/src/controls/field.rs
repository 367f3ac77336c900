//! One field of `planner::bounds::FIELDS`: label, flag, help, box, what holds while it is empty, reset, error.
use super::{
    HelpButton, flag, hear, hear_focus, hear_key, length_slider::length_slider, part, press, step::stepped,
    words,
};
use crate::lean::memo;
use crate::state::{
    AppState, actions,
    derive::{self, Choice, Shown},
    use_app,
};
use leptos::{ev, prelude::*};
use planner::bounds::{self, FieldKind};

/// The field of that name.
#[component]
pub(crate) fn Field(
    /// Its name in `bounds::FIELDS`.
    id: &'static str,
) -> AnyView {
    let state = use_app();
    let Some(field) = bounds::field(id) else {
        return ().into_any();
    };
    let shown = derive::shown(field);
    let help = RwSignal::new(false);
    let class = words(move || {
        shown.with(|s| {
            let set = if s.set { " is-set" } else { "" };
            let wrong = if s.error.is_empty() { "" } else { " is-wrong" };
            format!("field{set}{wrong}")
        })
    });
    let unit = (!field.unit.is_empty()).then(|| format!(" ({})", field.unit));
    view! {
        <div class=class>
            <div class="field-head">
                <label for=id>{field.label}<span class="unit">{unit}</span></label>
                <HelpButton
                    about=field.label
                    controls=format!("{id}-help")
                    open=help
                    toggle=Callback::new(move |()| help.update(|open| *open = !*open))
                />
                <button
                    type="button"
                    class="reset"
                    aria-label=format!("Reset {}", field.label)
                    title="Back to the default"
                    hidden=flag(move || shown.with(|s| !s.set && s.error.is_empty()))
                    on:click=press(move || actions::reset(state, id))
                >
                    "↺"
                </button>
                <code class="field-name">{field.flag.unwrap_or(id)}</code>
            </div>
            <div class="field-box">
                {control(state, field, shown)}
            </div>
            {(id == "max_model_len").then(|| length_slider(state))}
            <p class="help" id=format!("{id}-help") hidden=flag(move || !help.get())>
                {super::with_code(field.help)}
            </p>
            <p class="why" id=format!("{id}-why")>
                <span class="vh">{words(move || if shown.with(|s| s.set) { "Changed. ".to_owned() } else { String::new() })}</span>
                {words(move || shown.with(|s| s.why.clone()))}
            </p>
            <p class="error" id=format!("{id}-error")>{words(move || shown.with(|s| s.error.clone()))}</p>
        </div>
    }
    .into_any()
}

fn control(state: AppState, field: &'static bounds::Field, shown: RwSignal<Shown>) -> AnyView {
    let id = field.id;
    match field.kind {
        _ if id == "tensor_parallel_size" => select(state, field, shown),
        FieldKind::Choice(_) | FieldKind::Switch => select(state, field, shown),
        _ => text_box(state, field, shown),
    }
}

fn described_by(id: &str) -> String {
    format!("{id}-error {id}-why")
}

fn text_box(state: AppState, field: &'static bounds::Field, shown: RwSignal<Shown>) -> AnyView {
    let id = field.id;
    let mode = match field.kind {
        FieldKind::Count { .. } | FieldKind::Fraction | FieldKind::Decimal => "decimal",
        _ => "text",
    };
    let wide = matches!(field.kind, FieldKind::Text);
    let typed = move |event: ev::Event| actions::edit(state, id, &event_target_value(&event));
    let stepped = move |event: ev::KeyboardEvent| {
        let now = shown.with_untracked(|s| {
            if s.text.is_empty() {
                s.effective.clone()
            } else {
                s.text.clone()
            }
        });
        if let Some(next) = stepped(field, &now, &event.key()) {
            event.prevent_default();
            actions::edit(state, id, &next);
        }
    };
    // Lines that are pasted stay lines.
    if id == "trace" {
        return view! {
            <textarea
                id=id
                class="box box-wide"
                rows="2"
                spellcheck="false"
                prop:value=words(move || shown.with(|s| s.text.clone()))
                aria-invalid=super::aria(move || shown.with(|s| !s.error.is_empty()))
                aria-describedby=described_by(id)
                on:input=hear(typed)
                on:blur=hear_focus(move |_| actions::leave(state, id))
            ></textarea>
        }
        .into_any();
    }
    view! {
        <input
            id=id
            type="text"
            class=if wide { "box box-wide" } else { "box" }
            inputmode=mode
            autocomplete="off"
            spellcheck="false"
            placeholder=words(move || shown.with(|s| s.effective.clone()))
            prop:value=words(move || shown.with(|s| s.text.clone()))
            aria-invalid=super::aria(move || shown.with(|s| !s.error.is_empty()))
            aria-describedby=described_by(id)
            on:input=hear(typed)
            on:keydown=hear_key(stepped)
            on:blur=hear_focus(move |_| actions::leave(state, id))
        />
    }
    .into_any()
}

fn select(state: AppState, field: &'static bounds::Field, shown: RwSignal<Shown>) -> AnyView {
    let id = field.id;
    let options = memo(move || {
        let (effective, value) = shown.with(|s| (s.effective.clone(), s.value.clone()));
        (derive::choices(state, field, &effective), value)
    });
    let chosen = move |event: ev::Event| {
        actions::edit(state, id, &event_target_value(&event));
        actions::leave(state, id);
    };
    view! {
        <select
            id=id
            class="box"
            aria-invalid=super::aria(move || shown.with(|s| !s.error.is_empty()))
            aria-describedby=described_by(id)
            on:change=hear(chosen)
        >
            {part(move || options.with(|(options, value)| Options::of(options, value)))}
        </select>
    }
    .into_any()
}

/// Options of a select.
pub(crate) struct Options;

impl Options {
    /// With the one of `value` selected.
    pub(crate) fn of(options: &[Choice], value: &str) -> AnyView {
        options
            .iter()
            .map(|choice| {
                view! {
                    <option
                        value=choice.value.clone()
                        prop:selected=choice.value == value
                        disabled=!choice.enabled
                    >
                        {choice.label.clone()}
                    </option>
                }
            })
            .collect_view()
            .into_any()
    }
}
