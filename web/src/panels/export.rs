//! A chart as a file.
use crate::{
    browser,
    controls::press,
    state::{AppState, actions},
    text,
};
use leptos::prelude::*;

/// The buttons that save the chart of that id.
pub(crate) fn export_buttons(state: AppState, chart: &'static str, name: &'static str) -> AnyView {
    let failed = move || actions::inform(state, text::NO_DOWNLOAD.to_owned());
    let svg = press(move || {
        let saved = browser::svg_text(chart)
            .and_then(|svg| browser::download(&format!("{name}.svg"), svg.as_bytes(), "image/svg+xml"));
        if saved.is_none() {
            failed();
        }
    });
    let png = press(move || {
        if browser::save_png(chart, &format!("{name}.png")).is_none() {
            failed();
        }
    });
    view! {
        <div class="panel-tools">
            <button type="button" class="button quiet" aria-label=format!("Save {name} chart as SVG") on:click=svg>"SVG"</button>
            <button type="button" class="button quiet" aria-label=format!("Save {name} chart as PNG") on:click=png>"PNG"</button>
        </div>
    }
    .into_any()
}
