//! Speculative decoding: `config/speculative.py` at 0.33.0, as far as memory depends on it.
use super::{EngineArgs, KvCacheDtype};
use crate::error::InputError;
use serde_json::Value;

const FLAG: &str = "--speculative-config";
/// More than any draft proposes.
const MOST_TOKENS: u64 = 1024;

/// How tokens are proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// From the prompt, or from what was said before: no weights.
    Lookup,
    /// By a layer that the checkpoint brings.
    Mtp,
    /// By an EAGLE head.
    Eagle,
    /// By an EAGLE-3 head.
    Eagle3,
    /// By a DFlash head.
    Dflash,
    /// By a model of its own.
    Model,
    /// In a way that is not modelled.
    Other,
}

/// What `--speculative-config` or `--spec-…` say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speculative {
    /// How tokens are proposed.
    pub method: Method,
    /// Tokens in a step, where they are said.
    pub tokens: Option<u32>,
    /// `draft_tensor_parallel_size`.
    pub draft_tensor_parallel_size: Option<u32>,
    /// `kv_cache_dtype`, where it is not the target's.
    pub kv_cache_dtype: Option<KvCacheDtype>,
    /// `draft_sample_method` is `probabilistic`: the draft's logits are kept.
    pub probabilistic: bool,
    /// A draft of its own is named.
    pub has_model: bool,
}

impl EngineArgs {
    /// The settings as one object: `--speculative-config`, with `--spec-method`, `--spec-model` and `--spec-tokens` in it.
    fn speculative(&self) -> Result<Option<serde_json::Map<String, Value>>, InputError> {
        let object = match self.json(FLAG) {
            Some(Value::Object(object)) => Some(object),
            Some(Value::Null) => None,
            _ if self.passed(FLAG).is_some() => {
                return Err(InputError::new(FLAG, "expected a JSON object"));
            }
            _ => None,
        };
        let shorts = [
            ("--spec-method", "method"),
            ("--spec-model", "model"),
            ("--spec-tokens", "num_speculative_tokens"),
        ];
        let mut all = object.unwrap_or_default();
        for (flag, key) in shorts {
            let Some(text) = self.passed(flag) else { continue };
            if all.contains_key(key) {
                return Err(InputError::new(
                    flag,
                    format!("{flag} and {FLAG}['{key}'] are mutually exclusive"),
                ));
            }
            let value = if key == "num_speculative_tokens" {
                serde_json::from_str(text).unwrap_or_default()
            } else {
                Value::from(text)
            };
            all.insert(key.to_owned(), value);
        }
        Ok((!all.is_empty()).then_some(all))
    }

    /// The draft model's name, where one is set.
    pub fn draft_model(&self) -> Option<String> {
        let settings = self.speculative().ok()??;
        let name = settings.get("model")?.as_str()?;
        let none = ["ngram", "[ngram]"].contains(&name);
        (!none).then(|| name.to_owned())
    }
}

impl Speculative {
    /// Reads it; `None` where nothing is proposed.
    pub fn read(args: &EngineArgs) -> Result<Option<Self>, InputError> {
        let Some(settings) = args.speculative()? else {
            return Ok(None);
        };
        let text = |key: &str| settings.get(key).and_then(Value::as_str);
        let count = |key: &str| match settings.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_u64().filter(|n| (1..=MOST_TOKENS).contains(n)) {
                Some(number) => Ok(u32::try_from(number).ok()),
                None => Err(InputError::new(
                    FLAG,
                    format!("{key}: expected a number from 1 to {MOST_TOKENS}"),
                )),
            },
        };
        let tokens = count("num_speculative_tokens")?;
        let method = method(text("method"), text("model"));
        if tokens.is_none()
            && matches!(
                method,
                Method::Eagle | Method::Eagle3 | Method::Dflash | Method::Model
            )
        {
            return Err(InputError::new(
                FLAG,
                "A speculative model was provided, but `num_speculative_tokens` was not provided",
            ));
        }
        let kv_cache_dtype = text("kv_cache_dtype").map(KvCacheDtype::parse).transpose()?;
        Ok(Some(Self {
            method,
            tokens,
            draft_tensor_parallel_size: count("draft_tensor_parallel_size")?,
            kv_cache_dtype,
            probabilistic: text("draft_sample_method") == Some("probabilistic"),
            has_model: args.draft_model().is_some(),
        }))
    }

    /// Tokens that are proposed in a step: where nobody says, one for each layer that the checkpoint brings.
    pub fn step_tokens(&self) -> u32 {
        self.tokens.unwrap_or(1)
    }

    /// vLLM keeps the target's hidden states for the draft.
    pub fn reads_hidden_states(&self) -> bool {
        !matches!(self.method, Method::Lookup | Method::Model | Method::Other)
    }
}

