//! Mounts the page.
use leptos::prelude::*;
use wasm_bindgen::JsCast;

fn main() {
    console_error_panic_hook::set_once();
    let root = document()
        .get_element_by_id("app")
        .and_then(|e| e.dyn_into().ok());
    if let Some(root) = root {
        leptos::mount::mount_to(root, web::App).forget();
    }
}
