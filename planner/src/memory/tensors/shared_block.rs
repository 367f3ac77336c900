//! A block that several layers share: `model_executor/models/zamba2.py` at 0.33.0.
use super::{Builder, Tensor, TensorClass, linear::Linear, whole};
use crate::model::{Attention, LayerRun, SharedBlock};

impl Builder<'_> {
    pub(super) fn shared_block(
        &self,
        run: &LayerRun,
        a: &Attention,
        block: SharedBlock,
        out: &mut Vec<Tensor>,
    ) {
        let class = TensorClass::Attention;
        let h = u64::from(self.spec.hidden_size);
        let q = u64::from(a.num_attention_heads) / self.tp() * u64::from(a.head_dim);
        let width = u64::from(block.intermediate_size) / self.tp();
        let rank = u64::from(block.adapter_rank);
        let mut linear = |shards: &[u64], k: u64| {
            self.linear(&Linear::plain(class, shards, k, k, run.quantized.qkv), out);
        };
        if block.owner {
            linear(&[q, q, q], 2 * h);
            linear(&[h], q);
        }
        if block.attention_adapters {
            for _ in 0..3 {
                linear(&[rank / self.tp()], 2 * h);
                linear(&[q], rank);
            }
        }
        linear(&[rank / self.tp()], h);
        linear(&[width, width], rank);
        linear(&[h], h);
        out.push(whole(class, 4, 4));
        if block.owner {
            out.push(whole(TensorClass::Norms, 3 * h * self.element, 1));
        }
    }
}
