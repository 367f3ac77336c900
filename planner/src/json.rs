//! Texts of fields as JSON: numbers and switches as such, words as texts.
use crate::bounds::{self, FieldKind};
use serde::{Serialize, Serializer};
use serde_json::Value;

/// A number or a switch as such, anything else as a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NumberOrText<'a>(pub(crate) &'a str);

impl Serialize for NumberOrText<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Only these can begin one; a failed parse would cost an error that nobody reads.
        let may_be = self
            .0
            .starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | 't' | 'f'));
        let value = may_be.then(|| serde_json::from_str(self.0).ok()).flatten();
        match value {
            Some(value @ (Value::Number(_) | Value::Bool(_))) => value.serialize(serializer),
            _ => serializer.serialize_str(self.0),
        }
    }
}

/// A field's text, by the field's kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FieldText<'a> {
    /// The field.
    pub(crate) id: &'a str,
    /// Its value as text.
    pub(crate) text: &'a str,
}

impl Serialize for FieldText<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match bounds::field(self.id).map(|field| field.kind) {
            Some(
                FieldKind::Count { .. }
                | FieldKind::Fraction
                | FieldKind::Decimal
                | FieldKind::Memory
                | FieldKind::Switch,
            ) => NumberOrText(self.text).serialize(serializer),
            _ => serializer.serialize_str(self.text),
        }
    }
}

/// Fields and their texts, as a map.
pub(crate) fn fields<S: Serializer>(pairs: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(id, text)| (id, FieldText { id, text })))
}

/// Names and their values, as a map.
pub(crate) fn values<S: Serializer>(
    pairs: &[(&'static str, String)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, text)| (name, NumberOrText(text))))
}

/// Amounts by name, as an object.
pub(crate) fn amounts<S: Serializer>(
    pairs: &[(&'static str, i64)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().copied())
}
