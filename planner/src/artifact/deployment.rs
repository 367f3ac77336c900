//! What every container of a plan shares: image, GPUs, port, how long a start may take.
use super::{
    ArtifactKind,
    argv::{Arg, serve_args},
};
use crate::{
    gpu::Vendor,
    plan::{Outcome, Plan},
    units::Bytes,
};

/// vLLM's own default.
const PORT: u32 = 8000;
/// Bytes per second of a first start, which downloads: a plain 1 Gbit/s line, a little below.
const DOWNLOAD: u64 = 100_000_000;
/// Seconds for imports, compilation and graph capture.
const START: u64 = 180;

/// Facts of one deployment on one node.
pub(crate) struct Deployment<'a> {
    pub(crate) plan: &'a Plan,
    /// What follows `vllm serve`.
    pub(crate) args: Vec<Arg>,
    /// TP × PP × DP.
    pub(crate) gpus: u32,
    /// Where the server listens.
    pub(crate) port: u32,
    /// Image without its tag.
    pub(crate) repository: String,
    /// Its tag.
    pub(crate) tag: String,
    /// ROCm instead of CUDA.
    pub(crate) rocm: bool,
    /// Weights of all GPUs together.
    pub(crate) weights: Bytes,
    /// How long a first start may take.
    pub(crate) start_seconds: u64,
}

impl<'a> Deployment<'a> {
    /// `None` where the plan is unsupported.
    pub(crate) fn of(plan: &'a Plan) -> Option<Self> {
        let args = plan.args.as_ref()?;
        let rocm = plan.scenario.hardware.gpu.vendor == Vendor::Amd;
        let (repository, tag) = image(plan, rocm);
        let shards =
            u64::from(args.tensor_parallel_size.value) * u64::from(args.pipeline_parallel_size.value);
        let weights = plan.memory.as_ref().map_or(Bytes::ZERO, |m| m.weights_bytes) * shards;
        let start_seconds = (START + weights.get() / DOWNLOAD).next_multiple_of(60);
        Some(Self {
            plan,
            args: serve_args(plan),
            gpus: args.gpus(),
            port: plan.scenario.engine.port.unwrap_or(PORT),
            repository,
            tag,
            rocm,
            weights,
            start_seconds,
        })
    }

    /// The image with its tag.
    pub(crate) fn image(&self) -> String {
        format!("{}:{}", self.repository, self.tag)
    }

    /// The name of container and service.
    pub(crate) fn name(&self) -> &str {
        &self.plan.scenario.deploy.name
    }

    /// The model, where it is a folder of this machine.
    pub(crate) fn model_folder(&self) -> Option<&str> {
        let id = self.plan.scenario.model.id.as_str();
        id.starts_with('/').then_some(id)
    }

    /// Fewer GPUs than the node has.
    pub(crate) fn leaves_gpus(&self) -> bool {
        self.gpus < self.plan.scenario.hardware.gpus
    }

    /// The first GPUs, where ROCm has to be told to leave others alone.
    pub(crate) fn hip_devices(&self) -> Option<String> {
        let first: Vec<String> = (0..self.gpus).map(|index| index.to_string()).collect();
        (self.rocm && self.leaves_gpus()).then(|| first.join(","))
    }

    /// How `start_seconds` comes about, as a sentence.
    pub(crate) fn start_reason(&self) -> String {
        format!(
            "A first start may take {} minutes: {} of weights at {} MB/s, and {} s to compile and capture graphs.",
            self.start_seconds / 60,
            self.weights,
            DOWNLOAD / 1_000_000,
            START
        )
    }
}

/// Repository and tag; a digest stays whole.
fn image(plan: &Plan, rocm: bool) -> (String, String) {
    let Some(image) = &plan.scenario.deploy.image else {
        let name = if rocm { "vllm-openai-rocm" } else { "vllm-openai" };
        return (format!("vllm/{name}"), format!("v{}", plan.scenario.vllm_version));
    };
    match image.rsplit_once(':') {
        // The colon of `registry:5000/vllm` belongs to a port.
        Some((repository, tag)) if !tag.contains('/') => (repository.to_owned(), tag.to_owned()),
        _ => (image.clone(), "latest".to_owned()),
    }
}

/// Why a plan has no file of that kind; `None` where it has one.
pub fn omitted(plan: &Plan, kind: ArtifactKind) -> Option<String> {
    if plan.verdict.outcome == Outcome::Unsupported {
        return Some(format!("there is no plan: {}", plan.verdict.reason));
    }
    let Some(args) = &plan.args else {
        return Some("there is no plan".to_owned());
    };
    let hardware = &plan.scenario.hardware;
    match kind {
        ArtifactKind::Profile | ArtifactKind::Plan => None,
        _ if args.gpus() > hardware.gpus => Some(format!(
            "the deployment takes {} GPUs and a node has {}: files that start several nodes are not written yet",
            args.gpus(),
            hardware.gpus
        )),
        ArtifactKind::Values if hardware.gpu.vendor == Vendor::Amd => {
            Some("vLLM's Helm chart asks for nvidia.com/gpu only, so it cannot start on AMD GPUs".to_owned())
        }
        _ => None,
    }
}
