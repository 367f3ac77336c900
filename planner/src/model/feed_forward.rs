//! What stands behind the mixer of a layer, as shapes.
use crate::units::FloatDtype;

/// What stands behind the mixer of a layer: dense, routed experts, both beside each other (Gemma 4), or nothing
/// (Nemotron-H, whose layers only mix).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedForward {
    /// Without experts.
    pub dense: Option<DenseMlp>,
    /// With experts.
    pub moe: Option<Moe>,
}

/// A feed-forward without experts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DenseMlp {
    /// Width.
    pub intermediate_size: u32,
    /// Gate and up (SwiGLU, GeGLU), or up alone.
    pub gated: bool,
    /// Biases.
    pub bias: bool,
    /// None of them on gate and up (GTE, TeleChat 2).
    pub bare_up: bool,
    /// Whole on every rank (GPTBigCode).
    pub whole: bool,
    /// Rows of gate and up alternate in one matrix, and one number scales what comes out (Inkling).
    pub interleaved: bool,
}

impl DenseMlp {
    /// Gate, up and down without biases.
    pub const fn gated(intermediate_size: u32) -> Self {
        Self {
            intermediate_size,
            gated: true,
            bias: false,
            bare_up: false,
            whole: false,
            interleaved: false,
        }
    }
}

/// Experts that every token passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedExpert {
    /// Width of all of them together.
    pub intermediate_size: u32,
    /// A gate of hidden_size (Qwen2-MoE).
    pub gate: bool,
}

/// Routed experts that work in a narrower space, between two projections that are whole on every rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatentMoe {
    /// Its width.
    pub size: u32,
    /// A norm before the projection back.
    pub norm: bool,
    /// Biases on both projections.
    pub bias: bool,
}

/// Routed experts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moe {
    /// Routed experts.
    pub num_experts: u32,
    /// Experts per token.
    pub num_experts_per_tok: u32,
    /// Width of one.
    pub moe_intermediate_size: u32,
    /// Experts that every token passes.
    pub shared: Option<SharedExpert>,
    /// Experts that the router knows and that have no weights (LongCat-Flash).
    pub idle_experts: u32,
    /// Shared experts that the router weighs as well: its rows are then padded to 8, one number scales the weights, and
    /// these experts are never quantised (Inkling).
    pub sinks: u32,
    /// Width of as many experts more, behind a router of their own, for tokens of images (ERNIE 4.5 VL); 0 without.
    pub second_width: u32,
    /// A narrower space for the routed experts.
    pub latent: Option<LatentMoe>,
    /// With tensor parallelism a share of an expert is no narrower than this (Kimi: 256).
    pub least_share: u32,
    /// Type of the router's weight.
    pub router_dtype: FloatDtype,
    /// A correction bias per expert, in float32.
    pub correction_bias: bool,
    /// Another such bias for tokens of images (DeepSeek V4.1).
    pub image_bias: bool,
    /// Biases on the experts and the router (gpt-oss).
    pub bias: bool,
    /// One bias on what they give together (Nomic's BERT).
    pub output_bias: bool,
    /// Gate and up, or up alone.
    pub gated: bool,
    /// The router is kept in float32 below compute capability 9.0 (Nemotron-H).
    pub wide_router_before_hopper: bool,
    /// The router scales its input, and each expert's output (Gemma 4).
    pub router_scales: bool,
    /// Blackwell's kernel takes the experts, in widths of 128.
    pub blackwell_kernel: bool,
    /// A table says which experts a token takes (the first layers of DeepSeek V4).
    pub hashed: bool,
}

impl Moe {
    /// Width that the routed experts take and give.
    pub fn inner_size(&self, hidden_size: u32) -> u64 {
        u64::from(self.latent.map_or(hidden_size, |latent| latent.size))
    }

    /// Weights of one routed expert, with its second for images where there is one.
    pub fn expert_parameters(&self, hidden_size: u32) -> u64 {
        let matrices = if self.gated { 3 } else { 2 };
        let width = u64::from(self.moe_intermediate_size) + u64::from(self.second_width);
        matrices * self.inner_size(hidden_size) * width
    }
}
