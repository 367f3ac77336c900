//! Multi-head latent attention: `model_executor/models/deepseek_v2.py: DeepseekV2MLAAttention`; the first projections are
//! whole on every rank.
use super::{Builder, Tensor, TensorClass, linear::Linear, loaded, whole};
use crate::model::{LayerRun, Mla, SparseIndex};

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
            let gate = [rank, latent + rope, heads * value];
            // MiniCPM 3 keeps the two first projections apart.
            let shards = match (mla.expanded, mla.output_gate) {
                (true, _) => &gate[..1],
                (false, true) => &gate[..],
                (false, false) => &gate[..2],
            };
            linear(shards, h, quantized, out);
            out.push(norm(rank));
            linear(&[heads * (nope + rope)], rank, quantized, out);
            if mla.expanded {
                linear(&[latent + rope], h, quantized, out);
            }
        } else {
            linear(&[heads * (nope + rope)], h, quantized, out);
            linear(&[latent + rope], h, quantized, out);
            if mla.output_gate {
                linear(&[heads * value], h, quantized, out);
            }
        }
        if mla.gate_per_head > 0 {
            linear(
                &[heads * u64::from(mla.gate_per_head)],
                h,
                run.quantized.gate,
                out,
            );
        }
        if mla.sinks {
            // In 16 bits where no kernel reads them (`models/hy_v4/nvidia/attention.py`).
            out.push(whole(class, heads * 4, 1));
        }
        out.push(norm(latent));
        linear(&[heads * (nope + value)], latent, quantized, out);
        linear(&[h], heads * value, run.quantized.o, out);
        out.push(whole(class, 4, if mla.unit_scale { 5 } else { 4 }));
        let method = self.spec.quantization.as_ref().map(|q| q.method);
        if matches!(method, Some("modelopt" | "modelopt_fp4" | "modelopt_mxfp8")) {
            out.push(Tensor {
                class,
                bytes: self.element,
                loaded: 0,
                count: 4,
                source: 0,
            });
        }
        if quantized && !mla.expanded {
            // The absorbed matrices are made from the quantised projection in 16 bits while loading.
            for width in [nope, value] {
                out.push(loaded(class, heads * width * latent * 2));
            }
        }
        let Some(index) = mla.sparse else { return };
        if index.own {
            self.indexer(run, mla, &index, out);
        }
        if index.index_kpool <= 1 && (index.own || self.place.buffers.places_of_each) {
            for bytes in self.place.buffers.places {
                out.push(loaded(TensorClass::Buffers, bytes));
            }
            if run.drafts && self.place.buffers.places_of_each {
                // The picked tokens of its own, which are kept though it reads the model's.
                out.push(loaded(TensorClass::Buffers, self.place.buffers.picked));
            }
        }
    }

    /// The lightning indexer, whole on every rank: `models/deepseek_v32/attention.py: DeepseekV32Indexer`.
    fn indexer(&self, run: &LayerRun, mla: &Mla, index: &SparseIndex, out: &mut Vec<Tensor>) {
        let class = TensorClass::Attention;
        let h = u64::from(self.spec.hidden_size);
        let (heads, dim) = (u64::from(index.index_n_heads), u64::from(index.index_head_dim));
        let rank = u64::from(mla.q_lora_rank.unwrap_or(0));
        let queries = [heads * dim];
        self.linear(
            &Linear::plain(class, &queries, rank, rank, run.quantized.indexer),
            out,
        );
        self.linear(&Linear::plain(class, &[dim, heads], h, h, false), out);
        out.push(whole(TensorClass::Norms, dim * 4, 2));
        let pool = u64::from(index.index_kpool);
        if pool > 1 {
            out.push(whole(class, pool * dim * 4, 1));
            out.push(whole(class, dim * h * 2, 1));
        }
    }
}
