//! The browser's own functions. Every one may be missing or refuse; none of that is an error here.
use leptos::{
    leptos_dom::helpers::TimeoutHandle,
    prelude::{LocalStorage, StoredValue, UpdateValue, document, set_timeout_with_handle, window},
};
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// Whether the window is wide enough for everything to be open.
pub(crate) fn is_wide() -> bool {
    window()
        .match_media("(min-width: 720px)")
        .ok()
        .flatten()
        .is_none_or(|query| query.matches())
}

/// Takes the mark, an attribute, from the elements of one selector and gives it to those of the other.
pub(crate) fn move_mark(name: &str, from: Option<&str>, to: &str) {
    for (selector, value) in [(from.unwrap_or_default(), "false"), (to, "true")] {
        // An empty selector is none.
        let root = document().document_element();
        let marked = root.and_then(|root| all(&root, selector));
        for element in marked.unwrap_or_default() {
            drop(element.set_attribute(name, value));
        }
    }
}

/// A text that this browser keeps, if it does.
#[cfg(target_arch = "wasm32")]
pub(crate) fn stored(key: &str) -> Option<String> {
    window().local_storage().ok()??.get_item(key).ok()?
}

/// Native tests keep nothing.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn stored(_key: &str) -> Option<String> {
    None
}

/// Whether this browser keeps anything for the page.
pub(crate) fn keeps() -> bool {
    matches!(window().local_storage(), Ok(Some(_)))
}

/// Keeps a text in this browser, if it allows that. `None` removes it.
pub(crate) fn store(key: &str, text: Option<&str>) {
    if let Ok(Some(storage)) = window().local_storage() {
        // A full or blocked storage only means that the next visit starts afresh.
        drop(match text {
            Some(text) => storage.set_item(key, text),
            None => storage.remove_item(key),
        });
    }
}

/// Today as YYYY-MM-DD, where there is a clock.
#[cfg(target_arch = "wasm32")]
pub(crate) fn today() -> Option<String> {
    let iso: String = js_sys::Date::new_0().to_iso_string().into();
    iso.get(..10).map(ToOwned::to_owned)
}

/// Native tests have no clock.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn today() -> Option<String> {
    None
}

/// The fragment of the page's address, without its `#`.
pub(crate) fn fragment() -> String {
    let hash = window().location().hash().unwrap_or_default();
    hash.strip_prefix('#').unwrap_or(&hash).to_owned()
}

/// The address of this page with another fragment.
#[cfg(target_arch = "wasm32")]
pub(crate) fn link(fragment: &str) -> String {
    let href = window().location().href().unwrap_or_default();
    let page = href.split('#').next().unwrap_or_default();
    format!("{page}#{fragment}")
}

/// Native tests have no address.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn link(fragment: &str) -> String {
    format!("#{fragment}")
}

/// A text in a link: percent-encoded, or base64 for addresses.
pub(crate) fn packed_text(packed: &str) -> Option<String> {
    let text: String = js_sys::decode_uri_component(packed).ok()?.into();
    if text.trim_start().starts_with(['{', '[']) {
        return Some(text);
    }
    let standard = text.replace('-', "+").replace('_', "/");
    // One byte per character.
    let bytes = window().atob(&standard).ok()?;
    let bytes: Option<Vec<u8>> = bytes.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    String::from_utf8(bytes?).ok()
}

/// Puts the fragment into the address, as a new step of the browser's history or in place of the last.
pub(crate) fn set_fragment(fragment: &str, new_step: bool) {
    let Ok(history) = window().history() else { return };
    let url = format!("#{fragment}");
    drop(if new_step {
        history.push_state_with_url(&JsValue::NULL, "", Some(&url))
    } else {
        history.replace_state_with_url(&JsValue::NULL, "", Some(&url))
    });
}

