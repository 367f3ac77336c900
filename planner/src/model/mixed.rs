//! Checkpoints that quantise their layers in more than one way: which layer has which scheme.
//!
//! Mirrors `modelopt.py: ModelOptMixedPrecisionConfig` and `compressed_tensors/utils.py: find_matched_target` of
//! `vllm/model_executor/layers/quantization/` at 0.33.0.
use super::quantization::{LinearScheme, Module};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The schemes of a checkpoint by module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Mixed {
    /// By name; all experts of a layer under one.
    named: BTreeMap<String, LinearScheme>,
    /// By pattern, the first match deciding.
    patterns: Vec<(Module, LinearScheme)>,
    /// Of every linear layer that nothing else names.
    linear: Option<LinearScheme>,
}

impl Mixed {
    /// A module of that name. What lies below a list of experts counts as the list.
    pub(super) fn name(&mut self, module: &str, scheme: LinearScheme) {
        self.named
            .entry(without_expert(module).to_owned())
            .or_insert(scheme);
    }

    /// All modules that match.
    pub(super) fn pattern(&mut self, pattern: Module, scheme: LinearScheme) {
        self.patterns.push((pattern, scheme));
    }

    /// All linear layers that nothing else names.
    pub(super) fn linear(&mut self, scheme: LinearScheme) {
        self.linear.get_or_insert(scheme);
    }

    /// One scheme for all linear layers.
    pub(super) fn is_uniform(&self) -> bool {
        self.named.is_empty() && self.patterns.is_empty()
    }

    /// The scheme of that module, if it is quantised.
    pub(super) fn scheme(&self, module: &str) -> Option<LinearScheme> {
        let pattern = || self.patterns.iter().find(|(pattern, _)| pattern.matches(module));
        self.named
            .get(module)
            .copied()
            .or_else(|| pattern().map(|(_, scheme)| *scheme))
            .or(self.linear)
    }

    /// Any of them.
    pub(super) fn first(&self) -> Option<LinearScheme> {
        let named = self.named.values().next().copied();
        named
            .or_else(|| self.patterns.first().map(|(_, scheme)| *scheme))
            .or(self.linear)
    }
}

/// Leaves one expert of each layer in ModelOpt's list of modules: what a scenario keeps of a file with thousands. The
/// groups beside the list say the same once more.
pub(super) fn shorten(config: &mut Map<String, Value>) {
    let quantization = config
        .get_mut("quantization_config")
        .and_then(Value::as_object_mut);
    let Some(quantization) = quantization.filter(|object| object.contains_key("quantized_layers")) else {
        return;
    };
    quantization.remove("config_groups");
    let layers = quantization.get_mut("quantized_layers");
    if let Some(layers) = layers.and_then(Value::as_object_mut) {
        let mut known = BTreeSet::new();
        layers.retain(|module, _| {
            let list = without_expert(module);
            list.len() == module.len() || known.insert(list.to_owned())
        });
    }
}

/// `a.experts.7.up_proj` without what follows the list.
fn without_expert(module: &str) -> &str {
    match module.find(".experts.") {
        Some(at) => module.get(..at + ".experts".len()).unwrap_or(module),
        None => module,
    }
}
