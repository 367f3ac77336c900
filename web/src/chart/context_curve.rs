//! Where the steps of context against concurrency lie, and their SVG. Both axes are logarithms of two.
use super::geometry::percent;
use crate::text;
use leptos::prelude::*;
use planner::plan::Reach;

/// From the top, in CSS pixels: the plot, and what stands below it.
const TOP: u64 = 14;
const HEIGHT: u64 = 190;
const BELOW: u64 = 24;
/// Left of the plot, in hundredths of a percent.
const LEFT: u64 = 700;
/// What lies right of the last step.
const RIGHT: u64 = 9_900;

/// One step: from a length to the next, so many sequences fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Left edge, in hundredths of a percent.
    pub(crate) x: u64,
    /// Width.
    pub(crate) width: u64,
    /// Top edge, in CSS pixels.
    pub(crate) y: u64,
}

/// The axes of a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Axes {
    /// Thousandths of a doubling from one token to the left edge and to the right one.
    tokens: (u64, u64),
    /// Thousandths of a doubling from one sequence to the top.
    sequences: u64,
}

/// Thousandths of a doubling, interpolated between whole ones: what a chart needs, without floats.
pub(super) fn doublings(count: u64) -> u64 {
    let whole = u64::from(count.max(1).ilog2());
    let low = 1_u64 << whole;
    let part = u128::from(count.max(1) - low) * 1000 / u128::from(low);
    whole * 1000 + u64::try_from(part).unwrap_or(0)
}

impl Axes {
    /// Axes that hold the steps and the load.
    pub(crate) fn of(reach: &[Reach], load: Reach) -> Self {
        let longest = reach
            .iter()
            .map(|r| r.tokens)
            .chain([load.tokens])
            .max()
            .unwrap_or(1);
        let most = reach
            .iter()
            .map(|r| r.sequences)
            .chain([load.sequences])
            .max()
            .unwrap_or(1);
        let least = load.tokens.clamp(1, 512);
        Self {
            tokens: (doublings(least), doublings(longest).max(doublings(least) + 1000)),
            sequences: doublings(most).max(1000) + 300,
        }
    }

    /// Where a length lies.
    pub(crate) fn x(&self, tokens: u64) -> u64 {
        let (from, to) = self.tokens;
        let at = doublings(tokens).clamp(from, to) - from;
        LEFT + at * (RIGHT - LEFT) / (to - from)
    }

    /// Where a number of sequences lies; none at all lies on the ground.
    pub(crate) fn y(&self, sequences: u64) -> u64 {
        // One sequence stands a little above the ground, else it would look like none.
        let rise = if sequences == 0 {
            0
        } else {
            doublings(sequences) + 300
        };
        TOP + HEIGHT - (rise * HEIGHT / (self.sequences + 300)).min(HEIGHT)
    }

    /// Counts that the axis of sequences names.
    fn marks(&self) -> impl Iterator<Item = u64> {
        let most = self.sequences / 1000;
        let apart = most / 5 + 1;
        (0..=most)
            .filter(move |power| power % apart == 0)
            .map(|power| 1 << power)
    }
}

/// The steps. Between two lengths as many fit as at the longer one.
pub(crate) fn steps(reach: &[Reach], axes: &Axes) -> Vec<Step> {
    let mut x = LEFT;
    reach
        .iter()
        .map(|reach| {
            let end = axes.x(reach.tokens);
            let step = Step {
                x,
                width: end.saturating_sub(x),
                y: axes.y(reach.sequences),
            };
            x = end;
            step
        })
        .collect()
}

/// The chart.
pub(crate) fn context_curve(reach: &[Reach], load: Reach, title: &str) -> AnyView {
    let axes = Axes::of(reach, load);
    let ground = TOP + HEIGHT;
    let area = steps(reach, &axes)
        .into_iter()
        .map(|step| {
            let (x, width, y) = (percent(step.x), percent(step.width), step.y.to_string());
            let right = percent(step.x + step.width);
            view! {
                <rect class="fits-area" x=x.clone() y=y.clone() width=width height=(ground - step.y).to_string() />
                <line class="fits-edge" x1=x x2=right y1=y.clone() y2=y />
            }
            .into_any()
        })
        .collect_view();
    let across = axes
        .marks()
        .map(|count| {
            let y = axes.y(count).to_string();
            view! {
                <line class="grid" x1=percent(LEFT) x2=percent(RIGHT) y1=y.clone() y2=y.clone() />
                <text x=percent(LEFT) dx="-6" y=y dy="4" text-anchor="end">{text::grouped(count)}</text>
            }
            .into_any()
        })
        .collect_view();
    let along = reach
        .iter()
        .filter(|reach| reach.tokens.is_power_of_two() && reach.tokens.ilog2().is_multiple_of(2))
        .map(|reach| {
            let x = percent(axes.x(reach.tokens));
            let label = text::context(u32::try_from(reach.tokens).unwrap_or(u32::MAX));
            view! {
                <line class="grid" x1=x.clone() x2=x.clone() y1=ground.to_string() y2=(ground + 5).to_string() />
                <text x=x y=(ground + 20).to_string() text-anchor="middle">{label}</text>
            }
            .into_any()
        })
        .collect_view();
    let (x, y) = (percent(axes.x(load.tokens)), axes.y(load.sequences).to_string());
    let title = title.to_owned();
    view! {
        <svg class="curve" id="context-chart" role="img" aria-labelledby="context-chart-title" width="100%" height=(ground + BELOW).to_string()>
            <title id="context-chart-title">{title}</title>
            {area}
            {across}
            <line class="axis" x1=percent(LEFT) x2=percent(RIGHT) y1=ground.to_string() y2=ground.to_string() />
            {along}
            <line class="load-line" x1=x.clone() x2=x.clone() y1=y.clone() y2=ground.to_string() />
            <circle class="load" cx=x cy=y r="6" />
        </svg>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn reach(tokens: u64, sequences: u64) -> Reach {
        Reach { tokens, sequences }
    }

    #[test]
    fn steps_fall_from_left_to_right_without_gaps() {
        let all = [reach(1024, 256), reach(2048, 128), reach(4096, 0)];
        let axes = Axes::of(&all, reach(1536, 32));
        let steps = steps(&all, &axes);
        assert_eq!(steps.first().map(|step| step.x), Some(LEFT));
        for pair in steps.windows(2) {
            assert_eq!(pair[0].x + pair[0].width, pair[1].x);
            assert!(pair[0].y < pair[1].y);
        }
        let last = steps.last().unwrap();
        assert_eq!((last.x + last.width, last.y), (RIGHT, TOP + HEIGHT));
    }

    #[test]
    fn load_lies_under_the_edge_exactly_where_it_fits() {
        let all = [reach(1024, 64), reach(8192, 8)];
        let inside = Axes::of(&all, reach(8192, 8));
        assert_eq!(inside.y(8), steps(&all, &inside)[1].y);
        assert!(inside.y(9) < inside.y(8));
        assert!(inside.y(1) < TOP + HEIGHT);
    }

    #[test]
    fn nothing_and_the_largest_are_safe() {
        for all in [vec![], vec![reach(u64::MAX, u64::MAX)], vec![reach(1, 0)]] {
            let axes = Axes::of(&all, reach(0, u64::MAX));
            assert!(
                steps(&all, &axes).len() == all.len() && axes.x(u64::MAX) <= RIGHT && axes.y(u64::MAX) >= TOP
            );
        }
        assert_eq!((doublings(1), doublings(3), doublings(1024)), (0, 1500, 10_000));
    }
}
