//! Mounts the page.
use leptos::prelude::document;
use wasm_bindgen::JsCast;

fn main() {
    std::panic::set_hook(Box::new(web::sorry::on_panic));
    let root = document()
        .get_element_by_id("app")
        .and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok());
    if let Some(root) = root {
        // What stands there before is for the time without the page.
        root.set_text_content(None);
        leptos::mount::mount_to(root, web::App).forget();
    }
}