/// Puts a text on the clipboard.
pub(crate) async fn copy(text: &str) -> Result<(), JsValue> {
    let navigator = window().navigator();
    // Absent on pages that are not served securely.
    if js_sys::Reflect::get(&navigator, &"clipboard".into())?.is_undefined() {
        return Err(JsValue::NULL);
    }
    JsFuture::from(navigator.clipboard().write_text(text))
        .await
        .map(drop)
}

/// Whether the browser is set to keep this page from the local network. Browsers that know no such setting do not.
pub(crate) async fn denies_local_network() -> bool {
    // The first was the only name until Chromium told loopback apart.
    for name in ["local-network-access", "loopback-network"] {
        if permission(name).await.is_ok_and(|state| state == "denied") {
            return true;
        }
    }
    false
}

async fn permission(name: &str) -> Result<JsValue, JsValue> {
    let descriptor = js_sys::Object::new();
    js_sys::Reflect::set(&descriptor, &"name".into(), &name.into())?;
    // By reflection: it may be missing, and rejects a name that the browser does not know.
    let permissions = js_sys::Reflect::get(&window().navigator(), &"permissions".into())?;
    let query = js_sys::Reflect::get(&permissions, &"query".into())?;
    let asked = query
        .dyn_into::<js_sys::Function>()?
        .call1(&permissions, &descriptor)?;
    let status = JsFuture::from(asked.dyn_into::<js_sys::Promise>()?).await?;
    js_sys::Reflect::get(&status, &"state".into())
}

/// Selects all text of the element, for a copy by hand.
pub(crate) fn select(element_id: &str) {
    let document = leptos::prelude::document();
    let Some(element) = document.get_element_by_id(element_id) else {
        return;
    };
    if let (Ok(Some(selection)), Ok(range)) = (window().get_selection(), document.create_range()) {
        let done = range.select_node_contents(&element);
        drop(
            done.and_then(|()| selection.remove_all_ranges())
                .and_then(|()| selection.add_range(&range)),
        );
    }
}

/// Hands a file to the browser's downloads.
pub(crate) fn download(name: &str, bytes: &[u8], mime: &str) -> Option<()> {
    let parts = js_sys::Array::of1(&js_sys::Uint8Array::from(bytes));
    let options = web_sys::BlobPropertyBag::new();
    options.set_type(mime);
    let blob = web_sys::Blob::new_with_u8_array_sequence_and_options(&parts, &options).ok()?;
    let url = web_sys::Url::create_object_url_with_blob(&blob).ok()?;
    let document = leptos::prelude::document();
    let anchor: web_sys::HtmlAnchorElement = document.create_element("a").ok()?.unchecked_into();
    anchor.set_href(&url);
    anchor.set_download(name);
    anchor.click();
    web_sys::Url::revoke_object_url(&url).ok()
}

/// Where an element notes what had the keyboard before it.
const BEFORE: &str = "data-before";

/// Notes at the element what has the keyboard now.
#[cfg(target_arch = "wasm32")]
pub(crate) fn remember_focus(element_id: &str) {
    let document = leptos::prelude::document();
    let now = document.active_element().map(|active| active.id());
    if let Some(element) = document.get_element_by_id(element_id) {
        drop(element.set_attribute(BEFORE, &now.unwrap_or_default()));
    }
}

/// Native tests have no keyboard.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn remember_focus(_element_id: &str) {}

/// Moves the keyboard to what had it before the element.
pub(crate) fn focus_remembered(element_id: &str) {
    let element = leptos::prelude::document().get_element_by_id(element_id);
    if let Some(before) = element.and_then(|element| element.get_attribute(BEFORE)) {
        focus(&before);
    }
}

/// The properties that style sheets give to charts.
const STYLES: [&str; 12] = [
    "fill",
    "stroke",
    "stroke-width",
    "stroke-dasharray",
    "opacity",
    "fill-opacity",
    "font-family",
    "font-size",
    "font-weight",
    "display",
    "color",
    "text-anchor",
];

