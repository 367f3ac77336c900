//! What a checkpoint's own tensors weigh, to hold its published size against.
use super::{
    shape::RankShape,
    sparse_latent::LayerBuffers,
    tensors::{Placement, TensorClass, TowerPlace, tensors},
};
use crate::{
    model::ModelSpec,
    units::{Bytes, FloatDtype},
};

/// Bytes of the tensors that vLLM loads from the checkpoint: one rank, without caches and rows that pad the vocabulary.
/// `None` where a part of the model is not known.
pub fn expected(spec: &ModelSpec) -> Option<Bytes> {
    if spec.has_tower && spec.tower.is_err() {
        return None;
    }
    let place = Placement {
        shape: RankShape::SINGLE,
        dtype: if spec.narrowed && spec.quantization.is_none() {
            FloatDtype::Float32
        } else {
            spec.dtype
        },
        // Where no kernel pads.
        capability: 90,
        tower: spec.has_tower.then_some(TowerPlace {
            data_parallel: false,
            max_num_batched_tokens: 0,
            every_stage: false,
        }),
        buffers: LayerBuffers::default(),
        streams_online: true,
    };
    let mut bytes = 0_u64;
    for run in tensors(spec, &place) {
        for tensor in run.tensors {
            if !matches!(tensor.class, TensorClass::Rope | TensorClass::Buffers) {
                bytes = bytes.saturating_add(
                    tensor
                        .bytes
                        .saturating_mul(tensor.count)
                        .saturating_mul(run.layers),
                );
            }
        }
    }
    Some(Bytes::new(bytes))
}
