//! Mamba 2: `model_executor/layers/mamba/mamba_mixer2.py` at 0.33.0.
use super::{Builder, Tensor, TensorClass, linear::Linear, whole};
use crate::model::{LayerRun, Mamba2};

impl Builder<'_> {
    pub(super) fn mamba(&self, run: &LayerRun, mamba: &Mamba2, out: &mut Vec<Tensor>) {
        let class = TensorClass::LinearAttention;
        let h = u64::from(self.spec.hidden_size);
        let (channels, matrices) = mamba.widths(self.tp());
        let heads = u64::from(mamba.mamba_num_heads) / self.tp();
        let conv = channels + 2 * matrices;
        let linear = |shards: &[u64], k: u64, whole_k: u64, quantized: bool, out: &mut Vec<Tensor>| {
            self.linear(&Linear::plain(class, shards, k, whole_k, quantized), out);
        };
        out.push(whole(
            class,
            conv * u64::from(mamba.conv_kernel) * self.element,
            1,
        ));
        if mamba.conv_bias {
            out.push(whole(class, conv * self.element, 1));
        }
        linear(
            &[channels, channels, matrices, matrices, heads],
            h,
            h,
            run.quantized.qkv,
            out,
        );
        // The decay in float32; skip weight, bias and the norm in the model's type.
        out.push(whole(class, heads * 4, 1));
        out.push(whole(class, heads * self.element, 2));
        if mamba.norm {
            out.push(whole(class, channels * self.element, 1));
        }
        linear(&[h], channels, channels * self.tp(), run.quantized.o, out);
    }
}
