//! The whole user input. The only thing that is ever saved; a plan is always computed again.
use super::{Measured, MeasuredSpeed};
use crate::{
    bounds,
    engine::{EngineArgs, VllmVersion, args::memory},
    error::InputError,
    gpu::{self, ComputeCapability, GpuSpec},
    model::{self, ConfigError, ModelInput},
    text::{commas, milli_text},
    units::Bytes,
    workload::{BatchingMode, Shape, Workload},
};
use serde_json::{Map, Value};
use std::{fmt::Write as _, sync::Arc};

/// How the GPUs of one node are connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Interconnect {
    /// Not stated.
    #[default]
    Unknown,
    /// Through the host.
    Pcie,
    /// NVLink or NVSwitch.
    Nvlink,
}

impl Interconnect {
    /// The name in scenarios and profiles.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Pcie => "pcie",
            Self::Nvlink => "nvlink",
        }
    }
}

/// The machines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hardware {
    /// The kind of GPU, all alike.
    pub gpu: GpuSpec,
    /// GPUs per node.
    pub gpus: u32,
    /// Nodes.
    pub nodes: u32,
    /// Between the GPUs of a node.
    pub interconnect: Interconnect,
    /// What other processes already hold on each GPU.
    pub memory_used: Bytes,
    /// The last GPUs of each node, counted among `gpus`, where they are of other kinds.
    pub others: Vec<GpuSpec>,
}

impl Hardware {
    /// GPUs over all nodes.
    pub fn total_gpus(&self) -> u32 {
        self.gpus.saturating_mul(self.nodes)
    }

    /// GPUs of a node that are of the first kind.
    pub(crate) fn of_first_kind(&self) -> u32 {
        let others = u32::try_from(self.others.len()).unwrap_or(u32::MAX);
        self.gpus.saturating_sub(others)
    }

    /// Puts those behind the ones of the first kind.
    pub fn put_others(&mut self, others: Vec<GpuSpec>) {
        let first = self.of_first_kind().max(1);
        self.gpus = first.saturating_add(u32::try_from(others.len()).unwrap_or(u32::MAX));
        self.others = others;
    }

    /// Its GPUs are of several kinds.
    pub fn is_mixed(&self) -> bool {
        self.others.iter().any(|other| *other != self.gpu)
    }

    /// The kinds of a node's GPUs, in their order, and how many there are of each.
    pub fn by_kind(&self) -> Vec<(&GpuSpec, u32)> {
        let mut kinds = vec![(&self.gpu, self.of_first_kind())];
        for other in &self.others {
            match kinds.iter_mut().find(|(gpu, _)| *gpu == other) {
                Some((_, gpus)) => *gpus += 1,
                None => kinds.push((other, 1)),
            }
        }
        kinds
    }

    /// The GPU with that number, counted over all nodes.
    fn gpu_at(&self, index: u32) -> &GpuSpec {
        let here = index % self.gpus.max(1);
        let other = here.checked_sub(self.of_first_kind());
        let other = other.and_then(|at| self.others.get(at as usize));
        other.unwrap_or(&self.gpu)
    }

    /// Those of one pipeline stage, over all replicas: rank after rank takes the next, the stages of an engine one behind
    /// the other (`vllm/distributed/parallel_state.py: initialize_model_parallel`).
    pub(super) fn gpus_of_stage(&self, stage: u32, [tp, pp, dp]: [u32; 3]) -> impl Iterator<Item = &GpuSpec> {
        let ranks =
            (0..dp).flat_map(move |engine| (0..tp).map(move |rank| (engine * pp + stage) * tp + rank));
        ranks.map(|at| self.gpu_at(at))
    }

    /// The most GPUs that stand beside their like wherever a node's GPUs are cut into groups of as many.
    pub fn alike(&self) -> u32 {
        let (mut all, mut run) = (0, 0);
        for at in 0..self.gpus {
            if at > 0 && self.gpu_at(at) != self.gpu_at(at - 1) {
                all = common(all, run);
                run = 0;
            }
            run += 1;
        }
        common(all, run).max(1)
    }

