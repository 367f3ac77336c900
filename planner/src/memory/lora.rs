//! Buffers for LoRA adapters: `vllm/lora/layers/` at 0.33.0.
//!
//! Each slot holds, for every adapted linear layer, one A of rank × inputs per fused part and a B of outputs × rank.
//! Column-parallel layers keep A whole and B split, row-parallel ones A split and B whole. Within 3 % of 15
//! configurations that vLLM 0.33.0's own classes computed, always low: the rest is the allocator's.
use super::shape::{RankShape, stage_layers};
use crate::{
    engine::Lora,
    model::{LayerRun, Mixer, Mla, ModelSpec},
    units::{Bytes, FloatDtype},
};

/// Bytes of all slots on a rank. Linear, recurrent and sparse attention are not counted: see [`counts_mixers`].
pub(super) fn buffers(spec: &ModelSpec, shape: &RankShape, lora: &Lora, dtype: FloatDtype) -> Bytes {
    let ranks = if lora.fully_sharded {
        u64::from(shape.tp)
    } else {
        1
    };
    let place = Place { spec, shape, ranks };
    let mut elements: u64 = stage_layers(spec, shape)
        .iter()
        .map(|run| u64::from(run.count) * place.layer(run))
        .sum();
    // Embedding and output have a pair each, whole on every rank.
    let pair = u64::from(spec.vocab_size) + u64::from(spec.hidden_size);
    elements += pair * (u64::from(shape.is_first()) + u64::from(shape.is_last() && spec.pooling.is_none()));
    let slots = u64::from(lora.max_loras) * u64::from(lora.max_lora_rank);
    Bytes::new(elements.saturating_mul(slots).saturating_mul(dtype.size()))
}

/// Whether all mixers of the model are counted.
pub fn counts_mixers(spec: &ModelSpec) -> bool {
    spec.layers.iter().all(|run| match run.mixer {
        Mixer::Mla(mla) => {
            !mla.expanded && !mla.output_gate && mla.gate_per_head == 0 && mla.sparse.is_none()
        }
        Mixer::Attention(a, _) => a.query_rank == 0 && a.block.is_none(),
        mixer => mixer == Mixer::None,
    })
}

struct Place<'a> {
    spec: &'a ModelSpec,
    shape: &'a RankShape,
    /// Ranks that the otherwise whole half is split over.
    ranks: u64,
}

impl Place<'_> {
    /// Inputs and outputs of a layer's adapted linear layers, as ranks see them.
    fn layer(&self, run: &LayerRun) -> u64 {
        let h = u64::from(self.spec.hidden_size);
        let tp = u64::from(self.shape.tp);
        let mut sum = 0;
        if let Mixer::Attention(a, _) = run.mixer {
            let d = u64::from(a.head_dim);
            let q = u64::from(a.num_attention_heads) / tp * d;
            let kv = (u64::from(a.num_key_value_heads) / tp).max(1) * d;
            let queries = if a.output_gate { 2 * q } else { q };
            sum += 3 * h / self.ranks + queries + 2 * kv + q + h / self.ranks;
        }
        if let Mixer::Mla(mla) = run.mixer {
            sum += self.latent(&mla);
        }
        if let Some(mlp) = run.mlp.dense {
            sum += self.feed_forward(u64::from(mlp.intermediate_size) / tp, mlp.gated);
        }
        if let Some(moe) = run.mlp.moe {
            let experts = u64::from(moe.num_experts);
            let spread = u64::from(self.shape.expert_ranks());
            let width = u64::from(moe.moe_intermediate_size);
            let (local, width) = if self.shape.ep {
                (experts.div_ceil(spread), width)
            } else {
                (experts, width / spread)
            };
            sum += h + experts + local * self.feed_forward(width, moe.gated);
            if let Some(shared) = moe.shared {
                sum += self.feed_forward(u64::from(shared.intermediate_size) / tp, moe.gated);
            }
        }
        sum
    }

    /// Latent attention: the two first projections are one whole layer of two parts, the others are split
    /// (`models/deepseek_v2.py: DeepseekV2MLAAttention`, `lora/layers/column_parallel_linear.py: can_replace_layer`).
    fn latent(&self, mla: &Mla) -> u64 {
        let h = u64::from(self.spec.hidden_size);
        let heads = u64::from(mla.num_attention_heads) / u64::from(self.shape.tp);
        let cached = u64::from(mla.kv_lora_rank + mla.qk_rope_head_dim);
        let latent = u64::from(mla.kv_lora_rank) / self.ranks;
        let queries = heads * u64::from(mla.qk_nope_head_dim + mla.qk_rope_head_dim);
        let expanded = heads * u64::from(mla.qk_nope_head_dim + mla.v_head_dim);
        let first = match mla.q_lora_rank.map(u64::from) {
            Some(rank) => 2 * h + rank + cached + rank / self.ranks + queries,
            None => h / self.ranks + queries + h + cached,
        };
        first + latent + expanded + heads * u64::from(mla.v_head_dim) + h / self.ranks
    }

    fn feed_forward(&self, width: u64, gated: bool) -> u64 {
        let h = u64::from(self.spec.hidden_size) / self.ranks;
        let up = if gated { 2 } else { 1 };
        up * (h + width) + width + h
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ModelInput;

    /// Layer by layer from the shapes that `DeepseekV2MLAAttention` gives its linear layers, on one rank of 8.
    #[test]
    fn latent_attention_takes_pairs_as_its_layers_do() {
        let spec = ModelInput::from_catalog("deepseek-ai/DeepSeek-V3.1")
            .unwrap()
            .spec
            .unwrap();
        assert!(counts_mixers(&spec));
        let shape = RankShape {
            tp: 8,
            ..RankShape::SINGLE
        };
        let place = Place {
            spec: &spec,
            shape: &shape,
            ranks: 1,
        };
        let Mixer::Mla(mla) = spec.layers[0].mixer else {
            panic!("no latent attention")
        };
        let fused = (7168 + 1536) + (7168 + 576);
        let q_b = 1536 + 16 * 192;
        let kv_b = 512 + 16 * 256;
        let o = 16 * 128 + 7168;
        assert_eq!(place.latent(&mla), fused + q_b + kv_b + o);
    }
}
