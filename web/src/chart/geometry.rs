//! Where the parts of the memory bar lie. Whole numbers only: lengths are in hundredths of a percent of the axis,
//! so the SVG needs no size and the text in it does not stretch.
use planner::memory::{Segment, Term};

/// The whole axis.
pub(crate) const WHOLE: u64 = 10_000;

/// The width that labels are laid out for, in CSS pixels. Narrower charts hide their labels: the table says the same.
const NOMINAL_WIDTH: u64 = 800;

/// The narrowest chart, in CSS pixels.
const NARROW_WIDTH: u64 = 260;

/// The longest label with its figure, in CSS pixels.
const LABEL_LENGTH: u64 = 190;

/// One coloured part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slice {
    /// Which part.
    pub(crate) segment: Segment,
    /// Its size.
    pub(crate) bytes: u64,
    /// Left edge.
    pub(crate) x: u64,
    /// Width.
    pub(crate) width: u64,
    /// Where its label goes.
    pub(crate) label: Label,
}

impl Slice {
    /// The middle.
    pub(crate) fn middle(&self) -> u64 {
        self.x + self.width / 2
    }
}

/// Where a label goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    /// In the part.
    Inside,
    /// Below it, on a line of its own, with a leader to the part.
    Below {
        /// From the top.
        row: u64,
        /// The text stands right of its leader, not left.
        right: bool,
    },
}

/// The bar of one GPU.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bar {
    /// In the order of [`Segment`], without empty ones.
    pub(crate) slices: Vec<Slice>,
    /// Where the card ends.
    pub(crate) card: u64,
    /// Where `gpu_memory_utilization` ends.
    pub(crate) limit: u64,
    /// Bytes beyond the card.
    pub(crate) overrun: u64,
}

/// Lays out the bar of `total` bytes of which vLLM may fill `requested`.
pub(crate) fn bar(terms: &[Term], total: u64, requested: u64) -> Bar {
    let sums = Segment::sums(terms);
    let overrun = sums
        .iter()
        .find(|(s, _)| *s == Segment::Overrun)
        .map_or(0, |(_, b)| b.unsigned_abs());
    let axis = total.saturating_add(overrun).max(1);
    let at = |bytes: u64| scaled(bytes, axis);
    let mut before = 0_u64;
    let mut slices = Vec::with_capacity(sums.len());
    for (segment, bytes) in sums {
        let bytes = u64::try_from(bytes).unwrap_or(0);
        let after = before.saturating_add(bytes);
        if bytes > 0 {
            let (x, end) = (at(before), at(after));
            let label = Label::Inside;
            slices.push(Slice {
                segment,
                bytes,
                x,
                width: end.saturating_sub(x),
                label,
            });
        }
        before = after;
    }
    place_labels(&mut slices);
    Bar {
        slices,
        card: at(total),
        limit: at(requested),
        overrun,
    }
}

/// `bytes / axis` of the whole, rounded to the nearest hundredth of a percent.
fn scaled(bytes: u64, axis: u64) -> u64 {
    let scaled = (u128::from(bytes) * u128::from(WHOLE) + u128::from(axis) / 2) / u128::from(axis);
    u64::try_from(scaled).unwrap_or(WHOLE).min(WHOLE)
}

/// Labels that do not fit go below, each on a line of its own. Left of their leader and ever deeper from left to
/// right, so that no leader crosses a text; those near the left edge mirror that, below the others unless both sides
/// have room on the same lines.
fn place_labels(slices: &mut [Slice]) {
    let px = |at: u64| at * NOMINAL_WIDTH / WHOLE;
    let outside = |slice: &Slice| px(slice.width) < label_width(slice.segment);
    let on_left = |slice: &Slice| slice.middle() < WHOLE * 3 / 10;
    let mut row = 0;
    for slice in slices.iter_mut().filter(|s| outside(s) && !on_left(s)) {
        slice.label = Label::Below { row, right: false };
        row += 1;
    }
    let first_right = slices
        .iter()
        .find(|s| outside(s) && !on_left(s))
        .map_or(NOMINAL_WIDTH, |s| px(s.middle()));
    let last_left = slices
        .iter()
        .rfind(|s| outside(s) && on_left(s))
        .map_or(0, |s| px(s.middle()));
    if last_left + 2 * LABEL_LENGTH <= first_right {
        row = 0;
    }
    for slice in slices.iter_mut().rev().filter(|s| outside(s) && on_left(s)) {
        slice.label = Label::Below { row, right: true };
        row += 1;
    }
}

/// Whether the label inside a part is only for wide charts.
pub(crate) fn needs_room(slice: &Slice) -> bool {
    slice.width * NARROW_WIDTH / WHOLE < label_width(slice.segment)
}

/// Room that a label needs inside its part, in CSS pixels.
fn label_width(segment: Segment) -> u64 {
    let letters = u64::try_from(short_name(segment).chars().count()).unwrap_or(0);
    (letters * 8).max(60) + 16
}

/// The words of a part in the chart.
pub(crate) const fn short_name(segment: Segment) -> &'static str {
    match segment {
        Segment::Weights => "Weights",
        Segment::KvCache => "KV in use",
        Segment::KvCacheFree => "KV free",
        Segment::Activations => "Activations",
        Segment::Overhead => "Graphs, buffers",
        Segment::Baseline => "Context, others",
        Segment::Withheld => "Withheld",
        Segment::Overrun => "Missing",
    }
}

