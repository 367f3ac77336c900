//! Dots on two logarithmic axes: what can be had, and which of it nothing else beats in both.
use super::geometry::percent;
use leptos::prelude::*;
use planner::plan::figure;

/// From the top, in CSS pixels: the plot, and what stands below it.
const TOP: u64 = 22;
const HEIGHT: u64 = 240;
const BELOW: u64 = 40;
/// Left of the plot and right of it, in hundredths of a percent.
const LEFT: u64 = 800;
const RIGHT: u64 = 9_700;

/// One of those that can be had.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Dot {
    /// Along the axes.
    pub(crate) at: [f64; 2],
    /// Its name.
    pub(crate) name: String,
}

/// A chart's words, and which way is better.
#[derive(Debug)]
pub(crate) struct Kind {
    /// Of the SVG.
    pub(crate) id: &'static str,
    /// What selects the table of its best dots.
    pub(crate) table: &'static str,
    /// Of each axis.
    pub(crate) axes: [&'static str; 2],
    /// More is better, on both axes alike.
    pub(crate) more_is_better: bool,
}

/// 1024ths of a doubling above the smallest number, straight between powers of two: what a chart needs.
fn doublings(value: f64) -> u64 {
    value.max(1e-9).to_bits() >> 42
}

/// Whether no other is at least as good in both and better in one.
pub(crate) fn unbeaten(dots: &[Dot], more_is_better: bool) -> Vec<bool> {
    let better = |a: f64, b: f64| if more_is_better { a > b } else { a < b };
    let beats = |a: &Dot, b: &Dot| {
        let axes = || a.at.into_iter().zip(b.at);
        axes().any(|(a, b)| better(a, b)) && !axes().any(|(a, b)| better(b, a))
    };
    dots.iter()
        .map(|dot| !dots.iter().any(|other| beats(other, dot)))
        .collect()
}

/// How far an axis goes from its best value, in 1024ths of a doubling: what is worse yet stands at its end.
const FARTHEST: u64 = 8 << 10;

/// One axis: from the smallest value to the largest.
#[derive(Clone, Copy, Debug)]
struct Axis {
    from: u64,
    to: u64,
}

impl Axis {
    fn of(dots: &[Dot], axis: usize, more_is_better: bool) -> Self {
        let all = || dots.iter().map(|dot| doublings(dot.at[axis]));
        let from = all().min().unwrap_or(0).saturating_sub(128);
        let to = all().max().unwrap_or(0).saturating_add(128);
        if more_is_better {
            let from = from.max(to.saturating_sub(FARTHEST));
            Self { from, to }
        } else {
            let to = to.min(from.saturating_add(FARTHEST));
            Self { from, to }
        }
    }

    /// Where a value lies, of so many.
    fn place(self, value: f64, length: u64) -> u64 {
        let at = doublings(value).clamp(self.from, self.to) - self.from;
        at * length / (self.to - self.from).max(1)
    }

    /// The round values on it, at most so many.
    fn marks(self, most: usize) -> Vec<f64> {
        let decades = || (0..18).map(|power| (0..power).fold(1e-6, |value, _| value * 10.0));
        let within = |value: &f64| (self.from..=self.to).contains(&doublings(*value));
        let of = |steps: &'static [f64]| -> Vec<f64> {
            decades()
                .flat_map(|decade| steps.iter().map(move |step| decade * step))
                .filter(within)
                .collect()
        };
        let steps: [&[f64]; 4] = [
            &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0],
            &[1.0, 2.0, 5.0],
            &[1.0, 3.0],
            &[1.0],
        ];
        let all = steps.map(of);
        all.into_iter()
            .find(|marks| marks.len() <= most)
            .unwrap_or_default()
    }
}

/// A round value without the digits that say nothing.
fn mark(value: f64) -> String {
    let text = figure(value);
    match text.split_once('.') {
        Some((whole, rest)) if rest.bytes().all(|digit| digit == b'0') => whole.to_owned(),
        _ => text,
    }
}

