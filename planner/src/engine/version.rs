//! vLLM releases and the rules that changed between them.
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A released version, such as 0.33.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VllmVersion {
    minor: u16,
    patch: u16,
    mend: Mend,
}

/// What a release that mends another has behind its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Mend {
    None,
    /// 1 in 0.10.1.1.
    Dot(u16),
    /// 1 in 0.8.5.post1.
    Post(u16),
}

/// The versions whose flags are bundled, newest first.
pub fn versions() -> &'static [VllmVersion] {
    const {
        &[
            VllmVersion::new(33, 0),
            VllmVersion::new(11, 2),
            VllmVersion::new(10, 2),
        ]
    }
}

/// How the sampler filters by top-k and top-p, which decides what its warm-up takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// Sorts all logits: up to 0.16 (`v1/sample/ops/topk_topp_sampler.py: apply_top_k_top_p`). Up to 0.11.0 only where
    /// FlashInfer is not installed, which pip did not do by itself.
    Sort,
    /// A Triton kernel with a row of logits per multiprocessor: 0.17 to 0.20, and on ROCm after it (`topk_topp_triton.py`).
    Triton,
    /// FlashInfer: from 0.21 on.
    FlashInfer,
    /// Intel's kernel, which filters and draws at once.
    Fused,
}

/// What changed between releases in how memory is accounted. Each rule was located between two releases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryRules {
    /// gpu_memory_utilization in percent where it is not set: 92 from 0.20.0 on, 90 before.
    pub default_utilization_percent: u8,
    /// CUDA graphs are taken out of the budget: from 0.20.0 on, and in the builds between 0.19.1 and it.
    pub graphs_in_budget: bool,
    /// On ROCm too: from 0.26 on.
    pub graphs_on_rocm: bool,
    /// Intel's GPUs capture graphs, and these are counted: from 0.31 on; before, a variable had to ask for them. With it
    /// came the second runner's use of Intel's sampler.
    pub graphs_on_xpu: bool,
    /// The runner keeps sampler state for every sequence slot: the second runner, for all models from 0.29 on.
    pub sampler_state: bool,
    /// The sampler's warm-up.
    pub sampling: Sampling,
    /// The experts' workspace stays after the profile run: from 0.13 on (`v1/worker/workspace.py`).
    pub expert_workspace_stays: bool,
    /// What is quantised while loading is so weight by weight: from 0.15 on (vllm-project/vllm#31914). Before, the whole
    /// model was there in 16 bits first.
    pub streams_online: bool,
    /// NCCL's buffers count against the budget, since vLLM looks at the memory before it opens them: up to 0.10.
    pub communicators_in_budget: bool,
    /// Tensor parallelism fuses all-reduce with FlashInfer on 9.0 and 10.x: from 0.17 on.
    pub fused_all_reduce: bool,
    /// It does so beside pipeline and data parallelism too: from 0.21 on.
    pub fused_beside_stages: bool,
    /// Graphs are captured on trial while memory is measured, which leaves more behind outside torch: from 0.18.1 on.
    pub profile_leaves_more: bool,
    /// cuBLAS has its workspace before vLLM looks: in 0.33, not in 0.30.
    pub cublas_before_look: bool,
    /// MXFP4 experts on 9.0 run through Marlin, as on older cards: before 0.12, which brings Triton's kernels along.
    pub marlin_mxfp4_on_hopper: bool,
    /// Triton's scales of MXFP4 on Hopper are padded to two blocks of inputs, not to four: before 0.26, by the date of
    /// vllm-project/vllm#47910.
    pub even_mxfp4_scales: bool,
    /// Interleaved axes of positions are cached over four times the length, as others are: before 0.32.
    pub wide_interleaved_rope: bool,
    /// The weights' figure on ROCm is what the driver lost, not what torch holds: up to 0.20, not in 0.22.
    pub rocm_counts_driver: bool,
    /// YaRN's factor stretches the context that the config states: before 0.30 (vllm#56446; still in 0.19.1).
    pub stretches_yarn: bool,
    /// The second runner puts weights into the host's memory too: after 0.27.1 (vllm#51413), seen in 0.29.
    pub offloads_on_second_runner: bool,
    /// bitsandbytes' scales stay quantised themselves: in 0.8.5, not in 0.9.2 (`dequantize_dq`).
    pub nested_nf4: bool,
    /// `--language-model-only`: from 0.17.0 on (vllm#34120); the parser of 0.16.0 lacks it.
    pub language_model_only: bool,
    /// A tower whose items are limited to 0 is not loaded: from 0.10.1 on (vllm#22299).
    pub zero_limits_leave_out: bool,
    /// The first engine still runs what the second cannot: up to 0.10.1.
    pub has_first_engine: bool,
    /// Models with recurrent layers cache prefixes by default: from 0.26 on.
    pub hybrid_prefix_caching: bool,
    /// GPUs of 160 GiB or more get larger batches: from 0.28.0 on.
    pub large_gpu_batches: bool,
    /// One block is kept back: from 0.29.0 on.
    pub null_block: bool,
    /// One sequence's cache over all layers is held against the smallest pipeline stage's memory: from 0.14
    /// (vllm-project/vllm#29431), still in a build of 8 February 2026 (#34076), when 0.16 was cut; not with #33698.
    pub checks_whole_model: bool,
    /// Sliding windows count all steps in flight, not one: from 0.26.0 on.
    pub steps_in_flight: bool,
    /// "GPU KV cache size" is concurrency times length: from 0.20.0 on; before, blocks over groups.
    pub tokens_from_concurrency: bool,
}

