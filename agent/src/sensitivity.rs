//! `plan --sensitivity`: what twice of each input brings, and what the verdict hangs on most.
use crate::output::{Screen, Tone};
use planner::{
    Scenario,
    plan::figure,
    recommend::{doublings, turning_points},
};

/// Inputs that are named as those that matter.
const MOST: usize = 4;

/// Both tables.
pub(crate) fn text(scenario: &Scenario, screen: Screen) -> String {
    let heading = |text: &str| screen.paint(Tone::Strong, text);
    let mut table = screen.table();
    table.add_row([" twice", "from", "to", "verdict", "tok/s", "TTFT ms", "TPOT ms"]);
    table.align_right(&[1, 2, 4, 5, 6]);
    for doubled in doublings(scenario) {
        let speed = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), figure);
        let of = doubled.speed.as_ref();
        table.add_row([
            format!(" {}", doubled.input),
            doubled.values[0].clone(),
            doubled.values[1].clone(),
            doubled.outcome.words().to_lowercase(),
            speed(of.map(|speed| speed.output_tok_per_s.estimate)),
            speed(of.map(|speed| speed.ttft_ms.estimate)),
            speed(of.and_then(|speed| Some(speed.tpot_ms?.estimate))),
        ]);
    }
    let points = turning_points(scenario);
    let Some(first) = points.first() else {
        return format!(
            "{}\n{}\n\nNo input alone changes the verdict within a thousand times of its value.",
            heading("What each doubling brings"),
            table.text()
        );
    };
    let mut turns = screen.table();
    for point in points.iter().take(MOST) {
        let [now, at] = point.values();
        let side = if point.is_below() { "less" } else { "more" };
        turns.add_row([
            format!(" {}", point.input),
            now,
            format!("{} at {at} and {side}", point.outcome.words().to_lowercase()),
        ]);
    }
    format!(
        "{}\n{}\n\n{}\n{}",
        heading("What each doubling brings"),
        table.text(),
        heading(&format!("What the verdict hangs on: {} most", first.input)),
        turns.text()
    )
}
