//! What a rank's tensors weigh, once per model and place however often it is asked.
use super::{
    allocator::allocated,
    kv_cache::{KvLayout, KvSettings},
    offload::take_out,
    rocm::driver_extra,
    tensors::{Placement, TensorClass, tensors},
};
use crate::{model::ModelSpec, units::Bytes};
use std::sync::Arc;

/// The weights of one rank.
#[derive(Clone, Debug, PartialEq)]
pub struct RankWeights {
    /// Parameters and buffers by class.
    pub by_class: Vec<(TensorClass, Bytes)>,
    /// Their sum.
    pub tensor_bytes: Bytes,
    /// What the attention's kernels keep from loading on, beside the model's tensors.
    pub buffer_bytes: Bytes,
    /// What torch's allocator holds after loading.
    pub allocated: Bytes,
    /// What a ROCm driver takes meanwhile, where vLLM counts it; else zero.
    pub driver_extra: Bytes,
    /// What stays in the host's memory, as the checkpoint has it.
    pub offloaded: Bytes,
}

/// How they are loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Loading {
    /// The version counts what the driver takes as weights (ROCm).
    pub(super) counts_driver: bool,
    /// `--cpu-offload-gb`.
    pub(super) cpu_offload: Bytes,
}

impl RankWeights {
    fn new(spec: &ModelSpec, place: &Placement, loading: Loading) -> Self {
        let mut runs = tensors(spec, place);
        let mut by_class: Vec<(TensorClass, Bytes)> = Vec::new();
        let mut buffer_bytes = Bytes::ZERO;
        for run in &runs {
            for tensor in &run.tensors {
                if tensor.class == TensorClass::Buffers {
                    buffer_bytes += Bytes::new(tensor.loaded) * tensor.count * run.layers;
                    continue;
                }
                let bytes = Bytes::new(tensor.bytes) * tensor.count * run.layers;
                match by_class.binary_search_by_key(&tensor.class, |(class, _)| *class) {
                    Ok(at) => by_class[at].1 += bytes,
                    Err(at) => by_class.insert(at, (tensor.class, bytes)), // fewer than a dozen
                }
            }
        }
        let offloaded = if loading.cpu_offload > Bytes::ZERO {
            take_out(&mut runs, loading.cpu_offload)
        } else {
            Bytes::ZERO
        };
        Self {
            offloaded,
            tensor_bytes: by_class.iter().map(|(_, bytes)| *bytes).sum(),
            by_class,
            buffer_bytes,
            allocated: allocated(&runs),
            driver_extra: if loading.counts_driver {
                driver_extra(spec, &runs)
            } else {
                Bytes::ZERO
            },
        }
    }
}

/// The weights of a model's ranks that were computed before: most flags do not change them.
#[derive(Debug)]
pub struct KnownWeights {
    /// As the config describes it.
    spec: Option<Arc<ModelSpec>>,
    own: Known,
    /// Copies that flags changed, such as one that is quantised while it is loaded.
    changed: Vec<(ModelSpec, Known)>,
}

/// What is known of one model.
#[derive(Debug, Default)]
struct Known {
    /// Of a place, and how it is loaded.
    ranks: Vec<(Placement, Loading, RankWeights)>,
    /// Where layers differ, laying the cache out goes through each of them.
    layouts: Vec<(KvSettings, KvLayout)>,
}

impl KnownWeights {
    /// None yet.
    pub fn of(spec: Option<&Arc<ModelSpec>>) -> Self {
        Self {
            spec: spec.cloned(),
            own: Known::default(),
            changed: Vec::new(),
        }
    }

    /// Of that model.
    fn of_model(&mut self, spec: &ModelSpec) -> &mut Known {
        let own = self.spec.as_ref();
        if own.is_some_and(|own| std::ptr::eq(Arc::as_ptr(own), spec)) {
            return &mut self.own;
        }
        let at = self.changed.iter().position(|(known, _)| known == spec);
        let at = at.unwrap_or_else(|| {
            self.changed.push((spec.clone(), Known::default()));
            self.changed.len() - 1
        });
        &mut self.changed[at].1
    }

    /// The cache's layout, which the next GPU of a search has again.
    pub(super) fn layout(&mut self, spec: &ModelSpec, settings: KvSettings) -> KvLayout {
        let known = &mut self.of_model(spec).layouts;
        if let Some((_, layout)) = known.iter().rev().find(|(of, _)| *of == settings) {
            return layout.clone();
        }
        let layout = KvLayout::new(spec, settings);
        known.push((settings, layout.clone()));
        layout
    }

    pub(super) fn get(&mut self, spec: &ModelSpec, place: Placement, loading: Loading) -> RankWeights {
        let known = &mut self.of_model(spec).ranks;
        // Most often asked for is what was computed last.
        let same = |(at, how, _): &&(Placement, Loading, RankWeights)| *at == place && *how == loading;
        if let Some((_, _, weights)) = known.iter().rev().find(same) {
            return weights.clone();
        }
        let weights = RankWeights::new(spec, &place, loading);
        known.push((place, loading, weights.clone()));
        weights
    }
}
