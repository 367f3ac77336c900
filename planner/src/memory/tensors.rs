//! Every tensor that a rank holds, by class, in the order in which vLLM creates them.
//!
//! Mirrors `vllm/model_executor/layers/{linear,vocab_parallel_embedding}.py`, `layers/fused_moe/layer.py` and the
//! `create_weights` methods of `layers/quantization/` at 0.33.0. Sizes are what a rank allocates: sharded, replicated
//! and padded, not a share of a total.
use super::shape::{RankShape, stage_layers};
use crate::model::{
    Attention, GatedDeltaNet, LayerRun, LinearScheme, Mamba2, Mixer, Mla, MlpKind, ModelSpec, QkNorm,
};
use crate::units::FloatDtype;

/// What a tensor belongs to; the page splits weights by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TensorClass {
    /// Token embedding.
    Embedding,
    /// Query, key, value and output projections with their scales.
    Attention,
    /// Linear attention: projections, convolution, decay.
    LinearAttention,
    /// Dense feed-forward.
    Mlp,
    /// Routed experts.
    Experts,
    /// Experts that every token passes.
    SharedExperts,
    /// Router.
    Router,
    /// Norms.
    Norms,
    /// Output projection.
    LmHead,
    /// Cached rotary embeddings.
    Rope,
}

/// Equal tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// What it belongs to.
    pub class: TensorClass,
    /// Bytes of one after construction.
    pub bytes: u64,
    /// Bytes of one after the kernel has prepared it; 0 where it is dropped.
    pub loaded: u64,
    /// How many, one after the other within a layer.
    pub count: u64,
}

/// The tensors of one layer, and how often the layer comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorRun {
    /// How many layers, 1 for what stands outside them.
    pub layers: u64,
    /// In order of creation.
    pub tensors: Vec<Tensor>,
}

/// What the weights depend on besides the model.
#[derive(Clone, Copy, Debug)]
pub struct Placement {
    /// Place in the layout.
    pub shape: RankShape,
    /// Type of what is not quantised.
    pub dtype: FloatDtype,
    /// Compute capability as 90 for 9.0: below 8.9 FP8 weights run through Marlin, which widens their scales.
    pub capability: u16,
}

/// All tensors of a rank.
pub fn tensors(spec: &ModelSpec, place: &Placement) -> Vec<TensorRun> {
    let shape = place.shape;
    let builder = Builder {
        spec,
        place,
        element: place.dtype.size(),
    };
    let mut runs = Vec::with_capacity(spec.layers.len() + 2);
    let tied_last = spec.tie_word_embeddings && shape.is_last();
    if shape.is_first() || tied_last {
        runs.push(TensorRun {
            layers: 1,
            tensors: vec![builder.embedding(TensorClass::Embedding)],
        });
    }
    for (index, run) in stage_layers(spec, &shape).iter().enumerate() {
        let mut tensors = builder.layer(run);
        if index == 0 {
            // The first attention layer creates the cache that all others share.
            let caches = spec.rope.caches.iter().filter(|bytes| **bytes > 0);
            let tensors = caches.map(|bytes| whole(TensorClass::Rope, *bytes, 1)).collect();
            runs.push(TensorRun { layers: 1, tensors });
        }
        tensors.retain(|tensor| tensor.bytes + tensor.loaded > 0 && tensor.count > 0);
        runs.push(TensorRun {
            layers: u64::from(run.count),
            tensors,
        });
    }
    if shape.is_last() {
        runs.push(TensorRun {
            layers: 1,
            tensors: builder.tail(),
        });
    }
    if shape.is_first() && spec.scalar_buffers > 0 {
        let scalar = whole(
            TensorClass::Norms,
            builder.element,
            u64::from(spec.scalar_buffers),
        );
        runs.push(TensorRun {
            layers: 1,
            tensors: vec![scalar],
        });
    }
    runs
}

