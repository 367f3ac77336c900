//! A model as the arithmetic needs it: resolved, with nothing left to guess.
use super::{
    Compressed, ConfigError, EveryStage, Kda, LinearScheme, Quantization, Tower,
    pooling::{Pooling, Unasked},
};
use crate::units::FloatDtype;

/// How far back a layer attends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttentionSpan {
    /// Everything.
    Full,
    /// The last so many tokens.
    Sliding(u32),
    /// The chunk of so many tokens that a token lies in (Llama 4).
    Chunked(u32),
    /// What the encoder made of the input (Whisper).
    Encoder,
    /// In both directions, within a step: nothing is cached.
    Both,
}

/// What stands behind the mixer of a layer: dense, routed experts, both beside each other (Gemma 4), or nothing
/// (Nemotron-H, whose layers only mix).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedForward {
    /// Without experts.
    pub dense: Option<DenseMlp>,
    /// With experts.
    pub moe: Option<Moe>,
}

/// Which linear layers of a layer are quantised, after the checkpoint's ignore list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Quantized {
    /// Query, key and value.
    pub qkv: bool,
    /// Attention output.
    pub o: bool,
    /// Gate and up, or up alone.
    pub gate_up: bool,
    /// Down.
    pub down: bool,
    /// Routed experts.
    pub experts: bool,
    /// Shared experts.
    pub shared: bool,
    /// The router (only where the class lets it be: Qwen3-MoE).
    pub router: bool,
    /// The sparse indexer's queries.
    pub indexer: bool,
    /// A gate on the attention's output with a projection of its own (Laguna, Step 3.5).
    pub gate: bool,
    /// The projections around experts that work in a narrower space (Nemotron 3).
    pub latent: bool,
    /// The projections of the per-layer input (Gemma 4).
    pub per_layer: bool,
    /// How, where not as the checkpoint's main scheme says.
    pub others: OtherSchemes,
}

/// Schemes of a layer's parts that differ from the checkpoint's main one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct OtherSchemes {
    /// Projections of the mixer.
    pub mixer: Option<LinearScheme>,
    /// Dense feed-forward.
    pub dense: Option<LinearScheme>,
    /// Routed experts.
    pub experts: Option<LinearScheme>,
    /// Shared experts and latent projections.
    pub shared: Option<LinearScheme>,
}

/// Multi-head latent attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mla {
    /// Query heads.
    pub num_attention_heads: u32,
    /// Width of the queries' latent, where they have one.
    pub q_lora_rank: Option<u32>,
    /// Width of the latent that is cached.
    pub kv_lora_rank: u32,
    /// Part of a head without positions.
    pub qk_nope_head_dim: u32,
    /// Part of a head with positions; cached beside the latent.
    pub qk_rope_head_dim: u32,
    /// Size of a value head.
    pub v_head_dim: u32,
    /// Keys and values are cached per head, not as the latent (MiniCPM 3).
    pub expanded: bool,
    /// A gate on the output, projected beside the latents (Kimi K3).
    pub output_gate: bool,
    /// Kimi's own class, which keeps a scale more.
    pub unit_scale: bool,
    /// Attends only to what an indexer picks (DeepSeek V3.2).
    pub sparse: Option<SparseIndex>,
}

/// The lightning indexer: it picks the tokens that a layer of latent attention reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SparseIndex {
    /// Tokens that it picks.
    pub index_topk: u32,
    /// Query heads.
    pub index_n_heads: u32,
    /// Size of a head, and of the one key per token.
    pub index_head_dim: u32,
    /// Tokens that share a key: 1, or a pool of them (GLM-5.3-Flash).
    pub index_kpool: u32,
    /// The layer has an indexer of its own; else it reads what the one before it picked (GLM 5.2).
    pub own: bool,
}

impl SparseIndex {
    /// Bytes of a token's cached key: 8-bit floats with a float32 scale per 128
    /// (`models/deepseek_v32/attention.py: DeepseekV32Indexer`).
    pub fn key_bytes(&self) -> u64 {
        let dim = u64::from(self.index_head_dim);
        if self.own { dim + dim / 128 * 4 } else { 0 }
    }

