//! What the runner keeps beside the weights, and the transient peak of vLLM's profile run.
//!
//! Mirrors `vllm/v1/worker/gpu/sample/{penalties,sampler,states}.py` and `model_runner.py: profile_run` at 0.33.0.
//! The sampler's part follows from shapes and was held against vLLM's own runner (tests/oracle/activations.json);
//! the forward part was measured there without torch.compile, which makes it a slight upper bound.
use super::{
    encoder::{EncoderMemory, TowerSettings},
    shape::RankShape,
};
use crate::engine::{MemoryRules, Sampling, Speculative};
use crate::gpu::XPU;
use crate::model::{GatedDeltaNet, LayerRun, LinearScheme, Mixer, Mla, ModelSpec, Moe, QkNorm};
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
    /// Compute capability as 90 for 9.0.
    pub capability: u16,
    /// The version's.
    pub rules: MemoryRules,
    /// How the tower is run, where it is loaded.
    pub tower: Option<TowerSettings>,
    /// How tokens are proposed.
    pub speculative: Option<Speculative>,
}

impl RunSettings {
    /// Tokens of a request in a decoding step: the last one, and those that are proposed.
    pub fn decode_tokens(&self) -> u32 {
        1 + self
            .speculative
            .map_or(0, |speculative| speculative.step_tokens())
    }
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
    /// Embeddings of a step that may have images among its tokens, and rows of tables of n-grams for it.
    pub embeddings: Bytes,
    /// What a draft is given and what it keeps.
    pub draft: Bytes,
    /// Encoding images, videos or sound.
    pub encoder: EncoderMemory,
    /// Peak of a forward pass above all of these.
    pub forward_peak: Bytes,
    /// Peak of the sampler above all of these.
    pub sampler_peak: Bytes,
    /// Bytes of the sampler's peak per sequence and entry of the vocabulary.
    pub sampler_bytes: u64,
}

impl RunnerMemory {
    /// Computes them.
    pub fn new(spec: &ModelSpec, run: &RunSettings) -> Self {
        let (n, s) = (u64::from(run.max_num_batched_tokens), u64::from(run.max_num_seqs));
        let rows = s.min(n);
        let (h, v) = (u64::from(spec.hidden_size), u64::from(spec.vocab_size));
        let last = run.shape.is_last();
        let samples = last && spec.pooling.is_none();
        let sampler_state = if samples && run.rules.sampler_state {
            s * (4 * v + 8 * v.div_ceil(32) + SLOT_TABLES)
        } else {
            0
        };
        // A sum and what is added to it, or all streams.
        let passed = u64::from(spec.hyper_streams).max(2) * h;
        let intermediate = if run.shape.is_first() { 0 } else { 2 * n * passed };
        let kept = expert_workspace(spec, run);
        let stays = run.rules.expert_workspace_stays && run.capability != XPU;
        let workspace = if stays { kept } else { 0 };
        let cublas = cublas_workspace(run);
        let sampler_bytes = sampler_bytes(run, rows);
        let embeddings = if run.tower.is_some() && run.shape.is_first() {
            2 * n * h
        } else {
            0
        };
        let embeddings = embeddings + n * looked_up(spec);
        let sampler = if samples {
            sampler_bytes * rows * v + sampler_buffer(run, rows) * v + 2 * n * h + 2 * rows * h + cublas
        } else {
            0
        };
        let forward = forward_peak(spec, run, kept, workspace) + cublas;
        Self {
            sampler_state: Bytes::new(sampler_state),
            workspace: Bytes::new(workspace),
            intermediate: Bytes::new(intermediate),
            embeddings: Bytes::new(embeddings),
            draft: Bytes::new(if last { draft_buffers(spec, run) } else { 0 }),
            encoder: EncoderMemory::new(spec, run),
            forward_peak: Bytes::new(forward),
            sampler_peak: Bytes::new(sampler),
            sampler_bytes,
        }
    }

    /// What the profile run finds on top of what is kept.
    pub fn activation_peak(&self) -> Bytes {
        let language = self.forward_peak.max(self.sampler_peak);
        (self.encoder.outputs + language).max(self.encoder.peak)
    }

    /// Encoding decides the peak.
    pub fn encoder_decides(&self) -> bool {
        self.encoder.peak > self.encoder.outputs + self.forward_peak.max(self.sampler_peak)
    }

    /// What stays.
    pub fn persistent(&self) -> Bytes {
        self.sampler_state + self.workspace + self.intermediate + self.embeddings + self.draft
    }

