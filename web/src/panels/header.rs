//! Name, presets, vLLM version, Share, theme.
use crate::{
    browser,
    controls::{Menu, Options, hear, part, press},
    effects::{Theme, apply_theme, beside, pin_links, stored_theme},
    lean::memo,
    state::{
        AppState, actions,
        derive::Choice,
        link,
        presets::{PRESETS, Preset},
        search::{Seek, use_seek},
        use_app,
    },
    text,
};
use leptos::{ev, prelude::*};
use planner::engine::versions;
use wasm_bindgen_futures::spawn_local;

/// The top of the page.
#[component]
pub(crate) fn Header() -> AnyView {
    let (state, seek) = (use_app(), use_seek());
    let presets = PRESETS.iter().map(|preset| (preset.name, preset.about)).collect();
    let choose = Callback::new(move |at: usize| {
        let preset = PRESETS.get(at);
        if let Some((preset, scenario)) = preset.and_then(|p: &Preset| Some((p, p.scenario()?))) {
            actions::replace(state, scenario, format!("Preset: {}", preset.name));
        }
    });
    let import = press(move || actions::open_import(state, Some(crate::state::Import::Scenario)));
    view! {
        <header class="header">
            <div class="brand">
                <h1>{text::NAME}</h1>
                <p>{text::TAGLINE}</p>
                {part(move || example_label(state.is_example()))}
            </div>
            <div class="tools">
                <Menu id="presets" label="Presets" choices=presets on_choose=choose />
                <button type="button" class="button" on:click=import>"Open"</button>
                <button type="button" class="button" on:click=press(move || share(state, seek))>"Share"</button>
                <button type="button" class="button" on:click=press(move || actions::pin(state))>"Compare"</button>
                {version_select(state)}
                {theme_select()}
            </div>
        </header>
    }
    .into_any()
}

fn example_label(example: bool) -> AnyView {
    if example {
        view! { <span class="tag">{text::EXAMPLE}</span> }.into_any()
    } else {
        ().into_any()
    }
}

fn share(state: AppState, seek: Seek) {
    let link = state.fragment.with_untracked(|f| {
        f.as_ref()
            .map(|f| browser::link(&beside(seek, f, &untrack(|| pin_links(state)))))
            .map_err(Clone::clone)
    });
    match link {
        // A file holds what no link can.
        Err(problem) => {
            let file = state.scenario.with_untracked(link::to_json);
            let saved = browser::download("scenario.json", file.as_bytes(), "application/json");
            let saved = saved.map_or("", |()| text::SCENARIO_SAVED);
            actions::inform(state, format!("{problem} {saved}"));
        }
        Ok(link) => spawn_local(async move {
            let copied = browser::copy(&link).await.is_ok();
            let message = if copied {
                text::LINK_COPIED
            } else {
                text::LINK_NOT_COPIED
            };
            let kept = if browser::keeps() { "" } else { text::NOT_KEPT };
            actions::inform(state, format!("{message}{kept}"));
        }),
    }
}

fn version_select(state: AppState) -> AnyView {
    let choices = versions()
        .iter()
        .map(|v| Choice::new(v.to_string(), v.to_string()))
        .collect::<Vec<_>>();
    let chosen = move |event: ev::Event| actions::set_version(state, &event_target_value(&event));
    let now = memo(move || state.get("vllm_version").unwrap_or_default());
    view! {
        <label class="tool">
            "vLLM"
            <select class="box" id="vllm_version" on:change=hear(chosen)>
                {part(move || now.with(|now| Options::of(&choices, now)))}
            </select>
        </label>
    }
    .into_any()
}

fn theme_select() -> AnyView {
    let theme = RwSignal::new(stored_theme());
    apply_theme(theme);
    let choices: Vec<_> = Theme::ALL
        .iter()
        .map(|theme| Choice::new(theme.name(), theme.words()))
        .collect();
    view! {
        <label class="tool">
            "Theme"
            <select
                class="box"
                id="theme"
                on:change=hear(move |event| theme.set(Theme::named(&event_target_value(&event))))
            >
                {part(move || Options::of(&choices, theme.get().name()))}
            </select>
        </label>
    }
    .into_any()
}
