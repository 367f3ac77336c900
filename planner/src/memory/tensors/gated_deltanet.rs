//! Gated DeltaNet: `model_executor/layers/mamba/gdn` at 0.33.0, and the tables of n-grams that may stand in front of it:
//! `models/qwen4_exp/nvidia/{ple_layer,ngram_embedding}.py`.
use super::{Builder, Tensor, TensorClass, linear::Linear, loaded, whole};
use crate::model::{GatedDeltaNet, LayerRun, Ngrams, Stored};

impl Builder<'_> {
    pub(super) fn linear_attention(&self, run: &LayerRun, gdn: &GatedDeltaNet, out: &mut Vec<Tensor>) {
        if let Some(ngrams) = gdn.ngrams {
            self.ngrams(run, &ngrams, out);
        }
        let class = TensorClass::LinearAttention;
        let h = u64::from(self.spec.hidden_size);
        let (key, value) = gdn.widths();
        let (key, value) = (key / self.tp(), value / self.tp());
        let heads = u64::from(gdn.linear_num_value_heads) / self.tp();
        let linear = |shards: &[u64], k: u64, whole_k: u64, quantized: bool, out: &mut Vec<Tensor>| {
            self.linear(&Linear::plain(class, shards, k, whole_k, quantized), out);
        };
        let conv = (2 * key + value) * u64::from(gdn.linear_conv_kernel_dim);
        out.push(whole(class, conv * self.element, 1));
        linear(&[key, key, value, value], h, h, run.quantized.qkv, out);
        linear(&[heads, heads], h, h, false, out);
        // The decay in float32, its bias and the norm in the model's type.
        out.push(whole(class, heads * self.element, 1));
        out.push(whole(class, heads * 4, 1));
        out.push(whole(
            class,
            u64::from(gdn.linear_value_head_dim) * self.element,
            1,
        ));
        linear(&[h], value, value * self.tp(), run.quantized.o, out);
    }

    /// All but the tables is whole on every rank.
    fn ngrams(&self, run: &LayerRun, ngrams: &Ngrams, out: &mut Vec<Tensor>) {
        let class = TensorClass::LinearAttention;
        let heads = u64::from(ngrams.heads);
        for numbers in [u64::from(ngrams.ngram_size), heads, heads] {
            out.push(whole(class, numbers * 8, 1));
        }
        out.push(whole(TensorClass::Embedding, ngrams.tables(self.tp())[0], 1));
        out.push(whole(class, 4, u64::from(ngrams.stored != Stored::Half)));
        if !ngrams.on_gpu {
            // The rows that the next step looks up ahead.
            out.push(loaded(
                TensorClass::Buffers,
                self.place.buffers.tokens * heads * 8,
            ));
        }
        let (k, width) = (u64::from(ngrams.ple_embed_dim), u64::from(ngrams.streams));
        let shards = [width, u64::from(self.spec.hidden_size)];
        self.linear(&Linear::plain(class, &shards, k, k, run.quantized.gate), out);
        let kernel = u64::from(ngrams.ple_conv_kernel_size);
        out.push(whole(TensorClass::Norms, width * self.element, 3));
        out.push(whole(class, width * kernel * self.element, 1));
    }
}