    /// The sampler decides the peak, not the forward pass.
    pub fn sampler_decides(&self) -> bool {
        self.sampler_peak >= self.forward_peak
    }
}

/// The hidden states that a head reads, in a step of full size, and a draft's logits where it samples from them
/// (`v1/worker/gpu/spec_decode/speculator.py`, `target_dependent_ar/speculator.py`).
fn draft_buffers(spec: &ModelSpec, run: &RunSettings) -> u64 {
    let Some(speculative) = run.speculative else {
        return 0;
    };
    let draft = spec.drafter.as_ref().map_or(spec, |drafter| &drafter.spec);
    let counted = spec.drafter.is_some() || spec.draft.is_some();
    let states = if counted && speculative.reads_hidden_states() {
        // All streams where the draft reads them.
        let streams = if spec.hyper_rank > 0 {
            spec.hyper_streams
        } else {
            1
        };
        2 * u64::from(run.max_num_batched_tokens) * u64::from(draft.hidden_size) * u64::from(streams)
    } else {
        0
    };
    let logits = if counted && speculative.probabilistic {
        let rows = u64::from(run.max_num_seqs) * u64::from(speculative.step_tokens());
        2 * rows * u64::from(draft.vocab_size)
    } else {
        0
    };
    states + logits
}

/// Bytes that a token looks up in tables of n-grams in the host's memory: a buffer for a step that stays
/// (`models/qwen4_exp/common/ngram_embedding.py: start_prefetch`).
fn looked_up(spec: &ModelSpec) -> u64 {
    let of = |run: &LayerRun| match run.mixer {
        Mixer::GatedDeltaNet(gdn) => gdn
            .ngrams
            .filter(|ngrams| !ngrams.on_gpu)
            .map_or(0, |ngrams| ngrams.looked_up()),
        _ => 0,
    };
    spec.layers.iter().map(|run| u64::from(run.count) * of(run)).sum()
}

/// Bytes per sequence and entry of the vocabulary at the sampler's peak: the logits (2), their fp32 copy (4), and
/// - FlashInfer: the masked logits (4) and probabilities (4);
/// - Triton, first runner: probabilities (4) and the random numbers beside them (4); second runner: nothing;
/// - Intel's kernel: nothing;
/// - sorting: values (4) and indices (8) of `torch.sort`, and its scratch (ATen `Sort.cu`): reversed indices (8) and a
///   second buffer of keys and indices (12) from 128 segments on; below it one sort of everything, with two lists of
///   index and segment (16), sorted keys (4) and the second buffer (12).
///
/// Logs of 0.8 to 0.15 (T4, L40S, RTX 3090, A5000, A100, H100, H200) agree within 2 %.
fn sampler_bytes(run: &RunSettings, rows: u64) -> u64 {
    match run.rules.sampling {
        Sampling::FlashInfer => 14,
        Sampling::Fused => 6,
        Sampling::Triton if run.rules.sampler_state => 6,
        Sampling::Triton if rows >= 8 => 14,
        _ if rows >= 128 => 38,
        _ => 50,
    }
}

/// Rows of the vocabulary in fp32 that the Triton sampler keeps: one per running program (`topk_topp_triton.py`).
fn sampler_buffer(run: &RunSettings, rows: u64) -> u64 {
    if run.rules.sampling != Sampling::Triton || rows < 8 {
        return 0;
    }
    // Multiprocessors of the largest common GPU of the kind; 20 more or less are 12 MB.
    let multiprocessors = match run.capability {
        ..80 => 40,
        80..90 => 108,
        90..100 => 132,
        121 => 48,
        _ => 148,
    };
    4 * rows.next_power_of_two().min(multiprocessors)
}

/// torch gives cuBLAS a workspace on the first multiplication (`c10` `CublasHandlePool.cpp`): 32 MiB on Hopper and
/// 8 MiB elsewhere. In 0.33 that happens before vLLM first looks at the memory.
fn cublas_workspace(run: &RunSettings) -> u64 {
    match run.capability {
        _ if run.rules.cublas_before_look => 0,
        90..100 => 32 * MIB,
        _ => 8 * MIB,
    }
}

