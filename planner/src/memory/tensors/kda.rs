//! Kimi's linear attention: `models/kimi_k3/nvidia/kda.py`, and without a full gate
//! `model_executor/layers/mamba/gdn/kimi_gdn_linear_attn.py`, at 0.33.0.
use super::{Builder, Tensor, TensorClass, linear::Linear, whole};
use crate::model::{Kda, LayerRun};

impl Builder<'_> {
    pub(super) fn kda(&self, run: &LayerRun, kda: &Kda, out: &mut Vec<Tensor>) {
        let class = TensorClass::LinearAttention;
        let h = u64::from(self.spec.hidden_size);
        let dim = u64::from(kda.head_dim);
        let width = kda.width() / self.tp();
        let heads = u64::from(kda.num_heads) / self.tp();
        let conv = 3 * width * u64::from(kda.short_conv_kernel_size) * 4;
        let linear = |shards: &[u64], k: u64, whole_k: u64, out: &mut Vec<Tensor>| {
            self.linear(&Linear::plain(class, shards, k, whole_k, run.quantized.qkv), out);
        };
        if kda.lightning_groups > 0 {
            linear(&[width, width, width], h, h, out);
            linear(&[width], h, h, out);
            out.push(whole(class, dim * self.element, if kda.qk_norm { 2 } else { 0 }));
            out.push(whole(class, width * self.element, 1));
            self.linear(
                &Linear::plain(class, &[h], width, width * self.tp(), run.quantized.o),
                out,
            );
            return;
        }
        if kda.direct {
            if run.quantized.qkv == run.quantized.gate {
                linear(&[width, width, width, heads], h, h, out);
            } else {
                linear(&[width, width, width], h, h, out);
                self.linear(&Linear::plain(class, &[heads], h, h, run.quantized.gate), out);
            }
            linear(&[width], h, h, out);
            linear(&[width], h, h, out);
        } else if kda.use_full_rank_gate {
            // Rows are filled up to 16.
            let rows = 4 * width + dim + heads;
            linear(&[rows.next_multiple_of(16)], h, h, out);
        } else {
            linear(&[width, width, width, heads, dim], h, h, out);
        }
        if !kda.direct {
            linear(&[width], dim, dim, out);
        }
        out.push(whole(class, width * 4, 1));
        if kda.direct {
            out.push(whole(class, conv / 3, 3));
        } else {
            out.push(whole(class, conv, 1));
        }
        // The fused kernel for decoding reads copies of its own.
        let fused = matches!(heads, 12 | 24 | 48 | 96)
            && kda.short_conv_kernel_size == 4
            && kda.use_full_rank_gate
            && dim == 128
            && matches!(self.place.capability, 90 | 100..110 | 120..130);
        if fused {
            out.push(whole(class, conv, 1));
            out.push(whole(class, dim * 4, 1));
        }
        out.push(whole(class, heads * 4, 1));
        if !kda.use_full_rank_gate && !kda.direct {
            linear(&[dim], h, h, out);
            linear(&[width], dim, dim, out);
        }
        out.push(whole(class, dim * self.element, 1));
        self.linear(
            &Linear::plain(class, &[h], width, width * self.tp(), run.quantized.o),
            out,
        );
    }
}
