//! GPUs: what one is, and the catalogue of those that people rent or own.
mod catalog;
mod spec;

pub use catalog::{data_revision, find, gpus, is_slice};
pub use spec::{ComputeCapability, DenseRates, GpuGroup, GpuSpec, Vendor, VisibleBasis, XPU};