    /// `8 × H100 SXM`, `1 × RTX 5070 Ti + 1 × RTX 5090`: a node's GPUs in their order.
    pub fn kinds(&self) -> String {
        let mut words = format!("{} × {}", self.of_first_kind(), self.gpu.name);
        for run in self.others.chunk_by(|a, b| a == b) {
            if let [first, ..] = run {
                let _ = write!(words, " + {} × {}", run.len(), first.name);
            }
        }
        words
    }
}

/// The greatest common divisor.
fn common(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { common(b, a % b) }
}

/// Who fills in what was not set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Defaults {
    /// We, for this workload.
    #[default]
    Recommended,
    /// vLLM: the command is taken as it is.
    Vllm,
}

/// Options of the files that do not change memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deploy {
    /// Container image; `None` is vLLM's own for the version.
    pub image: Option<String>,
    /// Name of container and Kubernetes objects.
    pub name: String,
    /// Kubernetes secret with HF_TOKEN under `token`.
    pub hf_secret: String,
    /// Containers run as the image's user `vllm` instead of root.
    pub non_root: bool,
    /// GPUs of each node by index, UUID or MIG name, with commas; `None` leaves the choice to whoever starts vLLM.
    pub device_ids: Option<String>,
}

/// The first image whose `docker/Dockerfile` makes the user 2000 (vllm#40275; 0.21.0 has none).
const PREPARED_IMAGE: VllmVersion = VllmVersion::new(22, 0);

impl Scenario {
    /// Whether containers run as user 2000: vLLM's own image for CUDA knows that user from 0.22.0 on, and another
    /// image is its owner's affair.
    pub fn runs_as_user(&self) -> bool {
        let deploy = &self.deploy;
        deploy.non_root
            && self.hardware.gpu.vendor == gpu::Vendor::Nvidia
            && (deploy.image.is_some() || self.vllm_version >= PREPARED_IMAGE)
    }
}

impl Default for Deploy {
    fn default() -> Self {
        Self {
            image: None,
            name: "llm-server".to_owned(),
            hf_secret: "hf-token".to_owned(),
            non_root: false,
            device_ids: None,
        }
    }
}

/// The whole user input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Whose defaults and arithmetic.
    pub vllm_version: VllmVersion,
    /// The model.
    pub model: ModelInput,
    /// The machines.
    pub hardware: Hardware,
    /// Layers of each pipeline stage: `VLLM_PP_LAYER_PARTITION`.
    pub pp_layer_partition: Option<Vec<u32>>,
    /// The load.
    pub workload: Workload,
    /// Memory to keep free on each GPU, in thousandths of 10^9 bytes.
    pub headroom_mb: u64,
    /// Who fills in what was not set.
    pub defaults: Defaults,
    /// The arguments that were set.
    pub engine: EngineArgs,
    /// The files' options.
    pub deploy: Deploy,
    /// The config of the draft that `--speculative-config` names, where the catalogue does not have it
    /// ([`crate::model::draft_config`]).
    pub draft_config: Option<Arc<Map<String, Value>>>,
    /// What a start measured beyond the estimate.
    pub measured: Option<Measured>,
    /// What a benchmark measured, as multiples of the estimate.
    pub measured_speed: Option<MeasuredSpeed>,
}

