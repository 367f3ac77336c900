//! What a panic was, for the overlay of index.html: that shows itself, and needs nothing of what failed.
use std::panic::PanicHookInfo;

/// The panic hook: to the console, and into the overlay.
pub fn on_panic(info: &PanicHookInfo<'_>) {
    console_error_panic_hook::hook(info);
    let document = web_sys::window().and_then(|window| window.document());
    // A second failure is mostly the first one's doing.
    if let Some(place) = document.and_then(|document| document.get_element_by_id("sorry-what"))
        && place.text_content().is_none_or(|text| text.is_empty())
    {
        place.set_text_content(Some(&format!(
            "{info}\nvLLM Wizard {}",
            env!("CARGO_PKG_VERSION")
        )));
    }
}
