//! Mamba 1: `model_executor/layers/mamba/mamba_mixer.py` at 0.33.0, which takes no quantisation.
use super::{Builder, Tensor, TensorClass, linear::Linear, whole};
use crate::model::Mamba1;

impl Builder<'_> {
    pub(super) fn mamba1(&self, mamba: &Mamba1, out: &mut Vec<Tensor>) {
        let class = TensorClass::LinearAttention;
        let h = u64::from(self.spec.hidden_size);
        let channels = u64::from(mamba.intermediate_size);
        let own = channels / self.tp();
        let (state, rank) = (u64::from(mamba.state_size), u64::from(mamba.time_step_rank));
        let bias = |there: bool, rows: u64| if there { rows } else { 0 };
        let linear = |shards: &[u64], k: u64, bias: u64, out: &mut Vec<Tensor>| {
            let plain = Linear::plain(class, shards, k, k, false);
            self.linear(&Linear { bias, ..plain }, out);
        };
        let kernel = u64::from(mamba.conv_kernel);
        linear(&[own], kernel, bias(mamba.conv_bias, own), out);
        linear(&[own, own], h, bias(mamba.proj_bias, 2 * own), out);
        linear(&[rank + 2 * state], own, 0, out);
        linear(&[own], rank, own, out);
        // The decay in float32, the skip weight in the model's type.
        out.push(whole(class, own * state * 4, 1));
        out.push(whole(class, own * self.element, 1));
        linear(&[h], own, bias(mamba.proj_bias, h), out);
        if mamba.norms {
            out.push(whole(TensorClass::Norms, rank * self.element, 1));
            out.push(whole(TensorClass::Norms, state * self.element, 2));
        }
    }
}