    /// Weights of a layer's indexer: queries from their latent, key, weights of the heads, the key's norm.
    fn parameters(&self, hidden_size: u64, q_lora_rank: u64) -> u64 {
        let (heads, dim) = (u64::from(self.index_n_heads), u64::from(self.index_head_dim));
        if !self.own {
            return 0;
        }
        let pool = u64::from(self.index_kpool);
        let pooling = if pool > 1 { (pool + hidden_size) * dim } else { 0 };
        q_lora_rank * heads * dim + hidden_size * (dim + heads) + 2 * dim + pooling
    }
}

/// Gated DeltaNet: linear attention with a state of constant size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GatedDeltaNet {
    /// Key heads.
    pub linear_num_key_heads: u32,
    /// Value heads.
    pub linear_num_value_heads: u32,
    /// Size of a key head.
    pub linear_key_head_dim: u32,
    /// Size of a value head.
    pub linear_value_head_dim: u32,
    /// Width of the convolution over time.
    pub linear_conv_kernel_dim: u32,
    /// Type of the state, where the config names one.
    pub ssm_dtype: Option<FloatDtype>,
}

impl GatedDeltaNet {
    /// Widths of all key heads and of all value heads.
    pub fn widths(&self) -> (u64, u64) {
        let key = u64::from(self.linear_num_key_heads) * u64::from(self.linear_key_head_dim);
        let value = u64::from(self.linear_num_value_heads) * u64::from(self.linear_value_head_dim);
        (key, value)
    }
}

/// Mamba 2: a state space layer with a state of constant size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mamba2 {
    /// Heads.
    pub mamba_num_heads: u32,
    /// Size of a head.
    pub mamba_head_dim: u32,
    /// Groups that share their input and output matrices.
    pub n_groups: u32,
    /// Size of the state of one channel.
    pub ssm_state_size: u32,
    /// Width of the convolution over time.
    pub conv_kernel: u32,
    /// A bias on the convolution.
    pub conv_bias: bool,
    /// Type of the state.
    pub ssm_dtype: FloatDtype,
}

impl Mamba2 {
    /// Channels and width of the groups' matrices on one of `tp` ranks; groups are replicated where there are fewer.
    pub fn widths(&self, tp: u64) -> (u64, u64) {
        let channels = u64::from(self.mamba_num_heads) * u64::from(self.mamba_head_dim) / tp;
        let groups = (u64::from(self.n_groups) / tp).max(1);
        (channels, groups * u64::from(self.ssm_state_size))
    }
}

/// Mamba 1: a state space layer with a state per channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mamba1 {
    /// Channels.
    pub intermediate_size: u32,
    /// Size of the state of one channel.
    pub state_size: u32,
    /// Width of the convolution over time.
    pub conv_kernel: u32,
    /// Rank of the time step's projection.
    pub time_step_rank: u32,
    /// A bias on the convolution.
    pub conv_bias: bool,
    /// Biases on the projections into and out of it.
    pub proj_bias: bool,
    /// Norms with weights on time step and matrices (Jamba).
    pub norms: bool,
}

/// A short convolution over time, gated on both sides (LFM2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ShortConv {
    /// Channels.
    pub conv_dim: u32,
    /// Width of the convolution over time.
    pub conv_l_cache: u32,
    /// Biases on the convolution and both projections.
    pub conv_bias: bool,
}

/// What mixes the tokens of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mixer {
    /// Multi-head, grouped-query or multi-query attention.
    Attention(Attention, AttentionSpan),
    /// Multi-head latent attention.
    Mla(Mla),
    /// A window beside compressed tokens.
    Compressed(Compressed),
    /// Kimi's linear attention.
    Kda(Kda),
    /// Gated DeltaNet.
    GatedDeltaNet(GatedDeltaNet),
    /// Mamba 2.
    Mamba2(Mamba2),
    /// Mamba 1.
    Mamba1(Mamba1),
    /// Short convolution.
    ShortConv(ShortConv),
    /// Nothing: the layer is a feed-forward alone (Nemotron-H).
    None,
}

