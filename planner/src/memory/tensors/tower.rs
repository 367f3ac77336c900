//! A vision or audio tower beside the language model.
use super::{Builder, Tensor, TensorClass, TensorRun, linear::Linear, whole};
use crate::model::{Cut, Tower, TowerLinear, TowerTensor};

/// What a tower's tensors depend on besides the model and the rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TowerPlace {
    /// `--mm-encoder-tp-mode data`: each rank holds the tower whole.
    pub data_parallel: bool,
    /// max_num_batched_tokens: some models keep buffers of a whole step for it.
    pub max_num_batched_tokens: u32,
    /// Every pipeline stage holds it, not the first alone (before 0.25).
    pub every_stage: bool,
}

impl Builder<'_> {
    /// The tower's runs; nothing where vLLM would refuse to cut it.
    pub(super) fn tower(&self, tower: &Tower, place: TowerPlace, runs: &mut Vec<TensorRun>) {
        let ranks = tower.ranks(self.place.shape.tp, place.data_parallel);
        let (attention, rest) = ranks.unwrap_or((self.place.shape.tp, self.place.shape.tp));
        for block in &tower.blocks {
            let mut tensors = Vec::with_capacity(block.tensors.len() * 2);
            for tensor in &block.tensors {
                match *tensor {
                    TowerTensor::Whole { elements, count } => {
                        tensors.push(whole(
                            TensorClass::Vision,
                            elements * self.element,
                            u64::from(count),
                        ));
                    }
                    TowerTensor::Cache { elements } => {
                        tensors.push(whole(TensorClass::Vision, elements * self.element, 1));
                    }
                    TowerTensor::Buffer { bytes } => tensors.push(whole(TensorClass::Vision, bytes, 1)),
                    TowerTensor::PerToken { width, count } => {
                        let bytes = u64::from(place.max_num_batched_tokens) * u64::from(width) * self.element;
                        tensors.push(Tensor {
                            class: TensorClass::Vision,
                            bytes: 0,
                            loaded: bytes,
                            count: u64::from(count),
                        });
                    }
                    TowerTensor::Linear(linear) => {
                        let cut = if linear.attention { attention } else { rest };
                        self.tower_linear(&linear, u64::from(cut), &mut tensors);
                    }
                }
            }
            tensors.retain(|tensor| tensor.bytes + tensor.loaded > 0 && tensor.count > 0);
            runs.push(TensorRun {
                layers: u64::from(block.count),
                tensors,
            });
        }
    }

    fn tower_linear(&self, linear: &TowerLinear, cut: u64, out: &mut Vec<Tensor>) {
        let (k, n) = (u64::from(linear.inputs), u64::from(linear.outputs));
        let tp = self.tp();
        let (k_ranks, n_ranks) = match linear.cut {
            Cut::Whole => (1, 1),
            Cut::Outputs => (1, cut),
            Cut::Inputs => (cut, 1),
            Cut::OutputsAlways => (1, tp),
            Cut::InputsAlways => (tp, 1),
        };
        let count = linear.shards.clamp(1, 3);
        let shards = [n / n_ranks / u64::from(count); 3];
        let shards = shards.get(..count as usize).unwrap_or(&shards);
        self.linear(
            &Linear {
                class: TensorClass::Vision,
                shards,
                k: k / k_ranks,
                experts: 1,
                quantized: linear.quantized,
                bias: if linear.bias { n / n_ranks } else { 0 },
                whole_k: k,
            },
            out,
        );
    }
}
