//! What a start of vLLM measured, taken over for further questions, and what it holds for.
use super::Scenario;
use crate::{bounds, engine::ResolvedArgs, error::InputError, memory::Correction, text::commas};
use std::fmt::{self, Write as _};

/// The differences between a log and the plan of its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// Part by part.
    pub correction: Correction,
    /// Of what: model, version, GPU and layout in one line.
    pub on: String,
}

/// The largest correction that is taken: more than any GPU.
const MOST: i64 = 1 << 42;

/// As in links and files: `weights:-1234,activation_peak:0,cuda_graphs:5,rest:6,on:0.33.0 …`.
impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, bytes, _) in self.correction.parts() {
            write!(f, "{name}:{bytes},")?;
        }
        write!(f, "on:{}", self.on)
    }
}

impl Measured {
    /// Reads what [`fmt::Display`] writes.
    pub fn parse(text: &str) -> Result<Self, InputError> {
        let wrong = || {
            InputError::new(
                "measured",
                "expected `weights:N,activation_peak:N,cuda_graphs:N,rest:N,on:…` in bytes, as the page and `check --log` write it",
            )
        };
        let (numbers, on) = text.split_once(",on:").ok_or_else(wrong)?;
        let on = bounds::parse_text("measured", on)?;
        let mut correction = Correction::default();
        for part in numbers.split(',') {
            let (name, bytes) = part.split_once(':').ok_or_else(wrong)?;
            let bytes: i64 = bytes.trim().parse().map_err(|_| wrong())?;
            if bytes.abs() > MOST {
                return Err(wrong());
            }
            match name.trim() {
                "weights" => correction.weights = bytes,
                "activation_peak" => correction.activation_peak = bytes,
                "cuda_graphs" => correction.cuda_graphs = bytes,
                "rest" => correction.rest = bytes,
                _ => return Err(wrong()),
            }
        }
        Ok(Self { correction, on })
    }
}

/// What the differences of a start hold for: everything that a rank's tensors and kernels depend on.
pub(super) fn subject(scenario: &Scenario, args: &ResolvedArgs) -> String {
    let quantization = scenario.get("quantization").unwrap_or_else(|| "-".to_owned());
    let experts = if args.enable_expert_parallel.value {
        " ep"
    } else {
        ""
    };
    let mut gpus = scenario.hardware.gpu.name.clone();
    for other in &scenario.hardware.others {
        let _ = write!(gpus, "+{}", other.name);
    }
    let layers = args.pp_layer_partition.as_ref();
    format!(
        "{} {gpus} tp{} pp{}{} dp{}{experts} {} {quantization} {}",
        args.version,
        args.tensor_parallel_size.value,
        args.pipeline_parallel_size.value,
        layers.map_or_else(String::new, |layers| format!("[{}]", commas(&layers.value))),
        args.data_parallel_size.value,
        args.dtype.value.name(),
        scenario.model.id,
    )
}

/// The differences, where they hold for what is asked.
pub(super) fn applying(scenario: &Scenario, args: &ResolvedArgs) -> Correction {
    scenario
        .measured
        .as_ref()
        .filter(|measured| measured.on == subject(scenario, args))
        .map(|measured| measured.correction)
        .unwrap_or_default()
}
