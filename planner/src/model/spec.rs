//! A model as the arithmetic needs it: resolved, with nothing left to guess.
use super::{
    Attention, AttentionSpan, ConfigError, DenseMlp, Drafter, EveryStage, FeedForward, LinearScheme, Mixer,
    Moe, Quantization, Tower,
    pooling::{Pooling, Unasked},
};
use crate::units::FloatDtype;
use std::sync::Arc;

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
    /// They draft tokens, and stand behind the model's own layers.
    pub drafts: bool,
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
    pub(super) fn parameters(self, h: u64) -> (u64, u64) {
        let (n, rank) = (u64::from(self.altup_num_inputs), u64::from(self.laurel_rank));
        let layer = n * n + n * n * n + n * h + 2 * h + 2 * rank * h + h;
        (layer, 2 * n.saturating_sub(1) * h * h)
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
        // A shared block's norms come with it.
        if matches!(run.mixer, Mixer::Attention(Attention { block: Some(_), .. }, _)) {
            return 0;
        }
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rope {
    /// Bytes of each distinct cache; 0 where there is no second one.
    pub caches: [u64; 2],
    /// They stay in float32, as they were computed.
    pub float32: bool,
    /// Three axes of positions, interleaved: before 0.32 the first cache covered four times the length.
    pub interleaved: bool,
    /// They cover max_model_len; as read, that of the config.
    pub of_context: bool,
}

/// How a drafting layer projects the hidden state and the embedding of the next token to one width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draft {
    /// Split over the ranks (`qwen3_next_mtp.py`, `qwen3_5_mtp.py`).
    Split,
    /// Whole on every rank (`deepseek_mtp.py`, `glm4_moe_mtp.py`).
    Whole,
    /// Each by itself, split over the ranks; all streams of the target come in (`qwen4_exp/nvidia/mtp.py`).
    Streams,
    /// Whole on every rank, in so many layers one behind the other (`models/inkling/nvidia/mtp.py`).
    Chain {
        /// Layers.
        depths: u32,
        /// Vectors of hidden_size that norm what they are given and give.
        norms: u32,
    },
}

/// Layers of a checkpoint that draft one behind the other, each a token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DraftChain {
    /// The layers.
    pub layers: Vec<LayerRun>,
    /// Norms beside the two of each layer's inputs.
    pub norms: u32,
}