/// As said, else by the draft's name (`SpeculativeConfig.__post_init__`).
fn method(said: Option<&str>, model: Option<&str>) -> Method {
    let name = model.unwrap_or_default().to_ascii_lowercase();
    match said {
        Some("ngram" | "[ngram]" | "ngram_gpu" | "suffix") => return Method::Lookup,
        Some("eagle") => return Method::Eagle,
        Some("eagle3") => return Method::Eagle3,
        Some("dflash") => return Method::Dflash,
        Some(mtp) if mtp.ends_with("mtp") => return Method::Mtp,
        None | Some("draft_model") => {}
        Some(_) => return Method::Other,
    }
    match name.as_str() {
        "ngram" | "[ngram]" => Method::Lookup,
        name if name.contains("eagle-") => Method::Eagle,
        name if name.contains("eagle3") => Method::Eagle3,
        name if name.contains("dflash") => Method::Dflash,
        name if name.contains("dspark") => Method::Other,
        _ => Method::Model,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(flags: &[(&str, &str)]) -> EngineArgs {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), Some((*value).to_owned()));
        EngineArgs {
            vllm_args: flags.iter().map(pair).collect(),
            ..EngineArgs::default()
        }
    }

    /// The examples in `config/speculative.py` and vLLM's documentation.
    #[test]
    fn methods_are_found_as_vllm_finds_them() {
        for (config, method, tokens) in [
            (
                r#"{"method":"mtp","num_speculative_tokens":2}"#,
                Method::Mtp,
                Some(2),
            ),
            (
                r#"{"method":"deepseek_mtp","num_speculative_tokens":1}"#,
                Method::Mtp,
                Some(1),
            ),
            (
                r#"{"method":"ngram","num_speculative_tokens":4}"#,
                Method::Lookup,
                Some(4),
            ),
            (
                r#"{"model":"[ngram]","num_speculative_tokens":4}"#,
                Method::Lookup,
                Some(4),
            ),
            (
                r#"{"model":"yuhuili/EAGLE-LLaMA3-Instruct-8B","num_speculative_tokens":2}"#,
                Method::Eagle,
                Some(2),
            ),
            (
                r#"{"model":"yuhuili/EAGLE3-LLaMA3.1-Instruct-8B","num_speculative_tokens":2}"#,
                Method::Eagle3,
                Some(2),
            ),
            (
                r#"{"model":"AngelSlim/Qwen3-8B_eagle3","num_speculative_tokens":2}"#,
                Method::Eagle3,
                Some(2),
            ),
            (
                r#"{"model":"poolside/Laguna-S-2.1-DFlash-NVFP4","num_speculative_tokens":15}"#,
                Method::Dflash,
                Some(15),
            ),
            (
                r#"{"model":"Qwen/Qwen3-0.6B","num_speculative_tokens":5}"#,
                Method::Model,
                Some(5),
            ),
            (
                r#"{"model":"deepseek-ai/dspark_qwen3_8b_block7"}"#,
                Method::Other,
                None,
            ),
        ] {
            let read = Speculative::read(&args(&[(FLAG, config)])).unwrap().unwrap();
            assert_eq!((read.method, read.tokens), (method, tokens), "{config}");
        }
        assert_eq!(Speculative::read(&EngineArgs::default()), Ok(None));
    }

    #[test]
    fn the_short_flags_say_the_same() {
        let short = args(&[
            ("--spec-method", "eagle3"),
            ("--spec-model", "a/b"),
            ("--spec-tokens", "3"),
        ]);
        let keyed = args(&[
            ("--speculative-config.method", "eagle3"),
            ("--speculative-config.model", "a/b"),
            ("--speculative-config.num_speculative_tokens", "3"),
        ]);
        assert_eq!(Speculative::read(&short), Speculative::read(&keyed));
        assert_eq!(short.draft_model().as_deref(), Some("a/b"));
        let both = args(&[
            ("--spec-tokens", "3"),
            (FLAG, r#"{"method":"mtp","num_speculative_tokens":2}"#),
        ]);
        assert!(Speculative::read(&both).is_err());
        assert!(Speculative::read(&args(&[(FLAG, "nonsense")])).is_err());
        assert!(Speculative::read(&args(&[(FLAG, r#"{"model":"a/eagle3"}"#)])).is_err());
        assert!(
            Speculative::read(&args(&[(FLAG, r#"{"method":"mtp","num_speculative_tokens":0}"#)])).is_err()
        );
    }
}
