//! A vision or audio tower beside the language model.
use super::{Builder, Tensor, TensorClass, TensorRun, linear::Linear, whole};
use crate::model::{Cut, Tower, TowerLinear, TowerTensor};

/// What a tower's tensors depend on besides the model and the rank.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
                            source: 0,
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
        let shards = match linear.keys {
            Some((keys, head)) => {
                let (keys, head) = (u64::from(keys), u64::from(head));
                let own = (keys / n_ranks).max(head);
                [n.saturating_sub(2 * keys) / n_ranks, own, own]
            }
            None => [n / n_ranks / u64::from(count); 3],
        };
        let shards = shards.get(..count as usize).unwrap_or(&shards);
        self.linear(
            &Linear {
                class: TensorClass::Vision,
                shards,
                k: k / k_ranks,
                experts: 1,
                quantized: linear.quantized,
                bias: match linear.keys {
                    _ if !linear.bias => 0,
                    Some(_) => shards.iter().sum(),
                    None => n / n_ranks,
                },
                whole_k: k,
            },
            out,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        memory::{
            shape::RankShape,
            sparse_latent::LayerBuffers,
            tensors::{Placement, tensors},
        },
        model::{LinearScheme, Quantization, resolve, tower_alone},
        units::FloatDtype,
    };
    use serde_json::{Map, Value};

    const FILE: &str = include_str!("../../../../tests/oracle/towers_alone.json");
    const LLAMA: &str = r#"{"architectures":["LlamaForCausalLM"],"hidden_size":4096,"intermediate_size":14336,"num_hidden_layers":32,"num_attention_heads":32,"num_key_value_heads":8,"vocab_size":128256,"max_position_embeddings":131072,"torch_dtype":"bfloat16"}"#;

    /// Towers of models whose language models are modelled elsewhere, or not yet.
    #[test]
    fn towers_alone_equal_vllms_classes() {
        let file: Value = serde_json::from_str(FILE).unwrap();
        let mut llama: Map<String, Value> = serde_json::from_str(LLAMA).unwrap();
        let mut wrong = Vec::new();
        for row in file["rows"].as_array().unwrap() {
            let id = row[0].as_str().unwrap();
            let config = file["configs"][id].as_object().unwrap();
            llama["hidden_size"] = file["hidden_size"][id].clone();
            let mut spec = resolve(&llama).0.unwrap();
            spec.architecture = config["architectures"][0].as_str().unwrap().to_owned();
            if file["mxfp4"].as_array().unwrap().contains(&row[0]) {
                // Of its experts alone, but the tower's buffers keep their type then.
                let mut quantization = Quantization::online_fp8();
                quantization.scheme = LinearScheme::Mxfp4;
                spec.quantization = Some(quantization);
            }
            spec.tower = tower_alone(config, &spec);
            let place = Placement {
                shape: RankShape {
                    tp: u32::try_from(row[1].as_u64().unwrap()).unwrap(),
                    ..RankShape::SINGLE
                },
                dtype: FloatDtype::Bfloat16,
                capability: 90,
                tower: Some(TowerPlace {
                    data_parallel: false,
                    max_num_batched_tokens: 8192,
                    every_stage: false,
                }),
                buffers: LayerBuffers::default(),
                streams_online: true,
            };
            assert_eq!(spec.tower.as_ref().err(), None, "{id}");
            let runs = tensors(&spec, &place);
            let bytes: u64 = runs
                .iter()
                .flat_map(|run| run.tensors.iter().map(|tensor| (run.layers, tensor)))
                .filter(|(_, tensor)| tensor.class == TensorClass::Vision)
                .map(|(layers, tensor)| layers * tensor.bytes * tensor.count)
                .sum();
            if row[2].as_u64() != Some(bytes) {
                wrong.push(format!("{row}: {bytes}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
