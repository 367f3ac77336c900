//! AltUp and Laurel: `model_executor/models/gemma3n.py` at 0.33.0.
use super::{Builder, Tensor, TensorClass, linear::Linear, whole};
use crate::model::LayerRun;

impl Builder<'_> {
    /// What a layer has of them; AltUp is whole on every rank.
    pub(super) fn alt_up_layer(&self, run: &LayerRun, out: &mut Vec<Tensor>) {
        let Some(alt_up) = self.spec.alt_up else { return };
        let h = u64::from(self.spec.hidden_size);
        let (n, rank) = (u64::from(alt_up.altup_num_inputs), u64::from(alt_up.laurel_rank));
        let quantized = run.quantized.per_layer;
        let class = TensorClass::Mlp;
        for (rows, k) in [(n, n), (n * n, n), (n, h)] {
            self.linear(&Linear::plain(class, &[rows], k, k, quantized), out);
        }
        // Norm and scale of the router's input, then the float32 scale of the output.
        out.push(whole(TensorClass::Norms, h * self.element, 1));
        out.push(whole(TensorClass::Norms, self.element, 1));
        out.push(whole(TensorClass::Norms, h * 4, 1));
        let part = rank / self.tp();
        self.linear(&Linear::plain(class, &[part], h, h, quantized), out);
        self.linear(&Linear::plain(class, &[h], part, rank, quantized), out);
        out.push(whole(TensorClass::Norms, h * self.element, 1));
    }

    /// Projections to the further copies of the hidden states before the first layer, and back behind the last.
    pub(super) fn alt_up_projections(&self) -> Vec<Tensor> {
        let Some(alt_up) = self.spec.alt_up else {
            return Vec::new();
        };
        let h = u64::from(self.spec.hidden_size);
        let quantized = self
            .spec
            .layers
            .first()
            .is_some_and(|run| run.quantized.per_layer);
        let mut out = Vec::new();
        for _ in 0..alt_up.altup_num_inputs.saturating_sub(1).saturating_mul(2) {
            let rows = &[h / self.tp()];
            self.linear(&Linear::plain(TensorClass::Mlp, rows, h, h, quantized), &mut out);
        }
        out
    }
}
