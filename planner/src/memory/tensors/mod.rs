//! Every tensor that a rank holds, by class, in the order in which vLLM creates them.
//!
//! Mirrors `vllm/model_executor/layers/{linear,vocab_parallel_embedding}.py`, `layers/fused_moe/layer.py` and the
//! `create_weights` methods of `layers/quantization/` at 0.33.0. Sizes are what a rank allocates: sharded, replicated
//! and padded, not a share of a total.
mod alt_up;
mod attention;
mod compressed;
mod drafter;
mod experts;
mod feed_forward;
mod gated_deltanet;
mod kda;
mod latent;
mod linear;
mod mamba1;
mod mamba2;
mod marlin;
mod per_layer_input;
mod shared_block;
mod short_conv;
mod tower;

use self::linear::Linear;
pub use self::tower::TowerPlace;
use super::{
    shape::{RankShape, stage_layers},
    sparse_latent::LayerBuffers,
};
use crate::model::{Draft, LayerRun, LinearScheme, Mixer, ModelSpec, OtherSchemes};
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
    /// Hyper-connections between streams of hidden states.
    Connections,
    /// No tensors of the model: what the attention's kernels keep from loading on.
    Buffers,
    /// Norms.
    Norms,
    /// Output projection.
    LmHead,
    /// Cached rotary embeddings.
    Rope,
    /// Vision or audio tower with its projector.
    Vision,
    /// A draft with weights of its own.
    Draft,
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
    /// Bytes of what it is made from while loading and that is freed then; 0 where it is read as it stays.
    pub source: u64,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Place in the layout.
    pub shape: RankShape,
    /// Type of what is not quantised.
    pub dtype: FloatDtype,
    /// Compute capability as 90 for 9.0: below 8.9 FP8 weights run through Marlin, which widens their scales.
    pub capability: u16,
    /// How the tower lies; `None` leaves it out (`--language-model-only`).
    pub tower: Option<TowerPlace>,
    /// What attention's kernels keep.
    pub buffers: LayerBuffers,
    /// What is quantised while loading is so weight by weight, 16 bits wide for that moment alone.
    pub streams_online: bool,
}