/// A decoder-only model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelSpec {
    /// `architectures[0]`.
    pub architecture: String,
    /// The config names it; else it stands for the config's `model_type`.
    pub named: bool,
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
    /// What versions before 0.30 derive where YaRN stretches the context.
    pub yarn_max_model_len: Option<u32>,
    /// Embedding and output share one tensor.
    pub tie_word_embeddings: bool,
    /// The routed experts run through Marlin, whatever the GPU.
    pub marlin_experts: bool,
    /// Triton's scales of MXFP4 experts on Hopper are padded to an even number of blocks, not to four.
    pub even_mxfp4_scales: bool,
    /// A layer of its own that drafts the next tokens, the last of `layers`.
    pub draft: Option<Draft>,
    /// Layers that may draft, of which as many are loaded as tokens are proposed.
    pub draft_chain: DraftChain,
    /// Bytes of the checkpoint's files, where somebody gave them ([`super::CHECKPOINT_BYTES`]).
    pub checkpoint_bytes: Option<u64>,
    /// A draft with weights of its own beside it.
    pub drafter: Option<Arc<Drafter>>,
    /// Rows of the embedding beyond the vocabulary (Molmo), of a whole one in the output too (Inkling).
    pub more_embeddings: u32,
    /// The embedding is whole on every rank, without padding (Whisper, Inkling).
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
    /// Each stream goes on by itself: nothing mixes them with each other (Hy4).
    pub lone_streams: bool,
    /// Rank of the weights that mix them (Qwen 4); 0 where these are as many as there are pairs (DeepSeek V4).
    pub hyper_rank: u32,
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

    /// All layers that cache: its own, then those of a draft beside it.
    pub fn cached_layers(&self) -> impl Iterator<Item = &LayerRun> {
        let draft = self.drafter.iter().flat_map(|drafter| &drafter.spec.layers);
        self.layers.iter().chain(draft)
    }

    /// Feed-forward of the first layer that has a dense one.
    pub fn mlp(&self) -> Option<DenseMlp> {
        self.layers.iter().find_map(|run| run.mlp.dense)
    }

    /// Experts of the first layer that has any.
    pub fn moe(&self) -> Option<Moe> {
        self.layers.iter().find_map(|run| run.mlp.moe)
    }

    /// With the layer that drafts tokens, if this architecture has one: a decoder layer like its last one with full
    /// attention. vLLM shares embedding and output with it. It stays in 16 bits in all but block-FP8 checkpoints.
    /// Of a chain of such layers, one for each of the proposed `tokens`; all where nobody says how many.
    #[must_use]
    pub fn with_draft(mut self, tokens: Option<u32>) -> Self {
        let chain = &self.draft_chain.layers;
        if !chain.is_empty() {
            let depths = u32::try_from(chain.len()).unwrap_or(u32::MAX);
            let depths = tokens.unwrap_or(depths).min(depths);
            self.layers.extend(chain.iter().take(depths as usize));
            let norms = 2 * depths + self.draft_chain.norms;
            self.draft = Some(Draft::Chain { depths, norms });
            return self;
        }
        let draft = match self.architecture.as_str() {
            name if name.starts_with("Qwen4Exp") => Draft::Streams,
            name if name.starts_with("Qwen3_5") || name == "Qwen3NextForCausalLM" => Draft::Split,
            "DeepseekV3ForCausalLM"
            | "DeepseekV32ForCausalLM"
            | "GlmMoeDsaForCausalLM"
            | "Glm4MoeForCausalLM"
            | "Glm4MoeLiteForCausalLM"
            | "MiMoForCausalLM" => Draft::Whole,
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
        layer.drafts = true;
        // It always picks tokens itself.
        if let Mixer::Mla(mla) = &mut layer.mixer
            && let Some(index) = &mut mla.sparse
        {
            index.own = true;
        }
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
        let alone = quantization.of_experts_alone();
        for run in self.layers.iter_mut().chain(&mut self.draft_chain.layers) {
            let (moe, dense) = (run.mlp.moe.is_some(), run.mlp.dense.is_some());
            // Nomic's are parameters of the class's own, which no method reaches (`models/bert_with_rope.py: NomicMoE`).
            let routed = run.mlp.moe.is_some_and(|moe| !moe.output_bias);
            if alone {
                run.quantized.experts = routed;
                continue;
            }
            run.quantized = Quantized {
                qkv: true,
                o: true,
                gate_up: dense,
                down: dense,
                experts: routed,
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
        if let Ok(tower) = &mut self.tower
            && !alone
        {
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

    /// Weights make one stream of hidden states in the end (DeepSeek V4, Hy4); else it is a sum.
    pub fn ends_streams(&self) -> bool {
        let compressed =
            |run: &LayerRun| matches!(run.mixer, Mixer::Compressed(layer) if layer.shared.is_none());
        self.hyper_rank > 0
            || self.hyper_streams > 1 && (self.lone_streams || self.layers.iter().any(compressed))
    }

    /// It has hyper-connections where the model has: a drafting layer has one stream, save Qwen 4's.
    pub fn connected(&self, run: &LayerRun) -> bool {
        !run.drafts || self.hyper_rank > 0
    }

    /// Numbers that a half of a layer computes to join its streams and to part them again, and scales of those.
    pub fn stream_mixes(&self) -> [u64; 2] {
        let streams = u64::from(self.hyper_streams);
        if self.lone_streams {
            return [2 * streams, 2];
        }
        [(2 + streams) * streams, 3]
    }
}
