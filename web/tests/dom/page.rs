//! The mounted page, and how a person acts on it.
use leptos::mount::{UnmountHandle, mount_to};
use leptos::tachys::view::Mountable;
use std::{any::Any, time::Duration};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    Event, EventInit, HtmlElement, HtmlInputElement, HtmlSelectElement, KeyboardEvent, KeyboardEventInit,
};

/// The page, mounted until it is dropped.
pub(crate) struct Page {
    root: HtmlElement,
    _mounted: Box<dyn Any>,
}

impl Drop for Page {
    fn drop(&mut self) {
        self.root.remove();
    }
}

fn mounted<M: Mountable + 'static>(handle: UnmountHandle<M>) -> Box<dyn Any> {
    Box::new(handle)
}

impl Page {
    /// Mounts the page at an address that ends in `#fragment`, in a browser that has never seen it.
    pub(crate) async fn open(fragment: &str) -> Self {
        let window = web_sys::window().unwrap();
        if let Ok(Some(storage)) = window.local_storage() {
            storage.clear().unwrap();
        }
        Self::open_again(fragment).await
    }

    /// The same in a browser that has.
    pub(crate) async fn open_again(fragment: &str) -> Self {
        let window = web_sys::window().unwrap();
        let url = if fragment.is_empty() {
            window.location().pathname().unwrap()
        } else {
            format!("#{fragment}")
        };
        window
            .history()
            .unwrap()
            .replace_state_with_url(&JsValue::NULL, "", Some(&url))
            .unwrap();
        let document = window.document().unwrap();
        let root: HtmlElement = document.create_element("div").unwrap().unchecked_into();
        document.body().unwrap().append_child(&root).unwrap();
        let mounted = mounted(mount_to(root.clone(), web::App));
        let page = Self {
            root,
            _mounted: mounted,
        };
        page.settle().await;
        page
    }

    /// Lets effects run.
    pub(crate) async fn settle(&self) {
        leptos::task::tick().await;
        leptos::task::tick().await;
    }

    pub(crate) async fn wait(&self, ms: u64) {
        gloo_wait(ms).await;
        self.settle().await;
    }

    fn all(&self, selector: &str) -> Vec<HtmlElement> {
        let list = self.root.query_selector_all(selector).unwrap();
        (0..list.length())
            .map(|at| list.get(at).unwrap().unchecked_into())
            .collect()
    }

    fn id(&self, id: &str) -> Option<HtmlElement> {
        self.all(&format!("[id=\"{id}\"]")).into_iter().next()
    }

    /// The field that a label names. Units in parentheses do not count.
    pub(crate) fn field(&self, label: &str) -> HtmlElement {
        let named = |element: &HtmlElement| {
            let text = element.text_content().unwrap_or_default();
            text.split(" (").next().unwrap_or_default().trim() == label
        };
        let found = self
            .all("label[for]")
            .into_iter()
            .find(named)
            .unwrap_or_else(|| panic!("no label {label:?}"));
        self.id(&found.get_attribute("for").unwrap())
            .unwrap_or_else(|| panic!("no field for {label:?}"))
    }

    pub(crate) fn value(&self, label: &str) -> String {
        let field = self.field(label);
        match field.dyn_ref::<HtmlInputElement>() {
            Some(input) => input.value(),
            None => field.unchecked_ref::<HtmlSelectElement>().value(),
        }
    }

    /// The text of what describes a field: its error and the reason for its value.
    pub(crate) fn description(&self, label: &str) -> String {
        let ids = self
            .field(label)
            .get_attribute("aria-describedby")
            .unwrap_or_default();
        let texts = ids.split(' ').filter_map(|id| self.id(id)?.text_content());
        texts.collect::<Vec<_>>().join(" ")
    }

    pub(crate) async fn type_into(&self, label: &str, text: &str) {
        let field = self.field(label);
        field.focus().unwrap();
        field.unchecked_ref::<HtmlInputElement>().set_value(text);
        fire(&field, "input");
        self.settle().await;
    }

    /// What a browser tells a field when it is left with another text in it.
    pub(crate) async fn change(&self, label: &str) {
        fire(&self.field(label), "change");
        self.settle().await;
    }

    pub(crate) async fn leave(&self, label: &str) {
        self.field(label).blur().unwrap();
        self.settle().await;
    }

    pub(crate) async fn choose(&self, label: &str, value: &str) {
        let field = self.field(label);
        field.unchecked_ref::<HtmlSelectElement>().set_value(value);
        fire(&field, "change");
        self.settle().await;
    }

    pub(crate) async fn press(&self, element: &HtmlElement, key: &str) {
        let init = KeyboardEventInit::new();
        init.set_key(key);
        init.set_bubbles(true);
        init.set_cancelable(true);
        let event = KeyboardEvent::new_with_keyboard_event_init_dict("keydown", &init).unwrap();
        element.dispatch_event(&event).unwrap();
        self.settle().await;
    }

    /// The button of that name that can be seen.
    pub(crate) fn button(&self, name: &str) -> HtmlElement {
        self.find_button(name)
            .unwrap_or_else(|| panic!("no button {name:?}"))
    }

    pub(crate) fn find_button(&self, name: &str) -> Option<HtmlElement> {
        let named = |button: &HtmlElement| {
            let text = button.text_content().unwrap_or_default();
            let label = button.get_attribute("aria-label").unwrap_or(text);
            label.trim().starts_with(name) && button.closest("[hidden]").unwrap().is_none()
        };
        self.all("button").into_iter().find(named)
    }

    pub(crate) async fn click(&self, name: &str) {
        self.button(name).click();
        self.settle().await;
    }

    /// All elements of a role or tag with a text.
    pub(crate) fn having(&self, selector: &str, text: &str) -> Option<HtmlElement> {
        let has = |element: &HtmlElement| element.text_content().is_some_and(|all| all.contains(text));
        self.all(selector).into_iter().find(has)
    }

    pub(crate) fn texts(&self, selector: &str) -> Vec<String> {
        self.all(selector)
            .iter()
            .filter_map(|element| element.text_content())
            .collect()
    }

    /// The verdict's word.
    pub(crate) fn verdict(&self) -> String {
        self.id("verdict-word").unwrap().text_content().unwrap()
    }

    /// The shown file.
    pub(crate) fn file(&self) -> String {
        self.texts("[role=tabpanel] code").concat()
    }
}

fn fire(element: &HtmlElement, name: &str) {
    let init = EventInit::new();
    init.set_bubbles(true);
    element
        .dispatch_event(&Event::new_with_event_init_dict(name, &init).unwrap())
        .unwrap();
}

async fn gloo_wait(ms: u64) {
    let promise = js_sys::Promise::new(&mut |done, _| {
        let done = move || drop(done.call0(&JsValue::NULL));
        leptos::prelude::set_timeout(done, Duration::from_millis(ms));
    });
    wasm_bindgen_futures::JsFuture::from(promise).await.unwrap();
}

/// The fragment of the address.
pub(crate) fn fragment() -> String {
    web_sys::window()
        .unwrap()
        .location()
        .hash()
        .unwrap()
        .trim_start_matches('#')
        .to_owned()
}
