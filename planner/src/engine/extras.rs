//! Flags that change memory and stay among the further flags as they are: LoRA, speculative decoding.
use super::{EngineArgs, Speculative, args::memory};
use crate::{error::InputError, units::Bytes};
use serde_json::Value;

/// `--max-loras` beyond this is refused, so that products stay in range.
const MAX_LORAS: u32 = 4096;

/// The flags that are read here.
const READ: &[&str] = &[
    "--enable-lora",
    "--max-loras",
    "--max-lora-rank",
    "--fully-sharded-loras",
    "--runner",
    "--convert",
    "--moe-backend",
    "--limit-mm-per-prompt",
    "--mm-encoder-tp-mode",
    "--mm-processor-kwargs",
    "--skip-mm-profiling",
    "--speculative-config",
    "--spec-method",
    "--spec-model",
    "--spec-tokens",
    "--decode-context-parallel-size",
    "--prefill-context-parallel-size",
    "--dcp-q-replicate",
    "--hf-overrides",
    "--rope-scaling",
    "--cpu-offload-gb",
    "--num-gpu-blocks-override",
    "--optimization-level",
    "--engram-config",
    INDEX_TYPE,
];

/// What a sparse index keeps its keys in; of `--attention-config` only this is read.
const INDEX_TYPE: &str = "--attention-config.indexer_kv_dtype";

/// The most that these numbers may be, so that products stay in range.
const MAX_BLOCKS: u32 = 1 << 30;

/// Whether that flag, or the JSON flag that it is a key of, is read here.
pub(crate) fn reads(flag: &str) -> bool {
    let whole = flag.split_once('.').map_or(flag, |(whole, _)| whole);
    READ.contains(&whole) || READ.contains(&flag)
}

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

/// `--engram-config`: where tables of n-grams lie (`config/engram.py` at 0.33.0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Engram {
    /// In the host's memory.
    pub cpu_offload: bool,
    /// Split over the replicas too.
    pub embedding_across_dp: bool,
}

/// What a sparse index keeps its keys in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IndexType {
    /// As the model's class does.
    #[default]
    Auto,
    /// 16-bit floats.
    Bf16,
    /// 8-bit floats.
    Fp8,
    /// 4-bit floats with an 8-bit scale for 32 of them.
    Mxfp4,
    /// Other 4-bit floats.
    Narrower,
}

/// What the further flags say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// `--moe-backend marlin`.
    pub marlin_experts: bool,
    /// LoRA buffers.
    pub lora: Option<Lora>,
    /// Speculative decoding.
    pub speculative: Option<Speculative>,
    /// `--decode-context-parallel-size`, where it is not 1.
    pub dcp: Option<u32>,
    /// `--prefill-context-parallel-size`, where it is not 1.
    pub pcp: Option<u32>,
    /// `--dcp-q-replicate`.
    pub dcp_q_replicate: bool,
    /// `--cpu-offload-gb`: so much of the layers' weights stays in the host's memory.
    pub cpu_offload: Bytes,
    /// `--num-gpu-blocks-override`: so many blocks, whatever is free.
    pub num_gpu_blocks: Option<u64>,
    /// No CUDA graphs: `-O0`, or `cudagraph_mode` NONE (`config/vllm.py: OPTIMIZATION_LEVEL_00`).
    pub no_graphs: bool,
    /// Where tables of n-grams lie, where it is said.
    pub engram: Option<Engram>,
    /// `--attention-config.indexer_kv_dtype`.
    pub index_type: IndexType,
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
        for flag in ["--hf-overrides", "--rope-scaling"] {
            let set = |(name, _): &(String, Option<String>)| name.starts_with(flag);
            if args.vllm_args.iter().any(set) && !args.json(flag).is_some_and(|json| json.is_object()) {
                return Err(InputError::new(flag, "expected a JSON object"));
            }
        }
        let blocks = |text: &str| {
            let number = text.parse().ok().filter(|n| (1..=MAX_BLOCKS).contains(n));
            let wrong = || {
                let problem = format!("expected a number from 1 to {MAX_BLOCKS}");
                InputError::new("--num-gpu-blocks-override", problem)
            };
            number.map(u64::from).ok_or_else(wrong)
        };
        let several = |flag: &str| count(flag, 1).map(|number| (number > 1).then_some(number));
        let lora = if args.switched("--enable-lora") {
            Some(Lora {
                max_loras: count("--max-loras", 1)?,
                max_lora_rank: count("--max-lora-rank", 16)?,
                fully_sharded: args.switched("--fully-sharded-loras"),
            })
        } else {
            None
        };
        Ok(Self {
            marlin_experts: value("--moe-backend") == Some("marlin"),
            lora,
            speculative: Speculative::read(args)?,
            dcp: several("--decode-context-parallel-size")?,
            pcp: several("--prefill-context-parallel-size")?,
            dcp_q_replicate: args.switched("--dcp-q-replicate"),
            cpu_offload: match value("--cpu-offload-gb") {
                Some(text) => memory("--cpu-offload-gb", &format!("{text}GiB"))?,
                None => Bytes::ZERO,
            },
            no_graphs: no_graphs(args),
            engram: engram(args)?,
            index_type: index_type(args)?,
            num_gpu_blocks: value("--num-gpu-blocks-override").map(blocks).transpose()?,
        })
    }
}

fn engram(args: &EngineArgs) -> Result<Option<Engram>, InputError> {
    let flag = "--engram-config";
    let config = match args.json(flag) {
        Some(Value::Object(config)) => config,
        None if args.passed(flag).is_none() => return Ok(None),
        Some(Value::Null) => return Ok(None),
        _ => return Err(InputError::new(flag, "expected a JSON object")),
    };
    let switch = |key: &str, default: bool| match config.get(key) {
        None => Ok(default),
        Some(value) => value
            .as_bool()
            .ok_or_else(|| InputError::new(flag, format!("{key}: expected true or false"))),
    };
    Ok(Some(Engram {
        cpu_offload: switch("cpu_offload", true)?,
        embedding_across_dp: switch("embedding_across_dp", false)?,
    }))
}

fn index_type(args: &EngineArgs) -> Result<IndexType, InputError> {
    let config = args.json("--attention-config");
    let named = config.as_ref().and_then(|config| config.get("indexer_kv_dtype"));
    Ok(match named.and_then(Value::as_str) {
        None | Some("auto") => IndexType::Auto,
        Some("bf16") => IndexType::Bf16,
        Some("fp8") => IndexType::Fp8,
        Some("mxfp4") => IndexType::Mxfp4,
        Some("nvfp4") => IndexType::Narrower,
        Some(_) => {
            return Err(InputError::new(
                INDEX_TYPE,
                "expected auto, bf16, fp8, mxfp4 or nvfp4",
            ));
        }
    })
}

/// Of `--compilation-config` only this is read.
fn no_graphs(args: &EngineArgs) -> bool {
    let config = args.json("--compilation-config");
    let key = |key: &str| config.as_ref()?.get(key).cloned();
    let mode = key("cudagraph_mode").and_then(|mode| Some(mode.as_str()?.to_ascii_uppercase()));
    match mode {
        Some(mode) => mode == "NONE",
        None => {
            args.passed("--optimization-level") == Some("0")
                || key("level").and_then(|level| level.as_u64()) == Some(0)
        }
    }
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
}