/// Caches of the fused experts' kernels (`layers/fused_moe/modular_kernel.py`); they stay after the profile run. Those for
/// Intel keep nothing: what they allocate as they go (`vllm_xpu_kernels/fused_moe_interface.py: _apply_kernel` at 0.1.15).
fn expert_workspace(spec: &ModelSpec, run: &RunSettings) -> u64 {
    let Some(moe) = spec.moe().filter(|_| !triton_mxfp4(spec, run)) else {
        return 0;
    };
    let tokens = u64::from(run.max_num_batched_tokens) * u64::from(moe.num_experts_per_tok);
    let width = expert_width(&moe, run);
    let h = moe.inner_size(spec.hidden_size);
    if run.capability == XPU {
        return 2 * tokens * (2 * h + 3 * width);
    }
    2 * tokens * ((2 * width).max(h) + width.max(h))
}

/// Width of an expert on this rank.
fn expert_width(moe: &Moe, run: &RunSettings) -> u64 {
    let ranks = if run.shape.ep { 1 } else { run.shape.expert_ranks() };
    u64::from(moe.moe_intermediate_size) / u64::from(ranks)
}

/// On Hopper gpt-oss runs through Triton's kernels, which keep no workspace and allocate as they go.
fn triton_mxfp4(spec: &ModelSpec, run: &RunSettings) -> bool {
    let mxfp4 = spec.quantization.as_ref().map(|q| q.scheme) == Some(LinearScheme::Mxfp4);
    mxfp4 && !spec.marlin_experts && (90..100).contains(&run.capability)
}

/// Their peak: the activated and the output of every chosen expert, four hidden states, and the routing
/// (`layers/fused_moe/experts/gpt_oss_triton_kernels_moe.py`). Within 0.1 % of eleven profile runs of 0.33.0.
fn triton_mxfp4_peak(spec: &ModelSpec, moe: &Moe, run: &RunSettings) -> u64 {
    let h = u64::from(spec.hidden_size);
    let chosen = u64::from(moe.num_experts_per_tok);
    let width = expert_width(moe, run).next_multiple_of(64);
    let routing = u64::from(moe.num_experts) * 7 / 2;
    u64::from(run.max_num_batched_tokens) * (2 * (chosen * (width + h) + 4 * h) + routing)
}

/// `needed` is the experts' workspace, `kept` the part of it that stands outside the peak.
fn forward_peak(spec: &ModelSpec, run: &RunSettings, needed: u64, kept: u64) -> u64 {
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
    let experts = needed - kept
        + spec.moe().map_or(0, |moe| {
            if triton_mxfp4(spec, run) {
                return triton_mxfp4_peak(spec, &moe, run);
            }
            let normed = if a.qk_norm == QkNorm::None { 0 } else { q + kv };
            // Hyper-connections read and write every stream.
            let streams = u64::from(spec.hyper_streams);
            let attention = (2 * streams + 1) * h + reduced + q + 2 * kv + normed + q;
            // Qwen 4's norm, gate and sum of all streams, beside those that came in, on their way into the layer and out of it.
            let (attention, beside) = if spec.hyper_rank > 0 {
                (attention.max((5 * streams + 2) * h), 2 * streams * h)
            } else {
                (attention, 0)
            };
            let delta = spec.layers.iter().find_map(|layer| match layer.mixer {
                Mixer::GatedDeltaNet(gdn) => Some(delta_net_width(&gdn, spec, tp) + beside + 5 * h + reduced),
                _ => None,
            });
            2 * n * attention.max(delta.unwrap_or(0))
        });
    // Dense layers come first, before the experts' workspace is there.
    let dense = dense.saturating_sub(kept);
    match spec.layers.first().map(|run| run.mixer) {
        Some(Mixer::Mla(mla)) if !mla.expanded => {
            let streams = match u64::from(spec.hyper_streams) {
                1 => 0,
                // They wait beside a half of a layer, which then writes them anew.
                streams => 2 * n * streams * h,
            };
            (needed - kept + latent_peak(&mla, n, h, tp) + streams).max(dense + streams)
        }
        _ => dense.max(experts),
    }
}

/// Elements per token of a gated delta net beside the hidden states: projections, the decay's inputs twice, the core's
/// output and its norm; Qwen3-Next interleaves heads and copies them apart
/// (`layers/mamba/gdn/qwen_gdn_linear_attn.py: forward_cuda`). Equal in nine profile runs of Qwen3-Next.
fn delta_net_width(gdn: &GatedDeltaNet, spec: &ModelSpec, tp: u64) -> u64 {
    let (key, value) = gdn.widths();
    let (key, value) = (key / tp, value / tp);
    let heads = u64::from(gdn.linear_num_value_heads) / tp;
    let copies = if spec.architecture == "Qwen3NextForCausalLM" {
        2 * (2 * key + value) + value
    } else {
        0
    };
    2 * key + 2 * value + 4 * heads + copies + 2 * value
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
