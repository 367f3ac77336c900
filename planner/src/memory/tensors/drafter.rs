//! A draft's own tensors, loaded behind the target on the last stage: `v1/worker/gpu/spec_decode/eagle/utils.py` and
//! `standalone_ar/speculator.py` at 0.33.0.
use super::{Builder, Placement, Tensor, TensorClass, TensorRun, loaded, tensors, whole};
use crate::{
    memory::shape::RankShape,
    model::{Drafter, DrafterKind, Mixer, ModelSpec},
    units::FloatDtype,
};

/// Appends them. `target` has made its rotary caches already.
pub(super) fn drafter(drafter: &Drafter, target: &ModelSpec, place: &Placement, runs: &mut Vec<TensorRun>) {
    let spec = &drafter.spec;
    let place = Placement {
        shape: RankShape {
            pp: 1,
            layers: None,
            pp_rank: 0,
            ..place.shape
        },
        tower: None,
        buffers: super::LayerBuffers::default(),
        ..*place
    };
    let first = runs.len();
    let mut own = tensors(spec, &place);
    if drafter.kind != DrafterKind::Model {
        head(drafter, &place, &mut own);
    }
    // One cache for equal embeddings of positions (`layers/rotary_embedding/__init__.py: get_rope`).
    let shared = target.rope == spec.rope && spec.derived_max_model_len == target.derived_max_model_len;
    if shared {
        for run in &mut own {
            run.tensors.retain(|tensor| tensor.class != TensorClass::Rope);
        }
    }
    runs.extend(own);
    for run in runs.iter_mut().skip(first) {
        for tensor in &mut run.tensors {
            if tensor.class != TensorClass::Rope {
                tensor.class = TensorClass::Draft;
            }
        }
    }
}

/// Makes a head of a plain decoder's tensors: other ends, and a first layer that reads the embedding too.
fn head(drafter: &Drafter, place: &Placement, runs: &mut Vec<TensorRun>) {
    let spec = &drafter.spec;
    let builder = Builder {
        spec,
        place,
        element: place.dtype.size(),
        others: crate::model::OtherSchemes::default(),
    };
    let (e, h) = (builder.element, u64::from(spec.hidden_size));
    for run in runs.iter_mut() {
        let ends = |class| matches!(class, TensorClass::Embedding | TensorClass::LmHead);
        run.tensors.retain(|tensor| !ends(tensor.class));
    }
    split_first(drafter, h * e, runs);
    if drafter.kind == DrafterKind::Eagle {
        // Without a norm behind the last layer.
        if let Some(last) = runs.last_mut() {
            last.tensors.retain(|tensor| tensor.class != TensorClass::Norms);
        }
    }
    let mut ends = Vec::new();
    if drafter.own_embedding {
        ends.push(builder.embedding(TensorClass::Embedding));
    }
    ends.push(whole(TensorClass::Mlp, u64::from(drafter.inputs) * h * e, 1));
    ends.push(whole(TensorClass::Norms, u64::from(drafter.input_norms) * e, 1));
    let rows = u64::from(drafter.head_rows);
    ends.push(whole(
        TensorClass::LmHead,
        rows.next_multiple_of(64) / builder.tp() * h * e,
        1,
    ));
    if drafter.mapped {
        ends.push(whole(TensorClass::LmHead, rows * 8, 1));
    }
    if drafter.kind == DrafterKind::Dflash {
        // A norm over the joined states, an embedding for what is masked, and the copies for the context.
        ends.push(whole(TensorClass::Norms, h * e, 2));
        ends.extend(context_copies(drafter, place.shape, place.dtype));
    }
    ends.retain(|tensor| tensor.bytes + tensor.loaded > 0);
    runs.push(TensorRun {
        layers: 1,
        tensors: ends,
    });
    runs.retain(|run| !run.tensors.is_empty());
}

/// EAGLE-3's first layer projects embedding and hidden state side by side, and norms both; EAGLE's has a norm less.
fn split_first(drafter: &Drafter, norm: u64, runs: &mut Vec<TensorRun>) {
    let is_layer = |run: &TensorRun| run.tensors.iter().any(|t| t.class == TensorClass::Attention);
    let Some(at) = runs.iter().position(is_layer) else {
        return;
    };
    let Some(run) = runs.get_mut(at) else { return };
    let mut first = TensorRun {
        layers: 1,
        tensors: run.tensors.clone(),
    };
    match drafter.kind {
        DrafterKind::Eagle3 => {
            let projections = match drafter.spec.layers.first().map(|run| run.mixer) {
                Some(Mixer::Mla(mla)) if mla.q_lora_rank.is_none() => 2,
                _ => 1,
            };
            for tensor in first.tensors.iter_mut().take(projections) {
                tensor.bytes *= 2;
                tensor.loaded *= 2;
            }
            // Every layer has it.
            let hidden = whole(TensorClass::Norms, norm, 1);
            first.tensors.push(hidden);
            run.tensors.push(hidden);
        }
        DrafterKind::Eagle => {
            let norms = |tensor: &&mut Tensor| tensor.class == TensorClass::Norms && tensor.bytes == norm;
            if let Some(tensor) = first.tensors.iter_mut().rev().find(norms) {
                tensor.count = tensor.count.saturating_sub(1);
            }
        }
        DrafterKind::Dflash | DrafterKind::Model => return,
    }
    run.layers -= 1;
    if run.layers == 0 {
        runs.remove(at);
    }
    runs.insert(at, first);
}

/// Keys' and values' weights of all layers once more, and the keys' norms, also those in front where there is one for
/// each joined state (`_build_context_kv_buffers`).
fn context_copies(drafter: &Drafter, shape: RankShape, dtype: FloatDtype) -> Vec<Tensor> {
    let spec = &drafter.spec;
    let front = if drafter.input_norms > 0 {
        spec.hidden_size
    } else {
        0
    };
    let (mut weights, mut norms) = (0, 0);
    for run in &spec.layers {
        if let Mixer::Attention(a, _) = run.mixer {
            let heads = u64::from((a.num_key_value_heads / shape.tp).max(1));
            let width = heads * u64::from(a.head_dim + a.v_head_dim);
            let bias = u64::from(a.qkv_bias);
            weights += u64::from(run.count) * width * (u64::from(spec.hidden_size) + bias);
            norms += u64::from(run.count) * u64::from(a.head_dim + front);
        }
    }
    [weights, norms]
        .map(|elements| loaded(TensorClass::Attention, elements * dtype.size()))
        .into()
}
