//! What is shown if the page fails: the link is intact, and reloading opens it again.
//! Plain DOM calls only: nothing of the failed page is used.
use std::panic::PanicHookInfo;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{Document, Element, HtmlElement};

/// The panic hook: to the console, and over the page.
pub fn on_panic(info: &PanicHookInfo<'_>) {
    console_error_panic_hook::hook(info);
    // A second failure inside the first has nowhere to go.
    drop(show(&info.to_string()));
}

/// Shows it. `what` is for whoever mends it.
pub fn show(what: &str) -> Result<(), JsValue> {
    let Some(document) = web_sys::window().and_then(|window| window.document()) else {
        return Ok(());
    };
    if document.get_element_by_id("sorry").is_some() {
        return Ok(());
    }
    let overlay = document.create_element("div")?;
    overlay.set_id("sorry");
    overlay.set_attribute("role", "alertdialog")?;
    overlay.set_attribute("aria-label", "The page failed")?;
    add(&document, &overlay, "h2", "Sorry, the page failed.")?;
    add(
        &document,
        &overlay,
        "p",
        "Your link is intact: it holds everything you entered.",
    )?;
    let copy = add(&document, &overlay, "button", "Copy link")?;
    on_click(&copy, || put_on_clipboard(&link()));
    let diagnostics = format!("{what}\nvLLM Wizard {}\n{}", env!("CARGO_PKG_VERSION"), link());
    let copy = add(&document, &overlay, "button", "Copy diagnostics")?;
    on_click(&copy, move || put_on_clipboard(&diagnostics));
    let reload = add(&document, &overlay, "button", "Reload")?;
    on_click(&reload, || {
        if let Some(window) = web_sys::window() {
            drop(window.location().reload());
        }
    });
    if let Some(body) = document.body() {
        body.append_child(&overlay)?;
    }
    reload.focus()
}

fn link() -> String {
    web_sys::window()
        .and_then(|window| window.location().href().ok())
        .unwrap_or_default()
}

/// Whether the browser allowed it cannot be shown any more.
fn put_on_clipboard(text: &str) {
    if let Some(window) = web_sys::window() {
        drop(window.navigator().clipboard().write_text(text));
    }
}

fn add(document: &Document, parent: &Element, tag: &str, text: &str) -> Result<HtmlElement, JsValue> {
    let element: HtmlElement = document.create_element(tag)?.unchecked_into();
    element.set_text_content(Some(text));
    parent.append_child(&element)?;
    Ok(element)
}

fn on_click(element: &HtmlElement, then: impl FnMut() + 'static) {
    let then = Closure::<dyn FnMut()>::new(then);
    element.set_onclick(Some(then.as_ref().unchecked_ref()));
    then.forget();
}
