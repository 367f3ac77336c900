//! What a step makes each rank read and compute, before any hardware is known.
use crate::{
    gpu::XPU,
    memory::{
        budget::RankBudget,
        shape::{RankShape, stage_layers},
        tensors::TensorClass,
    },
    model::{Attention, AttentionSpan, LayerRun, LinearScheme, Mixer, ModelSpec, Moe},
    units::real,
};

/// The number format in which a product is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// 16-bit floats.
    Half,
    /// 16-bit floats over weights that are unpacked on the way (AWQ, GPTQ, MXFP4 and NVFP4 through Marlin).
    Unpacked,
    /// 8-bit floats with one scale per tensor or channel.
    Fp8,
    /// 8-bit floats with a scale per block.
    Fp8Block,
    /// 8-bit integers.
    Int8,
    /// 4-bit floats.
    Fp4,
}

/// Layers that attend over cached tokens, alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AttentionWork {
    /// How many layers.
    pub layers: f64,
    /// Query heads of a rank times the sizes of a key and of a value: multiply-adds of one pair of tokens.
    pub per_pair: f64,
    /// Bytes that a cached token takes in one layer.
    pub cached_bytes: f64,
    /// How far it looks back, in tokens.
    pub span: Option<f64>,
}

/// Layers with routed experts, alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExpertWork {
    /// How many layers.
    pub layers: f64,
    /// Routed experts in all.
    pub experts: f64,
    /// Experts per token.
    pub per_token: f64,
    /// The part of each expert that a rank holds (tensor parallelism), or the part of the experts (expert parallelism).
    pub share: f64,
    /// Parameters of one expert.
    pub parameters: f64,
}

/// One rank's part of a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Work {
    /// Mixers and feed-forwards: two in most layers.
    pub parts: f64,
    /// Layers of latent attention.
    pub latent_layers: f64,
    /// Width.
    pub hidden_size: f64,
    /// Bytes that every step reads: projections, dense feed-forward, shared experts, norms.
    pub dense_bytes: f64,
    /// Multiply-adds that each token makes there.
    pub dense_products: f64,
    /// How they are computed.
    pub dense: Arithmetic,
    /// Output projection: bytes, and multiply-adds of one sampled token.
    pub head_bytes: f64,
    /// Multiply-adds of one sampled token in the output projection.
    pub head_products: f64,
    /// Bytes of all routed experts of the stage.
    pub expert_bytes: f64,
    /// Routed experts.
    pub experts: Vec<ExpertWork>,
    /// How the experts are computed.
    pub routed: Arithmetic,
    /// Attention.
    pub attention: Vec<AttentionWork>,
    /// Bytes of recurrent state that a sequence reads and writes in a step.
    pub state_bytes: f64,
    /// Sums over the ranks of a tensor-parallel group in a step.
    pub reductions: f64,
    /// The share of its layers that lies in the host's memory.
    pub offloaded: f64,
}

impl Work {
    /// Of one rank.
    pub fn of(spec: &ModelSpec, rank: &RankBudget, kv_element: u64, capability: u16) -> Self {
        let shape = rank.shape;
        let tp = real(u64::from(shape.tp));
        let stage = stage_layers(spec, &shape);
        let scheme = spec.quantization.as_ref().map(|quantization| quantization.scheme);
        let of_experts = spec
            .quantization
            .as_ref()
            .map(|quantization| quantization.experts.unwrap_or(quantization.scheme));
        let bytes = |class: TensorClass| {
            let found = rank.weights.iter().find(|(other, _)| *other == class);
            found.map_or(0.0, |(_, bytes)| real(bytes.get()))
        };
        let dense_bytes = [
            TensorClass::Attention,
            TensorClass::LinearAttention,
            TensorClass::Mlp,
            TensorClass::SharedExperts,
            TensorClass::Router,
            TensorClass::Connections,
            TensorClass::Norms,
        ]
        .into_iter()
        .map(bytes)
        .sum();
        let mut work = Self {
            parts: 0.0,
            latent_layers: 0.0,
            hidden_size: real(u64::from(spec.hidden_size)),
            dense_bytes,
            dense_products: 0.0,
            dense: arithmetic(scheme, capability),
            head_bytes: 0.0,
            head_products: 0.0,
            expert_bytes: bytes(TensorClass::Experts),
            experts: Vec::new(),
            routed: arithmetic(of_experts, capability),
            attention: Vec::new(),
            state_bytes: 0.0,
            reductions: 0.0,
            offloaded: 0.0,
        };
        let layers = dense_bytes + work.expert_bytes;
        if layers > 0.0 {
            work.offloaded = (real(rank.offloaded.get()) / layers).min(1.0);
        }
        if shape.is_last() && spec.pooling.is_none() {
            work.head_bytes = if spec.tie_word_embeddings {
                bytes(TensorClass::Embedding)
            } else {
                bytes(TensorClass::LmHead)
            };
            work.head_products = real(u64::from(spec.vocab_size)) * work.hidden_size / tp;
        }
        for run in &stage {
            work.add(spec, run, &shape, kv_element);
        }
        // Read and written.
        work.state_bytes *= 2.0 * real(rank.layout.state_bytes());
        work
    }

