//! Multi-head latent attention: `model_executor/models/deepseek_v2.py: DeepseekV2MLAAttention`; the first projections are
//! whole on every rank.
use super::{Builder, Tensor, TensorClass, linear::Linear, whole};
use crate::model::{LayerRun, Mla};

impl Builder<'_> {
    pub(super) fn latent(&self, run: &LayerRun, mla: &Mla, out: &mut Vec<Tensor>) {
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
            // MiniCPM 3 keeps the two first projections apart.
            if mla.expanded {
                linear(&[rank], h, quantized, out);
            } else {
                linear(&[rank, latent + rope], h, quantized, out);
            }
            out.push(norm(rank));
            linear(&[heads * (nope + rope)], rank, quantized, out);
            if mla.expanded {
                linear(&[latent + rope], h, quantized, out);
            }
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
        if quantized && !mla.expanded {
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
}
