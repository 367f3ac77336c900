//! Flags that change memory and stay among the further flags as they are: LoRA, speculative decoding.
use super::EngineArgs;
use crate::error::InputError;

/// `--max-loras` beyond this is refused, so that products stay in range.
const MAX_LORAS: u32 = 4096;

/// The flags that are read here.
pub(crate) const READ: &[&str] = &[
    "--enable-lora",
    "--max-loras",
    "--max-lora-rank",
    "--fully-sharded-loras",
    "--runner",
    "--convert",
    "--moe-backend",
    "--limit-mm-per-prompt",
    "--limit-mm-per-prompt.audio",
    "--limit-mm-per-prompt.image",
    "--limit-mm-per-prompt.video",
    "--mm-encoder-tp-mode",
    "--mm-processor-kwargs",
    "--skip-mm-profiling",
];

/// `--enable-lora`: buffers for that many adapters of that rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lora {
    /// `--max-loras`: slots.
    pub max_loras: u32,
    /// `--max-lora-rank`.
    pub max_lora_rank: u32,
    /// `--fully-sharded-loras`: both halves are split over the ranks.
    pub fully_sharded: bool,
}

/// What the further flags say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// `--moe-backend marlin`.
    pub marlin_experts: bool,
    /// LoRA buffers.
    pub lora: Option<Lora>,
    /// `--speculative-config` with a draft that has weights.
    pub draft: bool,
    /// The draft is a layer that the checkpoint brings.
    pub own_draft: bool,
}

impl Extras {
    /// Reads them.
    pub fn read(args: &EngineArgs) -> Result<Self, InputError> {
        let value = |flag: &str| args.passed(flag);
        let count = |flag: &str, default: u32| {
            value(flag).map_or(Ok(default), |text| {
                let number = text.parse().ok().filter(|n| (1..=MAX_LORAS).contains(n));
                number
                    .ok_or_else(|| InputError::new(flag, format!("expected a number from 1 to {MAX_LORAS}")))
            })
        };
        let lora = if args.switched("--enable-lora") {
            Some(Lora {
                max_loras: count("--max-loras", 1)?,
                max_lora_rank: count("--max-lora-rank", 16)?,
                fully_sharded: args.switched("--fully-sharded-loras"),
            })
        } else {
            None
        };
        let speculative = value("--speculative-config").unwrap_or_default();
        // Proposals from the prompt need no weights.
        let draft =
            !speculative.is_empty() && !speculative.contains("ngram") && !speculative.contains("suffix");
        Ok(Self {
            marlin_experts: value("--moe-backend") == Some("marlin"),
            lora,
            draft,
            own_draft: method(speculative).is_some_and(|method| method.ends_with("mtp")),
        })
    }
}

/// `method` of a `--speculative-config`.
fn method(config: &str) -> Option<String> {
    let config: serde_json::Value = serde_json::from_str(config).ok()?;
    config.get("method")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(flags: &[(&str, Option<&str>)]) -> Result<Extras, InputError> {
        let vllm_args = flags
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned)))
            .collect();
        Extras::read(&EngineArgs {
            vllm_args,
            ..EngineArgs::default()
        })
    }

    #[test]
    fn lora_takes_vllms_defaults() {
        let lora = read(&[("--enable-lora", None)]).unwrap().lora.unwrap();
        assert_eq!((lora.max_loras, lora.max_lora_rank), (1, 16));
        assert_eq!(read(&[("--max-loras", Some("4"))]).unwrap().lora, None);
        assert!(read(&[("--enable-lora", None), ("--max-loras", Some("-1"))]).is_err());
    }

    #[test]
    fn drafts_are_seen() {
        let draft = |config| read(&[("--speculative-config", Some(config))]).unwrap().draft;
        assert!(draft(r#"{"method":"mtp","num_speculative_tokens":1}"#));
        assert!(!draft(r#"{"method":"ngram","num_speculative_tokens":4}"#));
    }
}
