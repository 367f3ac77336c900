//! The question, the answer, and the judgement between them.
mod arguments;
mod artifact_kind;
mod caches;
mod compare;
mod context;
mod drafting;
mod evaluate;
mod explain;
mod glance;
mod judge;
mod limits;
mod measured;
mod measured_speed;
mod notes;
mod output;
mod overrides;
mod remedy;
mod rules;
mod scenario;
mod speed;
mod sweep;
mod tower;

pub use crate::memory::Term;
pub use crate::performance::{
    Course, Limit, Performance, RUN_AT_A_RATE, RUN_AT_ONCE, Ranged, Run, Simulation, SpeedRow, StepTime,
    figure,
};
pub use artifact_kind::{ArtifactGroup, ArtifactKind};
pub use compare::{Amount, Differences, Input, Output, beside, differences};
pub use context::{Reach, Tier};
pub use evaluate::{evaluate, simulate, simulation, speed_question};
pub use explain::Explanation;
pub use glance::{Look, Looks};
pub use limits::Slo;
pub use measured::Measured;
pub use measured_speed::MeasuredSpeed;
pub use output::{
    Bias, Feasibility, Memory, Note, OomRisk, Outcome, PLAN_SCHEMA, Plan, RankMemory, Remedy, Severity,
    Verdict,
};
pub use overrides::applied as with_overrides;
pub(crate) use scenario::partition;
pub use scenario::{Defaults, Deploy, Hardware, Interconnect, Scenario};
pub use speed::requests;
pub use sweep::{Sweep, SweepPoint};
