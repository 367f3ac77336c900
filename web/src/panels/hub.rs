//! Ask the Hub, or a mirror of it, for the config.json of a model that the catalogue does not have.
use crate::{
    browser,
    controls::{aria, flag, hear, part, press, words},
    effects::{Hub, WebRequest, fetch_config, store_address, stored_address},
    lean::memo,
    state::{Import, import, use_app},
    text,
};
use leptos::{ev, prelude::*};

/// Whom to ask. The token lives here and nowhere else.
#[derive(Clone, Copy)]
struct Source {
    address: RwSignal<String>,
    hub: Memo<Result<Hub, &'static str>>,
    token: RwSignal<String>,
}

impl Source {
    fn new() -> Self {
        let address = RwSignal::new(stored_address());
        Self {
            address,
            hub: memo(move || address.with(|address| Hub::read(address))),
            token: RwSignal::new(String::new()),
        }
    }

    /// The host's name, or nothing while the address cannot be used.
    fn host(self) -> String {
        self.hub.with(|hub| {
            let host = hub.as_ref().map(Hub::host);
            host.unwrap_or_default().to_owned()
        })
    }

    /// Another host is not told the token of the one before.
    fn set_address(self, address: String) {
        let before = untrack(|| self.host());
        self.address.set(address);
        if untrack(|| self.host()) != before {
            self.token.set(String::new());
        }
    }
}

/// The button that asks, for a name that the catalogue does not have, and whom it asks.
#[component]
pub(super) fn HubLookup(
    /// What stands in the model's box.
    typed: RwSignal<Option<String>>,
) -> AnyView {
    let state = use_app();
    let request = WebRequest::new();
    let source = Source::new();
    let problem = RwSignal::new(String::new());
    let id = memo(move || typed.with(|typed| typed.as_deref().and_then(repository)));
    // One button, so that it keeps the keyboard: it asks, and while it does it stops.
    let ask_or_stop = move || {
        if untrack(|| request.running()) {
            return request.cancel();
        }
        let (Some((id, revision)), Ok(hub)) = (id.get_untracked(), source.hub.get_untracked()) else {
            return;
        };
        problem.set(String::new());
        let (name, wanted) = (id.clone(), revision.clone().unwrap_or_default());
        let take = move |answer: Result<String, String>| {
            let taken =
                answer.and_then(|config| import::take(state, Some(Import::Model), &id, revision, &config));
            match taken {
                Ok(()) => browser::focus("model"),
                Err(why) => problem.set(text::sentence(&why)),
            }
        };
        let token = source.token.get_untracked();
        fetch_config(request, &hub, &token, name, &wanted, take);
    };
    let offered = memo(move || id.with(Option::is_some) || request.running());
    let label = words(move || {
        let host = source.host();
        if request.running() {
            format!("Stop asking {host}")
        } else {
            format!("Fetch config.json from {host}")
        }
    });
    let button = part(move || {
        if !offered.get() || source.hub.with(Result::is_err) {
            return ().into_any();
        }
        view! { <button type="button" class="button primary" on:click=press(ask_or_stop)>{label}</button> }
            .into_any()
    });
    view! {
        <div class="hub">
            {button}
            <p class="error" role="alert">{words(move || problem.get())}</p>
            <details class="more" hidden=flag(move || !offered.get())>
                <summary>"Mirror and token"</summary>
                {fields(source, request, problem)}
            </details>
        </div>
    }
    .into_any()
}

fn fields(source: Source, request: WebRequest, problem: RwSignal<String>) -> AnyView {
    let wrong = move || {
        source
            .hub
            .with(|hub| hub.as_ref().err().copied().unwrap_or_default())
    };
    let typed = move |event: ev::Event| {
        // Who is asked does not change while they are.
        request.cancel();
        problem.set(String::new());
        source.set_address(event_target_value(&event));
    };
    let left = move |_: ev::Event| source.address.with_untracked(|address| store_address(address));
    view! {
        <div class="section-body">
            <label for="hub-address">"Hub address"</label>
            <input
                id="hub-address"
                type="text"
                inputmode="url"
                class="box box-wide"
                autocomplete="off"
                autocapitalize="none"
                spellcheck="false"
                placeholder="https://huggingface.co"
                aria-describedby="hub-address-why hub-address-wrong"
                aria-invalid=aria(move || !wrong().is_empty())
                prop:value=words(move || source.address.get())
                on:input=hear(typed)
                on:change=hear(left)
            />
            <p class="error" id="hub-address-wrong" role="alert">{words(move || wrong().to_owned())}</p>
            <p class="why" id="hub-address-why">{text::HUB_ADDRESS_LEAD}</p>
            <label for="hub-token">{words(move || text::hub_token(&source.host()))}</label>
            <input
                id="hub-token"
                type="password"
                class="box box-wide"
                autocomplete="off"
                disabled=flag(move || !wrong().is_empty())
                aria-describedby="hub-token-why"
                prop:value=words(move || source.token.get())
                on:input=hear(move |event| {
                    problem.set(String::new());
                    source.token.set(event_target_value(&event));
                })
            />
            <p class="why" id="hub-token-why">{words(move || text::hub_token_lead(&source.host()))}</p>
        </div>
    }
    .into_any()
}

/// A repository and, where it was given, a revision of it.
type Repository = (String, Option<String>);

/// The text where it looks like `owner/name` or `owner/name@revision` and is not bundled.
fn repository(typed: &str) -> Option<Repository> {
    let (id, revision) = match typed.trim().split_once('@') {
        Some((id, revision)) => (id, Some(revision)),
        None => (typed.trim(), None),
    };
    let (owner, name) = id.split_once('/')?;
    let word = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    let ok = word(owner) && word(name) && revision.is_none_or(|revision| revision.split('/').all(word));
    let bundled = revision.is_none() && planner::model::find(id).is_some();
    (ok && !bundled).then(|| (id.to_owned(), revision.map(ToOwned::to_owned)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_repositories_outside_the_catalogue_are_looked_up() {
        let of = |id: &str, revision: Option<&str>| Some((id.to_owned(), revision.map(ToOwned::to_owned)));
        assert_eq!(repository(" me/mine "), of("me/mine", None));
        assert_eq!(repository("me/mine@refs/pr/1"), of("me/mine", Some("refs/pr/1")));
        // Another revision may hold another config.
        assert_eq!(
            repository("Qwen/Qwen3-8B@main"),
            of("Qwen/Qwen3-8B", Some("main"))
        );
        for typed in [
            "",
            "mine",
            "me/",
            "a/b/c",
            "../etc/passwd",
            "me/mi ne",
            "me/mine@",
            "qwen/qwen3-8b",
        ] {
            assert_eq!(repository(typed), None, "{typed}");
        }
    }
}