/// All tensors of a rank.
pub fn tensors(spec: &ModelSpec, place: &Placement) -> Vec<TensorRun> {
    let shape = place.shape;
    let builder = Builder {
        spec,
        place,
        element: place.dtype.size(),
        others: OtherSchemes::default(),
    };
    let mut runs = Vec::with_capacity(spec.layers.len() + 2);
    if let Ok(tower) = &spec.tower
        && let Some(place) = place.tower.or(tower.always.then_some(TowerPlace::default()))
        && (shape.is_first() || place.every_stage || tower.always)
    {
        builder.tower(tower, place, &mut runs);
    }
    let tied_last = spec.tie_word_embeddings && shape.is_last();
    let LayerBuffers {
        picked, workspace, ..
    } = place.buffers;
    if picked + workspace > 0 {
        runs.push(TensorRun {
            layers: 1,
            tensors: [picked, workspace]
                .map(|bytes| loaded(TensorClass::Buffers, bytes))
                .into(),
        });
    }
    if shape.is_first() || tied_last || spec.every_stage.embedding {
        runs.push(TensorRun {
            layers: 1,
            tensors: builder.head(),
        });
    }
    if spec.per_layer_input.is_some() {
        // Every stage has it.
        runs.push(TensorRun {
            layers: 1,
            tensors: builder.per_layer_embedding(),
        });
        runs.push(TensorRun {
            layers: 1,
            tensors: builder.alt_up_projections(),
        });
    }
    let mut cached = false;
    let stage = stage_layers(spec, &shape);
    // Layers of a kind come again and again; what they hold is made once.
    let mut made: Vec<(&LayerRun, usize)> = Vec::new();
    for run in &stage {
        let known = made.iter().find(|(other, _)| weigh_alike(other, run));
        let known = known.and_then(|(_, at)| runs.get(*at));
        let make = || {
            let builder = Builder {
                others: run.quantized.others,
                ..builder
            };
            let mut tensors = builder.layer(run);
            tensors.retain(|tensor| tensor.bytes + tensor.loaded > 0 && tensor.count > 0);
            tensors
        };
        let tensors = known.map_or_else(make, |alike| alike.tensors.clone());
        let new = known.is_none();
        let mut layers = u64::from(run.count);
        if !cached
            && matches!(
                run.mixer,
                Mixer::Attention(..) | Mixer::Mla(_) | Mixer::Compressed(_)
            )
        {
            cached = true;
            // The first attention layer creates the cache that all others share, behind its projections.
            let caches = spec.rope.caches.iter().filter(|bytes| **bytes > 0);
            let cache = |bytes: &u64| Tensor {
                source: if spec.rope.float32 { 0 } else { bytes * 2 },
                ..whole(TensorClass::Rope, *bytes, 1)
            };
            let other = |tensor: &Tensor| tensor.class != TensorClass::Attention;
            let at = tensors.iter().position(other).unwrap_or(tensors.len());
            let mut first = tensors.clone();
            first.splice(at..at, caches.map(cache));
            runs.push(TensorRun {
                layers: 1,
                tensors: first,
            });
            layers -= 1;
        }
        if layers == 0 {
            continue;
        }
        if new {
            made.push((run, runs.len()));
        }
        runs.push(TensorRun { layers, tensors });
    }
    let mut last = builder.tail();
    builder.last_connection(&mut last);
    if !last.is_empty() {
        runs.push(TensorRun {
            layers: 1,
            tensors: last,
        });
    }
    if (shape.is_first() || spec.every_stage.embedding) && spec.scalar_buffers > 0 {
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
    if let Some(own) = spec.drafter.as_deref().filter(|_| shape.is_last()) {
        drafter::drafter(own, spec, place, &mut runs);
    }
    runs
}

/// Layers with the same tensors: how far they look back does not matter.
fn weigh_alike(a: &LayerRun, b: &LayerRun) -> bool {
    let mixers = match (&a.mixer, &b.mixer) {
        (Mixer::Attention(a, _), Mixer::Attention(b, _)) => a == b,
        (a, b) => a == b,
    };
    mixers && a.mlp == b.mlp && a.quantized == b.quantized && a.drafts == b.drafts
}

fn whole(class: TensorClass, bytes: u64, count: u64) -> Tensor {
    Tensor {
        class,
        bytes,
        loaded: bytes,
        count,
        source: 0,
    }
}

/// A buffer that is no tensor of the model, but is there once it is loaded.
fn loaded(class: TensorClass, bytes: u64) -> Tensor {
    Tensor {
        class,
        bytes: 0,
        loaded: bytes,
        count: 1,
        source: 0,
    }
}

struct Builder<'a> {
    spec: &'a ModelSpec,
    place: &'a Placement,
    element: u64,
    /// Schemes of the layer at hand that differ from the main one.
    others: OtherSchemes,
}

