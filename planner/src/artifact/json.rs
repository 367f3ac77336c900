//! JSON whose keys stay in the order in which they are given.
use crate::bounds::{self, FieldKind};
use serde::{Serialize, Serializer, ser::SerializeMap as _};
use serde_json::Value;

/// The schema of plan.json.
pub const PLAN_SCHEMA: &str = "vllm-wizard/plan/v1";

/// A value.
#[derive(Clone, Debug)]
pub(crate) enum Json {
    /// Anything without an order of its own.
    Value(Value),
    /// A list.
    List(Vec<Json>),
    /// A map.
    Map(Vec<(String, Json)>),
}

impl Json {
    pub(crate) const NULL: Self = Self::Value(Value::Null);

    /// Anything that serialises; null for what JSON cannot say, such as an infinite number.
    pub(crate) fn of<T: Serialize>(value: &T) -> Self {
        Self::Value(serde_json::to_value(value).unwrap_or_default())
    }

    /// A map of fixed keys.
    pub(crate) fn map<const N: usize>(entries: [(&str, Json); N]) -> Self {
        Self::Map(
            entries
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
        )
    }

    /// Indented, with a newline at the end.
    pub(crate) fn pretty(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::List(items) => items.serialize(serializer),
            Self::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

/// A field's text as JSON: numbers and switches as such, words as texts.
pub(crate) fn typed(id: &str, text: &str) -> Json {
    match bounds::field(id).map(|field| field.kind) {
        Some(
            FieldKind::Count { .. }
            | FieldKind::Fraction
            | FieldKind::Decimal
            | FieldKind::Memory
            | FieldKind::Switch,
        ) => number_or_text(text),
        _ => Json::of(&text),
    }
}

/// A number or a switch as such, anything else as a text.
pub(crate) fn number_or_text(text: &str) -> Json {
    match serde_json::from_str(text) {
        Ok(value @ (Value::Number(_) | Value::Bool(_))) => Json::Value(value),
        _ => Json::of(&text),
    }
}
