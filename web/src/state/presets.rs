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
        link::from_json(self.text).ok()
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
pub(crate) const PRESETS: &[Preset] = &[
    preset!(
        "qwen3-8b-h100",
        "Small model, one data-centre GPU",
        "Qwen3 8B on one H100, room for long contexts"
    ),
    preset!(
        "qwen3-14b-awq-rtx-4090",
        "4-bit model on a consumer card",
        "Qwen3 14B AWQ on one RTX 4090"
    ),
    preset!(
        "llama-3.3-70b-4x-h100",
        "70B over four GPUs",
        "Llama 3.3 70B in 16 bits, tensor parallel on 4 × H100"
    ),
    preset!(
        "llama-3.3-70b-fp8-2x-l40s",
        "70B in FP8 on two smaller cards",
        "Llama 3.3 70B FP8 on 2 × L40S: some requests wait"
    ),
    preset!(
        "qwen3-30b-a3b-a100",
        "Mixture of experts, one GPU",
        "Qwen3 30B-A3B on one A100 80GB"
    ),
    preset!(
        "qwen3-235b-fp8-8x-h200",
        "Large mixture of experts",
        "Qwen3 235B-A22B FP8 on 8 × H200, expert parallel"
    ),
    preset!(
        "llama-3.3-70b-one-h100",
        "Does not fit, and what would help",
        "Llama 3.3 70B in 16 bits on one H100"
    ),
];

static EXAMPLE: LazyLock<Scenario> = LazyLock::new(|| {
    let first = PRESETS.first().and_then(Preset::scenario);
    first.unwrap_or_else(link::last_resort)
});

/// What the page shows before anything was chosen.
pub(crate) fn example() -> Scenario {
    EXAMPLE.clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use planner::{
        Outcome::{DoesNotFit, Fits, Tight},
        evaluate,
    };

    #[test]
    fn every_preset_reads_and_does_what_its_name_says() {
        let outcomes: Vec<_> = PRESETS
            .iter()
            .map(|preset| {
                let scenario =
                    link::from_json(preset.text).unwrap_or_else(|error| panic!("{}: {error}", preset.name));
                evaluate(&scenario).verdict.outcome
            })
            .collect();
        assert_eq!(outcomes, [Fits, Fits, Fits, Tight, Fits, Fits, DoesNotFit]);
    }
}
