//! Mounts the page.
use leptos::prelude::document;
use wasm_bindgen::{JsCast, JsValue};

fn main() {
    std::panic::set_hook(Box::new(web::sorry::on_panic));
    if let Ok(root) = root() {
        leptos::mount::mount_to(root, web::App).forget();
    }
}

/// A place in the stead of what index.html shows until now. That is a `main` of its own, and the page brings one.
fn root() -> Result<web_sys::HtmlElement, JsValue> {
    let before = document().get_element_by_id("app").ok_or(JsValue::NULL)?;
    let root = document().create_element("div")?;
    before.replace_with_with_node_1(&root)?;
    root.set_id("app");
    Ok(root.unchecked_into())
}
