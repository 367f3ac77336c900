//! Gated DeltaNet: `model_executor/layers/mamba/gdn` at 0.33.0.
use super::{Builder, Tensor, TensorClass, linear::Linear, whole};
use crate::model::{GatedDeltaNet, LayerRun};

impl Builder<'_> {
    pub(super) fn linear_attention(&self, run: &LayerRun, gdn: &GatedDeltaNet, out: &mut Vec<Tensor>) {
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
}
