//! What latent attention, sparse (DeepSeek V3.2) or not, takes with the kernel that runs it.
//!
//! Mirrors `vllm/platforms/cuda.py: _get_backend_priorities`, the backends in `v1/attention/backends/mla/` and
//! `mla/prefill/` at 0.33.0.
use super::packed;
use crate::{
    engine::KvCacheDtype,
    model::{Mixer, Mla, ModelSpec, SparseIndex},
    units::MIB,
};

/// FlashInfer's buffer (`VLLM_FLASHINFER_WORKSPACE_BUFFER_SIZE`).
const FLASHINFER_BUFFER: u64 = 394 * MIB;

/// Pieces of a context: between twice the multiprocessors of an A100 and of an RTX PRO 6000.
const MOST_PIECES: u64 = 256;

/// Its class: `models/hy_v4/nvidia/{attention,flashmla_sparse}.py`.
pub const HY4: &str = "HYV4ForCausalLM";

/// Heads that `FlashMLA`'s sparse kernels round up to.
const HEAD_PADDING: u64 = 64;

/// The model's latent attention.
fn latent(spec: &ModelSpec) -> Option<Mla> {
    spec.layers.iter().find_map(|run| match run.mixer {
        Mixer::Mla(mla) if !mla.expanded => Some(mla),
        _ => None,
    })
}

/// The index of the model's latent attention, where it is sparse.
pub fn find(spec: &ModelSpec) -> Option<SparseIndex> {
    latent(spec)?.sparse
}

/// Bytes of a token in DeepSeek's packed layouts (`layers/attention/mla_attention.py: get_kv_cache_spec`): 8-bit floats,
/// their scales and 16-bit positions, or 4-bit floats, theirs and 8-bit positions.
const PACKED: [u64; 2] = [656, 352];

/// Bytes of a token in the cache, where it is packed, else 0; `None` where no kernel takes that cache on that GPU.
pub fn packed(spec: &ModelSpec, index: &SparseIndex, capability: u16, kv: KvCacheDtype) -> Option<u64> {
    let [eight, four] = PACKED;
    let positions = latent(spec).is_none_or(|mla| mla.qk_rope_head_dim > 0);
    // `model_executor/models/config.py: DeepseekV32ForCausalLM`.
    let kv = match kv {
        KvCacheDtype::Bfloat16 if spec.architecture == "DeepseekV32ForCausalLM" => KvCacheDtype::Auto,
        kv => kv,
    };
    match (capability, kv) {
        (_, KvCacheDtype::Fp8E5m2) => None,
        (_, KvCacheDtype::Nvfp4DsMla) => (positions && matches!(capability, 100..110)).then_some(four),
        _ if !positions => matches!(capability, 90 | 100..110).then_some(0),
        // Sinks run in FlashMLA.
        (100..110, KvCacheDtype::Fp8) if latent(spec).is_some_and(|mla| mla.sinks) => Some(eight),
        // Hopper's FP8 cache is FlashMLA's, but for the name fp8_e4m3, which only FlashInfer takes.
        (90, kv) => Some(if kv == KvCacheDtype::Fp8 { eight } else { 0 }),
        (100..110, _) => Some(0),
        (120..130, KvCacheDtype::Auto | KvCacheDtype::Fp8 | KvCacheDtype::Fp8E4m3) => {
            (index.index_topk == 2048).then_some(eight)
        }
        _ => None,
    }
}

/// What buffers that are made with the layers depend on besides the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadSettings {
    /// max_num_batched_tokens.
    pub max_num_batched_tokens: u32,
    /// max_num_seqs.
    pub max_num_seqs: u32,
    /// max_model_len.
    pub max_model_len: u32,
    /// Bytes of a KV cache element.
    pub kv_element: u64,
    /// Bytes of a token in the packed layout; 0 where the cache has another.
    pub packed_latent: u64,
    /// On AMD's GPUs.
    pub rocm: bool,
}

/// Bytes of the buffers that are made with the layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LayerBuffers {
    /// The picked tokens of a whole step: what an indexer writes.
    pub picked: u64,
    /// Workspaces of attention and of its prefill, which the layers of a rank share.
    pub workspace: u64,
    /// Where the picked tokens lie in the cache, and their counts, for decoding: once per indexer.
    pub places: [u64; 2],
    /// Once per layer instead, for a whole step: the class does not say which layers share an indexer (Hy4).
    pub places_of_each: bool,
    /// Tokens of a step, where layers have buffers of their own for them (Qwen 4, Engram); else 0.
    pub tokens: u64,
}

impl LoadSettings {
    /// What comes of them for this model.
    pub fn buffers(&self, spec: &ModelSpec, tp: u64, capability: u16) -> LayerBuffers {
        let index = find(spec).or_else(|| packed::compressed(spec).map(|layer| layer.index));
        let places_of_each = spec.architecture == HY4;
        let (shared, tokens) = (packed::shared(spec), u64::from(self.max_num_batched_tokens));
        LayerBuffers {
            picked: index.map_or(0, |index| self.picked(&index))
                + shared.map_or(0, |shared| tokens * u64::from(shared.candidates) * 4),
            workspace: self.workspace(spec, tp, capability),
            places: index.map_or([0; 2], |index| self.places(&index, places_of_each)),
            places_of_each,
            tokens: if packed::grouped(spec).is_some() || shared.is_some() {
                tokens
            } else {
                0
            },
        }
    }