/// A chart as an SVG file: as it is drawn now, with the colours of the theme.
pub(crate) fn svg_text(element_id: &str) -> Option<String> {
    let document = leptos::prelude::document();
    let chart = document.get_element_by_id(element_id)?;
    let copy: web_sys::Element = chart.clone_node_with_deep(true).ok()?.unchecked_into();
    for (from, to) in all(&chart, "*")?.into_iter().zip(all(&copy, "*")?) {
        let style = window().get_computed_style(&from).ok()??;
        for name in STYLES {
            let value = style.get_property_value(name).unwrap_or_default();
            to.set_attribute(name, &value).ok()?;
        }
        to.remove_attribute("class").ok()?;
    }
    copy.remove_attribute("class").ok()?;
    let size = chart.get_bounding_client_rect();
    for (name, value) in [
        ("xmlns", "http://www.w3.org/2000/svg".to_owned()),
        ("width", format!("{}", size.width())),
        ("height", format!("{}", size.height())),
    ] {
        copy.set_attribute(name, &value).ok()?;
    }
    let ground = document
        .create_element_ns(Some("http://www.w3.org/2000/svg"), "rect")
        .ok()?;
    let colour = window()
        .get_computed_style(&chart.closest(".panel").ok()??)
        .ok()??
        .get_property_value("background-color")
        .unwrap_or_default();
    for (name, value) in [("width", "100%"), ("height", "100%"), ("fill", colour.as_str())] {
        ground.set_attribute(name, value).ok()?;
    }
    copy.prepend_with_node_1(&ground).ok()?;
    Some(copy.outer_html())
}

/// The first table that a selector finds, as CSV: as it is shown, but for the spaces within numbers.
pub(crate) fn table_csv(selector: &str) -> Option<String> {
    let table = leptos::prelude::document().query_selector(selector).ok()??;
    let mut csv = String::new();
    for row in all(&table, "tr")? {
        let cells = all(&row, "th, td")?;
        let cells = cells.iter().map(|cell| {
            let text = cell.text_content().unwrap_or_default().replace('\u{202f}', "");
            planner::recommend::csv_cell(text.trim())
        });
        csv.push_str(&cells.collect::<Vec<_>>().join(","));
        csv.push_str("\r\n");
    }
    Some(csv)
}

/// What a selector finds in an element.
fn all(element: &web_sys::Element, selector: &str) -> Option<Vec<web_sys::Element>> {
    let found = element.query_selector_all(selector).ok()?;
    (0..found.length())
        .map(|at| Some(found.get(at)?.unchecked_into()))
        .collect()
}

/// Saves a chart as a PNG file, twice as sharp as it is shown.
pub(crate) fn save_png(element_id: &str, name: &str) -> Option<()> {
    let svg = svg_text(element_id)?;
    let size = leptos::prelude::document()
        .get_element_by_id(element_id)?
        .get_bounding_client_rect();
    let (width, height) = (size.width() * 2.0, size.height() * 2.0);
    let image = web_sys::HtmlImageElement::new().ok()?;
    image.set_src(&format!(
        "data:image/svg+xml,{}",
        String::from(js_sys::encode_uri_component(&svg))
    ));
    let name = name.to_owned();
    wasm_bindgen_futures::spawn_local(async move {
        if JsFuture::from(image.decode()).await.is_ok() {
            draw(&image, width, height, &name);
        }
    });
    Some(())
}

fn draw(image: &web_sys::HtmlImageElement, width: f64, height: f64, name: &str) -> Option<()> {
    let document = leptos::prelude::document();
    let canvas: web_sys::HtmlCanvasElement = document.create_element("canvas").ok()?.unchecked_into();
    for (side, length) in [("width", width), ("height", height)] {
        canvas.set_attribute(side, &format!("{length:.0}")).ok()?;
    }
    let context: web_sys::CanvasRenderingContext2d = canvas.get_context("2d").ok()??.unchecked_into();
    context
        .draw_image_with_html_image_element_and_dw_and_dh(image, 0.0, 0.0, width, height)
        .ok()?;
    let url = canvas.to_data_url().ok()?;
    let bytes = window().atob(url.strip_prefix("data:image/png;base64,")?).ok()?;
    let bytes: Option<Vec<u8>> = bytes.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    download(name, &bytes?, "image/png")
}

