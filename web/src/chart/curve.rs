//! Curves over a time on a logarithmic axis: rates of loads, and shares of requests. Whole numbers as in `geometry`.
use super::{
    context_curve::doublings,
    geometry::{WHOLE, percent},
};
use leptos::prelude::*;

/// From the top, in CSS pixels: a line for the limit and one for words above the highest points, the plot, and what stands
/// below it.
const TOP: u64 = 38;
/// Where the limit's words stand.
const LIMIT: u64 = 13;
const HEIGHT: u64 = 170;
const BELOW: u64 = 26;
/// Left of the plot, in hundredths of a percent.
const LEFT: u64 = 1_300;
const RIGHT: u64 = 9_700;

/// An axis from one value to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Axis {
    from: u64,
    to: u64,
    /// Each doubling is as long as the next; else each unit is.
    doubles: bool,
}

impl Axis {
    /// A logarithmic one that holds these values, at least two doublings.
    pub(crate) fn of(values: impl Iterator<Item = u64> + Clone) -> Self {
        let least = values.clone().min().unwrap_or(1).max(1);
        let most = values.max().unwrap_or(1);
        let from = least - least / 8;
        let to = most.saturating_add(most / 8).max(from.saturating_mul(4));
        Self {
            from,
            to,
            doubles: true,
        }
    }

    /// Hundredths.
    pub(crate) const SHARES: Self = Self {
        from: 0,
        to: 100,
        doubles: false,
    };

    /// Where a value lies, of that length.
    fn at(self, value: u64, length: u64) -> u64 {
        let of = |value| if self.doubles { doublings(value) } else { value };
        let (from, to) = (of(self.from), of(self.to));
        let at = of(value).clamp(from, to) - from;
        at * length / (to - from).max(1)
    }

    fn x(self, value: u64) -> u64 {
        LEFT + self.at(value, RIGHT - LEFT)
    }

    fn y(self, value: u64) -> u64 {
        TOP + HEIGHT - self.at(value, HEIGHT)
    }

    /// Values that it names: round ones, three to some seven.
    fn marks(self) -> Vec<u64> {
        if !self.doubles {
            return vec![0, 50, 90, 100];
        }
        let within = |steps: &[u64]| -> Vec<u64> {
            let powers = (0..19).map(|power| 10_u64.pow(power));
            let all = powers.flat_map(|power| steps.iter().map(move |step| step.saturating_mul(power)));
            all.filter(|value| (self.from..=self.to).contains(value))
                .collect()
        };
        let marks = within(&[1, 2, 5]);
        match marks.len() {
            0..=2 => within(&[1, 2, 3, 4, 5, 6, 8]),
            3..=7 => marks,
            _ => {
                let fewer = within(&[1, 3]);
                if fewer.len() > 7 { within(&[1]) } else { fewer }
            }
        }
    }
}

type Words = fn(u64) -> String;

/// What a curve shows.
pub(crate) struct Curve {
    /// The id of its SVG.
    pub(crate) id: &'static str,
    /// The takeaway.
    pub(crate) title: String,
    /// Along, and up.
    pub(crate) axes: (Axis, Axis),
    /// How a value along and one up read.
    pub(crate) words: (Words, Words),
    /// From one end to the other.
    pub(crate) points: Vec<(u64, u64)>,
    /// Each point is marked.
    pub(crate) dots: bool,
    /// The plan's own, and its range along.
    pub(crate) chosen: Option<((u64, u64), (u64, u64))>,
    /// Points with words beside them.
    pub(crate) notes: Vec<((u64, u64), String)>,
    /// The most along that is allowed.
    pub(crate) limit: Option<u64>,
}

