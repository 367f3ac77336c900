//! `--cpu-offload-gb`: weights of the layers that stay in the host's memory.
//!
//! Mirrors `vllm/model_executor/offloader/uva.py` at 0.33.0: tensor after tensor of the decoder's layers goes, until so
//! much is gone; embedding, output and tower stay.
use super::tensors::{Tensor, TensorClass, TensorRun};
use crate::units::Bytes;

/// Whether it is a parameter of a layer.
fn goes(tensor: &Tensor) -> bool {
    !matches!(
        tensor.class,
        TensorClass::Embedding
            | TensorClass::LmHead
            | TensorClass::Rope
            | TensorClass::Vision
            | TensorClass::Draft
            | TensorClass::Buffers
    )
}

/// Takes them out of what is loaded; how much that was.
pub(super) fn take_out(runs: &mut Vec<TensorRun>, budget: Bytes) -> Bytes {
    let mut left = budget.get();
    let mut over = 0;
    let mut out = Vec::with_capacity(runs.len() + 2);
    for mut run in runs.drain(..) {
        let layer: u64 = run
            .tensors
            .iter()
            .filter(|t| goes(t))
            .map(|t| t.bytes * t.count)
            .sum();
        if layer == 0 || left == 0 {
            out.push(run);
            continue;
        }
        let whole = (left / layer).min(run.layers);
        let rest = TensorRun {
            layers: run.layers - whole,
            tensors: run.tensors.clone(),
        };
        left -= whole * layer;
        run.layers = whole;
        run.tensors
            .iter_mut()
            .filter(|t| goes(t))
            .for_each(|t| t.loaded = 0);
        out.push(run);
        out.extend(split(rest, &mut left, &mut over));
    }
    out.retain(|run| run.layers > 0);
    *runs = out;
    budget.saturating_sub(Bytes::new(left)) + Bytes::new(over)
}

/// The layer in which the budget ends, and those behind it.
fn split(mut run: TensorRun, left: &mut u64, over: &mut u64) -> [TensorRun; 2] {
    let mut first = TensorRun {
        layers: run.layers.min(1),
        tensors: Vec::with_capacity(run.tensors.len() + 1),
    };
    for tensor in &run.tensors {
        // The tensor that crosses the budget goes too.
        let count = match (tensor.bytes, goes(tensor)) {
            (1.., true) if first.layers > 0 => left.div_ceil(tensor.bytes).min(tensor.count),
            _ => 0,
        };
        *over += (count * tensor.bytes).saturating_sub(*left);
        *left = left.saturating_sub(count * tensor.bytes);
        let gone = Tensor {
            count,
            loaded: 0,
            ..*tensor
        };
        let stays = Tensor {
            count: tensor.count - count,
            ..*tensor
        };
        first
            .tensors
            .extend([gone, stays].into_iter().filter(|t| t.count > 0));
    }
    run.layers = run.layers.saturating_sub(1);
    [first, run]
}
