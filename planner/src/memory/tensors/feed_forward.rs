//! Feed-forward without experts.
use super::{Builder, Tensor, TensorClass, linear::Linear, whole};
use crate::model::LayerRun;

impl Builder<'_> {
    pub(super) fn dense(&self, run: &LayerRun, out: &mut Vec<Tensor>) {
        let Some(mlp) = run.mlp.dense else { return };
        let ranks = if mlp.whole { 1 } else { self.tp() };
        let width = u64::from(mlp.intermediate_size) / ranks;
        let shards: &[u64] = match (mlp.gated, mlp.interleaved) {
            (true, true) => &[2 * width],
            (true, false) => &[width, width],
            (false, _) => &[width],
        };
        let quantized = (run.quantized.gate_up, run.quantized.down);
        let biases = (mlp.bias && !mlp.bare_up, mlp.bias);
        self.feed_forward(TensorClass::Mlp, shards, width, quantized, biases, ranks, out);
        out.push(whole(TensorClass::Mlp, self.element, u64::from(mlp.interleaved)));
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the shape of one feed-forward, in one place"
    )]
    pub(super) fn feed_forward(
        &self,
        class: TensorClass,
        shards: &[u64],
        width: u64,
        (up, down): (bool, bool),
        (bias_up, bias_down): (bool, bool),
        ranks: u64,
        out: &mut Vec<Tensor>,
    ) {
        let h = u64::from(self.spec.hidden_size);
        let up_bias = if bias_up { shards.iter().sum() } else { 0 };
        let down_bias = if bias_down { h } else { 0 };
        self.linear(
            &Linear {
                class,
                shards,
                k: h,
                experts: 1,
                quantized: up,
                bias: up_bias,
                whole_k: h,
            },
            out,
        );
        let down = Linear {
            class,
            shards: &[h],
            k: width,
            experts: 1,
            quantized: down,
            bias: down_bias,
            whole_k: width * ranks,
        };
        self.linear(&down, out);
    }
}