/// Names that [`Scenario::get`] and [`Scenario::set`] know besides the engine arguments', in the order of links.
const IDS: &[&str] = &[
    "vllm_version",
    "gpu",
    "gpu_memory",
    "compute_capability",
    "gpus",
    "nodes",
    "interconnect",
    "gpu_memory_used",
    "other_gpus",
    "pp_layer_partition",
    "prompt_tokens",
    "gen_tokens",
    "concurrency",
    "request_rate",
    "peak_rate",
    "batching_mode",
    "burstiness",
    "length_range",
    "prompt_p95",
    "gen_p95",
    "trace",
    "prefix_cache_hit_rate",
    "spec_acceptance_rate",
    "slo_ttft_ms",
    "slo_tpot_ms",
    "slo_e2e_ms",
    "slo_percentile",
    "headroom_gb",
    "defaults",
    "image",
    "name",
    "hf_secret",
    "non_root",
    "device_ids",
    "measured",
    "measured_speed",
];

impl Scenario {
    /// A scenario for `model` on one of `gpu`, everything else as it comes.
    pub fn new(model: ModelInput, gpu: GpuSpec) -> Self {
        Self {
            vllm_version: VllmVersion::latest(),
            model,
            hardware: Hardware {
                gpu,
                gpus: 1,
                nodes: 1,
                interconnect: Interconnect::Unknown,
                memory_used: Bytes::ZERO,
                others: Vec::new(),
            },
            pp_layer_partition: None,
            workload: Workload::default(),
            headroom_mb: 0,
            defaults: Defaults::Recommended,
            engine: EngineArgs::default(),
            deploy: Deploy::default(),
            draft_config: None,
            measured: None,
            measured_speed: None,
        }
    }

    /// Takes a draft's config.json for what memory depends on.
    pub fn set_draft_config(&mut self, object: &Map<String, Value>) -> Result<(), ConfigError> {
        self.draft_config = Some(Arc::new(model::draft_config(object)?));
        Ok(())
    }

    /// The draft's config, as given or from the catalogue.
    pub fn draft(&self) -> Option<&Map<String, Value>> {
        if let Some(given) = &self.draft_config {
            return Some(given);
        }
        model::bundled_draft(&self.engine.draft_model()?)
    }

