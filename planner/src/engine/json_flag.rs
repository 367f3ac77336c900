//! Flags that take JSON: as one text, or key by key (`--flag.key value`, `--flag.list+ a,b`).
use super::EngineArgs;
use serde_json::{Map, Value};

/// Keys below keys beyond this are left out: no option of vLLM's is that deep.
const DEEPEST: usize = 16;

impl EngineArgs {
    /// What a JSON flag says. Keys that are given one by one replace the whole text, as in vLLM
    /// (`utils/argparse_utils.py: FlexibleArgumentParser.parse_args` at 0.33.0); `None` where it is not set or no JSON.
    pub fn json(&self, flag: &str) -> Option<Value> {
        let mut keyed = Map::new();
        for (name, text) in &self.vllm_args {
            let Some(keys) = name.strip_prefix(flag).and_then(|rest| rest.strip_prefix('.')) else {
                continue;
            };
            let text = text.as_deref().unwrap_or_default();
            let (keys, value) = match keys.strip_suffix('+') {
                Some(keys) => (keys, text.split(',').map(Value::from).collect()),
                None => (keys, value(text)),
            };
            if keys.split('.').count() <= DEEPEST {
                let nested = keys.rsplit('.').fold(value, |inner, key| {
                    let mut outer = Map::new();
                    outer.insert(key.to_owned(), inner);
                    Value::Object(outer)
                });
                if let Value::Object(update) = nested {
                    merge(&mut keyed, update);
                }
            }
        }
        if !keyed.is_empty() {
            return Some(Value::Object(keyed));
        }
        serde_json::from_str(self.passed(flag)?).ok()
    }
}

/// JSON, a number with a suffix such as `1k`, or a text.
fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| human_count(text).map_or_else(|| text.into(), Value::from))
}

/// vLLM's `human_readable_int` of a whole number.
fn human_count(text: &str) -> Option<u64> {
    let (number, suffix) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let (base, power): (u64, u32) = match suffix {
        "k" => (1000, 1),
        "m" => (1000, 2),
        "g" => (1000, 3),
        "t" => (1000, 4),
        "K" => (1024, 1),
        "M" => (1024, 2),
        "G" => (1024, 3),
        "T" => (1024, 4),
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(base.checked_pow(power)?)
}

/// Objects are merged, lists joined, anything else is replaced.
fn merge(original: &mut Map<String, Value>, update: Map<String, Value>) {
    for (key, value) in update {
        match (original.get_mut(&key), value) {
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            (Some(Value::Array(old)), Value::Array(new)) => old.extend(new),
            (_, value) => {
                original.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_bounded() {
        let deep = format!("--mm-processor-kwargs.{}", vec!["a"; 100_000].join("."));
        let args = EngineArgs {
            vllm_args: vec![(deep, Some("1".to_owned()))],
            ..EngineArgs::default()
        };
        assert_eq!(args.json("--mm-processor-kwargs"), None);
    }
}
