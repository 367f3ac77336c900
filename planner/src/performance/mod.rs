//! How fast: times and rates from what each step reads and computes, and from how vLLM schedules.
//!
//! `work` says what a step makes a rank do, `machine` what a GPU does in a second, `step` puts the two together,
//! `serving` many requests at once, `simulation` the same one by one, `estimate` gives it ranges, `stated` puts it into
//! plan.json and words. Every fitted figure is in `constants`.
mod chance;
mod constants;
mod estimate;
mod machine;
mod serving;
mod simulation;
mod stated;
mod step;
mod work;

pub use chance::Lengths;
pub use estimate::{BoundBy, Performance, Question, RUN_AT_A_RATE, RUN_AT_ONCE, Ranged, Scale, estimate};
pub use machine::{Generation, Link, Machine};
pub use serving::{Arrivals, Ceiling, Limit, Limits, Request, Steady, ceiling, steady};
pub use simulation::{Course, Percentiles, Run, Simulation};
pub(crate) use stated::short;
pub use stated::{SpeedRow, figure};
pub use step::{Batch, DraftPass, Drafting, Engine, StepTime};
pub use work::{Arithmetic, AttentionWork, ExpertWork, Work, cached_by};