    /// The names of all fields but the model's, in the order of links.
    pub fn ids() -> impl Iterator<Item = &'static str> {
        IDS.iter().chain(EngineArgs::ids()).copied()
    }

    /// The value as text; `None` where an engine argument is not set or a field is empty.
    pub fn get(&self, id: &str) -> Option<String> {
        let (hardware, workload) = (&self.hardware, &self.workload);
        let custom = || gpu::find(&hardware.gpu.name).is_none_or(|known| known != &hardware.gpu);
        let text = match id {
            "vllm_version" => self.vllm_version.to_string(),
            "gpu" => hardware.gpu.name.clone(),
            "gpu_memory" if custom() => format!("{}", hardware.gpu.memory_visible?.get()),
            "compute_capability" if custom() => hardware.gpu.compute_capability?.to_string(),
            "gpus" => hardware.of_first_kind().to_string(),
            "nodes" => hardware.nodes.to_string(),
            "interconnect" => hardware.interconnect.name().to_owned(),
            "gpu_memory_used" => {
                (hardware.memory_used != Bytes::ZERO).then(|| hardware.memory_used.get().to_string())?
            }
            "other_gpus" if hardware.others.is_empty() => return None,
            "other_gpus" => {
                let names: Vec<String> = hardware.others.iter().map(other_gpu_text).collect();
                names.join(", ")
            }
            "pp_layer_partition" => commas(self.pp_layer_partition.as_ref()?),
            "prompt_tokens" => workload.prompt_tokens.to_string(),
            "gen_tokens" => workload.gen_tokens.to_string(),
            "concurrency" => workload.concurrency.to_string(),
            "request_rate" => milli_text(workload.request_rate_milli?),
            "peak_rate" => milli_text(workload.peak_rate_milli?),
            "batching_mode" => workload.batching_mode.name().to_owned(),
            "burstiness" => milli_text(workload.shape.burstiness?),
            "length_range" => milli_text(u64::from(workload.shape.length_range?)),
            "prompt_p95" => workload.shape.prompt_p95?.to_string(),
            "gen_p95" => workload.shape.gen_p95?.to_string(),
            "trace" => Some(workload.shape.trace_text()).filter(|text| !text.is_empty())?,
            "prefix_cache_hit_rate" => milli_text(u64::from(workload.shape.prefix_cache_hit_rate?)),
            "spec_acceptance_rate" => milli_text(u64::from(workload.shape.spec_acceptance_rate?)),
            "slo_ttft_ms" => milli_text(workload.slo_ttft_us?),
            "slo_tpot_ms" => milli_text(workload.slo_tpot_us?),
            "slo_e2e_ms" => milli_text(workload.slo_e2e_us?),
            "slo_percentile" => workload.slo_percentile.to_string(),
            "headroom_gb" => milli_text(self.headroom_mb),
            "defaults" => match self.defaults {
                Defaults::Recommended => "recommended".to_owned(),
                Defaults::Vllm => "vllm".to_owned(),
            },
            "image" => self.deploy.image.clone()?,
            "name" => self.deploy.name.clone(),
            "hf_secret" => self.deploy.hf_secret.clone(),
            "non_root" => self.deploy.non_root.to_string(),
            "device_ids" => self.deploy.device_ids.clone()?,
            "measured" => self.measured.as_ref()?.to_string(),
            "measured_speed" => self.measured_speed.as_ref()?.to_string(),
            _ => return self.engine.get(id),
        };
        Some(text)
    }

    /// Sets a field from text; empty text takes it back to its default. On an error nothing changes.
    pub fn set(&mut self, id: &str, text: &str) -> Result<(), InputError> {
        let text = text.trim();
        if text.is_empty() {
            return self.reset(id);
        }
        let count = || bounds::parse_count(id, text).map(|v| u32::try_from(v).unwrap_or(u32::MAX));
        match id {
            "vllm_version" => self.vllm_version = text.parse().map_err(|e| InputError::new(id, e))?,
            "gpu" => self.hardware.gpu = gpu::find(text).cloned().ok_or_else(|| unknown_gpu(text))?,
            "gpu_memory" => give_memory(&mut self.hardware.gpu, id, memory(id, text)?)?,
            "compute_capability" => {
                let capability: ComputeCapability = text.parse().map_err(|e| InputError::new(id, e))?;
                self.hardware.gpu.compute_capability = Some(capability);
            }
            "gpus" => self.hardware.gpus = count()? + self.hardware.gpus - self.hardware.of_first_kind(),
            "nodes" => self.hardware.nodes = count()?,
            "interconnect" => {
                self.hardware.interconnect = match bounds::parse_choice(id, text, bounds::INTERCONNECTS)? {
                    "pcie" => Interconnect::Pcie,
                    "nvlink" => Interconnect::Nvlink,
                    _ => Interconnect::Unknown,
                };
            }
            "gpu_memory_used" => self.hardware.memory_used = memory(id, text)?,
            "other_gpus" => self.hardware.put_others(other_gpus(text)?),
            "pp_layer_partition" => self.pp_layer_partition = Some(partition(text)?),
            "prompt_tokens" => self.workload.prompt_tokens = average(id, text)?,
            "gen_tokens" => self.workload.gen_tokens = average(id, text)?,
            "concurrency" => self.workload.concurrency = count()?,
            "request_rate" => self.workload.request_rate_milli = Some(bounds::parse_decimal(id, text)?),
            "peak_rate" => self.workload.peak_rate_milli = Some(limit(id, text)?),
            "batching_mode" => {
                self.workload.batching_mode = match bounds::parse_choice(id, text, bounds::BATCHING_MODES)? {
                    "throughput" => BatchingMode::Throughput,
                    "latency" => BatchingMode::Latency,
                    _ => BatchingMode::Balanced,
                };
            }
            "burstiness" => self.workload.shape.burstiness = Some(limit(id, text)?),
            "length_range" => self.workload.shape.length_range = Some(share(id, text)?),
            "prompt_p95" => self.workload.shape.prompt_p95 = Some(count()?),
            "gen_p95" => self.workload.shape.gen_p95 = Some(count()?),
            "trace" => (self.workload.shape.trace, self.workload.shape.times) = trace(text)?,
            "prefix_cache_hit_rate" => self.workload.shape.prefix_cache_hit_rate = Some(share(id, text)?),
            "spec_acceptance_rate" => self.workload.shape.spec_acceptance_rate = Some(share(id, text)?),
            "slo_ttft_ms" => self.workload.slo_ttft_us = Some(limit(id, text)?),
            "slo_tpot_ms" => self.workload.slo_tpot_us = Some(limit(id, text)?),
            "slo_e2e_ms" => self.workload.slo_e2e_us = Some(limit(id, text)?),
            "slo_percentile" => {
                let chosen = bounds::parse_choice(id, text, bounds::PERCENTILES)?;
                self.workload.slo_percentile = chosen.parse().unwrap_or(50);
            }
            "headroom_gb" => self.headroom_mb = bounds::parse_decimal(id, text)?,
            "defaults" => {
                self.defaults = match bounds::parse_choice(id, text, bounds::DEFAULTS)? {
                    "vllm" => Defaults::Vllm,
                    _ => Defaults::Recommended,
                };
            }
            "image" => self.deploy.image = Some(bounds::parse_text(id, text)?),
            "name" => self.deploy.name = deploy_name(id, text)?,
            "hf_secret" => self.deploy.hf_secret = deploy_name(id, text)?,
            "non_root" => self.deploy.non_root = bounds::parse_switch(id, text)?,
            "device_ids" => self.deploy.device_ids = Some(device_ids(id, text)?),
            "measured" => self.measured = Some(Measured::parse(text)?),
            "measured_speed" => self.measured_speed = Some(MeasuredSpeed::parse(text)?),
            _ => return self.engine.set(id, text),
        }
        Ok(())
    }

    fn reset(&mut self, id: &str) -> Result<(), InputError> {
        let fresh = Self::new(self.model.clone(), self.hardware.gpu.clone());
        match id {
            "vllm_version" => self.vllm_version = fresh.vllm_version,
            "gpu" | "gpu_memory" => return Err(InputError::new(id, "expected a value")),
            "compute_capability" => self.hardware.gpu.compute_capability = None,
            "gpus" => return self.set(id, "1"),
            "other_gpus" => self.hardware.put_others(Vec::new()),
            "pp_layer_partition" => self.pp_layer_partition = None,
            "nodes" => self.hardware.nodes = fresh.hardware.nodes,
            "interconnect" => self.hardware.interconnect = fresh.hardware.interconnect,
            "gpu_memory_used" => self.hardware.memory_used = fresh.hardware.memory_used,
            "prompt_tokens" => self.workload.prompt_tokens = fresh.workload.prompt_tokens,
            "gen_tokens" => self.workload.gen_tokens = fresh.workload.gen_tokens,
            "concurrency" => self.workload.concurrency = fresh.workload.concurrency,
            "request_rate" => self.workload.request_rate_milli = None,
            "peak_rate" => self.workload.peak_rate_milli = None,
            "batching_mode" => self.workload.batching_mode = fresh.workload.batching_mode,
            "burstiness" => self.workload.shape.burstiness = None,
            "length_range" => self.workload.shape.length_range = None,
            "prompt_p95" => self.workload.shape.prompt_p95 = None,
            "gen_p95" => self.workload.shape.gen_p95 = None,
            "trace" => (self.workload.shape.trace, self.workload.shape.times) = Default::default(),
            "prefix_cache_hit_rate" => self.workload.shape.prefix_cache_hit_rate = None,
            "spec_acceptance_rate" => self.workload.shape.spec_acceptance_rate = None,
            "slo_ttft_ms" => self.workload.slo_ttft_us = None,
            "slo_tpot_ms" => self.workload.slo_tpot_us = None,
            "slo_e2e_ms" => self.workload.slo_e2e_us = None,
            "slo_percentile" => self.workload.slo_percentile = fresh.workload.slo_percentile,
            "headroom_gb" => self.headroom_mb = 0,
            "defaults" => self.defaults = fresh.defaults,
            "image" => self.deploy.image = None,
            "name" => self.deploy.name = fresh.deploy.name,
            "hf_secret" => self.deploy.hf_secret = fresh.deploy.hf_secret,
            "non_root" => self.deploy.non_root = false,
            "device_ids" => self.deploy.device_ids = None,
            "measured" => self.measured = None,
            "measured_speed" => self.measured_speed = None,
            _ => return self.engine.set(id, ""),
        }
        Ok(())
    }
}

