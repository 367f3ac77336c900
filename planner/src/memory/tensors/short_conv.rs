//! Short convolution: `model_executor/layers/mamba/short_conv.py` at 0.33.0.
use super::{Builder, Tensor, TensorClass, linear::Linear, whole};
use crate::model::{LayerRun, ShortConv};

impl Builder<'_> {
    pub(super) fn short_conv(&self, run: &LayerRun, conv: &ShortConv, out: &mut Vec<Tensor>) {
        let class = TensorClass::LinearAttention;
        let whole_dim = u64::from(conv.conv_dim);
        let dim = whole_dim / self.tp();
        let bias = |rows: u64| if conv.conv_bias { rows } else { 0 };
        out.push(whole(class, dim * u64::from(conv.conv_l_cache) * self.element, 1));
        out.push(whole(class, bias(dim) * self.element, 1));
        let (inputs, outputs) = ([dim; 3], [whole_dim]);
        let input = Linear {
            bias: bias(3 * dim),
            ..Linear::plain(class, &inputs, whole_dim, whole_dim, run.quantized.qkv)
        };
        self.linear(&input, out);
        let output = Linear {
            bias: bias(whole_dim),
            ..Linear::plain(class, &outputs, dim, whole_dim, run.quantized.o)
        };
        self.linear(&output, out);
    }
}
