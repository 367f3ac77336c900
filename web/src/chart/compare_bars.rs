//! The memory of several plans, one bar under the other on one scale.
use super::{
    geometry::{Bar, WHOLE, bar, percent, short_name, slug},
    stacked_bar::{description, patterns, swatch, texture},
};
use crate::{
    controls::{part, words},
    lean::{each, memo},
};
use leptos::prelude::*;
use planner::{Plan, memory::Segment, plan::Memory, units::Bytes};

/// The scope of its pattern ids.
const CHART: &str = "compare-bar";

/// What the bars show.
#[derive(Clone, PartialEq)]
pub(crate) struct Bars {
    rows: Vec<Row>,
    /// The parts that any has.
    parts: Vec<Segment>,
}

#[derive(Clone, PartialEq)]
struct Row {
    name: &'static str,
    about: String,
    said: String,
    label: String,
    pieces: Vec<Piece>,
    limit: String,
}

/// From where, how wide, of which class, filled with what.
#[derive(Clone, PartialEq)]
struct Piece {
    x: String,
    width: String,
    class: String,
    fill: Option<String>,
}

/// The bars of plans that have memory.
pub(crate) fn bars(names: &[&'static str], plans: &[&Plan]) -> Bars {
    let known: Vec<(&'static str, &Plan, &Memory)> = names
        .iter()
        .zip(plans)
        .filter_map(|(name, plan)| Some((*name, *plan, plan.memory.as_ref()?)))
        .collect();
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
        .collect();
    Bars { rows, parts }
}

/// The bars; nothing where no plan has any. Only pieces that change are built again.
pub(crate) fn compare_bars(bars: Memo<Bars>) -> AnyView {
    let count = memo(move || bars.with(|bars| bars.rows.len()));
    part(move || match count.get() {
        0 => ().into_any(),
        count => {
            let rows = (0..count).map(|at| row_view(bars, at)).collect_view();
            view! {
                <div class="bars">
                    <svg class="defs" aria-hidden="true" width="0" height="0">{patterns(CHART)}</svg>
                    {rows}
                    <ul class="legend" aria-label="Parts of the bars">
                        {each(move || bars.with(|bars| bars.parts.clone()), |part| legend(*part))}
                        <li><svg class="swatch" aria-hidden="true"><line class="card-end" x1="6" x2="6" y2="100%" /></svg>"Limit of vLLM"</li>
                    </ul>
                </div>
            }
            .into_any()
        }
    })
    .into_any()
}

fn legend(part: Segment) -> AnyView {
    view! { <li>{swatch(CHART, part)}{short_name(part)}</li> }.into_any()
}

fn row_view(bars: Memo<Bars>, at: usize) -> AnyView {
    let text = move |of: fn(&Row) -> &str| {
        words(move || {
            bars.with(|bars| {
                bars.rows
                    .get(at)
                    .map_or_else(String::new, |row| of(row).to_owned())
            })
        })
    };
    let pieces = move || bars.with(|bars| bars.rows.get(at).map_or_else(Vec::new, |row| row.pieces.clone()));
    let limit = text(|row| &row.limit);
    view! {
        <p><b>{text(|row| row.name)}</b>" "{text(|row| &row.about)}" "<span>{text(|row| &row.said)}</span></p>
        <svg class="bar" role="img" aria-label=text(|row| &row.label) width="100%" height="22">
            {each(pieces, piece_view)}
            <line class="card-end" x1=limit x2=limit y1="0" y2="100%" />
        </svg>
    }
    .into_any()
}

fn piece_view(
    Piece {
        x,
        width,
        class,
        fill,
    }: &Piece,
) -> AnyView {
    let (x, width, class, fill) = (x.clone(), width.clone(), class.clone(), fill.clone());
    view! { <rect class=class fill=fill x=x width=width height="100%" /> }.into_any()
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

fn row(name: &'static str, plan: &Plan, memory: &Memory, bar: &Bar, scales: (u64, u64)) -> Row {
    let piece = |x: u64, end: u64, class: String, fill: Option<String>| {
        let (from, to) = (on(x, scales), on(end, scales));
        Piece {
            x: percent(from),
            width: percent(to.saturating_sub(from)),
            class,
            fill,
        }
    };
    let mut pieces = Vec::new();
    for slice in &bar.slices {
        let (segment, end) = (slice.segment, slice.x + slice.width);
        pieces.push(piece(slice.x, end, format!("seg seg-{}", slug(segment)), None));
        let fill = Some(texture(CHART, segment));
        pieces.push(piece(slice.x, end, "texture".to_owned(), fill));
    }
    if bar.overrun > 0 {
        pieces.push(piece(bar.card, WHOLE, "over".to_owned(), None));
        let crossed = Some(texture(CHART, Segment::Overrun));
        pieces.push(piece(bar.card, WHOLE, "texture".to_owned(), crossed));
    }
    let total = memory.gpu_total_bytes;
    let gpu = &plan.scenario.hardware.gpu.name;
    Row {
        name,
        about: format!("{gpu}, {total}"),
        said: if bar.overrun > 0 {
            format!("{} missing", Bytes::new(bar.overrun))
        } else {
            format!("{} for KV cache", memory.kv_cache_available_bytes)
        },
        label: format!("{name}, {gpu}, {total}: {}", description(bar, total)),
        pieces,
        limit: percent(on(bar.limit, scales)),
    }
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
