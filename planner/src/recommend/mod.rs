//! From "does this fit" to "what should I run": every layout of the hardware that can be had, judged and ranked.
//!
//! `offer` says what hardware is tried, `space` which layouts each offer has, `goal` what is better, `search` goes
//! through them in slices, `reasons` puts into words why the first won and what the others lack; `fleet` counts replicas for
//! a rate, `ways` holds other ways against them, `use_case` has loads by their use, `sensitivity` says what each input brings.
mod fleet;
mod goal;
mod offer;
mod prices;
mod reasons;
mod report;
mod search;
mod sensitivity;
mod space;
mod use_case;
mod ways;

pub use crate::plan::Slo;
pub use fleet::{
    Counted, Demand, Fleet, Fleets, HOURS_PER_MONTH, LOAD_PERCENT, SPARE, Scaling, fleet_on, fleets,
};
pub use goal::{Goal, Objective};
pub use offer::{NODE, NODES, Offer, Price, fitting, kinds, on_hardware};
pub use prices::{Listed, listed, priced};
pub use reasons::{Lost, lost, simulated, won};
pub use report::{EXPLORE_SCHEMA, FleetReport, csv, csv_cell};
pub use search::{Answer, Found, Search, Speed, Tail, by_kind};
pub use sensitivity::{Doubling, TurningPoint, doublings, turning_points};
pub use space::{Layout, left_open};
pub use use_case::{USE_CASES, UseCase};
pub use ways::{Way, Ways, routing, ways};