/// The chart. `here` is the dot that is looked at.
pub(crate) fn scatter(
    kind: &'static Kind,
    dots: &[Dot],
    here: usize,
    title: &str,
    choose: Callback<usize>,
) -> AnyView {
    let axes = [0, 1].map(|axis| Axis::of(dots, axis, kind.more_is_better));
    let x = |value: f64| percent(LEFT + axes[0].place(value, RIGHT - LEFT));
    let y = |value: f64| TOP + HEIGHT - axes[1].place(value, HEIGHT);
    let ground = TOP + HEIGHT;
    let along = axes[0]
        .marks(8)
        .into_iter()
        .enumerate()
        .map(|(at, value)| {
            let x = x(value);
            // Where it is narrow every other has no words.
            let class = if at % 2 == 1 { "needs-room" } else { "" };
            view! {
                <line class="grid" x1=x.clone() x2=x.clone() y1=ground.to_string() y2=(ground + 5).to_string() />
                <text class=class x=x y=(ground + 20).to_string() text-anchor="middle">{mark(value)}</text>
            }
            .into_any()
        })
        .collect_view();
    let across = axes[1]
        .marks(8)
        .into_iter()
        .map(|value| {
            let y = y(value).to_string();
            view! {
                <line class="grid" x1=percent(LEFT) x2=percent(RIGHT) y1=y.clone() y2=y.clone() />
                <text x=percent(LEFT) dx="-6" y=y dy="4" text-anchor="end">{mark(value)}</text>
            }
            .into_any()
        })
        .collect_view();
    let unbeaten = unbeaten(dots, kind.more_is_better);
    let mut labels: Vec<u64> = Vec::new();
    let mut names = Vec::new();
    let marks = dots
        .iter()
        .enumerate()
        .map(|(at, dot)| {
            let (x_at, y_at) = (axes[0].place(dot.at[0], 100), y(dot.at[1]));
            let best = unbeaten.get(at) == Some(&true);
            // A name that would lie on another is left out: the table has it.
            let named = best && labels.iter().all(|other| other.abs_diff(y_at) > 14);
            if named {
                labels.push(y_at);
                let (dx, anchor) = if x_at > 60 { ("-10", "end") } else { ("10", "start") };
                let name = view! { <text class="needs-room" x=x(dot.at[0]) dx=dx y=y_at.to_string() dy="4" text-anchor=anchor>{dot.name.clone()}</text> };
                names.push(name.into_any());
            }
            let class = match (best, at == here) {
                (true, true) => "dot is-best is-here",
                (true, false) => "dot is-best",
                (false, true) => "dot is-here",
                (false, false) => "dot",
            };
            let click = crate::controls::press(move || choose.run(at));
            view! {
                <circle class=class cx=x(dot.at[0]) cy=y_at.to_string() r=if best { "6" } else { "4" } on:click=click>
                    <title>{dot.name.clone()}</title>
                </circle>
            }
            .into_any()
        })
        .collect_view();
    let title = title.to_owned();
    let [along_label, across_label] = kind.axes;
    let titled = format!("{}-title", kind.id);
    view! {
        <svg class="curve" id=kind.id role="img" aria-labelledby=titled.clone() width="100%" height=(ground + BELOW).to_string()>
            <title id=titled.clone()>{title}</title>
            {across}
            <line class="axis" x1=percent(LEFT) x2=percent(RIGHT) y1=ground.to_string() y2=ground.to_string() />
            {along}
            <text x="0" y="10">{across_label}</text>
            <text x=percent(RIGHT) y=(ground + 36).to_string() text-anchor="end">{along_label}</text>
            {marks}
            {names}
        </svg>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dots(all: &[[f64; 2]]) -> Vec<Dot> {
        let dot = |at: &[f64; 2]| Dot {
            at: *at,
            name: String::new(),
        };
        all.iter().map(dot).collect()
    }

    #[test]
    fn what_another_beats_in_both_is_not_best() {
        let all = dots(&[[1.0, 9.0], [5.0, 5.0], [4.0, 5.0], [9.0, 1.0], [9.0, 1.0]]);
        assert_eq!(unbeaten(&all, true), [true, true, false, true, true]);
        assert_eq!(unbeaten(&all, false), [true, false, true, true, true]);
    }

    #[test]
    fn doublings_are_even_and_anything_has_its_place() {
        let all = dots(&[[1.0, 1.0], [4.0, 1.0], [16.0, 1.0]]);
        let axis = Axis::of(&all, 0, true);
        let [low, middle, high] = [1.0, 4.0, 16.0].map(|value| axis.place(value, 10_000));
        // But for rounding.
        assert!((middle - low).abs_diff(high - middle) <= 1);
        assert_eq!(
            axis.marks(4),
            [1.0, 2.0, 5.0, 10.0].map(|mark| mark * (0..6).fold(1e-6, |v, _| v * 10.0))
        );
        for odd in [f64::NAN, f64::INFINITY, -1.0, 0.0] {
            assert!(axis.place(odd, 100) <= 100);
            assert!(Axis::of(&dots(&[[odd, odd]]), 1, false).place(odd, 100) <= 100);
        }
    }

    #[test]
    fn what_is_far_behind_stands_at_the_end() {
        let all = dots(&[[1.0, 1.0], [1000.0, 1.0], [2000.0, 1.0]]);
        let places = |more_is_better| {
            let axis = Axis::of(&all, 0, more_is_better);
            [1.0, 1000.0, 2000.0].map(|value| axis.place(value, 100))
        };
        assert_eq!(places(true).map(|place| place > 80), [false, true, true]);
        assert_eq!(places(true)[0], 0);
        assert_eq!(places(false)[1..], [100, 100]);
    }

    #[test]
    fn round_values_read_well() {
        assert_eq!([0.5, 2.0, 20.0, 5000.0].map(mark), ["0.50", "2", "20", "5000"]);
    }
}