/// Moves the keyboard to an element, as soon as it is there to have it.
pub(crate) fn focus(element_id: &str) {
    let id = element_id.to_owned();
    leptos::prelude::request_animation_frame(move || {
        let element = leptos::prelude::document().get_element_by_id(&id);
        if let Some(element) = element.and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok()) {
            drop(element.focus());
        }
    });
}

/// Moves the keyboard back to the element of that id, once it is built again, if it had it and its id begins so.
#[cfg(target_arch = "wasm32")]
pub(crate) fn keep_focus(prefix: &str) {
    let active = leptos::prelude::document().active_element();
    if let Some(id) = active
        .map(|active| active.id())
        .filter(|id| id.starts_with(prefix))
    {
        focus(&id);
    }
}

/// Native tests have no keyboard.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn keep_focus(_prefix: &str) {}

/// Presses a button, where it is there.
pub(crate) fn click(element_id: &str) {
    let element = leptos::prelude::document().get_element_by_id(element_id);
    if let Some(element) = element.and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok()) {
        element.click();
    }
}

/// Moves the keyboard to an element and brings it into view; what is closed around it opens.
pub(crate) fn go_to(element_id: &str) {
    let element = leptos::prelude::document().get_element_by_id(element_id);
    while let Some(Ok(Some(closed))) = element.as_ref().map(|e| e.closest("details:not([open])")) {
        if closed.set_attribute("open", "").is_err() {
            break;
        }
    }
    if let Some(element) = element.and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok()) {
        element.scroll_into_view();
        drop(element.focus());
    }
}

/// What a slice of longer work takes, in milliseconds: typing does not wait for it.
const SLICE_MS: f64 = 6.0;

/// Does a slice of longer work, step by step; whether the last step said that it is done.
pub(crate) fn slice(step: &mut dyn FnMut() -> bool) -> bool {
    let start = js_sys::Date::now();
    while js_sys::Date::now() - start < SLICE_MS {
        if step() {
            return true;
        }
    }
    false
}

/// A delay that can be started again.
///
/// What it will do lies here and not with the browser, which frees a callback that was called off only when it collects
/// its own garbage: ten thousand keystrokes would leave tens of megabytes meanwhile.
#[derive(Clone, Copy)]
pub(crate) struct Timer(StoredValue<Option<Pending>, LocalStorage>);

struct Pending {
    handle: TimeoutHandle,
    then: Box<dyn FnOnce()>,
}

impl Timer {
    /// Not running. It ends with what it belongs to.
    pub(crate) fn new() -> Self {
        let timer = Self(StoredValue::new_local(None));
        leptos::prelude::on_cleanup(move || timer.stop());
        timer
    }

    /// Runs `then` after `ms`, unless it is started again or stopped before.
    pub(crate) fn start(self, ms: u64, then: impl FnOnce() + 'static) {
        self.stop();
        let fire = move || {
            if let Some(pending) = self.take() {
                (pending.then)();
            }
        };
        if let Ok(handle) = set_timeout_with_handle(fire, Duration::from_millis(ms)) {
            let then = Box::new(then);
            self.0
                .update_value(|pending| *pending = Some(Pending { handle, then }));
        }
    }

    /// Forgets what was started.
    pub(crate) fn stop(self) {
        if let Some(pending) = self.take() {
            pending.handle.clear();
        }
    }

    fn take(self) -> Option<Pending> {
        self.0.try_update_value(Option::take).flatten()
    }
}
