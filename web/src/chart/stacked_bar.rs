//! The memory bar as SVG: patterns and labels beside colours, a title that says what it shows.
use super::geometry::{Bar, Label, Slice, WHOLE, bar, needs_room, percent, share, short_name, slug};
use crate::{
    controls::{part, press, words},
    lean::each,
};
use leptos::prelude::*;
use planner::{memory::Segment, plan::Memory, units::Bytes};

/// From the top, in CSS pixels: the line above the bar, the bar, and one line per label below it.
const TOP: u64 = 26;
const HEIGHT: u64 = 52;
const LINE: u64 = 20;
/// Lines that are always kept free below, so that nothing jumps.
const LINES: u64 = 4;

/// Which part of the bar is pointed at, and what a click on one does.
#[derive(Clone, Copy)]
pub(crate) struct Pick {
    /// The words of the part under the pointer or chosen by keys, or none.
    pub(crate) here: RwSignal<&'static str>,
    /// What a click does.
    pub(crate) pick: Callback<Segment>,
}

/// What the bar shows.
#[derive(Default, PartialEq)]
pub(crate) struct Drawn {
    gpu: String,
    total: Bytes,
    requested: Bytes,
    utilization: String,
    bar: Bar,
}

impl Drawn {
    /// The memory of a GPU named `gpu`.
    pub(crate) fn of(gpu: &str, memory: &Memory, utilization: String) -> Self {
        let (total, requested) = (memory.gpu_total_bytes, memory.requested_bytes);
        Self {
            gpu: gpu.to_owned(),
            total,
            requested,
            utilization,
            bar: bar(&memory.terms, total.get(), requested.get()),
        }
    }

    fn height(&self) -> u64 {
        let lines = (lines(&self.bar) + u64::from(self.bar.overrun > 0)).max(LINES);
        TOP + HEIGHT + LINE * lines + 12
    }
}

/// The bar. Each part is built anew only when it changes.
pub(crate) fn stacked_bar(drawn: Memo<Drawn>, pick: Pick) -> AnyView {
    view! {
        <svg
            class="bar"
            id="memory-chart"
            role="img"
            aria-labelledby="bar-title bar-description"
            width="100%"
            height=words(move || drawn.with(Drawn::height).to_string())
        >
            <title id="bar-title">{words(move || drawn.with(title))}</title>
            <desc id="bar-description">{words(move || drawn.with(|drawn| description(&drawn.bar, drawn.total)))}</desc>
            {patterns("bar")}
            {each(move || drawn.with(|drawn| drawn.bar.slices.clone()), move |slice| slice_view(slice, pick))}
            {part(move || drawn.with(overrun_view))}
            {part(move || drawn.with(limit_view))}
        </svg>
    }
    .into_any()
}

/// Lines that the labels below take.
fn lines(bar: &Bar) -> u64 {
    let below = |slice: &Slice| match slice.label {
        Label::Inside => 0,
        Label::Below { row, .. } => row + 1,
    };
    bar.slices.iter().map(below).max().unwrap_or(0)
}

fn title(Drawn { gpu, total, bar, .. }: &Drawn) -> String {
    let largest = bar.slices.iter().max_by_key(|slice| slice.bytes);
    let largest = largest.map_or_else(String::new, |slice| {
        format!(
            " {} take {}.",
            slice.segment.words(),
            share(slice.bytes, total.get())
        )
    });
    let over = if bar.overrun > 0 {
        format!(" {} are missing.", Bytes::new(bar.overrun))
    } else {
        String::new()
    };
    format!("Memory of one {gpu}, {total}.{largest}{over}")
}

/// What each part takes, as a sentence.
pub(super) fn description(bar: &Bar, total: Bytes) -> String {
    let parts: Vec<String> = bar
        .slices
        .iter()
        .map(|s| {
            format!(
                "{} {}, {}",
                s.segment.words(),
                Bytes::new(s.bytes),
                share(s.bytes, total.get())
            )
        })
        .collect();
    parts.join("; ")
}