impl VllmVersion {
    /// 0.`minor`.`patch`.
    pub const fn new(minor: u16, patch: u16) -> Self {
        Self {
            minor,
            patch,
            mend: Mend::None,
        }
    }

    /// The release at the start of a longer name: 0.33.0 of `0.33.0-cu130`, 0.11.2 of `0.11.2.dev690+g67475a6`.
    pub(crate) fn at_start(text: &str) -> Option<Self> {
        let (minor, rest) = number(text.strip_prefix("0.")?)?;
        let (patch, rest) = after(rest, ".").unwrap_or((0, rest));
        let post = after(rest, ".post").map(|(n, _)| Mend::Post(n));
        let dot = || after(rest, ".").map(|(n, _)| Mend::Dot(n));
        Some(Self {
            minor,
            patch,
            mend: post.or_else(dot).unwrap_or(Mend::None),
        })
    }

    /// The newest bundled version.
    pub fn latest() -> Self {
        versions().first().copied().unwrap_or(Self::new(33, 0))
    }

    /// Whether this version's flags are bundled.
    pub fn is_bundled(self) -> bool {
        versions().contains(&self)
    }

    /// Whether its memory rules are known: 0.8 to the newest bundled one.
    pub fn has_rules(self) -> bool {
        self.minor >= 8 && self <= Self::latest()
    }

    /// Whether the second model runner runs this architecture by default (`config/vllm.py: use_v2_model_runner`).
    pub fn has_second_runner(self, architecture: &str, moe: bool) -> bool {
        const LISTED: &[&str] = &[
            "DeepseekV2ForCausalLM",
            "GraniteMoeForCausalLM",
            "Qwen2MoeForCausalLM",
        ];
        match self.minor {
            ..22 => false,
            22 => architecture == "Qwen3ForCausalLM" && !moe,
            23..25 => {
                let dense = ["Qwen3ForCausalLM", "LlamaForCausalLM", "MistralForCausalLM"];
                LISTED.contains(&architecture) || dense.contains(&architecture)
            }
            // vLLM's recipe sets it for Inkling.
            25..29 => !moe || LISTED.contains(&architecture) || architecture.starts_with("Inkling"),
            29.. => true,
        }
    }

    /// How it accounts memory.
    pub fn memory_rules(self) -> MemoryRules {
        MemoryRules {
            default_utilization_percent: if self.minor >= 20 { 92 } else { 90 },
            graphs_in_budget: self >= Self::new(19, 2),
            graphs_on_rocm: self.minor >= 26,
            graphs_on_xpu: self.minor >= 31,
            sampler_state: self.minor >= 29,
            sampling: match self.minor {
                ..17 => Sampling::Sort,
                17..21 => Sampling::Triton,
                21.. => Sampling::FlashInfer,
            },
            expert_workspace_stays: self.minor >= 13,
            streams_online: self.minor >= 15,
            communicators_in_budget: self.minor <= 10,
            fused_all_reduce: self.minor >= 17,
            fused_beside_stages: self.minor >= 21,
            profile_leaves_more: self >= Self::new(18, 1),
            cublas_before_look: self.minor >= 31,
            marlin_mxfp4_on_hopper: self.minor < 12,
            even_mxfp4_scales: self.minor < 26,
            wide_interleaved_rope: self.minor < 32,
            rocm_counts_driver: self.minor <= 20,
            stretches_yarn: self.minor < 30,
            offloads_on_second_runner: self.minor >= 28,
            nested_nf4: self.minor < 9,
            language_model_only: self >= Self::new(17, 0),
            zero_limits_leave_out: self >= Self::new(10, 1),
            has_first_engine: self < Self::new(10, 2),
            hybrid_prefix_caching: self.minor >= 26,
            large_gpu_batches: self.minor >= 28,
            null_block: self.minor >= 29,
            checks_whole_model: matches!(self.minor, 14..17),
            steps_in_flight: self.minor >= 26,
            tokens_from_concurrency: self.minor >= 20,
        }
    }
}

impl Default for VllmVersion {
    fn default() -> Self {
        Self::latest()
    }
}

impl fmt::Display for VllmVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0.{}.{}", self.minor, self.patch)?;
        match self.mend {
            Mend::None => Ok(()),
            Mend::Dot(n) => write!(f, ".{n}"),
            Mend::Post(n) => write!(f, ".post{n}"),
        }
    }
}

impl From<VllmVersion> for String {
    fn from(version: VllmVersion) -> Self {
        version.to_string()
    }
}

impl FromStr for VllmVersion {
    type Err = String;

    /// Reads `0.33.0`, `v0.33.0`, `0.33`, `0.10.1.1` or `0.8.5.post1`.
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let text = text.strip_prefix('v').unwrap_or(text);
        let written = |version: &Self| {
            let whole = version.to_string();
            whole == text || whole.strip_suffix(".0") == Some(text)
        };
        Self::at_start(text)
            .filter(written)
            .ok_or_else(|| format!("expected a released vLLM version such as {}", Self::latest()))
    }
}

/// The number at the start of a text, and what follows it.
fn number(text: &str) -> Option<(u16, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    Some((digits.parse().ok()?, rest))
}

fn after<'a>(text: &'a str, mark: &str) -> Option<(u16, &'a str)> {
    text.strip_prefix(mark).and_then(number)
}

impl TryFrom<String> for VllmVersion {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}