/// Consecutive layers of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerRun {
    /// How many.
    pub count: u32,
    /// What mixes tokens.
    pub mixer: Mixer,
    /// Feed-forward.
    pub mlp: FeedForward,
    /// Which parts are quantised.
    pub quantized: Quantized,
}

/// Normalisation of queries and keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QkNorm {
    /// None.
    None,
    /// One vector of head_dim each for queries and keys.
    PerHead,
    /// Over all heads, whole on every rank (OLMo 2 and 3).
    AllHeads,
    /// Over all heads, split over the ranks (MiniMax M2).
    AllHeadsSharded,
    /// One vector per head, split over the ranks (Cohere).
    EachHead,
}

/// Attention shapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Attention {
    /// Query heads.
    pub num_attention_heads: u32,
    /// Key and value heads.
    pub num_key_value_heads: u32,
    /// Size of a head.
    pub head_dim: u32,
    /// Biases on query, key and value.
    pub qkv_bias: bool,
    /// Bias on the output.
    pub o_bias: bool,
    /// Normalisation of queries and keys.
    pub qk_norm: QkNorm,
    /// A gate on the output, projected beside the queries (Qwen3-Next).
    pub output_gate: bool,
    /// A learned sink per head (gpt-oss).
    pub sinks: bool,
    /// Size of a value head; the size of a head almost everywhere.
    pub v_head_dim: u32,
    /// Outputs per head of a gate with a projection of its own (Laguna, Step 3.5); 0 without one.
    pub gate_per_head: u32,
    /// Keys and values are those of an earlier layer: only queries are projected and nothing is cached (Gemma 4).
    pub shares_kv: bool,
    /// A slope per head instead of positions (BLOOM).
    pub alibi: bool,
    /// Size of the heads of an index that picks blocks of tokens (MiniMax M3): as many queries as key heads, one
    /// 16-bit key per token; 0 where there is none.
    pub index_dim: u32,
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
    /// Whole on every rank (GPTBigCode).
    pub whole: bool,
}

impl DenseMlp {
    /// Gate, up and down without biases.
    pub const fn gated(intermediate_size: u32) -> Self {
        Self {
            intermediate_size,
            gated: true,
            bias: false,
            whole: false,
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
    /// A narrower space for the routed experts.
    pub latent: Option<LatentMoe>,
    /// With tensor parallelism a share of an expert is no narrower than this (Kimi: 256).
    pub least_share: u32,
    /// Type of the router's weight.
    pub router_dtype: FloatDtype,
    /// A correction bias per expert, in float32.
    pub correction_bias: bool,
    /// Biases on the experts and the router (gpt-oss).
    pub bias: bool,
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

/// An embedding per layer, mixed in behind the feed-forward (Gemma 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerLayerInput {
    /// Width in one layer.
    pub hidden_size_per_layer_input: u32,
    /// Rows of the embedding.
    pub vocab_size_per_layer_input: u32,
}

/// Copies of the hidden states of which each layer computes one (AltUp), and a residual of low rank beside the
/// attention (Laurel), in Gemma 3n.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AltUp {
    /// Copies.
    pub altup_num_inputs: u32,
    /// Rank of the residual.
    pub laurel_rank: u32,
}

impl AltUp {
    /// Parameters in each layer and beside the layers, of a model of that width.
    fn parameters(self, h: u64) -> (u64, u64) {
        let (n, rank) = (u64::from(self.altup_num_inputs), u64::from(self.laurel_rank));
        let layer = n * n + n * n * n + n * h + 2 * h + 2 * rank * h + h;
        (layer, 2 * n.saturating_sub(1) * h * h)
    }
}

impl Moe {
    /// Width that the routed experts take and give.
    pub fn inner_size(&self, hidden_size: u32) -> u64 {
        u64::from(self.latent.map_or(hidden_size, |latent| latent.size))
    }
}

/// Normalisation layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Norms {
    /// Vectors of hidden_size in each layer.
    pub per_layer: u32,
    /// Single elements in each layer (Gemma 4's layer scale).
    pub scalars_per_layer: u32,
    /// With biases (LayerNorm).
    pub bias: bool,
    /// One behind the embedding (BLOOM).
    pub embedding: bool,
    /// Vectors of hidden_size after the last layer.
    pub last: u32,
    /// A layer without a mixer or without a feed-forward has one less (Nemotron NAS).
    pub per_part: bool,
}