fn not_in_catalogue(name: &str) -> String {
    let shown: String = name.chars().take(60).collect();
    format!("{shown:?} is not in the catalogue")
}

fn unknown_gpu(name: &str) -> InputError {
    let what = not_in_catalogue(name);
    InputError::new(
        "gpu",
        format!("{what} (give its memory and compute capability instead)"),
    )
}

/// `RTX 5090, RTX 5080`, each with the memory that a process sees where it is not the catalogue's
/// (`RTX 5090=33672921088`), and with its compute capability where the catalogue does not know it (`X900=33672921088@12.0`).
fn other_gpus(text: &str) -> Result<Vec<GpuSpec>, InputError> {
    let id = "other_gpus";
    let one = |text: &str| {
        let (name, own) = match text.split_once('=') {
            Some((name, own)) => (name.trim(), Some(own)),
            None => (text.trim(), None),
        };
        let (own, capability) = match own.and_then(|own| own.split_once('@')) {
            Some((own, capability)) => (Some(own), Some(capability)),
            None => (own, None),
        };
        let own = own.map(|own| memory(id, own)).transpose()?;
        let mut gpu = match (gpu::find(name), own, capability) {
            (Some(known), ..) => known.clone(),
            (None, Some(own), _) => GpuSpec {
                name: bounds::parse_text("gpu", name).map_err(|error| InputError::new(id, error.problem))?,
                ..GpuSpec::custom(own, None)
            },
            _ => {
                let what = not_in_catalogue(name);
                let way = "give its memory, `NAME=BYTES`, or with its compute capability, `NAME=BYTES@12.0`";
                return Err(InputError::new(id, format!("{what}; {way}")));
            }
        };
        if let Some(own) = own {
            give_memory(&mut gpu, id, own)?;
        }
        if let Some(capability) = capability {
            let read: ComputeCapability = capability.parse().map_err(|e| InputError::new(id, e))?;
            gpu.compute_capability = Some(read);
        }
        Ok(gpu)
    };
    let all: Vec<GpuSpec> = text.split(',').take(64).map(one).collect::<Result<_, _>>()?;
    if all.len() > 63 {
        return Err(InputError::new(id, "expected at most 63 GPUs"));
    }
    Ok(all)
}