fn whole(class: TensorClass, bytes: u64, count: u64) -> Tensor {
    Tensor {
        class,
        bytes,
        loaded: bytes,
        count,
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

struct Builder<'a> {
    spec: &'a ModelSpec,
    place: &'a Placement,
    element: u64,
}

/// A linear layer of a rank: `k` inputs, the outputs of its fused shards.
struct Linear<'a> {
    class: TensorClass,
    shards: &'a [u64],
    k: u64,
    /// Experts side by side in one tensor; 1 for a plain layer.
    experts: u64,
    quantized: bool,
    bias: u64,
    /// Whole inputs of the layer where `k` is a share: act-order scales are not cut.
    whole_k: u64,
}

impl<'a> Linear<'a> {
    /// One layer without bias.
    const fn plain(class: TensorClass, shards: &'a [u64], k: u64, whole_k: u64, quantized: bool) -> Self {
        Self {
            class,
            shards,
            k,
            experts: 1,
            quantized,
            bias: 0,
            whole_k,
        }
    }
}

impl Builder<'_> {
    fn tp(&self) -> u64 {
        u64::from(self.place.shape.tp)
    }

    /// Rows padded to 64, then split (`DEFAULT_VOCAB_PADDING_SIZE`).
    fn embedding(&self, class: TensorClass) -> Tensor {
        let rows = u64::from(self.spec.vocab_size).next_multiple_of(64) / self.tp();
        whole(class, rows * u64::from(self.spec.hidden_size) * self.element, 1)
    }

    fn layer(&self, run: &LayerRun) -> Vec<Tensor> {
        let mut out = Vec::with_capacity(16);
        match &run.mixer {
            Mixer::Attention(attention, _) => self.attention(run, attention, &mut out),
            Mixer::Mla(mla) => self.latent(run, mla, &mut out),
            Mixer::GatedDeltaNet(gdn) => self.linear_attention(run, gdn, &mut out),
            Mixer::Mamba2(mamba) => self.mamba(run, mamba, &mut out),
            Mixer::None => {}
        }
        match run.mlp {
            MlpKind::Dense => self.dense(run, &mut out),
            MlpKind::Moe => self.moe(run, &mut out),
            MlpKind::DenseAndMoe => {
                self.dense(run, &mut out);
                self.moe(run, &mut out);
            }
            MlpKind::None => {}
        }
        let h = u64::from(self.spec.hidden_size) * self.element;
        let vectors = u64::from(self.spec.norms.per_layer) * if self.spec.norms.bias { 2 } else { 1 };
        out.push(whole(TensorClass::Norms, h, vectors));
        out.push(whole(
            TensorClass::Norms,
            self.element,
            u64::from(self.spec.norms.scalars_per_layer),
        ));
        out
    }

    fn attention(&self, run: &LayerRun, a: &Attention, out: &mut Vec<Tensor>) {
        let hidden = u64::from(self.spec.hidden_size);
        let d = u64::from(a.head_dim);
        let q = u64::from(a.num_attention_heads) / self.tp() * d;
        // A head is replicated where there are more ranks than heads.
        let kv = (u64::from(a.num_key_value_heads) / self.tp()).max(1) * d;
        let class = TensorClass::Attention;
        let bias = |on: bool, rows: u64| if on { rows } else { 0 };
        let qkv = Linear {
            class,
            shards: &[if a.output_gate { 2 * q } else { q }, kv, kv],
            k: hidden,
            experts: 1,
            quantized: run.quantized.qkv,
            bias: bias(a.qkv_bias, if a.output_gate { 2 * q } else { q } + 2 * kv),
            whole_k: hidden,
        };
        self.linear(&qkv, out);
        let output = Linear {
            class,
            shards: &[hidden],
            k: q,
            experts: 1,
            quantized: run.quantized.o,
            bias: bias(a.o_bias, hidden),
            whole_k: q * self.tp(),
        };
        self.linear(&output, out);
        // Scales of query, key, value and probabilities: float32 scalars, and where the checkpoint could bring its own,
        // scalars in the model's type that are dropped after loading (`layers/quantization/kv_cache.py`).
        out.push(whole(class, 4, 4));
        let method = self.spec.quantization.as_ref().map(|q| q.method);
        let own = match method {
            Some("fp8" | "modelopt" | "modelopt_fp4") => 4,
            Some("compressed-tensors") => 9,
            _ => 0,
        };
        out.push(Tensor {
            class,
            bytes: self.element,
            loaded: 0,
            count: own,
        });
        if a.sinks {
            out.push(whole(
                class,
                u64::from(a.num_attention_heads) / self.tp() * self.element,
                1,
            ));
        }
        let e = self.element;
        match a.qk_norm {
            QkNorm::None => {}
            QkNorm::PerHead => out.push(whole(TensorClass::Norms, d * e, 2)),
            QkNorm::AllHeads => {
                out.push(whole(
                    TensorClass::Norms,
                    u64::from(a.num_attention_heads) * d * e,
                    1,
                ));
                out.push(whole(
                    TensorClass::Norms,
                    u64::from(a.num_key_value_heads) * d * e,
                    1,
                ));
            }
            QkNorm::AllHeadsSharded | QkNorm::EachHead => {
                out.push(whole(TensorClass::Norms, q * e, 1));
                out.push(whole(TensorClass::Norms, kv * e, 1));
            }
        }
    }

    /// `model_executor/layers/mamba/mamba_mixer2.py` at 0.33.0.
    fn mamba(&self, run: &LayerRun, mamba: &Mamba2, out: &mut Vec<Tensor>) {
        let class = TensorClass::LinearAttention;
        let h = u64::from(self.spec.hidden_size);
        let (channels, matrices) = mamba.widths(self.tp());
        let heads = u64::from(mamba.mamba_num_heads) / self.tp();
        let conv = channels + 2 * matrices;
        let linear = |shards: &[u64], k: u64, whole_k: u64, quantized: bool, out: &mut Vec<Tensor>| {
            self.linear(&Linear::plain(class, shards, k, whole_k, quantized), out);
        };
        out.push(whole(
            class,
            conv * u64::from(mamba.conv_kernel) * self.element,
            1,
        ));
        if mamba.conv_bias {
            out.push(whole(class, conv * self.element, 1));
        }
        linear(
            &[channels, channels, matrices, matrices, heads],
            h,
            h,
            run.quantized.qkv,
            out,
        );
        // The decay in float32; skip weight, bias and the norm in the model's type.
        out.push(whole(class, heads * 4, 1));
        out.push(whole(class, heads * self.element, 2));
        out.push(whole(class, channels * self.element, 1));
        linear(&[h], channels, channels * self.tp(), run.quantized.o, out);
    }

    /// `model_executor/layers/mamba/gdn` at 0.33.0.
    fn linear_attention(&self, run: &LayerRun, gdn: &GatedDeltaNet, out: &mut Vec<Tensor>) {
        let class = TensorClass::LinearAttention;
        let h = u64::from(self.spec.hidden_size);
        let (key, value) = gdn.widths();
        let (key, value) = (key / self.tp(), value / self.tp());
        let heads = u64::from(gdn.linear_num_value_heads) / self.tp();
        let linear = |shards: &[u64], k: u64, whole_k: u64, quantized: bool, out: &mut Vec<Tensor>| {
            self.linear(&Linear::plain(class, shards, k, whole_k, quantized), out);
        };
        let conv = (2 * key + value) * u64::from(gdn.linear_conv_kernel_dim);
        out.push(whole(class, conv * self.element, 1));
        linear(&[key, key, value, value], h, h, run.quantized.qkv, out);
        linear(&[heads, heads], h, h, false, out);
        // The decay in float32, its bias and the norm in the model's type.
        out.push(whole(class, heads * self.element, 1));
        out.push(whole(class, heads * 4, 1));
        out.push(whole(
            class,
            u64::from(gdn.linear_value_head_dim) * self.element,
            1,
        ));
        linear(&[h], value, value * self.tp(), run.quantized.o, out);
    }

    /// `model_executor/models/deepseek_v2.py: DeepseekV2MLAAttention`; the first projections are whole on every rank.
    fn latent(&self, run: &LayerRun, mla: &Mla, out: &mut Vec<Tensor>) {
        let h = u64::from(self.spec.hidden_size);
        let heads = u64::from(mla.num_attention_heads) / self.tp();
        let (nope, rope) = (u64::from(mla.qk_nope_head_dim), u64::from(mla.qk_rope_head_dim));
        let (value, latent) = (u64::from(mla.v_head_dim), u64::from(mla.kv_lora_rank));
        let class = TensorClass::Attention;
        let quantized = run.quantized.qkv;
        let linear = |shards: &[u64], k: u64, quantized: bool, out: &mut Vec<Tensor>| {
            self.linear(&Linear::plain(class, shards, k, k, quantized), out);
        };
        let norm = |width: u64| whole(TensorClass::Norms, width * self.element, 1);
        if let Some(rank) = mla.q_lora_rank.map(u64::from) {
            linear(&[rank, latent + rope], h, quantized, out);
            out.push(norm(rank));
            linear(&[heads * (nope + rope)], rank, quantized, out);
        } else {
            linear(&[heads * (nope + rope)], h, quantized, out);
            linear(&[latent + rope], h, quantized, out);
        }
        out.push(norm(latent));
        linear(&[heads * (nope + value)], latent, quantized, out);
        linear(&[h], heads * value, run.quantized.o, out);
        out.push(whole(class, 4, 4));
        let method = self.spec.quantization.as_ref().map(|q| q.method);
        if matches!(method, Some("modelopt" | "modelopt_fp4")) {
            out.push(Tensor {
                class,
                bytes: self.element,
                loaded: 0,
                count: 4,
            });
        }
        if quantized {
            // The absorbed matrices are made from the quantised projection in 16 bits while loading.
            for width in [nope, value] {
                let bytes = heads * width * latent * 2;
                out.push(Tensor {
                    class,
                    bytes: 0,
                    loaded: bytes,
                    count: 1,
                });
            }
        }
    }

    fn dense(&self, run: &LayerRun, out: &mut Vec<Tensor>) {
        let Some(mlp) = self.spec.mlp else { return };
        let width = u64::from(mlp.intermediate_size) / self.tp();
        let shards: &[u64] = if mlp.gated { &[width, width] } else { &[width] };
        let quantized = (run.quantized.gate_up, run.quantized.down);
        self.feed_forward(
            TensorClass::Mlp,
            shards,
            width,
            quantized,
            mlp.bias,
            self.tp(),
            out,
        );
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the shape of one feed-forward, in one place"
    )]
    fn feed_forward(
        &self,
        class: TensorClass,
        shards: &[u64],
        width: u64,
        (up, down): (bool, bool),
        bias: bool,
        ranks: u64,
        out: &mut Vec<Tensor>,
    ) {
        let h = u64::from(self.spec.hidden_size);
        let up_bias = if bias { shards.iter().sum() } else { 0 };
        let down_bias = if bias { h } else { 0 };
        self.linear(
            &Linear {
                class,
                shards,
                k: h,
                experts: 1,
                quantized: up,
                bias: up_bias,
                whole_k: h,
            },
            out,
        );
        let down = Linear {
            class,
            shards: &[h],
            k: width,
            experts: 1,
            quantized: down,
            bias: down_bias,
            whole_k: width * ranks,
        };
        self.linear(&down, out);
    }

    fn moe(&self, run: &LayerRun, out: &mut Vec<Tensor>) {
        let Some(moe) = self.spec.moe else { return };
        let shape = self.place.shape;
        let (h, experts) = (u64::from(self.spec.hidden_size), u64::from(moe.num_experts));
        let wide = moe.wide_router_before_hopper && (1..90).contains(&self.place.capability);
        let router = if wide || moe.router_dtype == FloatDtype::Float32 {
            4
        } else {
            self.element
        };
        if run.quantized.router {
            let class = TensorClass::Router;
            self.linear(&Linear::plain(class, &[experts], h, h, true), out);
        } else {
            out.push(whole(TensorClass::Router, experts * h * router, 1));
        }
        if moe.bias {
            out.push(whole(TensorClass::Router, experts * self.element, 1));
        }
        if moe.router_scales {
            for elements in [h, experts, 1] {
                out.push(whole(TensorClass::Router, elements * self.element, 1));
            }
        }
        if moe.correction_bias {
            out.push(whole(TensorClass::Router, experts * 4, 1));
        }
        if let Some(shared) = moe.shared {
            // Sequence-parallel experts keep the shared ones whole on every rank.
            let ranks = if shape.ep && shape.tp > 1 && shape.dp > 1 {
                1
            } else {
                self.tp()
            };
            let width = u64::from(shared.intermediate_size) / ranks;
            let quantized = (run.quantized.shared, run.quantized.shared);
            let shards: &[u64] = if moe.gated { &[width, width] } else { &[width] };
            self.feed_forward(
                TensorClass::SharedExperts,
                shards,
                width,
                quantized,
                false,
                ranks,
                out,
            );
            if shared.gate {
                out.push(whole(TensorClass::SharedExperts, h * self.element, 1));
            }
        }
        let ranks = u64::from(shape.expert_ranks());
        let (local, width) = if shape.ep && ranks > 1 {
            // Rank 0 takes one of the remainder; a map from global to local experts is kept in int32.
            out.push(whole(TensorClass::Experts, experts * 4, 1));
            (experts.div_ceil(ranks), u64::from(moe.moe_intermediate_size))
        } else {
            (experts, u64::from(moe.moe_intermediate_size) / ranks)
        };
        let class = TensorClass::Experts;
        let quantized = run.quantized.experts;
        let (h, width) = self.expert_padding(h, width, quantized, moe.blackwell_kernel);
        let whole_k = if shape.ep { width } else { width * ranks };
        let shards: &[u64] = if moe.gated { &[width, width] } else { &[width] };
        let up = Linear {
            class,
            shards,
            k: h,
            experts: local,
            quantized,
            bias: 0,
            whole_k: h,
        };
        self.linear(&up, out);
        self.linear(
            &Linear {
                class,
                shards: &[h],
                k: width,
                experts: local,
                quantized,
                bias: 0,
                whole_k,
            },
            out,
        );
        if moe.bias {
            out.push(whole(class, local * 2 * width * self.element, 1));
            out.push(whole(class, local * h * self.element, 1));
        }
    }

    /// What the experts' kernels round a hidden size and a width up to (`layers/fused_moe/oracle/` at 0.33.0).
    fn expert_padding(&self, h: u64, width: u64, quantized: bool, blackwell: bool) -> (u64, u64) {
        let capability = self.place.capability;
        let mxfp4 = self
            .spec
            .quantization
            .as_ref()
            .is_some_and(|q| q.scheme == LinearScheme::Mxfp4);
        match capability {
            90..100 if quantized && mxfp4 => (h, width.next_multiple_of(64)),
            _ if quantized && mxfp4 => (h.next_multiple_of(256), width.next_multiple_of(128)),
            100..110 if !quantized && blackwell => (h, width.next_multiple_of(128)),
            _ => (h, width),
        }
    }

    fn tail(&self) -> Vec<Tensor> {
        let spec = self.spec;
        let h = u64::from(spec.hidden_size) * self.element;
        let mut out = vec![whole(TensorClass::Norms, h, if spec.norms.bias { 2 } else { 1 })];
        if !spec.tie_word_embeddings {
            if spec.quantization.as_ref().is_some_and(|q| q.lm_head) {
                let rows = u64::from(spec.vocab_size).next_multiple_of(64) / self.tp();
                let k = u64::from(spec.hidden_size);
                let class = TensorClass::LmHead;
                self.linear(&Linear::plain(class, &[rows], k, k, true), &mut out);
            } else {
                out.push(self.embedding(TensorClass::LmHead));
            }
        }
        if spec.lm_head_bias {
            let rows = u64::from(spec.vocab_size).next_multiple_of(64) / self.tp();
            out.push(whole(TensorClass::LmHead, rows * self.element, 1));
        }
        out.retain(|tensor| tensor.count > 0);
        out
    }

    fn linear(&self, linear: &Linear<'_>, out: &mut Vec<Tensor>) {
        let class = linear.class;
        match self.spec.quantization.as_ref().filter(|_| linear.quantized) {
            None => {
                let n: u64 = linear.shards.iter().sum();
                out.push(whole(class, linear.experts * n * linear.k * self.element, 1));
            }
            Some(quantization) => self.quantized(linear, quantization.scheme, out),
        }
        if linear.bias > 0 {
            out.push(whole(class, linear.bias * self.element, 1));
        }
    }

    fn quantized(&self, linear: &Linear<'_>, scheme: LinearScheme, out: &mut Vec<Tensor>) {
        let (class, k, e) = (linear.class, linear.k, linear.experts);
        let n: u64 = linear.shards.iter().sum();
        let shards = linear.shards.len() as u64;
        // Below 8.9 there is no FP8 tensor core: Marlin keeps 16-bit scales, one per output and block of inputs.
        let marlin = (1..89).contains(&self.place.capability);
        match scheme {
            LinearScheme::Fp8PerTensor { static_activation } => {
                let online = self
                    .spec
                    .quantization
                    .as_ref()
                    .is_some_and(|q| q.method == "fp8_per_tensor");
                let scales = if online { 1 } else { shards };
                out.push(whole(class, e * n * k, 1));
                let loaded = if marlin { e * n * self.element } else { e * 4 };
                out.push(Tensor {
                    class,
                    bytes: e * scales * 4,
                    loaded,
                    count: 1,
                });
                if static_activation {
                    out.push(Tensor {
                        class,
                        bytes: e * if e > 1 { 1 } else { shards } * 4,
                        loaded: 4,
                        count: 1,
                    });
                }
            }
            LinearScheme::Fp8Block { n: rows, k: columns } => {
                out.push(whole(class, e * n * k, 1));
                let (rows, columns) = (u64::from(rows), u64::from(columns));
                // Experts are cut through blocks where their share is no multiple: the blocks then get smaller.
                let width = k.min(linear.shards.first().copied().unwrap_or(k));
                let (rows, columns) = if e > 1 {
                    (gcd(rows, width), gcd(columns, width))
                } else {
                    (rows, columns)
                };
                let blocks: u64 = linear.shards.iter().map(|shard| shard.div_ceil(rows)).sum();
                let columns = k.div_ceil(columns);
                let loaded = if marlin {
                    e * n * columns * self.element
                } else {
                    e * blocks * columns * 4
                };
                out.push(Tensor {
                    class,
                    bytes: e * blocks * columns * 4,
                    loaded,
                    count: 1,
                });
            }
            LinearScheme::Nvfp4 => {
                out.push(whole(class, e * n * k / 2, 1));
                out.push(whole(class, e * n * (k / 16), 1));
                out.push(whole(class, e * shards * 4, 2));
            }
            LinearScheme::Mxfp4 => {
                out.push(whole(class, e * n * k / 2, 1));
                out.push(whole(class, e * n * k.div_ceil(32), 1));
            }
            LinearScheme::PerChannel8 {
                static_activation,
                float,
            } => {
                out.push(whole(class, e * n * k, 1));
                let loaded = if float && marlin {
                    e * n * self.element
                } else {
                    e * n * 4
                };
                out.push(Tensor {
                    class,
                    bytes: e * n * 4,
                    loaded,
                    count: 1,
                });
                if static_activation {
                    out.push(whole(class, e * 4, 1));
                }
            }
            LinearScheme::PackedInt {
                bits,
                group_size,
                zero_points,
                desc_act,
                compressed_tensors,
            } => {
                let bits = u64::from(bits);
                let scale_k = if desc_act { linear.whole_k } else { k };
                let groups = group_size.map_or(1, |size| scale_k.div_ceil(u64::from(size)));
                out.push(whole(class, e * n * k * bits / 8, 1));
                out.push(whole(class, e * groups * n * self.element, 1));
                let zeros = e * groups * n * bits / 8;
                let awq = self
                    .spec
                    .quantization
                    .as_ref()
                    .is_some_and(|q| q.method == "auto_awq");
                if zero_points || !compressed_tensors {
                    // GPTQ stores zero points even where they are symmetric; Marlin drops those.
                    out.push(Tensor {
                        class,
                        bytes: zeros,
                        loaded: if zero_points { zeros } else { 0 },
                        count: 1,
                    });
                }
                if !awq && (!compressed_tensors || desc_act) {
                    out.push(Tensor {
                        class,
                        bytes: e * k * 4,
                        loaded: if desc_act { e * k * 8 } else { 0 },
                        count: 1,
                    });
                }
                if compressed_tensors {
                    // The unpacked shape: two int64, or two numbers in the model's type per expert.
                    out.push(whole(class, if e > 1 { e * 2 * self.element } else { 16 }, 1));
                }
            }
        }
    }
}