impl Norms {
    /// Vectors of hidden_size in such a layer.
    pub fn of(&self, run: &LayerRun) -> u32 {
        let missing = u32::from(run.mixer == Mixer::None) + u32::from(run.mlp == FeedForward::default());
        let less = if self.per_part { missing } else { 0 };
        self.per_layer.saturating_sub(less)
    }
}

/// Position embeddings that are looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LearnedPositions {
    /// Positions.
    pub rows: u32,
    /// Padded and split like the vocabulary (BERT), else whole on every rank.
    pub split: bool,
    /// Rows for kinds of tokens (BERT).
    pub token_types: u32,
    /// A mask over all pairs of them stands beside, a byte each (GPTBigCode).
    pub mask: bool,
}

/// Cached rotary embeddings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rope {
    /// Bytes of each distinct cache; 0 where there is no second one.
    pub caches: [u64; 2],
}

/// How a drafting layer projects the hidden state and the embedding of the next token to one width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draft {
    /// Split over the ranks (`qwen3_next_mtp.py`, `qwen3_5_mtp.py`).
    Split,
    /// Whole on every rank (`deepseek_mtp.py`, `glm4_moe_mtp.py`).
    Whole,
}

/// A decoder-only model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelSpec {
    /// `architectures[0]`.
    pub architecture: String,
    /// Type of what is not quantised in the checkpoint.
    pub dtype: FloatDtype,
    /// A vision or audio tower stands beside it, which `--language-model-only` leaves out.
    pub has_tower: bool,
    /// The tower, or why it is not modelled; empty where there is none.
    pub tower: Result<Tower, ConfigError>,
    /// Width.
    pub hidden_size: u32,
    /// Rows of the embedding.
    pub vocab_size: u32,
    /// The longest context that vLLM derives from the config.
    pub derived_max_model_len: u32,
    /// The context that vLLM takes where the user sets none; shorter for longrope models.
    pub default_max_model_len: u32,
    /// The field that it comes from.
    pub derived_max_model_len_key: &'static str,
    /// Embedding and output share one tensor.
    pub tie_word_embeddings: bool,
    /// The routed experts run through Marlin, whatever the GPU.
    pub marlin_experts: bool,
    /// A layer of its own that drafts the next tokens, the last of `layers`.
    pub draft: Option<Draft>,
    /// The embedding is whole on every rank, without padding (Whisper).
    pub whole_embedding: bool,
    /// Bias on the output.
    pub lm_head_bias: bool,
    /// Attention shapes of the first layer that has any; of latent attention, its heads and one cached head.
    pub attention: Attention,
    /// The layers, in order.
    pub layers: Vec<LayerRun>,
    /// Normalisation.
    pub norms: Norms,
    /// Learned position embeddings, where the model has them.
    pub positions: Option<LearnedPositions>,
    /// Rotary embeddings.
    pub rope: Rope,
    /// Scalars that the model keeps as buffers (Gemma's normaliser), in elements.
    pub scalar_buffers: u32,
    /// Streams of hidden states that hyper-connections mix (DeepSeek V4); 1 is the usual one.
    pub hyper_streams: u32,
    /// Copies of the hidden states that are alive at the peak of a forward pass.
    pub residual_copies: u32,
    /// The class lets its router be quantised.
    pub quantized_router: bool,
    /// An embedding per layer.
    pub per_layer_input: Option<PerLayerInput>,
    /// Several copies of the hidden states, and a low-rank residual.
    pub alt_up: Option<AltUp>,
    /// The class never hands `--kv-cache-dtype` to its attention: the cache stays in the model's type (Falcon).
    pub kv_in_model_type: bool,
    /// What stands on every pipeline stage, not just on the first or the last.
    pub every_stage: EveryStage,
    /// It pools: by itself, or because `--runner` says so.
    pub pooling: Option<Pooling>,
    /// What it does where nobody says `--runner`.
    pub unasked: Unasked,
    /// The checkpoint is float32, which vLLM narrows: to float16 where it pools.
    pub narrowed: bool,
    /// How the checkpoint is quantised.
    pub quantization: Option<Quantization>,
    /// No figures of vLLM's own classes lie in the tests for this architecture.
    pub unchecked: bool,
    /// The repository brings its own code, and vLLM does not know the architecture otherwise.
    pub needs_remote_code: bool,
}

