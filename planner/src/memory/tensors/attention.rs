//! Multi-head, grouped-query and multi-query attention.
use super::{Builder, Tensor, TensorClass, linear::Linear, loaded, whole};
use crate::model::{Attention, LayerRun, QkNorm};

impl Builder<'_> {
    pub(super) fn attention(&self, run: &LayerRun, a: &Attention, out: &mut Vec<Tensor>) {
        if let Some(block) = a.block {
            return self.shared_block(run, a, block, out);
        }
        let hidden = u64::from(self.spec.hidden_size);
        let d = u64::from(a.head_dim);
        // A head is replicated where there are more ranks than heads.
        let kv_heads = (u64::from(a.num_key_value_heads) / self.tp()).max(1);
        let (kv, values) = (kv_heads * d, kv_heads * u64::from(a.v_head_dim));
        let heads = u64::from(a.num_attention_heads) / self.tp();
        let q = heads * d;
        let rank = u64::from(a.query_rank);
        let queries = match (rank, a.output_gate) {
            (0, true) => 2 * q,
            (0, false) => q,
            _ => rank,
        };
        let class = TensorClass::Attention;
        let bias = |on: bool, rows: u64| if on { rows } else { 0 };
        let index = u64::from(a.index_dim);
        // Those of one family alone.
        let beside = a.groups.map_or(0, |groups| groups.width())
            + a.relative.map_or(0, |relative| heads * u64::from(relative.d_rel));
        let all = [queries, kv, values, kv_heads * index + beside, index];
        let shards = match (a.shares_kv, index, beside) {
            (true, ..) => &all[..1],
            (false, 0, 0) => &all[..3],
            (false, 0, _) => &all[..4],
            (false, ..) => &all[..],
        };
        let qkv = Linear {
            class,
            shards,
            k: hidden,
            experts: 1,
            quantized: run.quantized.qkv,
            bias: bias(a.qkv_bias, shards.iter().sum()),
            whole_k: hidden,
        };
        self.linear(&qkv, out);
        if rank > 0 {
            out.push(whole(TensorClass::Norms, rank * self.element, 1));
            self.linear(&Linear::plain(class, &[q], rank, rank, run.quantized.qkv), out);
        }
        if a.gate_per_head > 0 {
            let gates = &[heads * u64::from(a.gate_per_head)];
            self.linear(
                &Linear::plain(class, gates, hidden, hidden, run.quantized.gate),
                out,
            );
        }
        let outputs = heads * u64::from(a.v_head_dim);
        let output = Linear {
            class,
            shards: &[hidden],
            k: outputs,
            experts: 1,
            quantized: run.quantized.o,
            bias: bias(a.o_bias, hidden),
            whole_k: outputs * self.tp(),
        };
        self.linear(&output, out);
        // Scales of query, key, value and probabilities: float32 scalars, and where the checkpoint could bring its own,
        // scalars in the model's type that are dropped after loading (`layers/quantization/kv_cache.py`).
        // Inkling's own class has those of keys and values alone.
        out.push(whole(class, 4, if a.relative.is_some() { 2 } else { 4 }));
        let method = self.spec.quantization.as_ref().map(|q| q.method);
        let method = method.filter(|_| a.relative.is_none());
        let own = match method {
            // Its class keeps the cache by itself.
            _ if a.groups.is_some() => 0,
            Some("modelopt_mixed") if !self.spec.quantization.as_ref().is_some_and(|q| q.fp8_kv_cache) => 0,
            Some("fp8" | "modelopt" | "modelopt_fp4" | "modelopt_mixed" | "modelopt_mxfp8" | "quark") => 4,
            Some("compressed-tensors") => 9,
            _ => 0,
        };
        out.push(Tensor {
            class,
            bytes: self.element,
            loaded: 0,
            count: own,
            source: 0,
        });
        if a.sinks {
            out.push(whole(class, heads * self.element, 1));
        }
        if a.tau {
            // Each head reads the whole of queries, keys and values.
            let all = u64::from(a.head_dim)
                * (u64::from(a.num_attention_heads) + 2 * u64::from(a.num_key_value_heads));
            out.push(whole(class, heads * self.element, 1));
            out.push(whole(class, heads * all * self.element, 2));
        }
        if a.alibi {
            // Kept by the attention's backend, not by the module: it counts once loaded.
            let slopes = u64::from(a.num_attention_heads) / self.tp() * 4;
            out.push(Tensor {
                class,
                bytes: 0,
                loaded: slopes,
                count: 1,
                source: 0,
            });
        }
        let e = self.element;
        if let Some(relative) = a.relative {
            let kernel = u64::from(relative.kernel) * e;
            let table = u64::from(relative.d_rel) * u64::from(relative.extent);
            out.push(whole(class, table * e, 1));
            out.push(whole(class, kv * kernel, 2));
            out.push(whole(class, hidden / self.tp() * kernel, 2));
        }
        if index > 0 {
            out.push(whole(TensorClass::Norms, index * e, 2));
        }
        if let Some(groups) = a.groups {
            let dim = u64::from(groups.indexer_head_dim);
            out.push(whole(TensorClass::Norms, dim * e, 2));
            out.push(loaded(
                TensorClass::Buffers,
                self.place.buffers.tokens * groups.picked() * 4,
            ));
        }
        match a.qk_norm {
            QkNorm::None => {}
            QkNorm::PerHead => out.push(whole(TensorClass::Norms, d * e, if a.shares_kv { 1 } else { 2 })),
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
}