    /// Tokens of a prefill's workspace: five contexts, two of long ones (`config/vllm.py`).
    fn prefill_tokens(&self) -> u64 {
        let factor = if self.max_model_len <= 256 << 10 { 5 } else { 2 };
        u64::from(self.max_model_len) * factor
    }

    fn picked(&self, index: &SparseIndex) -> u64 {
        let width = u64::from(index.index_topk);
        let width = match u64::from(index.index_kpool) {
            0 | 1 => width,
            // With the pool that is not full yet, in tiles of 128 (`models/glm5next/common/model.py`).
            pool => (width + pool - 1).next_multiple_of(128),
        };
        u64::from(self.max_num_batched_tokens) * width * 4
    }

    /// `mla/index_group.py: SparseMLAIndexGroupBuilder`.
    fn places(&self, index: &SparseIndex, whole_step: bool) -> [u64; 2] {
        let tokens = self.max_num_batched_tokens;
        let rows = u64::from(if whole_step {
            tokens
        } else {
            tokens.min(self.max_num_seqs)
        }) + 1;
        [rows * u64::from(index.index_topk) * 4, rows * 4]
    }

    fn workspace(&self, spec: &ModelSpec, tp: u64, capability: u16) -> u64 {
        let Some(mla) = latent(spec) else { return 0 };
        let tokens = u64::from(self.max_num_batched_tokens);
        let heads = u64::from(mla.num_attention_heads) / tp;
        let padded = heads.next_multiple_of(HEAD_PADDING);
        let latent = u64::from(mla.kv_lora_rank);
        let row = latent + u64::from(mla.qk_rope_head_dim);
        let blackwell = (100..110).contains(&capability);
        // FlashMLA keeps the queries' latent beside their positions; for the packed cache it also unpacks a prefill.
        let attention = match (capability, self.packed_latent > 0) {
            // Without positions FlashInfer runs it, on Hopper too.
            _ if mla.sparse.is_none() || mla.qk_rope_head_dim == 0 => 0,
            // The queries of a step, joined (`mla/rocm_aiter_mla_sparse.py: ROCMAiterMLASparseImpl`).
            _ if self.rocm => tokens * heads * row,
            (90 | 100..110, true) => {
                tokens * (heads * row + padded * row + padded * latent + heads * latent)
                    + self.prefill_tokens() * row
            }
            // Sinks run in it alone.
            (90 | 100..110, _) if self.kv_element > 1 && mla.sinks => tokens * padded * row,
            // Few heads run in FlashAttention 4.
            (100..110, _) if self.kv_element > 1 && heads > 16 => tokens * padded * row,
            _ => 0,
        };
        // For these shapes the prefill runs in TensorRT-LLM's kernel, which has a buffer.
        let trtllm_first = (mla.qk_nope_head_dim, mla.qk_rope_head_dim, mla.v_head_dim) == (192, 64, 256);
        let prefill = if blackwell && trtllm_first {
            FLASHINFER_BUFFER
        } else {
            0
        };
        (attention * 2).max(prefill)
    }

    /// Bytes of the workspace that attention asks for in the profile run.
    pub fn profiled(&self, spec: &ModelSpec, tp: u64, capability: u16) -> u64 {
        match latent(spec) {
            Some(Mla {
                sparse: Some(index), ..
            }) => self.gathered(&index).max(self.decode_logits()),
            // Kimi's class reserves none.
            Some(mla) if !mla.unit_scale => self.splits(&mla, tp, capability),
            _ => 0,
        }
    }

    /// Bytes of an indexer's scores over a whole context for each sequence that decodes, in the same workspace: on MI300
    /// and MI350 (`v1/attention/ops/rocm_aiter_mla_sparse.py: rocm_aiter_sparse_attn_indexer`), without a draft's.
    fn decode_logits(&self) -> u64 {
        let rows = u64::from(self.max_num_seqs.min(self.max_num_batched_tokens));
        rows * u64::from(self.max_model_len) * if self.rocm { 4 } else { 0 }
    }

    /// Bytes of the partial results of decoding in the Triton kernel, which runs before Hopper and on capability 12.x:
    /// a context is cut into pieces of 512 tokens (`mla/triton_mla.py: _reserve_attn_logits_workspace`). vLLM makes no
    /// more pieces than twice the multiprocessors, which are not known here: A100 has 108, RTX PRO 6000 188.
    fn splits(&self, mla: &Mla, tp: u64, capability: u16) -> u64 {
        if !matches!(capability, 1..90 | 120..130) {
            return 0;
        }
        let pieces = (u64::from(self.max_model_len) / 512).max(1).next_power_of_two();
        let heads = u64::from(mla.num_attention_heads) / tp;
        let row = u64::from(mla.kv_lora_rank) + 1;
        u64::from(self.max_num_seqs) * heads * pieces.min(MOST_PIECES) * row * 4
    }

    /// Bytes that an indexer gathers the keys of a prefill in; the profile run reserves them
    /// (`layers/sparse_attn_indexer.py`, `mla/indexer.py: get_max_prefill_buffer_size`).
    pub fn gathered(&self, index: &SparseIndex) -> u64 {
        let keys = self.prefill_tokens() * 8 / u64::from(index.index_kpool.max(1));
        keys * (u64::from(index.index_head_dim) + 4) + MIB
    }
}
