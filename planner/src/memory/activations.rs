//! What the runner keeps beside the weights, and the transient peak of vLLM's profile run.
//!
//! Mirrors `vllm/v1/worker/gpu/sample/{penalties,sampler,states}.py` and `model_runner.py: profile_run` at 0.33.0.
//! The sampler's part follows from shapes and was held against vLLM's own runner (tests/oracle/activations.json);
//! the forward part was measured there without torch.compile, which makes it a slight upper bound.
use super::shape::RankShape;
use crate::model::{LinearScheme, Mixer, Mla, ModelSpec, QkNorm};
use crate::units::{Bytes, MIB};

/// Bytes per sequence slot for logit bias, bad words, logprob tables and the like.
const SLOT_TABLES: u64 = 18_064;

/// What the peaks depend on besides the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunSettings {
    /// Place in the layout.
    pub shape: RankShape,
    /// max_num_seqs.
    pub max_num_seqs: u32,
    /// max_num_batched_tokens.
    pub max_num_batched_tokens: u32,
    /// The runner keeps sampler state for every slot (from 0.25 on).
    pub sampler_state: bool,
}

/// The runner's memory on one rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunnerMemory {
    /// Sampler state, kept for the life of the engine.
    pub sampler_state: Bytes,
    /// Expert workspace, kept after the profile run.
    pub workspace: Bytes,
    /// Activations that later pipeline stages receive.
    pub intermediate: Bytes,
    /// Peak of a forward pass above all of these.
    pub forward_peak: Bytes,
    /// Peak of the sampler above all of these.
    pub sampler_peak: Bytes,
}

impl RunnerMemory {
    /// Computes them.
    pub fn new(spec: &ModelSpec, run: &RunSettings) -> Self {
        let (n, s) = (u64::from(run.max_num_batched_tokens), u64::from(run.max_num_seqs));
        let rows = s.min(n);
        let (h, v) = (u64::from(spec.hidden_size), u64::from(spec.vocab_size));
        let last = run.shape.is_last();
        let samples = last && spec.pooling.is_none();
        let sampler_state = if samples && run.sampler_state {
            s * (4 * v + 8 * v.div_ceil(32) + SLOT_TABLES)
        } else {
            0
        };
        let intermediate = if run.shape.is_first() { 0 } else { 2 * n * 2 * h };
        // The older runner held a little more: fitted on nine models in 0.19.0 logs, within 0.3 %.
        let older = if run.sampler_state {
            0
        } else {
            42 * MIB + rows * v / 2
        };
        let sampler = if samples {
            14 * rows * v + 2 * n * h + 2 * rows * h + older
        } else {
            0
        };
        Self {
            sampler_state: Bytes::new(sampler_state),
            workspace: Bytes::new(expert_workspace(spec, run)),
            intermediate: Bytes::new(intermediate),
            forward_peak: Bytes::new(forward_peak(spec, run)),
            sampler_peak: Bytes::new(sampler),
        }
    }

    /// What the profile run finds on top of what is kept.
    pub fn activation_peak(&self) -> Bytes {
        self.forward_peak.max(self.sampler_peak)
    }

    /// What stays.
    pub fn persistent(&self) -> Bytes {
        self.sampler_state + self.workspace + self.intermediate
    }

    /// The sampler decides the peak, not the forward pass.
    pub fn sampler_decides(&self) -> bool {
        self.sampler_peak >= self.forward_peak
    }
}

/// Caches of the fused experts' kernels (`layers/fused_moe/modular_kernel.py`); they stay after the profile run.
fn expert_workspace(spec: &ModelSpec, run: &RunSettings) -> u64 {
    let Some(moe) = spec.moe() else { return 0 };
    let tokens = u64::from(run.max_num_batched_tokens) * u64::from(moe.num_experts_per_tok);
    let width = u64::from(moe.moe_intermediate_size)
        / if run.shape.ep {
            1
        } else {
            u64::from(run.shape.expert_ranks())
        };
    let h = moe.inner_size(spec.hidden_size);
    2 * tokens * ((2 * width).max(h) + width.max(h))
}

fn forward_peak(spec: &ModelSpec, run: &RunSettings) -> u64 {
    let (n, h, tp) = (
        u64::from(run.max_num_batched_tokens),
        u64::from(spec.hidden_size),
        u64::from(run.shape.tp),
    );
    let reduced = if tp > 1 { h } else { 0 };
    let a = spec.attention;
    let q = u64::from(a.num_attention_heads) / tp * u64::from(a.head_dim);
    let kv = (u64::from(a.num_key_value_heads) / tp).max(1) * u64::from(a.head_dim);
    let dense = spec
        .mlp()
        .filter(|_| spec.layers.iter().any(|l| l.mlp.dense.is_some()))
        .map_or(0, |mlp| {
            let width = u64::from(mlp.intermediate_size) / tp;
            let copies = u64::from(spec.residual_copies);
            let wide = if mlp.gated { 3 * width } else { 2 * width };
            let block_fp8 = matches!(
                spec.quantization.as_ref().map(|q| q.scheme),
                Some(LinearScheme::Fp8Block { .. })
            );
            let quantized = if block_fp8 { width + width.div_ceil(32) } else { 0 };
            2 * n * (wide + copies * h).max(width + (copies + 1) * h + reduced) + n * quantized
        });
    let experts = spec.moe().map_or(0, |_| {
        let normed = if a.qk_norm == QkNorm::None { 0 } else { q + kv };
        // Hyper-connections read and write every stream.
        let streams = u64::from(spec.hyper_streams);
        2 * n * ((2 * streams + 1) * h + reduced + q + 2 * kv + normed + q)
    });
    // Dense layers come first, before the experts' workspace is there.
    let dense = dense.saturating_sub(expert_workspace(spec, run));
    match spec.layers.first().map(|run| run.mixer) {
        Some(Mixer::Mla(mla)) if !mla.expanded => latent_peak(&mla, n, h, tp).max(dense),
        _ => dense.max(experts),
    }
}

/// Latent attention expands cached latents to keys and values for up to 65536 tokens of a chunk
/// (`model_executor/layers/attention/mla_attention.py`), beside the projections of the step.
fn latent_peak(mla: &Mla, n: u64, h: u64, tp: u64) -> u64 {
    let heads = u64::from(mla.num_attention_heads) / tp;
    let (nope, rope) = (u64::from(mla.qk_nope_head_dim), u64::from(mla.qk_rope_head_dim));
    let expanded = 65_536 * heads * (nope + u64::from(mla.v_head_dim)) * 2;
    let latent = u64::from(mla.kv_lora_rank);
    let projections = match mla.q_lora_rank.map(u64::from) {
        Some(rank) => rank + latent + rope,
        None => heads * (nope + rope) + 2 * latent + rope,
    };
    // An indexer's scores have a buffer of fixed size (`VLLM_SPARSE_INDEXER_MAX_LOGITS_MB`), at another time.
    let scores = if mla.sparse.is_some() { 512 * MIB } else { 0 };
    (expanded.max(scores) + 2 * n * (3 * h + projections)).max(2 * n * 7 * h)
}
