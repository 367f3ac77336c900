//! AMD Quark's checkpoints: `vllm/model_executor/layers/quantization/quark/quark.py` at 0.33.0.
use super::{
    ConfigError,
    fields::Fields,
    quantization::{LinearScheme, Quantization, names},
};
use serde_json::{Map, Value};

/// One scheme for all layers but those that `exclude` names. Of schemes per layer, only what concerns the KV cache may
/// differ.
pub(super) fn read(fields: &Fields<'_>) -> Result<Quantization, ConfigError> {
    let global = fields
        .object("global_quant_config")?
        .ok_or_else(|| ConfigError::Missing {
            field: fields.name("global_quant_config"),
            needed_for: "the layout of the quantised weights",
        })?;
    let (scheme, min_capability) = scheme(global)?;
    let own = fields.object("layer_quant_config")?.into_iter().flatten();
    for (layer, config) in own.filter_map(|(layer, config)| Some((layer, config.as_object()?))) {
        if !same(config, global) {
            let shown: String = layer.chars().take(40).collect();
            return Err(ConfigError::unsupported(format!(
                "quark checkpoints with a scheme of their own for `{shown}` are not modelled yet"
            )));
        }
    }
    Ok(Quantization::uniform(
        "quark",
        scheme,
        min_capability,
        names(fields, "exclude")?,
    ))
}

/// Whether weights and inputs are described alike.
fn same(one: &Map<String, Value>, other: &Map<String, Value>) -> bool {
    ["weight", "input_tensors"]
        .iter()
        .all(|key| one.get(*key) == other.get(*key))
}

fn scheme(config: &Map<String, Value>) -> Result<(LinearScheme, u16), ConfigError> {
    let part = |key: &str| config.get(key).and_then(Value::as_object);
    let text = |object: &Map<String, Value>, key: &str| {
        let text = object.get(key).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let (Some(weight), inputs) = (part("weight"), part("input_tensors")) else {
        return Err(ConfigError::Missing {
            field: "quantization_config.global_quant_config.weight".to_owned(),
            needed_for: "the layout of the quantised weights",
        });
    };
    let (dtype, per) = (text(weight, "dtype"), text(weight, "qscheme"));
    let static_inputs = inputs.is_some_and(|inputs| inputs.get("is_dynamic") != Some(&Value::Bool(true)));
    let group = weight.get("group_size").and_then(Value::as_u64);
    match (dtype.as_str(), per.as_str(), group) {
        ("fp8_e4m3", "per_tensor", _) if inputs.is_some() => Ok((
            LinearScheme::Fp8PerTensor {
                static_activation: static_inputs,
            },
            89,
        )),
        ("fp8_e4m3", "per_channel", _) if inputs.is_some() => Ok((
            LinearScheme::PerChannel8 {
                static_activation: static_inputs,
                float: true,
            },
            89,
        )),
        ("fp4", "per_group", Some(32)) if !static_inputs => Ok((LinearScheme::Mxfp4, 70)),
        _ => Err(ConfigError::unsupported(format!(
            "quark's scheme ({dtype} weights, {per} scales) is not modelled yet"
        ))),
    }
}
