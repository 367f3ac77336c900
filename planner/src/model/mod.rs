//! Models: a Hugging Face `config.json` read without guessing, and the shapes that follow from it.
mod attention;
mod bert;
mod catalog;
mod classic;
mod config_error;
mod experts;
mod families;
mod fields;
mod input;
mod plain;
mod pooling;
mod positions;
mod quantization;
mod removed;
mod resolve;
mod spec;
mod stages;

pub use catalog::{CatalogModel, find, models};
pub use config_error::ConfigError;
pub use input::{ModelInput, ModelOrigin};
pub use pooling::{BESIDE as POOLING_BESIDE, Classifier, Pooling, Unasked};
pub use quantization::{LinearScheme, Quantization};
pub use resolve::resolve;
pub use spec::{
    Attention, AttentionSpan, DenseMlp, FeedForward, GatedDeltaNet, LayerRun, LearnedPositions, Mamba2,
    Mixer, Mla, ModelSpec, Moe, Norms, QkNorm, Quantized, Rope, SharedExpert,
};
pub use stages::EveryStage;
