//! The memory bar: pure geometry, and the SVG and table that show it.
pub(crate) mod compare_bars;
pub(crate) mod context_curve;
pub(crate) mod curve;
pub(crate) mod geometry;
pub(crate) mod scatter;
pub(crate) mod stacked_bar;
pub(crate) mod step_bar;