impl ModelSpec {
    /// Layers in all.
    pub fn num_hidden_layers(&self) -> u32 {
        self.layers.iter().map(|run| run.count).sum()
    }

    /// Feed-forward of the first layer that has a dense one.
    pub fn mlp(&self) -> Option<DenseMlp> {
        self.layers.iter().find_map(|run| run.mlp.dense)
    }

    /// Experts of the first layer that has any.
    pub fn moe(&self) -> Option<Moe> {
        self.layers.iter().find_map(|run| run.mlp.moe)
    }

    /// Parameters as published: unpadded, unsharded, a quantised weight counted as one.
    pub fn parameters(&self) -> u64 {
        let h = u64::from(self.hidden_size);
        let norm = h * if self.norms.bias { 2 } else { 1 };
        let alt_up = self.alt_up.map_or((0, 0), |alt_up| alt_up.parameters(h));
        let (connections, last) = self.connection_parameters();
        let layer = |run: &LayerRun| {
            self.mixer_parameters(&run.mixer)
                + alt_up.0
                + self
                    .per_layer_input
                    .map_or(0, |p| 2 * h * u64::from(p.hidden_size_per_layer_input))
                + norm * u64::from(self.norms.of(run))
                + u64::from(self.norms.scalars_per_layer)
                + self.mlp_parameters(&run.mlp)
                + connections
        };
        let layers: u64 = self
            .layers
            .iter()
            .map(|run| u64::from(run.count) * layer(run))
            .sum();
        let embedding = u64::from(self.vocab_size) * h;
        let per_layer = self.per_layer_input.map_or(0, |p| {
            let one = u64::from(p.hidden_size_per_layer_input);
            let all = one * u64::from(self.num_hidden_layers());
            all * (u64::from(p.vocab_size_per_layer_input) + h) + one
        });
        let head = self.pooling.is_none() && !self.tie_word_embeddings;
        let heads = if head { 2 } else { 1 };
        let positions = self
            .positions
            .map_or(0, |p| (u64::from(p.rows) + u64::from(p.token_types)) * h);
        let classifier = self.pooling.and_then(|pooling| pooling.classifier);
        let outer = u64::from(self.norms.embedding) + u64::from(self.norms.last);
        embedding * heads
            + bias(self.lm_head_bias, u64::from(self.vocab_size))
            + positions
            + classifier.map_or(0, |classifier| classifier.elements(h, 1))
            + layers
            + norm * outer
            + last
            + per_layer
            + alt_up.1
    }

    /// With the layer that drafts tokens, if this architecture has one: a decoder layer like its last one with full
    /// attention. vLLM shares embedding and output with it. It stays in 16 bits in all but block-FP8 checkpoints.
    #[must_use]
    pub fn with_draft(mut self) -> Self {
        let draft = match self.architecture.as_str() {
            name if name.starts_with("Qwen3_5") || name == "Qwen3NextForCausalLM" => Draft::Split,
            "DeepseekV3ForCausalLM" | "Glm4MoeForCausalLM" => Draft::Whole,
            _ => return self,
        };
        let full = |run: &&LayerRun| {
            matches!(
                run.mixer,
                Mixer::Attention(_, AttentionSpan::Full) | Mixer::Mla(_)
            )
        };
        let Some(mut layer) = self.layers.iter().rev().find(full).copied() else {
            return self;
        };
        layer.count = 1;
        let scheme = self.quantization.as_ref().map(|q| q.scheme);
        if !matches!(scheme, Some(LinearScheme::Fp8Block { .. })) {
            layer.quantized = Quantized::default();
        }
        self.layers.push(layer);
        self.draft = Some(draft);
        self
    }

