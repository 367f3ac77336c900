//! An embedding per layer: `model_executor/models/gemma4.py: Gemma4Model, Gemma4DecoderLayer` at 0.33.0.
use super::{Builder, Tensor, TensorClass, linear::Linear, whole};
use crate::model::LayerRun;

/// Single elements in the type of torch's default: the embedding's, the input's and the projection's scale.
const SCALES: u64 = 3;

impl Builder<'_> {
    /// What a layer has of it, whole on every rank; its norm is counted with the others.
    pub(super) fn per_layer_projections(&self, run: &LayerRun, out: &mut Vec<Tensor>) {
        let Some(input) = self.spec.per_layer_input else {
            return;
        };
        let h = u64::from(self.spec.hidden_size);
        let width = u64::from(input.hidden_size_per_layer_input);
        let class = TensorClass::Mlp;
        let quantized = run.quantized.per_layer;
        self.linear(&Linear::plain(class, &[width], h, h, quantized), out);
        self.linear(&Linear::plain(class, &[h], width, width, quantized), out);
    }

    /// What stands before the first layer: the embedding of all layers, and a projection from the token's embedding.
    pub(super) fn per_layer_embedding(&self) -> Vec<Tensor> {
        let Some(input) = self.spec.per_layer_input else {
            return Vec::new();
        };
        let width = u64::from(input.hidden_size_per_layer_input);
        let all = width * u64::from(self.spec.num_hidden_layers());
        let rows = u64::from(input.vocab_size_per_layer_input).next_multiple_of(64) / self.tp();
        let h = u64::from(self.spec.hidden_size);
        let quantized = self
            .spec
            .layers
            .first()
            .is_some_and(|run| run.quantized.per_layer);
        let mut out = vec![
            whole(TensorClass::Embedding, rows * all * self.element, 1),
            whole(TensorClass::Embedding, self.element, SCALES),
        ];
        let projection = &[all / self.tp()];
        self.linear(
            &Linear::plain(TensorClass::Mlp, projection, h, h, quantized),
            &mut out,
        );
        out.push(whole(TensorClass::Norms, width * self.element, 1));
        out
    }
}