impl Builder<'_> {
    fn scheme(&self, class: TensorClass, main: LinearScheme) -> LinearScheme {
        let other = match class {
            TensorClass::Attention | TensorClass::LinearAttention => self.others.mixer,
            TensorClass::Mlp => self.others.dense,
            TensorClass::Experts => self.others.experts,
            TensorClass::SharedExperts => self.others.shared,
            _ => None,
        };
        other.unwrap_or(main)
    }

    fn tp(&self) -> u64 {
        u64::from(self.place.shape.tp)
    }

    /// Rows padded to 64, then split (`DEFAULT_VOCAB_PADDING_SIZE`).
    fn rows(&self, class: TensorClass) -> u64 {
        let (embedding, spec) = (class == TensorClass::Embedding, self.spec);
        let more = if embedding || spec.whole_embedding {
            spec.more_embeddings
        } else {
            0
        };
        let rows = u64::from(spec.vocab_size) + u64::from(more);
        if embedding && spec.whole_embedding {
            rows
        } else {
            rows.next_multiple_of(64) / self.tp()
        }
    }

    fn embedding(&self, class: TensorClass) -> Tensor {
        let bytes = self.rows(class) * u64::from(self.spec.hidden_size) * self.element;
        whole(class, bytes, 1)
    }

    /// What stands before the layers.
    fn head(&self) -> Vec<Tensor> {
        let h = u64::from(self.spec.hidden_size) * self.element;
        let class = TensorClass::Embedding;
        let mut out = vec![self.embedding(class)];
        if let Some(positions) = self.spec.positions {
            let rows = u64::from(positions.rows);
            let kept = if positions.split {
                rows.next_multiple_of(64) / self.tp()
            } else {
                rows
            };
            out.push(whole(class, kept * h, 1));
            if positions.split {
                let types = u64::from(positions.token_types).next_multiple_of(64);
                out.push(whole(class, types / self.tp() * h, 1));
            }
            if positions.mask {
                out.push(whole(class, rows * rows, 1));
            }
        }
        if self.spec.norms.embedding {
            let vectors = if self.spec.norms.bias { 2 } else { 1 };
            out.push(whole(TensorClass::Norms, h, vectors));
        }
        if let Some(positions) = self.spec.positions.filter(|positions| positions.split) {
            // The numbers of the positions, as int64.
            out.push(whole(class, u64::from(positions.rows) * 8, 1));
        }
        out
    }

    fn layer(&self, run: &LayerRun) -> Vec<Tensor> {
        let mut out = Vec::with_capacity(16);
        match &run.mixer {
            Mixer::Attention(attention, _) => self.attention(run, attention, &mut out),
            Mixer::Mla(mla) => self.latent(run, mla, &mut out),
            Mixer::Kda(kda) => self.kda(run, kda, &mut out),
            Mixer::Compressed(layer) => self.compressed(run, layer, &mut out),
            Mixer::GatedDeltaNet(gdn) => self.linear_attention(run, gdn, &mut out),
            Mixer::Mamba2(mamba) => self.mamba(run, mamba, &mut out),
            Mixer::Mamba1(mamba) => self.mamba1(mamba, &mut out),
            Mixer::ShortConv(conv) => self.short_conv(run, conv, &mut out),
            Mixer::None => {}
        }
        self.dense(run, &mut out);
        self.moe(run, &mut out);
        self.alt_up_layer(run, &mut out);
        self.per_layer_projections(run, &mut out);
        let h = u64::from(self.spec.hidden_size) * self.element;
        let vectors = u64::from(self.spec.norms.of(run)) * if self.spec.norms.bias { 2 } else { 1 };
        out.push(whole(TensorClass::Norms, h, vectors));
        out.push(whole(
            TensorClass::Norms,
            self.element,
            u64::from(self.spec.norms.scalars_per_layer),
        ));
        self.connections(run, &mut out);
        out
    }

    /// What stands behind the layers of this stage.
    fn tail(&self) -> Vec<Tensor> {
        let spec = self.spec;
        let h = u64::from(spec.hidden_size) * self.element;
        let mut out = Vec::with_capacity(3);
        let last = self.place.shape.is_last();
        if last || spec.every_stage.norm {
            let vectors = u64::from(spec.norms.last) * if spec.norms.bias { 2 } else { 1 };
            out.push(whole(TensorClass::Norms, h, vectors));
        }
        if let Some(draft) = spec.draft.filter(|_| last) {
            let ranks = if matches!(draft, Draft::Split | Draft::Streams) {
                self.tp()
            } else {
                1
            };
            // Streams have a projection and a norm for each input, as wide as that.
            let (inputs, projections, norms) = match draft {
                Draft::Chain { depths, norms } => (2, depths, norms),
                Draft::Split | Draft::Whole => (2, 1, 3),
                Draft::Streams => (1, 2, 1 + spec.hyper_streams),
            };
            let width = u64::from(spec.hidden_size);
            out.push(whole(
                TensorClass::Mlp,
                inputs * width * width / ranks * self.element,
                u64::from(projections),
            ));
            out.push(whole(TensorClass::Norms, h, u64::from(norms)));
            if draft == Draft::Streams {
                // What the target's last mix leaves for it.
                let states = self.place.buffers.tokens * h * u64::from(spec.hyper_streams);
                out.push(loaded(TensorClass::Buffers, states));
            }
        }
        if !last && !spec.every_stage.head {
            return out;
        }
        if let Some(pooling) = spec.pooling {
            let elements = pooling
                .classifier
                .map_or(0, |c| c.elements(u64::from(spec.hidden_size), self.tp()));
            out.push(whole(TensorClass::LmHead, elements * 4, 1));
            out.push(whole(TensorClass::LmHead, pooling.projector * self.element, 1));
        } else if !spec.tie_word_embeddings {
            if spec.quantization.as_ref().is_some_and(|q| q.lm_head) {
                let k = u64::from(spec.hidden_size);
                let class = TensorClass::LmHead;
                self.linear(&Linear::plain(class, &[self.rows(class)], k, k, true), &mut out);
            } else {
                out.push(self.embedding(TensorClass::LmHead));
            }
        }
        if spec.lm_head_bias {
            let rows = u64::from(spec.vocab_size).next_multiple_of(64) / self.tp();
            out.push(whole(TensorClass::LmHead, rows * self.element, 1));
        }
        out.retain(|tensor| tensor.bytes + tensor.loaded > 0);
        out
    }
}