    fn add(&mut self, spec: &ModelSpec, run: &LayerRun, shape: &RankShape, kv_element: u64) {
        let layers = real(u64::from(run.count));
        let tp = real(u64::from(shape.tp));
        let (mixer, feed_forward) = spec.layer_products(run);
        // What mixes streams is whole on every rank.
        self.dense_products += layers * (real(mixer + feed_forward) / tp + real(spec.connection_products()));
        let (mixes, feeds) = (
            u32::from(run.mixer != Mixer::None),
            u32::from(run.mlp.dense.is_some() || run.mlp.moe.is_some()),
        );
        self.parts += layers * f64::from(mixes + feeds);
        if shape.tp > 1 {
            self.reductions += layers * f64::from(mixes + feeds);
        }
        if let Some(moe) = run.mlp.moe {
            self.experts.push(experts(spec, &moe, layers, shape));
        }
        match &run.mixer {
            Mixer::Mla(_) => self.latent_layers += layers,
            mixer if mixer.keeps_state() => self.state_bytes += layers,
            _ => {}
        }
        self.attention.extend(attention(run, shape, kv_element));
        self.attention.extend(index(run));
    }
}

/// Bytes that a draft's layers read for each token behind a sequence; those of a window are few.
pub fn cached_by(draft: &ModelSpec, shape: &RankShape, kv_element: u64) -> f64 {
    let attention = draft
        .layers
        .iter()
        .filter_map(|run| attention(run, shape, kv_element));
    let whole = attention.filter(|attention| attention.span.is_none());
    whole
        .map(|attention| attention.layers * attention.cached_bytes)
        .sum()
}

fn attention(run: &LayerRun, shape: &RankShape, kv_element: u64) -> Option<AttentionWork> {
    let layers = real(u64::from(run.count));
    match &run.mixer {
        Mixer::Attention(a, span) => {
            let heads = (a.num_attention_heads / shape.tp).max(1);
            let kv_heads = (a.num_key_value_heads / shape.tp).max(1);
            let width = u64::from(a.head_dim) + u64::from(a.v_head_dim);
            // In both directions a token looks at all of its prompt, not at half of it, and keeps nothing.
            let (twice, kept) = if *span == AttentionSpan::Both {
                (2, 0)
            } else {
                (1, 1)
            };
            Some(AttentionWork {
                layers,
                per_pair: real(twice * u64::from(heads) * width),
                cached_bytes: real(kept * u64::from(kv_heads) * width * kv_element),
                span: match span {
                    AttentionSpan::Sliding(window) | AttentionSpan::Chunked(window) => {
                        Some(real(u64::from(*window)))
                    }
                    _ => a.groups.map(|groups| real(u64::from(groups.indexer_budget))),
                },
            })
        }
        Mixer::Mla(mla) => {
            let heads = u64::from((mla.num_attention_heads / shape.tp).max(1));
            let latent = u64::from(mla.kv_lora_rank) + u64::from(mla.qk_rope_head_dim);
            let expanded =
                u64::from(mla.qk_nope_head_dim) + u64::from(mla.qk_rope_head_dim) + u64::from(mla.v_head_dim);
            Some(AttentionWork {
                layers,
                per_pair: real(heads * expanded),
                cached_bytes: real(latent * kv_element),
                span: mla.sparse.map(|index| real(u64::from(index.index_topk))),
            })
        }
        Mixer::Compressed(layer) => {
            let heads = u64::from((layer.num_attention_heads / shape.tp).max(1));
            let width = u64::from(layer.head_dim);
            if layer.shared.is_some() {
                // The window, and what the index picked among tokens of 8 bits.
                let picked = if layer.ratio > 0 {
                    layer.index.index_topk
                } else {
                    0
                };
                return Some(AttentionWork {
                    layers,
                    per_pair: real(2 * heads * width),
                    cached_bytes: real(width),
                    span: Some(real(u64::from(layer.sliding_window + picked))),
                });
            }
            Some(AttentionWork {
                layers,
                per_pair: real(2 * heads * width) / f64::from(layer.ratio.max(1)),
                cached_bytes: real(width * kv_element) / f64::from(layer.ratio.max(1)),
                span: None,
            })
        }
        _ => None,
    }
}