/// The text that gives it again.
fn other_gpu_text(gpu: &GpuSpec) -> String {
    let known = gpu::find(&gpu.name);
    let mut text = gpu.name.clone();
    if let Some(own) = gpu.memory_visible.filter(|_| known != Some(gpu)) {
        let _ = write!(text, "={}", own.get());
        if let Some(capability) = gpu.compute_capability.filter(|_| known.is_none()) {
            let _ = write!(text, "@{capability}");
        }
    }
    text
}

/// `VLLM_PP_LAYER_PARTITION`, such as `16,32`.
pub(crate) fn partition(text: &str) -> Result<Vec<u32>, InputError> {
    let count = |text: &str| {
        text.trim()
            .parse()
            .ok()
            .filter(|count| (1..=1000).contains(count))
    };
    let counts: Option<Vec<u32>> = text.split(',').map(count).collect();
    counts.filter(|counts| counts.len() <= 64).ok_or_else(|| {
        InputError::new(
            "pp_layer_partition",
            "expected the layers of each pipeline stage with commas, such as `16,32`",
        )
    })
}

/// A memory size that replaces the catalogue's: the GPU keeps its name and everything else.
fn give_memory(gpu: &mut GpuSpec, id: &str, bytes: Bytes) -> Result<(), InputError> {
    if bytes < Bytes::from_gib(1) {
        return Err(InputError::new(id, "expected at least 1 GiB"));
    }
    gpu.memory_visible = Some(bytes);
    gpu.visible_basis = gpu::VisibleBasis::Given;
    Ok(())
}