/// The chart.
pub(crate) fn curve(curve: &Curve) -> AnyView {
    let (along, up) = curve.axes;
    let ground = TOP + HEIGHT;
    let line = |class: &'static str, from: (u64, u64), to: (u64, u64)| {
        view! {
            <line class=class x1=percent(from.0) x2=percent(to.0) y1=from.1.to_string() y2=to.1.to_string() />
        }
        .into_any()
    };
    let label = |x: u64, y: u64, shift: &'static str, anchor: &'static str, words: String| {
        view! { <text x=percent(x) y=y.to_string() dx=shift text-anchor=anchor>{words}</text> }.into_any()
    };
    let dot = |class: &'static str, (x, y): (u64, u64), r: &'static str| {
        view! { <circle class=class cx=percent(x) cy=y.to_string() r=r /> }.into_any()
    };
    let place = |(x, y): (u64, u64)| (along.x(x), up.y(y));
    let mut parts = Vec::new();
    if let Some(limit) = curve.limit {
        let x = along.x(limit);
        let width = percent(x - LEFT);
        parts.push(
            view! { <rect class="fits-area" x=percent(LEFT) y=TOP.to_string() width=width height=HEIGHT.to_string() /> }
                .into_any(),
        );
        parts.push(line("limit-line", (x, LIMIT - 10), (x, ground)));
        let words = format!("limit {}", (curve.words.0)(limit));
        let (shift, anchor) = beside(x);
        parts.push(label(x, LIMIT, shift, anchor, words));
    }
    for mark in up.marks() {
        let y = up.y(mark);
        parts.push(line("grid", (LEFT, y), (RIGHT, y)));
        parts.push(label(LEFT, y + 4, "-6", "end", (curve.words.1)(mark)));
    }
    let marks = along.marks();
    for (at, mark) in marks.iter().enumerate() {
        let x = along.x(*mark);
        parts.push(line("grid", (x, ground), (x, ground + 5)));
        let words = label(x, ground + 20, "0", "middle", (curve.words.0)(*mark));
        // Where it is narrow, every other of many has no words.
        let spare = at % 2 == 1 && marks.len() > 4;
        parts.push(if spare {
            view! { <g class="needs-room">{words}</g> }.into_any()
        } else {
            words
        });
    }
    parts.push(line("axis", (LEFT, ground), (RIGHT, ground)));
    for pair in curve.points.windows(2) {
        if let [from, to] = pair {
            parts.push(line("fits-edge", place(*from), place(*to)));
        }
    }
    if curve.dots {
        parts.extend(curve.points.iter().map(|point| dot("dot", place(*point), "3")));
    }
    for (point, words) in &curve.notes {
        let (x, y) = place(*point);
        parts.push(dot("note-dot", (x, y), "5"));
        let (shift, anchor) = beside(x);
        // A curve rises to the right: below it on the left half, above it on the right one and where it has risen.
        let above = x > WHOLE / 2 || y < TOP + HEIGHT / 4;
        let y = if above { y - 10 } else { y + 18 };
        parts.push(label(x, y, shift, anchor, words.clone()));
    }
    if let Some((point, (low, high))) = curve.chosen {
        let (x, y) = place(point);
        parts.push(line("range", (along.x(low), y), (along.x(high), y)));
        parts.push(dot("load", (x, y), "6"));
    }
    let title_id = format!("{}-title", curve.id);
    view! {
        <svg class="curve" id=curve.id role="img" aria-labelledby=title_id width="100%" height=(ground + BELOW).to_string()>
            <title id=format!("{}-title", curve.id)>{curve.title.clone()}</title>
            {parts}
        </svg>
    }
    .into_any()
}

/// Words stand on the side of a point where there is room.
const fn beside(x: u64) -> (&'static str, &'static str) {
    if x > WHOLE / 2 {
        ("-8", "end")
    } else {
        ("8", "start")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_hold_their_values_in_order() {
        let axis = Axis::of([1_000, 8_000, 64_000].into_iter());
        let x: Vec<u64> = [1_000, 8_000, 64_000].map(|value| axis.x(value)).into();
        assert!(LEFT < x[0] && x[0] < x[1] && x[1] < x[2] && x[2] < RIGHT, "{x:?}");
        // Eight times is as far from one as from the other.
        assert!((x[1] - x[0]).abs_diff(x[2] - x[1]) <= 10, "{x:?}");
        assert_eq!(axis.marks(), [1_000, 2_000, 5_000, 10_000, 20_000, 50_000]);
        assert_eq!(Axis::of([1, 1_000_000].into_iter()).marks().len(), 7);
        assert_eq!(
            Axis::of([25_000, 60_000].into_iter()).marks(),
            [30_000, 40_000, 50_000, 60_000, 80_000]
        );
        assert_eq!(
            Axis::of([130_000, 45_000_000].into_iter()).marks(),
            [300_000, 1_000_000, 3_000_000, 10_000_000, 30_000_000]
        );
        assert_eq!((Axis::SHARES.y(0), Axis::SHARES.y(100)), (TOP + HEIGHT, TOP));
    }

    #[test]
    fn nothing_and_the_largest_are_safe() {
        for values in [vec![], vec![0], vec![u64::MAX], vec![0, u64::MAX]] {
            let axis = Axis::of(values.iter().copied());
            assert!(axis.x(0) >= LEFT && axis.x(u64::MAX) <= RIGHT, "{values:?}");
            assert!(axis.marks().len() < 25);
        }
    }
}
