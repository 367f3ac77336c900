//! 1 Model: pick one, paste its config.json, or fetch that from the Hub.
use super::hub::HubLookup;
use crate::{
    controls::{Combobox, Item, Section, part, press, with_code, words},
    lean::effect,
    state::{AppState, Import, actions, use_app},
    text,
};
use leptos::prelude::*;
use planner::model::{CatalogModel, ModelInput, ModelOrigin, ModelSpec, models};

/// At most so many options at once.
const MOST: usize = 60;
/// The value of the option that stands last.
const OWN: &str = "";

/// The section.
#[component]
pub(crate) fn ModelPanel() -> AnyView {
    let state = use_app();
    let typed = RwSignal::new(None::<String>);
    let id = words(move || state.scenario.with(|scenario| scenario.model.id.clone()));
    let pick = Callback::new(move |value: String| match ModelInput::from_catalog(&value) {
        Some(model) => actions::set_model(state, model),
        None => actions::open_import(state, Some(Import::Model)),
    });
    // A model that arrives otherwise, by link or file, replaces what was typed.
    effect(move || {
        id.track();
        typed.set(None);
    });
    // A config.json of one's own, and a revision.
    let changed = words(move || {
        state.scenario.with(|scenario| {
            let model = &scenario.model;
            text::changed(
                usize::from(model.origin == ModelOrigin::Config) + usize::from(model.revision.is_some()),
            )
        })
    });
    let own = press(move || actions::open_import(state, Some(Import::Model)));
    view! {
        <Section number="1" title="Model" open=true digest=id changed>
            <div class="field">
                <div class="field-head">
                    <label for="model">"Model"</label>
                    <code class="field-name">"model"</code>
                </div>
                <Combobox id="model" described_by="model-about" value=id typed options=matching on_pick=pick />
                <div id="model-about">{part(move || about(state, typed))}</div>
                <HubLookup typed />
                <button type="button" class="button" on:click=own>"Paste or open a config.json"</button>
            </div>
        </Section>
    }
    .into_any()
}

/// The catalogue's models that contain every word of `typed`, and the way to one's own.
fn matching(typed: &str) -> Vec<Item> {
    let wanted = typed.to_ascii_lowercase();
    let words: Vec<&str> = wanted.split_whitespace().collect();
    let fits = |model: &&CatalogModel| {
        let id = model.id.to_ascii_lowercase();
        words.iter().all(|word| id.contains(word))
    };
    let mut items: Vec<Item> = models().iter().filter(fits).map(item).collect();
    let more = items.len().saturating_sub(MOST);
    items.truncate(MOST);
    let detail = if more > 0 {
        format!("{more} more: keep typing")
    } else {
        String::new()
    };
    items.push(Item {
        value: OWN.to_owned(),
        name: "Use my own config.json…".to_owned(),
        detail,
    });
    items
}

fn item(model: &CatalogModel) -> Item {
    let length = model.spec().as_ref().map_or(0, |spec| spec.derived_max_model_len);
    Item {
        value: model.id.to_owned(),
        name: model.id.to_owned(),
        detail: format!(
            "{} · {}",
            text::parameters(model.total_params),
            text::context(length)
        ),
    }
}

/// What the box says is used, or what is missing.
fn about(state: AppState, typed: RwSignal<Option<String>>) -> AnyView {
    let pending = typed.get().filter(|typed| !typed.trim().is_empty());
    state.scenario.with(|scenario| {
        let model = &scenario.model;
        let summary = match &model.spec {
            Ok(spec) => view! { <p class="why">{summary(spec)}</p> }.into_any(),
            Err(error) => {
                view! { <p class="error">{with_code(&text::full_sentence(&error.to_string()))}</p> }
                    .into_any()
            }
        };
        let origin = match (model.origin, &model.revision) {
            (ModelOrigin::Catalog, None) => None,
            (ModelOrigin::Config, None) => Some("From a config.json.".to_owned()),
            (_, Some(revision)) => Some(format!("Revision {revision}.")),
        };
        let pending = pending.map(|typed| {
            let known = matching(&typed).len() > 1;
            let hint = if known {
                "Pick one from the list."
            } else {
                "Not in the catalogue (owner/name or owner/name@revision can be fetched)."
            };
            view! { <p class="error">{format!("{hint} Using {}.", model.id)}</p> }
        });
        (
            pending,
            summary,
            origin.map(|origin| view! { <p class="why">{origin}</p> }),
        )
            .into_any()
    })
}

/// "8.2 B parameters, 36 layers, 32 query and 8 KV heads of 128, context 40 960, bfloat16."
fn summary(spec: &ModelSpec) -> String {
    let a = spec.attention;
    let active = spec.active_parameters();
    let total = spec.parameters();
    let experts = if active == total {
        String::new()
    } else {
        format!(" ({} active)", text::parameters(active))
    };
    let heads = if a.num_attention_heads == a.num_key_value_heads {
        format!("{} heads", a.num_attention_heads)
    } else {
        format!(
            "{} query and {} KV heads",
            a.num_attention_heads, a.num_key_value_heads
        )
    };
    let quantization = spec
        .quantization
        .as_ref()
        .map_or_else(|| spec.dtype.name().to_owned(), |q| q.method.to_owned());
    format!(
        "{} parameters{experts} · {} layers · {heads} of {} · context {} · {quantization}",
        text::parameters(total),
        spec.num_hidden_layers(),
        a.head_dim,
        text::grouped(u64::from(spec.derived_max_model_len)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_match_on_any_part() {
        let names =
            |typed: &str| -> Vec<String> { matching(typed).into_iter().map(|item| item.value).collect() };
        assert!(names("qwen3 8b").contains(&"Qwen/Qwen3-8B".to_owned()));
        assert!(names("INSTRUCT llama-3.3").contains(&"meta-llama/Llama-3.3-70B-Instruct".to_owned()));
        assert_eq!(names("no such model"), [OWN]);
        assert_eq!(names("").len(), MOST + 1);
    }

    #[test]
    fn a_summary_names_what_shapes_memory() {
        let model = ModelInput::from_catalog("Qwen/Qwen3-8B").unwrap();
        let text = summary(model.spec.as_ref().unwrap());
        for part in [
            "8.2 B parameters",
            "36 layers",
            "32 query and 8 KV heads of 128",
            "bfloat16",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
}
