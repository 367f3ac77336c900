//! A chart as a file, and its table.
use crate::{
    browser,
    controls::press,
    state::{AppState, actions},
    text,
};
use leptos::prelude::*;

/// The buttons that save the chart of that id, and as CSV the table that `table` selects.
pub(crate) fn export_buttons(
    state: AppState,
    chart: &'static str,
    table: &'static str,
    name: &'static str,
) -> AnyView {
    let file = |name: &str, kind: &str, mime: &str, text: Option<String>| {
        browser::download(&format!("{name}.{kind}"), text?.as_bytes(), mime)
    };
    let save = move |kind: &'static str| {
        let click = press(move || {
            let saved = match kind {
                "SVG" => file(name, "svg", "image/svg+xml", browser::svg_text(chart)),
                "PNG" => browser::save_png(chart, &format!("{name}.png")),
                _ => file(name, "csv", "text/csv", browser::table_csv(table)),
            };
            if saved.is_none() {
                actions::inform(state, text::NO_DOWNLOAD.to_owned());
            }
        });
        let what = if kind == "CSV" { "table" } else { "chart" };
        view! {
            <button type="button" class="button quiet" aria-label=format!("Save {name} {what} as {kind}") on:click=click>{kind}</button>
        }
        .into_any()
    };
    view! { <div class="panel-tools">{["SVG", "PNG", "CSV"].map(save).into_iter().collect_view()}</div> }
        .into_any()
}

/// The button that saves a text as a file.
pub(super) fn save_button(
    state: AppState,
    name: &'static str,
    kind: &'static str,
    mime: &'static str,
    text: Box<dyn Fn() -> Option<String> + Send>,
) -> AnyView {
    let click = press(move || {
        let file = format!("{name}.{}", kind.to_ascii_lowercase());
        let saved = text().and_then(|text| browser::download(&file, text.as_bytes(), mime));
        if saved.is_none() {
            actions::inform(state, text::NO_DOWNLOAD.to_owned());
        }
    });
    view! {
        <button type="button" class="button quiet" aria-label=format!("Save {name} as {kind}") on:click=click>{kind}</button>
    }
    .into_any()
}