fn slice_view(slice: &Slice, Pick { here, pick }: Pick) -> AnyView {
    let segment = slice.segment;
    let (x, width) = (percent(slice.x), percent(slice.width));
    let name = segment.words();
    let chosen = here.get_untracked() == name;
    let texture = texture("bar", segment);
    let (short, size) = (short_name(slice.segment), Bytes::new(slice.bytes).to_string());
    let label = match slice.label {
        Label::Inside => view! {
            <svg class=if needs_room(slice) { "needs-room" } else { "" } x=x.clone() y=TOP.to_string() width=width.clone() height=HEIGHT.to_string()>
                <text class=format!("on-{}", slug(slice.segment)) x="10" y="22">{short}</text>
                <text class=format!("on-{} figure", slug(slice.segment)) x="10" y="40">{size}</text>
            </svg>
        }
        .into_any(),
        Label::Below { row, right } => {
            let middle = percent(slice.middle());
            let y = line_y(row);
            let (anchor, shift) = if right { ("start", "8") } else { ("end", "-8") };
            view! {
                <g class="leader">
                    <line x1=middle.clone() x2=middle.clone() y1=(TOP + HEIGHT + 2).to_string() y2=(y - 4).to_string() />
                    <text x=middle y=y.to_string() dx=shift text-anchor=anchor>
                        {short}" "<tspan class="figure">{size}</tspan>
                    </text>
                </g>
            }
            .into_any()
        }
    };
    view! {
        <g
            class="pick"
            on:click=press(move || pick.run(segment))
            on:mouseenter=press(move || here.set(name))
            on:mouseleave=press(move || here.set(""))
        >
            <rect class=format!("seg seg-{}", slug(segment)) data-part=name data-here=chosen.to_string() x=x.clone() y=TOP.to_string() width=width.clone() height=HEIGHT.to_string() />
            <rect class="texture" fill=texture x=x y=TOP.to_string() width=width height=HEIGHT.to_string() />
            {label}
        </g>
    }
    .into_any()
}

/// What lies beyond the card, hatched, with the words on a line below the labels.
fn overrun_view(Drawn { bar, total, .. }: &Drawn) -> AnyView {
    if bar.overrun == 0 {
        return ().into_any();
    }
    let row = lines(bar);
    let (x, width) = (percent(bar.card), percent(WHOLE.saturating_sub(bar.card)));
    let words = format!(
        "{} beyond the card, which ends at {total}",
        Bytes::new(bar.overrun)
    );
    view! {
        <rect class="over" x=x.clone() y=TOP.to_string() width=width.clone() height=HEIGHT.to_string() />
        <rect fill=texture("bar", Segment::Overrun) x=x.clone() y=TOP.to_string() width=width height=HEIGHT.to_string() />
        <line class="card-end" x1=x.clone() x2=x y1=(TOP - 5).to_string() y2=(TOP + HEIGHT + 5).to_string() />
        <text class="over-text figure" x="100%" y=line_y(row).to_string() text-anchor="end">{words}</text>
    }
    .into_any()
}

/// Where the text of a line below the bar stands.
const fn line_y(row: u64) -> u64 {
    TOP + HEIGHT + 18 + LINE * row
}

/// The line at `gpu_memory_utilization`.
fn limit_view(
    Drawn {
        bar,
        requested,
        utilization,
        ..
    }: &Drawn,
) -> AnyView {
    let x = percent(bar.limit);
    let text = format!("vLLM may fill {requested} ({utilization})");
    view! {
        <g class="limit">
            <line x1=x.clone() x2=x.clone() y1="6" y2=(TOP + HEIGHT + 4).to_string() />
            <text x=x y=(TOP - 10).to_string() dx="-8" text-anchor="end">{text}</text>
        </g>
    }
    .into_any()
}

/// The sample of a part beside its name.
pub(crate) fn swatch(chart: &str, segment: Segment) -> AnyView {
    view! {
        <svg class="swatch" aria-hidden="true">
            <rect class=format!("seg-{}", slug(segment)) width="100%" height="100%" />
            <rect class="texture" fill=texture(chart, segment) width="100%" height="100%" />
        </svg>
    }
    .into_any()
}

/// The fill of a part's texture.
pub(super) fn texture(chart: &str, segment: Segment) -> String {
    format!("url(#{chart}-{})", slug(segment))
}

/// A texture for each part, so that colour is never alone.
pub(super) fn patterns(chart: &'static str) -> AnyView {
    let lines = |id: &'static str, d: &'static str| {
        view! {
            <pattern id=format!("{chart}-{id}") width="8" height="8" patternUnits="userSpaceOnUse">
                <path class="texture-line" d=d />
            </pattern>
        }
    };
    view! {
        <defs>
            {lines("kv", "M0 8 8 0M-2 2 2-2M6 10 10 6")}
            {lines("kvfree", "M4 3v2")}
            {lines("activations", "M0 0 8 8M-2 6 2 10M6-2 10 2")}
            {lines("overhead", "M4 0v8")}
            {lines("baseline", "M0 4h8")}
            {lines("overrun", "M0 0 8 8M8 0 0 8")}
        </defs>
    }
    .into_any()
}
