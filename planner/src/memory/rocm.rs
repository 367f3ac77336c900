//! What vLLM's log counts as weights on ROCm up to 0.21: memory gone from the driver while loading, not what torch
//! holds (`vllm/platforms/rocm.py: get_current_memory_usage`). So it has code objects in it, and blocks that torch
//! freed and keeps: experts that a kernel lays out anew leave the old ones of a layer behind.
use super::tensors::{TensorClass, TensorRun};
use crate::{
    model::{LinearScheme, ModelSpec},
    units::{Bytes, MIB},
};

/// Code objects and the like: 0.06 to 0.32 GiB in five logs of 0.9 to 0.17 without copied experts.
const CODE: u64 = 110 * MIB;

/// Beyond what torch holds. Within 0.7 % of the figure in six logs of 0.11 to 0.13 on R9700, 2 % low on MI300X.
pub(super) fn driver_extra(spec: &ModelSpec, runs: &[TensorRun]) -> Bytes {
    let Some(quantization) = &spec.quantization else {
        return Bytes::new(CODE);
    };
    let experts = |run: &TensorRun| -> u64 {
        let tensors = run.tensors.iter().filter(|t| t.class == TensorClass::Experts);
        tensors.map(|t| t.loaded * t.count).sum()
    };
    let copied = runs.iter().map(experts).max().unwrap_or(0);
    let layers: u64 = runs
        .iter()
        .filter(|run| experts(run) > 0)
        .map(|run| run.layers)
        .sum();
    let order = match (quantization.scheme, spec.moe()) {
        // No Marlin there: four lists of int32 per expert for an order of columns that is not used
        // (`compressed_tensors_moe.py: CompressedTensorsWNA16MoEMethod`).
        (
            LinearScheme::PackedInt {
                compressed_tensors: true,
                ..
            },
            Some(moe),
        ) => {
            let columns = u64::from(spec.hidden_size) + u64::from(moe.moe_intermediate_size);
            layers * u64::from(moe.num_experts) * columns * 8
        }
        _ => 0,
    };
    Bytes::new(copied + order + CODE)
}