/// An index over groups of tokens, or over compressed ones, reads the keys of all of them, on every rank.
fn index(run: &LayerRun) -> Option<AttentionWork> {
    let (heads, dim, ratio, bytes) = match run.mixer {
        Mixer::Attention(
            Attention {
                groups: Some(groups), ..
            },
            _,
        ) => {
            let dim = u64::from(groups.indexer_head_dim);
            let bytes = dim * u64::from(groups.element);
            (groups.indexer_n_heads, dim, groups.indexer_compress_ratio, bytes)
        }
        Mixer::Compressed(layer) if layer.shared.is_some() && layer.index.own => {
            let index = layer.index;
            let dim = u64::from(index.index_head_dim);
            (index.index_n_heads, dim, layer.ratio.max(1), layer.key_bytes())
        }
        _ => return None,
    };
    let ratio = real(u64::from(ratio));
    Some(AttentionWork {
        layers: real(u64::from(run.count)),
        per_pair: real(u64::from(heads) * dim) / ratio,
        cached_bytes: real(bytes) / ratio,
        span: None,
    })
}

fn experts(spec: &ModelSpec, moe: &Moe, layers: f64, shape: &RankShape) -> ExpertWork {
    ExpertWork {
        layers,
        experts: real(u64::from(moe.num_experts)),
        per_token: real(u64::from(moe.num_experts_per_tok)),
        share: 1.0 / real(u64::from(shape.expert_ranks())),
        parameters: real(moe.expert_parameters(spec.hidden_size)),
    }
}

fn arithmetic(scheme: Option<LinearScheme>, capability: u16) -> Arithmetic {
    match scheme {
        None => Arithmetic::Half,
        // On Intel's GPUs too the input stays in 16 bits (`kernels/linear/__init__.py: _POSSIBLE_FP8_KERNELS`).
        Some(LinearScheme::Fp8PerTensor { .. } | LinearScheme::PerChannel8 { float: true, .. })
            if capability < 89 || capability == XPU =>
        {
            Arithmetic::Unpacked
        }
        Some(LinearScheme::Fp8Block { .. } | LinearScheme::Mxfp8) if capability < 89 => Arithmetic::Unpacked,
        Some(LinearScheme::Fp8PerTensor { .. } | LinearScheme::PerChannel8 { float: true, .. }) => {
            Arithmetic::Fp8
        }
        Some(LinearScheme::Fp8Block { .. } | LinearScheme::Mxfp8) => Arithmetic::Fp8Block,
        Some(LinearScheme::PerChannel8 { float: false, .. }) => Arithmetic::Int8,
        Some(LinearScheme::Nvfp4 | LinearScheme::Mxfp4) if (100..XPU).contains(&capability) => {
            Arithmetic::Fp4
        }
        Some(_) => Arithmetic::Unpacked,
    }
}