    /// With every linear layer quantised while loading. Only for a checkpoint that is not quantised.
    #[must_use]
    pub fn with_online(mut self, quantization: Quantization) -> Self {
        for run in &mut self.layers {
            let (moe, dense) = (run.mlp.moe.is_some(), run.mlp.dense.is_some());
            run.quantized = Quantized {
                qkv: true,
                o: true,
                gate_up: dense,
                down: dense,
                experts: moe,
                shared: moe,
                router: moe && self.quantized_router,
                gate: true,
                latent: moe,
                per_layer: self.per_layer_input.is_some(),
                others: OtherSchemes::default(),
                indexer: true,
            };
        }
        self.quantization = Some(quantization);
        if let Ok(tower) = &mut self.tower {
            tower.quantize();
        }
        self
    }

    /// As vLLM makes it with `--runner pooling`: without an output head (`models/adapters.py: as_embedding_model`).
    #[must_use]
    pub fn with_pooling(mut self, pooling: Pooling) -> Self {
        self.pooling = Some(pooling);
        self.lm_head_bias = false;
        if self.narrowed {
            self.dtype = FloatDtype::Float16;
        }
        self
    }

    /// Nothing is cached: every layer attends in both directions.
    pub fn keeps_no_cache(&self) -> bool {
        self.layers
            .iter()
            .all(|run| matches!(run.mixer, Mixer::Attention(_, AttentionSpan::Both) | Mixer::None))
    }

    /// Weights make one stream of hidden states in the end (DeepSeek V4); else it is a sum.
    pub fn ends_streams(&self) -> bool {
        self.hyper_streams > 1
            && self
                .layers
                .iter()
                .any(|run| matches!(run.mixer, Mixer::Compressed(_)))
    }

    /// Of a layer's hyper-connections, and of what ends them.
    fn connection_parameters(&self) -> (u64, u64) {
        let (streams, h) = (u64::from(self.hyper_streams), u64::from(self.hidden_size));
        if streams < 2 {
            return (0, 0);
        }
        let (mixes, width) = ((2 + streams) * streams, streams * h);
        let last = if self.ends_streams() {
            streams * (width + 1) + 1
        } else {
            0
        };
        (2 * (mixes * (width + 1) + 3), last)
    }

