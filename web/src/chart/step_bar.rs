//! Where the time of a step goes, as a bar. Its parts wear the memory bar's colours and textures.
use super::{
    geometry::{WHOLE, percent, share, slug},
    stacked_bar::{patterns, swatch, texture},
};
use crate::text;
use leptos::prelude::*;
use planner::{memory::Segment, plan::StepTime};

/// The scope of its pattern ids, and the id of its SVG.
const CHART: &str = "step-chart";

/// The bar, and the table that says the same.
pub(crate) fn step_bar(step: StepTime) -> AnyView {
    let parts = [
        (Segment::Weights, "Reading weights and cache", step.memory),
        (Segment::Activations, "Computing", step.compute),
        (Segment::Baseline, "Waiting between GPUs", step.communication),
        (Segment::Overhead, "Small kernels and the host", step.host),
    ]
    .map(|(look, name, seconds)| (look, name, text::micros(seconds * 1e3)));
    let total: u64 = parts.iter().map(|(_, _, micros)| micros).sum();
    let shares: Vec<String> = parts
        .iter()
        .map(|(_, name, micros)| format!("{name} {}", share(*micros, total)))
        .collect();
    let title = format!("A step takes {}: {}.", text::duration(total), shares.join(", "));
    let mut x = 0;
    let bars = parts
        .iter()
        .map(|(look, _, micros)| {
            let width = micros * WHOLE / total.max(1);
            let (from, width_text) = (percent(x), percent(width));
            x += width;
            view! {
                <rect class=format!("seg seg-{}", slug(*look)) x=from.clone() width=width_text.clone() height="100%" />
                <rect class="texture" fill=texture(CHART, *look) x=from width=width_text height="100%" />
            }
            .into_any()
        })
        .collect_view();
    let rows = parts
        .iter()
        .map(|(look, name, micros)| {
            view! {
                <tr>
                    <th scope="row">{swatch(CHART, *look)}" "{*name}</th>
                    <td class="number">{text::duration(*micros)}</td>
                    <td class="number">{share(*micros, total)}</td>
                </tr>
            }
            .into_any()
        })
        .collect_view();
    view! {
        <svg class="bar step" id=CHART role="img" aria-labelledby="step-chart-title" width="100%" height="34">
            <title id="step-chart-title">{title}</title>
            {patterns(CHART)}
            {bars}
        </svg>
        <table class="ranks">
            <caption class="vh">"Time of an average step"</caption>
            <tbody>{rows}</tbody>
            <tfoot><tr>
                <th scope="row">"An average step"</th>
                <td class="number">{text::duration(total)}</td>
                <td class="number">"100 %"</td>
            </tr></tfoot>
        </table>
    }
    .into_any()
}
