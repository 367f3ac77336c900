//! Models: a Hugging Face `config.json` read without guessing, and the shapes that follow from it.
mod attention;
mod bert;
mod catalog;
mod checked;
mod classic;
mod compressed;
mod config_error;
mod drafter;
mod engram;
mod experts;
mod families;
mod family;
mod feed_forward;
mod fields;
mod input;
mod kda;
mod layouts;
mod mixed;
mod mixer;
mod parameters;
mod pattern;
mod plain;
mod pooling;
mod positions;
mod quantization;
mod quark;
mod qwen4;
mod removed;
mod resolve;
mod routed;
mod spec;
mod stages;
mod tower;
mod wrappers;

pub use catalog::{CatalogModel, bundled_draft, find, models};
pub use checked::{CHECKED, Checked, checked};
pub use compressed::{Compressed, Shared};
pub use config_error::ConfigError;
pub use drafter::{Drafter, DrafterKind, draft_config, drafter};
pub use feed_forward::{DenseMlp, FeedForward, LatentMoe, Moe, SharedExpert};
pub use fields::parse as parse_config;
pub use input::{ModelInput, ModelOrigin};
pub use kda::Kda;
pub use mixer::{
    Attention, AttentionSpan, GatedDeltaNet, Mamba1, Mamba2, Mixer, Mla, QkNorm, Relative, SharedBlock,
    ShortConv, SparseIndex,
};
pub use pooling::{BESIDE as POOLING_BESIDE, Classifier, Pooling, Unasked, published as published_pooling};
pub use quantization::{LinearScheme, Quantization};
pub use qwen4::{GroupIndex, Ngrams, Stored};
pub use resolve::{CHECKPOINT_BYTES, resolve};
pub use spec::{
    AltUp, Draft, DraftChain, LayerRun, LearnedPositions, ModelSpec, Norms, OtherSchemes, PerLayerInput,
    Quantized, Rope,
};
pub use stages::EveryStage;
#[cfg(test)]
pub(crate) use tower::alone as tower_alone;
pub use tower::{Cut, Encoder, Tower, TowerBlock, TowerLinear, TowerTensor, Uneven};