    fn mixer_parameters(&self, mixer: &Mixer) -> u64 {
        let h = u64::from(self.hidden_size);
        match mixer {
            Mixer::Attention(a, _) => {
                let d = u64::from(a.head_dim);
                let (heads, kv_heads) = (u64::from(a.num_attention_heads), u64::from(a.num_key_value_heads));
                let (q, kv) = (heads * d, kv_heads * d);
                let value = u64::from(a.v_head_dim);
                let keys = if a.shares_kv { 0 } else { kv + kv_heads * value };
                let qk_norm = match a.qk_norm {
                    QkNorm::None => 0,
                    QkNorm::PerHead if a.shares_kv => d,
                    QkNorm::PerHead => 2 * d,
                    QkNorm::AllHeads | QkNorm::AllHeadsSharded | QkNorm::EachHead => q + kv,
                };
                let sinks = bias(a.sinks, heads);
                let index = u64::from(a.index_dim) * (h * (kv_heads + 1) + 2);
                let queries = if a.output_gate { 2 * q } else { q };
                h * (queries + keys + heads * u64::from(a.gate_per_head))
                    + heads * value * h
                    + bias(a.qkv_bias, queries + keys)
                    + bias(a.o_bias, h)
                    + qk_norm
                    + sinks
                    + if a.index_dim > 0 { index } else { 0 }
            }
            Mixer::None => 0,
            Mixer::Mamba1(mamba) => {
                let channels = u64::from(mamba.intermediate_size);
                let (state, rank) = (u64::from(mamba.state_size), u64::from(mamba.time_step_rank));
                let projections = 3 * h + 2 * rank + 3 * state + u64::from(mamba.conv_kernel);
                channels * (projections + 2)
                    + bias(mamba.conv_bias, channels)
                    + bias(mamba.proj_bias, 2 * channels + h)
                    + bias(mamba.norms, rank + 2 * state)
            }
            Mixer::ShortConv(conv) => {
                let dim = u64::from(conv.conv_dim);
                dim * (4 * dim + u64::from(conv.conv_l_cache)) + bias(conv.conv_bias, 5 * dim)
            }
            Mixer::Compressed(layer) => layer.parameters(h),
            Mixer::Kda(kda) => kda.parameters(h),
            Mixer::Mamba2(mamba) => {
                let (channels, matrices) = mamba.widths(1);
                let heads = u64::from(mamba.mamba_num_heads);
                let conv = channels + 2 * matrices;
                h * (2 * channels + 2 * matrices + heads)
                    + conv * u64::from(mamba.conv_kernel)
                    + bias(mamba.conv_bias, conv)
                    + channels * h
                    + 3 * heads
                    + channels
            }
            Mixer::GatedDeltaNet(gdn) => {
                let (key, value) = gdn.widths();
                let heads = u64::from(gdn.linear_num_value_heads);
                let conv = (2 * key + value) * u64::from(gdn.linear_conv_kernel_dim);
                h * (2 * key + 2 * value + 2 * heads)
                    + conv
                    + value * h
                    + 2 * heads
                    + u64::from(gdn.linear_value_head_dim)
            }
            Mixer::Mla(mla) => {
                let heads = u64::from(mla.num_attention_heads);
                let (nope, rope, value) = (
                    u64::from(mla.qk_nope_head_dim),
                    u64::from(mla.qk_rope_head_dim),
                    u64::from(mla.v_head_dim),
                );
                let latent = u64::from(mla.kv_lora_rank);
                let queries = match mla.q_lora_rank.map(u64::from) {
                    Some(rank) => h * rank + rank + rank * heads * (nope + rope),
                    None => h * heads * (nope + rope),
                };
                let keys = h * (latent + rope) + latent + latent * heads * (nope + value);
                let rank = u64::from(mla.q_lora_rank.unwrap_or(0));
                let indexer = mla.sparse.map_or(0, |index| index.parameters(h, rank));
                let gate = bias(mla.output_gate, h * heads * value);
                queries + keys + heads * value * h + gate + indexer
            }
        }
    }

    fn mlp_parameters(&self, mlp: &FeedForward) -> u64 {
        let h = u64::from(self.hidden_size);
        let dense = mlp.dense.map_or(0, |mlp| {
            let width = u64::from(mlp.intermediate_size);
            let ups = if mlp.gated { 2 } else { 1 };
            h * width * (ups + 1) + bias(mlp.bias, width * ups + h)
        });
        let experts = mlp.moe.map_or(0, |moe| {
            let matrices = if moe.gated { 3 } else { 2 };
            let experts = u64::from(moe.num_experts);
            let inner = moe.inner_size(self.hidden_size);
            let latent = moe.latent.map_or(0, |latent| {
                2 * h * inner + bias(latent.norm, inner) + bias(latent.bias, h + inner)
            });
            let shared = moe.shared.map_or(0, |s| {
                matrices * h * u64::from(s.intermediate_size) + bias(s.gate, h)
            });
            let width = u64::from(moe.moe_intermediate_size);
            experts * matrices * inner * width
                + latent
                + experts * h
                + bias(moe.bias, experts * (2 * width + h + 1))
                + bias(moe.correction_bias, experts)
                + bias(moe.router_scales, h + experts + 1)
                + bias(
                    moe.hashed,
                    u64::from(self.vocab_size) * u64::from(moe.num_experts_per_tok),
                )
                + shared
        });
        dense + experts
    }

    /// Parameters that one token passes.
    pub fn active_parameters(&self) -> u64 {
        let idle = |run: &LayerRun| {
            run.mlp.moe.map_or(0, |moe| {
                let experts = u64::from(moe.num_experts.saturating_sub(moe.num_experts_per_tok));
                let matrices = if moe.gated { 3 } else { 2 };
                u64::from(run.count)
                    * experts
                    * matrices
                    * moe.inner_size(self.hidden_size)
                    * u64::from(moe.moe_intermediate_size)
            })
        };
        self.parameters()
            .saturating_sub(self.layers.iter().map(idle).sum())
    }
}

fn bias(there: bool, elements: u64) -> u64 {
    if there { elements } else { 0 }
}
