//! Fields that towers' configs name or write differently.
use super::{
    TowerTensor,
    kinds::{Connector, Tokens},
    read::Reader,
};
use crate::model::{ConfigError, fields::Fields};
use serde_json::{Map, Value};

const MAX_SIDE: u32 = 1 << 14;

/// Reads an object of the config, empty where there is none, with its class's defaults, and keeps what was read of it.
pub(super) fn kept_object<T>(
    top: &Fields<'_>,
    name: &'static str,
    defaults: &'static str,
    kept: &mut Map<String, Value>,
    read: impl FnOnce(&Fields<'_>) -> Result<T, ConfigError>,
) -> Result<T, ConfigError> {
    let none = Map::new();
    let fields = Fields::new(top.object(name)?.unwrap_or(&none), name).with_defaults(defaults);
    let value = read(&fields);
    kept.insert(name.to_owned(), Value::Object(fields.touched()));
    value
}

impl Reader<'_> {
    /// Tokens of the largest image or sound.
    pub(super) fn tokens(&self, merge: u32) -> Result<u32, ConfigError> {
        let side = self.patch * merge;
        Ok(match self.row.tokens {
            Tokens::Fixed(tokens) => self.fields.count("max_image_tokens", 1 << 20)?.unwrap_or(tokens),
            Tokens::Context => u32::MAX,
            Tokens::Pixels(pixels) => pixels / (side * side),
            Tokens::Image => {
                let grid = self.grid()? / merge;
                grid * grid
            }
            Tokens::Tiles(tiles) => {
                let grid = self.grid()?;
                tiles * grid * grid / (merge * merge)
            }
            Tokens::Unknown => 0,
        })
    }

    /// Layers up to the one whose output is used.
    pub(super) fn kept_layers(&self) -> Result<u32, ConfigError> {
        let (fields, key, default, behind) = match self.row.connector {
            Connector::TwoLayers | Connector::TwoLayersNewline => (self.top, "vision_feature_layer", -2, 0),
            Connector::TwoWhole | Connector::PatchMerger => (self.top, "vision_feature_layer", -1, 0),
            Connector::Separators => (self.fields, "layer_idx", -2, 1),
            Connector::InternVl => (self.top, "select_layer", -1, 1),
            Connector::Pooled => {
                let count = i64::from(self.layers);
                let (adapter, layers) = self.adapter()?;
                let last = layers
                    .iter()
                    .map(|at| if *at < 0 { at + count + 1 } else { at + 1 });
                return last
                    .max()
                    .and_then(|last| u32::try_from(last).ok())
                    .filter(|last| (1..=self.layers).contains(last))
                    .ok_or_else(|| {
                        adapter.inconsistent("vit_layers", format!("the tower has {count} layers"))
                    });
            }
            Connector::Resampler | Connector::Windowed => {
                let dropped = self.top.flag("drop_vision_last_layer")?.unwrap_or(false);
                return Ok(self.layers.saturating_sub(u32::from(dropped)).max(1));
            }
            _ => return Ok(self.layers),
        };
        let layer = |value: &Value| -> Result<i64, ConfigError> {
            let at = value
                .as_i64()
                .ok_or_else(|| fields.wrong(key, "a layer's number", value))?;
            let count = i64::from(self.layers);
            Ok(if at < 0 { count + at + 1 } else { at + behind })
        };
        let last = match fields.value(key) {
            None => i64::from(self.layers) + default + 1,
            Some(Value::Array(list)) => {
                let mut last = 0;
                for value in list {
                    last = last.max(layer(value)?);
                }
                last
            }
            Some(value) => layer(value)?,
        };
        u32::try_from(last)
            .ok()
            .filter(|last| (1..=self.layers).contains(last))
            .ok_or_else(|| fields.inconsistent(key, format!("the tower has {} layers", self.layers)))
    }
}

/// So many equal tensors.
pub(super) fn whole(elements: u64, count: u32) -> TowerTensor {
    TowerTensor::Whole { elements, count }
}

/// The first of these fields that is there, or the class's default of one of them.
pub(super) fn first(
    fields: &Fields<'_>,
    keys: &[&str],
    max: u32,
    needed_for: &'static str,
) -> Result<u32, ConfigError> {
    if let Some(key) = keys.iter().find(|key| fields.has(key)) {
        return fields.required(key, max, needed_for);
    }
    for key in keys {
        if let Some(default) = fields.count(key, max)? {
            return Ok(default);
        }
    }
    let last = keys.last().copied().unwrap_or_default();
    fields.required(last, max, needed_for)
}

/// The side of an image or patch: a number, or a list of two equal ones.
pub(super) fn side(fields: &Fields<'_>, key: &str) -> Result<u32, ConfigError> {
    let Some(Value::Array(sides)) = fields.value(key) else {
        return fields.required(key, MAX_SIDE, "the size of the tower");
    };
    let number = |value: &Value| {
        value
            .as_u64()
            .and_then(|side| u32::try_from(side).ok())
            .filter(|side| (1..=MAX_SIDE).contains(side))
    };
    match sides.as_slice() {
        [a, b] if a == b => number(a),
        _ => None,
    }
    .ok_or_else(|| fields.inconsistent(key, "expected two equal sides"))
}
