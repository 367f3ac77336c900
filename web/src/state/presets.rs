//! The scenarios of `examples/`: presets here, examples of the command line, inputs of snapshot tests.
use super::link;
use planner::Scenario;
use std::sync::LazyLock;

/// A ready scenario.
pub(crate) struct Preset {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it shows.
    pub(crate) about: &'static str,
    /// The scenario as JSON.
    text: &'static str,
}

impl Preset {
    /// The scenario. A test proves that each one reads.
    pub(crate) fn scenario(&self) -> Option<Scenario> {
        link::from_json(self.text).ok().map(|(scenario, _)| scenario)
    }
}

macro_rules! preset {
    ($file:literal, $name:literal, $about:literal) => {
        Preset {
            name: $name,
            about: $about,
            text: include_str!(concat!("../../../examples/", $file, ".json")),
        }
    };
}

/// In the order of the menu; the first is shown at first load.
pub(crate) const PRESETS: &[Preset] = &[];

static EXAMPLE: LazyLock<Scenario> = LazyLock::new(|| {
    let first = PRESETS.first().and_then(Preset::scenario);
    first.unwrap_or_else(link::fallback)
});

/// What the page shows before anything was chosen.
pub(crate) fn example() -> Scenario {
    EXAMPLE.clone()
}