fn trace(text: &str) -> Result<(Vec<[u32; 2]>, Vec<u64>), InputError> {
    Shape::read_trace(text).ok_or_else(|| {
        InputError::new(
            "trace",
            "expected requests such as `512/128 2048/64` (prompt and answer in tokens), all or none with their second as in `512/128@0.5`, or lines of JSON with `input_length`, `output_length` and perhaps `timestamp`",
        )
    })
}

/// A number above 0, in thousandths.
fn limit(id: &str, text: &str) -> Result<u64, InputError> {
    let limit = bounds::parse_decimal(id, text)?;
    if limit == 0 {
        return Err(InputError::new(id, "expected a number above 0"));
    }
    Ok(limit)
}

/// A share, in thousandths.
fn share(id: &str, text: &str) -> Result<u32, InputError> {
    let share = bounds::parse_decimal(id, text)?;
    u32::try_from(share)
        .ok()
        .filter(|share| *share < 1000)
        .ok_or_else(|| InputError::new(id, "expected a share from 0 to 0.999"))
}

/// A length in tokens; what measures it prints an average, which may have a fraction.
fn average(id: &str, text: &str) -> Result<u32, InputError> {
    let fraction = text.split_once('.').is_some_and(|(_, digits)| !digits.is_empty());
    let whole = match bounds::parse_decimal(id, text) {
        Ok(milli) if fraction => bounds::parse_count(id, &(milli.saturating_add(500) / 1000).to_string()),
        _ => bounds::parse_count(id, text),
    };
    whole.map(|tokens| u32::try_from(tokens).unwrap_or(u32::MAX))
}

/// A DNS label that is not `vllm`.
/// `0,1`, or names as `nvidia-smi -L` prints them, each once.
fn device_ids(id: &str, text: &str) -> Result<String, InputError> {
    let ids: Vec<&str> = text.split(',').map(str::trim).collect();
    let index = |id: &str| id.len() <= 3 && id.bytes().all(|b| b.is_ascii_digit());
    let name = |id: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'/' | b':');
        (id.starts_with("GPU-") || id.starts_with("MIG-")) && id.len() <= 80 && id.bytes().all(plain)
    };
    let ok = ids
        .iter()
        .enumerate()
        .all(|(at, id)| !id.is_empty() && (index(id) || name(id)) && !ids[..at].contains(id));
    if ok {
        Ok(ids.join(","))
    } else {
        Err(InputError::new(
            id,
            "expected GPUs such as `0,1`, or their UUIDs (`nvidia-smi -L`), with commas and each once",
        ))
    }
}

fn deploy_name(id: &str, text: &str) -> Result<String, InputError> {
    let ok = text.len() <= 40
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-');
    if !ok {
        return Err(InputError::new(
            id,
            "expected at most 40 lower-case letters, digits and dashes, starting with a letter",
        ));
    }
    if text == "vllm" {
        return Err(InputError::new(
            id,
            "must not be `vllm`: Kubernetes would set VLLM_PORT to a URL and vLLM refuses to start",
        ));
    }
    Ok(text.to_owned())
}
