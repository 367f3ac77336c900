//! Models: a Hugging Face `config.json` read without guessing, and the shapes that follow from it.
mod attention;
mod bert;
mod catalog;
mod classic;
mod compressed;
mod config_error;
mod experts;
mod families;
mod fields;
mod input;
mod kda;
mod plain;
mod pooling;
mod positions;
mod quantization;
mod removed;
mod resolve;
mod spec;
mod stages;

pub use catalog::{CatalogModel, find, models};
pub use compressed::Compressed;
pub use config_error::ConfigError;
pub use input::{ModelInput, ModelOrigin};
pub use kda::Kda;
pub use pooling::{BESIDE as POOLING_BESIDE, Classifier, Pooling, Unasked};
pub use quantization::{LinearScheme, Quantization};
pub use resolve::resolve;
pub use spec::{
    Attention, AttentionSpan, DenseMlp, FeedForward, GatedDeltaNet, LatentMoe, LayerRun, LearnedPositions,
    Mamba2, Mixer, Mla, ModelSpec, Moe, Norms, QkNorm, Quantized, Rope, SharedExpert, SparseIndex,
};
pub use stages::EveryStage;
