//! The layouts of an offer: how its GPUs are put to work, and in which number formats.
use super::Offer;
use crate::{
    engine::KvCacheDtype,
    plan::{Plan, Scenario},
};
use std::fmt;

/// One way to run the model on an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Layout {
    /// GPUs that each layer is split over.
    pub tensor_parallel_size: u32,
    /// Stages.
    pub pipeline_parallel_size: u32,
    /// Copies of the engine.
    pub data_parallel_size: u32,
    /// Whole experts on each GPU.
    pub enable_expert_parallel: bool,
    /// Weights are quantised to FP8 while they are loaded.
    pub fp8_weights: bool,
    /// The KV cache is FP8.
    pub fp8_cache: bool,
}

/// What a scenario takes for weights that are quantised while they are loaded.
const ONLINE: &str = "fp8_per_tensor";

impl Layout {
    /// That of a plan. Number formats are part of it where a search may change them.
    pub fn of(plan: &Plan, change_formats: bool) -> Option<Self> {
        let args = plan.args.as_ref()?;
        let (weights, cache) = formats(&plan.scenario);
        Some(Self {
            tensor_parallel_size: args.tensor_parallel_size.value,
            pipeline_parallel_size: args.pipeline_parallel_size.value,
            data_parallel_size: args.data_parallel_size.value,
            enable_expert_parallel: args.enable_expert_parallel.value,
            fp8_weights: change_formats && weights,
            fp8_cache: change_formats && cache,
        })
    }

    /// Number formats that the checkpoint's maker did not choose.
    pub(super) fn changed_formats(&self) -> u32 {
        u32::from(self.fp8_weights) + u32::from(self.fp8_cache)
    }

    /// Sets it.
    pub fn put(&self, scenario: &mut Scenario) {
        let engine = &mut scenario.engine;
        engine.tensor_parallel_size = Some(self.tensor_parallel_size);
        engine.pipeline_parallel_size = Some(self.pipeline_parallel_size);
        engine.data_parallel_size = Some(self.data_parallel_size);
        if self.enable_expert_parallel {
            engine.enable_expert_parallel = Some(true);
        }
        if self.fp8_weights {
            engine.quantization = Some(ONLINE.to_owned());
        }
        if self.fp8_cache {
            engine.kv_cache_dtype = Some(KvCacheDtype::Fp8);
        }
    }

    /// The fields that it sets, as [`Scenario::set`] takes them; sizes of 1 are vLLM's own.
    pub fn change(&self) -> Vec<(String, String)> {
        let size = |id: &str, size: u32| (size > 1).then(|| (id.to_owned(), size.to_string()));
        let switch = |set: bool, id: &str, value: &str| set.then(|| (id.to_owned(), value.to_owned()));
        [
            Some((
                "tensor_parallel_size".to_owned(),
                self.tensor_parallel_size.to_string(),
            )),
            size("pipeline_parallel_size", self.pipeline_parallel_size),
            size("data_parallel_size", self.data_parallel_size),
            switch(self.enable_expert_parallel, "enable_expert_parallel", "true"),
            switch(self.fp8_weights, "quantization", ONLINE),
            switch(self.fp8_cache, "kv_cache_dtype", "fp8"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// Whether the scenario has the number formats that a search tries: of weights, of the cache.
fn formats(scenario: &Scenario) -> (bool, bool) {
    let engine = &scenario.engine;
    (
        engine.quantization.as_deref() == Some(ONLINE),
        engine.kv_cache_dtype == Some(KvCacheDtype::Fp8),
    )
}

/// The scenario with everything unset that an answer sets, so that a search of it does not depend on which answer was
/// taken before.
pub fn left_open(scenario: &Scenario, change_formats: bool) -> Scenario {
    let (weights, cache) = formats(scenario);
    let mut open = scenario.clone();
    let engine = &mut open.engine;
    engine.tensor_parallel_size = None;
    engine.pipeline_parallel_size = None;
    open.pp_layer_partition = None;
    engine.data_parallel_size = None;
    engine.enable_expert_parallel = None;
    if change_formats && weights {
        engine.quantization = None;
    }
    if change_formats && cache {
        engine.kv_cache_dtype = None;
    }
    open
}

impl fmt::Display for Layout {
    /// `TP 4 × DP 2, experts whole, FP8 cache`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TP {}", self.tensor_parallel_size)?;
        if self.pipeline_parallel_size > 1 {
            write!(f, " × PP {}", self.pipeline_parallel_size)?;
        }
        if self.data_parallel_size > 1 {
            write!(f, " × DP {}", self.data_parallel_size)?;
        }
        if self.enable_expert_parallel {
            f.write_str(", EP")?;
        }
        if self.fp8_weights {
            f.write_str(", FP8 weights")?;
        }
        if self.fp8_cache {
            f.write_str(", FP8 cache")?;
        }
        Ok(())
    }
}

/// All layouts of an offer, those that the scenario leaves open. What the model or vLLM does not allow is among them: it
/// is refused where it is judged, with the reason.
pub(super) fn layouts(scenario: &Scenario, offer: &Offer, change_formats: bool) -> Vec<Layout> {
    let engine = &scenario.engine;
    let experts = scenario
        .model
        .spec
        .as_ref()
        .is_ok_and(|spec| spec.moe().is_some());
    let free = |is_set: bool| change_formats && !is_set;
    let weights = choices(free(
        engine.quantization.is_some()
            || scenario
                .model
                .spec
                .as_ref()
                .is_ok_and(|spec| spec.quantization.is_some()),
    ));
    let caches = choices(free(engine.kv_cache_dtype.is_some()));
    let total = offer.total_gpus();
    let mut all = Vec::new();
    for tp in sizes(engine.tensor_parallel_size, offer.gpus) {
        for pp in sizes(engine.pipeline_parallel_size, total / tp) {
            let dp = total / tp / pp;
            if tp * pp * dp != total || engine.data_parallel_size.is_some_and(|set| set != dp) {
                continue;
            }
            let whole = choices(experts && tp * dp > 1 && engine.enable_expert_parallel.is_none());
            for &enable_expert_parallel in whole {
                for &fp8_weights in weights {
                    for &fp8_cache in caches {
                        all.push(Layout {
                            tensor_parallel_size: tp,
                            pipeline_parallel_size: pp,
                            data_parallel_size: dp,
                            enable_expert_parallel,
                            fp8_weights,
                            fp8_cache,
                        });
                    }
                }
            }
        }
    }
    all
}

/// Off, and where it is free, on.
const fn choices(free: bool) -> &'static [bool] {
    if free { &[false, true] } else { &[false] }
}

/// What was set, else every divisor of that many GPUs.
fn sizes(set: Option<u32>, most: u32) -> Vec<u32> {
    match set {
        Some(size) if size >= 1 && size <= most => vec![size],
        Some(_) => Vec::new(),
        None => (1..=most).filter(|size| most.is_multiple_of(*size)).collect(),
    }
}