/// The part of CSS classes and pattern ids that names a segment.
pub(crate) const fn slug(segment: Segment) -> &'static str {
    match segment {
        Segment::Weights => "weights",
        Segment::KvCache => "kv",
        Segment::KvCacheFree => "kvfree",
        Segment::Activations => "activations",
        Segment::Overhead => "overhead",
        Segment::Baseline => "baseline",
        Segment::Withheld => "withheld",
        Segment::Overrun => "overrun",
    }
}

/// A length for an SVG attribute: 1234 is `12.34%`.
pub(crate) fn percent(length: u64) -> String {
    format!("{}.{:02}%", length / 100, length % 100)
}

/// A share for a table: `44 %`, and `< 1 %` where rounding would say nothing.
pub(crate) fn share(bytes: u64, total: u64) -> String {
    let total = u128::from(total.max(1));
    let rounded = (u128::from(bytes) * 100 + total / 2) / total;
    match (bytes, rounded) {
        (0, _) => "0 %".to_owned(),
        (_, 0) => "< 1 %".to_owned(),
        _ => format!("{rounded} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use planner::memory::Basis;

    fn term(segment: Segment, bytes: i64) -> Term {
        Term {
            id: "t",
            label: "t",
            segment,
            bytes,
            formula: "",
            inputs: Vec::new(),
            source: "",
            basis: Basis::Exact,
            checked: "",
        }
    }

    #[track_caller]
    fn case(
        terms: &[(Segment, i64)],
        total: u64,
        requested: u64,
        expected: &[(Segment, u64, u64)],
        ends: (u64, u64),
    ) {
        let terms: Vec<_> = terms.iter().map(|(s, b)| term(*s, *b)).collect();
        let bar = bar(&terms, total, requested);
        let got: Vec<_> = bar.slices.iter().map(|s| (s.segment, s.x, s.width)).collect();
        assert_eq!(got, expected);
        assert_eq!((bar.card, bar.limit), ends);
    }

    #[test]
    fn slices_fill_the_card_in_order() {
        use Segment::{KvCache, Weights, Withheld};
        case(
            &[(Withheld, 8), (Weights, 30), (KvCache, 42), (Weights, 20)],
            100,
            92,
            &[(Weights, 0, 5000), (KvCache, 5000, 4200), (Withheld, 9200, 800)],
            (10_000, 9200),
        );
    }

    #[test]
    fn an_overrun_extends_the_axis_beyond_the_card() {
        use Segment::{Overrun, Weights};
        // 150 bytes on a card of 100: the card ends at two thirds.
        case(
            &[(Weights, 150), (Overrun, -50)],
            100,
            90,
            &[(Weights, 0, 10_000)],
            (6667, 6000),
        );
    }

    #[test]
    fn nothing_and_the_largest_are_safe() {
        case(&[], 0, 0, &[], (0, 0));
        case(
            &[(Segment::Weights, i64::MAX)],
            u64::MAX,
            u64::MAX,
            &[(Segment::Weights, 0, 5000)],
            (10_000, 10_000),
        );
    }

    #[test]
    fn rounding_leaves_no_gap_between_slices() {
        let parts: Vec<_> = (0..7).map(|_| (Segment::Weights, 1)).collect();
        let mut terms: Vec<_> = parts.iter().map(|(s, b)| term(*s, *b)).collect();
        terms.push(term(Segment::KvCache, 3));
        terms.push(term(Segment::Activations, 4));
        let bar = bar(&terms, 14, 14);
        for pair in bar.slices.windows(2) {
            assert_eq!(pair[0].x + pair[0].width, pair[1].x);
        }
        assert_eq!(bar.slices.last().map(|s| s.x + s.width), Some(WHOLE));
    }

    #[track_caller]
    fn labels(terms: &[(Segment, i64)], expected: &[Label]) {
        let terms: Vec<_> = terms.iter().map(|(s, b)| term(*s, *b)).collect();
        let labels: Vec<_> = bar(&terms, 100, 91).slices.iter().map(|s| s.label).collect();
        assert_eq!(labels, expected);
    }

    #[test]
    fn small_parts_get_leaders_that_do_not_cross() {
        use Segment::{Activations, Baseline, KvCache, KvCacheFree, Overhead, Weights, Withheld};
        let below = |row, right| Label::Below { row, right };
        // Far apart: both sides begin on the first line.
        labels(
            &[
                (Weights, 1),
                (KvCacheFree, 85),
                (Activations, 2),
                (Overhead, 3),
                (Baseline, 1),
                (Withheld, 8),
            ],
            &[
                below(0, true),
                Label::Inside,
                below(0, false),
                below(1, false),
                below(2, false),
                below(3, false),
            ],
        );
        // Close together: the left side goes below the right one.
        labels(
            &[
                (Weights, 20),
                (KvCache, 8),
                (Activations, 8),
                (Overhead, 4),
                (Withheld, 60),
            ],
            &[
                Label::Inside,
                below(2, true),
                below(0, false),
                below(1, false),
                Label::Inside,
            ],
        );
    }

    #[test]
    fn shares_and_lengths_read_well() {
        assert_eq!(percent(1234), "12.34%");
        assert_eq!(percent(5), "0.05%");
        assert_eq!(share(0, 100), "0 %");
        assert_eq!(share(1, 1000), "< 1 %");
        assert_eq!(share(445, 1000), "45 %");
    }
}
