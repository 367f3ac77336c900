//! DeepSeek V4's and V4.1's attention and hyper-connections: `{attention,compressor}.py` and `nvidia/model.py` in
//! `models/deepseek_v4` and `models/deepseek_v41`.
use super::{Builder, Tensor, TensorClass, linear::Linear, loaded, whole};
use crate::model::{Compressed, LayerRun, Ngrams};

impl Builder<'_> {
    pub(super) fn compressed(&self, run: &LayerRun, layer: &Compressed, out: &mut Vec<Tensor>) {
        let class = TensorClass::Attention;
        let h = u64::from(self.spec.hidden_size);
        let dim = u64::from(layer.head_dim);
        let rank = u64::from(layer.q_lora_rank);
        let (all_heads, groups) = (u64::from(layer.num_attention_heads), u64::from(layer.o_groups));
        let heads = all_heads / self.tp();
        let latent = groups * u64::from(layer.o_lora_rank) / self.tp();
        let linear = |shards: &[u64], k: u64, quantized: bool, out: &mut Vec<Tensor>| {
            self.linear(&Linear::plain(class, shards, k, k, quantized), out);
        };
        let norm = |width: u64| whole(TensorClass::Norms, width * self.element, 1);
        if let Some(ngrams) = layer.ngrams {
            self.engram(run, &ngrams, out);
        }
        out.push(whole(class, self.padded_heads(heads) * 4, 1));
        linear(&[rank, dim], h, run.quantized.qkv, out);
        out.push(norm(rank));
        linear(&[heads * dim], rank, run.quantized.qkv, out);
        out.push(norm(dim));
        let inputs = all_heads * dim / groups;
        let first = out.len();
        linear(&[latent], inputs, run.quantized.o, out);
        if layer.shared.is_some()
            && !(100..110).contains(&self.place.capability)
            && let Some(weight) = out.get_mut(first).filter(|_| run.quantized.o)
        {
            // Only DeepGEMM multiplies groups of MXFP8; elsewhere they are 16 bits wide once loaded
            // (`kernels/linear/__init__.py: init_mxfp8_linear_kernel`, `mxfp8/emulation.py`).
            weight.loaded = latent * inputs * self.element;
        }
        self.linear(
            &Linear::plain(class, &[h], latent, latent * self.tp(), run.quantized.o),
            out,
        );
        if layer.index.own {
            let (heads, dim) = (
                u64::from(layer.index.index_n_heads),
                u64::from(layer.index.index_head_dim),
            );
            linear(&[heads * dim], rank, run.quantized.indexer, out);
            linear(&[heads], h, false, out);
            if layer.shared.is_none() {
                self.compressor(layer, dim, out);
            } else if layer.source {
                let [key, norm] = layer.index_key();
                out.push(whole(class, key * self.element, 1));
                out.push(whole(TensorClass::Norms, norm * self.element, 1));
            }
        }
        if layer.source {
            self.compressor(layer, dim, out);
        }
    }

    /// Beside its tables: `models/deepseek_v41/common/engram.py: Engram`.
    fn engram(&self, run: &LayerRun, ngrams: &Ngrams, out: &mut Vec<Tensor>) {
        let shape = self.place.shape;
        // Experts that share a sequence's tokens out keep it whole (`nvidia/model.py: _use_sequence_parallel`).
        let ranks = if shape.ep && shape.tp > 1 && shape.dp > 1 && shape.pp == 1 {
            1
        } else {
            self.tp()
        };
        let (k, width) = (u64::from(ngrams.ple_embed_dim), u64::from(ngrams.streams));
        let outputs = (width + u64::from(self.spec.hidden_size)) / ranks;
        let class = TensorClass::Attention;
        out.push(whole(TensorClass::Embedding, ngrams.tables(self.tp())[0], 1));
        self.linear(&Linear::plain(class, &[outputs], k, k, run.quantized.qkv), out);
        out.push(whole(TensorClass::Norms, width * 2, 2));
        // The rows of a step.
        let rows = self.place.buffers.tokens * k.div_ceil(self.tp()) * 2;
        out.push(loaded(TensorClass::Buffers, rows));
    }

    /// Heads that the attention kernel computes for.
    fn padded_heads(&self, heads: u64) -> u64 {
        match self.place.capability {
            120..130 => heads.next_power_of_two().max(8),
            _ if heads <= 64 => 64,
            _ => 128,
        }
    }

    /// Whole on every rank; its positions are in float32.
    fn compressor(&self, layer: &Compressed, dim: u64, out: &mut Vec<Tensor>) {
        let class = TensorClass::Attention;
        let [positions, projections, norm] = layer.compressor(dim, u64::from(self.spec.hidden_size));
        out.push(whole(class, positions * 4, 1));
        out.push(whole(class, projections * self.element, 1));
        out.push(whole(TensorClass::Norms, norm * self.element, 1));
    }

    /// What mixes the streams of hidden states before and after each half of a layer.
    pub(super) fn connections(&self, run: &LayerRun, out: &mut Vec<Tensor>) {
        let streams = u64::from(self.spec.hyper_streams);
        if streams < 2 || !self.spec.connected(run) {
            return;
        }
        let width = streams * u64::from(self.spec.hidden_size);
        let rank = u64::from(self.spec.hyper_rank);
        if rank > 0 {
            for _ in 0..2 {
                self.mix(width, (rank + streams).next_multiple_of(16), out);
            }
            return;
        }
        let [mixes, scales] = self.spec.stream_mixes();
        for elements in [mixes * width, mixes, scales] {
            out.push(whole(TensorClass::Connections, elements * 4, 2));
        }
    }

    /// Qwen 4's: a norm, down to `rows`, and up from the rank (`models/qwen4_exp/nvidia/hyperconnection.py`).
    fn mix(&self, width: u64, rows: u64, out: &mut Vec<Tensor>) {
        for elements in [width, rows * width, width * u64::from(self.spec.hyper_rank)] {
            out.push(whole(TensorClass::Connections, elements * self.element, 1));
        }
    }

    /// What makes one stream of them before the output.
    pub(super) fn last_connection(&self, out: &mut Vec<Tensor>) {
        let streams = u64::from(self.spec.hyper_streams);
        // DeepSeek V4 has it on every stage.
        let here = !self.spec.lone_streams || self.place.shape.is_last();
        if !self.spec.ends_streams() || !here {
            return;
        }
        let width = streams * u64::from(self.spec.hidden_size);
        if self.spec.hyper_rank > 0 {
            // The last stage's, and the drafting layer's own.
            for _ in 0..if self.place.shape.is_last() {
                1 + u32::from(self.spec.draft.is_some())
            } else {
                0
            } {
                self.mix(width, u64::from(self.spec.hyper_rank), out);
            }
            return;
        }
        for elements in [streams * width, streams, 1] {
            out.push(whole(TensorClass::Connections, elements * 4, 1));
        }
    }
}
