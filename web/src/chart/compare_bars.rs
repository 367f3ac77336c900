//! The memory of several plans, one bar under the other on one scale.
use super::{
    geometry::{Bar, WHOLE, bar, percent, short_name, slug},
    stacked_bar::{description, patterns, swatch, texture},
};
use leptos::prelude::*;
use planner::{Plan, memory::Segment, plan::Memory, units::Bytes};

/// The scope of its pattern ids.
const CHART: &str = "compare-bar";

/// The bars; nothing where no plan has any.
pub(crate) fn compare_bars(plans: &[(&'static str, &Plan)]) -> AnyView {
    let known: Vec<(&'static str, &Plan, &Memory)> = plans
        .iter()
        .filter_map(|(name, plan)| Some((*name, *plan, plan.memory.as_ref()?)))
        .collect();
    if known.is_empty() {
        return ().into_any();
    }
    let laid: Vec<(Bar, u64)> = known.iter().map(|(_, _, memory)| laid_out(memory)).collect();
    let scale = laid.iter().map(|(_, axis)| *axis).max().unwrap_or(1);
    let mut parts: Vec<Segment> = laid
        .iter()
        .flat_map(|(bar, _)| bar.slices.iter().map(|slice| slice.segment))
        .chain(
            laid.iter()
                .any(|(bar, _)| bar.overrun > 0)
                .then_some(Segment::Overrun),
        )
        .collect();
    parts.sort_unstable();
    parts.dedup();
    let rows = known
        .iter()
        .zip(&laid)
        .map(|((name, plan, memory), (bar, axis))| row(name, plan, memory, bar, (*axis, scale)))
        .collect_view();
    let legend = parts
        .into_iter()
        .map(|part| view! { <li>{swatch(CHART, part)}{short_name(part)}</li> }.into_any())
        .collect_view();
    view! {
        <div class="bars">
            <svg class="defs" aria-hidden="true" width="0" height="0">{patterns(CHART)}</svg>
            {rows}
            <ul class="legend" aria-label="Parts of the bars">
                {legend}
                <li><svg class="swatch" aria-hidden="true"><line class="card-end" x1="6" x2="6" y2="100%" /></svg>"Limit of vLLM"</li>
            </ul>
        </div>
    }
    .into_any()
}

/// A bar on its own axis, and that axis in bytes.
fn laid_out(memory: &Memory) -> (Bar, u64) {
    let total = memory.gpu_total_bytes.get();
    let bar = bar(&memory.terms, total, memory.requested_bytes.get());
    let axis = total.saturating_add(bar.overrun);
    (bar, axis)
}

/// A length on a bar's own axis, on the common one.
fn on(length: u64, (axis, scale): (u64, u64)) -> u64 {
    let scaled = u128::from(length) * u128::from(axis) / u128::from(scale.max(1));
    u64::try_from(scaled).unwrap_or(WHOLE).min(WHOLE)
}

fn row(name: &'static str, plan: &Plan, memory: &Memory, bar: &Bar, scales: (u64, u64)) -> AnyView {
    let rect = |x: u64, end: u64, class: String, fill: Option<String>| {
        let (from, to) = (on(x, scales), on(end, scales));
        let (x, width) = (percent(from), percent(to.saturating_sub(from)));
        view! { <rect class=class fill=fill x=x width=width height="100%" /> }.into_any()
    };
    let mut parts = Vec::new();
    for slice in &bar.slices {
        let (segment, end) = (slice.segment, slice.x + slice.width);
        parts.push(rect(slice.x, end, format!("seg seg-{}", slug(segment)), None));
        parts.push(rect(
            slice.x,
            end,
            "texture".to_owned(),
            Some(texture(CHART, segment)),
        ));
    }
    if bar.overrun > 0 {
        parts.push(rect(bar.card, WHOLE, "over".to_owned(), None));
        let crossed = texture(CHART, Segment::Overrun);
        parts.push(rect(bar.card, WHOLE, "texture".to_owned(), Some(crossed)));
    }
    let limit = percent(on(bar.limit, scales));
    let total = memory.gpu_total_bytes;
    let said = if bar.overrun > 0 {
        format!("{} missing", Bytes::new(bar.overrun))
    } else {
        format!("{} for KV cache", memory.kv_cache_available_bytes)
    };
    let gpu = &plan.scenario.hardware.gpu.name;
    let label = format!("{name}, {gpu}, {total}: {}", description(bar, total));
    view! {
        <p><b>{name}</b>" "{format!("{gpu}, {total}")}" "<span>{said}</span></p>
        <svg class="bar" role="img" aria-label=label width="100%" height="22">
            {parts}
            <line class="card-end" x1=limit.clone() x2=limit y1="0" y2="100%" />
        </svg>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_fills_the_width_and_the_others_their_share() {
        assert_eq!(on(WHOLE, (80, 80)), WHOLE);
        assert_eq!(on(WHOLE, (40, 80)), WHOLE / 2);
        assert_eq!(on(2500, (40, 80)), 1250);
        assert_eq!(on(WHOLE, (0, 0)), 0);
        assert_eq!(on(u64::MAX, (u64::MAX, 1)), WHOLE);
    }
}
