//! What every container of a plan shares: image, GPUs, port, how long a start may take.
use super::{
    ArtifactKind,
    argv::{Arg, serve_args},
    nodes::{Nodes, Spread},
    quote::systemd_takes,
    skypilot,
};
use crate::{
    engine::ResolvedArgs,
    gpu::Vendor,
    plan::{ArtifactGroup, Outcome, Plan},
    text::commas,
    units::{Bytes, GIB},
};
use std::borrow::Cow;

/// vLLM's own default.
pub(crate) const PORT: u32 = 8000;
/// Bytes per second of a first start, which downloads: a plain 1 Gbit/s line, a little below.
const DOWNLOAD: u64 = 100_000_000;
/// Seconds for imports, compilation and graph capture.
const START: u64 = 180;

/// Where oneCCL and the driver look Intel's GPUs up by their slot.
pub(crate) const BY_PATH: &str = "/dev/dri/by-path:/dev/dri/by-path";

/// Facts of one deployment.
pub(crate) struct Deployment<'a> {
    pub(crate) plan: &'a Plan,
    /// What follows `vllm serve`.
    pub(crate) args: Vec<Arg>,
    /// How it lies over nodes; where that cannot be said, as if one node had all.
    pub(crate) nodes: Nodes,
    /// GPUs on each node.
    pub(crate) gpus: u32,
    /// Where the server listens.
    pub(crate) port: u32,
    /// Image without its tag.
    pub(crate) repository: String,
    /// Its tag.
    pub(crate) tag: String,
    /// Whose GPUs, and so which build of vLLM.
    pub(crate) vendor: Vendor,
    /// Weights of all GPUs together.
    pub(crate) weights: Bytes,
    /// How long a first start may take.
    pub(crate) start_seconds: u64,
}

impl<'a> Deployment<'a> {
    /// `None` where the plan is unsupported.
    pub(crate) fn of(plan: &'a Plan) -> Option<Self> {
        let args = plan.args.as_ref()?;
        let vendor = plan.scenario.hardware.gpu.vendor;
        let (repository, tag) = image(plan, vendor);
        let shards =
            u64::from(args.tensor_parallel_size.value) * u64::from(args.pipeline_parallel_size.value);
        let weights = plan.memory.as_ref().map_or(Bytes::ZERO, |m| m.weights_bytes) * shards;
        let start_seconds = (START + weights.get() / DOWNLOAD).next_multiple_of(60);
        let nodes = Nodes::of(args, &plan.scenario.hardware, plan.scenario.vllm_version).unwrap_or(Nodes {
            count: 1,
            gpus: args.gpus(),
            spread: Spread::Alone,
        });
        Some(Self {
            plan,
            args: serve_args(plan),
            nodes,
            gpus: nodes.gpus,
            port: plan.scenario.engine.port.unwrap_or(PORT),
            repository,
            tag,
            vendor,
            weights,
            start_seconds,
        })
    }

    /// The image with its tag.
    pub(crate) fn image(&self) -> String {
        format!("{}:{}", self.repository, self.tag)
    }

    /// Containers run as the image's own user.
    pub(crate) fn non_root(&self) -> bool {
        self.plan.scenario.runs_as_user()
    }

    /// Home of the user that runs vLLM's container.
    pub(crate) fn home(&self) -> &'static str {
        if self.non_root() { "/home/vllm" } else { "/root" }
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

    /// The GPUs that were named, where they are as many as the plan takes.
    pub(crate) fn device_ids(&self) -> Option<&str> {
        let ids = self.plan.scenario.deploy.device_ids.as_deref()?;
        let count = ids.split(',').count();
        (u32::try_from(count) == Ok(self.gpus)).then_some(ids)
    }

    /// CUDA's build and devices.
    pub(crate) fn cuda(&self) -> bool {
        self.vendor == Vendor::Nvidia
    }

    /// What vLLM is built for.
    pub(crate) const fn platform(&self) -> &'static str {
        match self.vendor {
            Vendor::Amd => "ROCm",
            Vendor::Intel => "XPU",
            Vendor::Nvidia | Vendor::Google => "CUDA",
        }
    }

    /// The same as what a process reads, and where a container has all otherwise, the first ones.
    pub(crate) fn visible_devices(&self) -> Option<String> {
        let first = || {
            let first: Vec<String> = (0..self.gpus).map(|index| index.to_string()).collect();
            (!self.cuda() && self.leaves_gpus()).then(|| first.join(","))
        };
        let ids = self.device_ids().map(str::to_owned).or_else(first)?;
        let variable = match self.vendor {
            Vendor::Amd => "HIP_VISIBLE_DEVICES",
            Vendor::Intel => "ZE_AFFINITY_MASK",
            Vendor::Nvidia | Vendor::Google => "CUDA_VISIBLE_DEVICES",
        };
        Some(format!("{variable}={ids}"))
    }

    /// Variables that the plan relies on.
    pub(crate) fn env(&self) -> Vec<(&'static str, String)> {
        let mut env = Vec::new();
        if self.cuda() && self.plan.scenario.hardware.is_mixed() {
            // CUDA's own order has the fastest first.
            env.push(("CUDA_DEVICE_ORDER", "PCI_BUS_ID".to_owned()));
        }
        let args = self.plan.args.as_ref();
        if let Some(layers) = args.and_then(|args| args.pp_layer_partition.as_ref()) {
            env.push(("VLLM_PP_LAYER_PARTITION", commas(&layers.value)));
        }
        env
    }

    /// Cores and GiB of main memory to ask for on each node; twice that is the limit.
    pub(crate) fn host(&self) -> (u32, u32) {
        (2 + 2 * self.gpus, 8 + 6 * self.gpus)
    }

    /// GiB of `/dev/shm` for the GPUs' processes.
    pub(crate) fn shared_gib(&self) -> u32 {
        2 * self.gpus.max(1)
    }

    /// GiB for weights, a fifth more for what a repository holds besides, and 10 GiB for caches.
    pub(crate) fn storage_gib(&self) -> u64 {
        let gib = (self.weights.get() * 6 / 5).div_ceil(GIB) + 10;
        gib.next_multiple_of(10)
    }

    /// Labels of nodes with such a GPU; empty where NVIDIA's name is not known.
    pub(crate) fn products(&self) -> Vec<String> {
        let hardware = &self.plan.scenario.hardware;
        if hardware.is_mixed() {
            return Vec::new();
        }
        let gpu = &hardware.gpu;
        let mut names: Vec<String> = gpu.nvml_names.iter().map(|name| label(name)).collect();
        if names.is_empty() && gpu.name != "custom" {
            names.push(label(&gpu.name));
        }
        names
    }

    /// What Kubernetes counts GPUs as.
    pub(crate) const fn resource(&self) -> &'static str {
        match self.vendor {
            Vendor::Amd => "amd.com/gpu",
            // Of the kernel's driver xe, which Battlemage has (`cmd/gpu_plugin/README.md` of Intel's device plugins).
            Vendor::Intel => "gpu.intel.com/xe",
            Vendor::Nvidia | Vendor::Google => "nvidia.com/gpu",
        }
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
fn image(plan: &Plan, vendor: Vendor) -> (String, String) {
    let Some(image) = &plan.scenario.deploy.image else {
        let name = match vendor {
            Vendor::Amd => "vllm-openai-rocm",
            Vendor::Intel => "vllm-openai-xpu",
            Vendor::Nvidia | Vendor::Google => "vllm-openai",
        };
        return (format!("vllm/{name}"), format!("v{}", plan.scenario.vllm_version));
    };
    match image.rsplit_once(':') {
        // The colon of `registry:5000/vllm` belongs to a port.
        Some((repository, tag)) if !tag.contains('/') => (repository.to_owned(), tag.to_owned()),
        _ => (image.clone(), "latest".to_owned()),
    }
}

/// NVML's name as GPU feature discovery writes it into a label.
fn label(name: &str) -> String {
    let label: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "._-".contains(c) {
                c
            } else {
                '-'
            }
        })
        .take(63)
        .collect();
    label
        .trim_matches(|c: char| !c.is_ascii_alphanumeric())
        .to_owned()
}

/// KServe gives each stage a node of its own, and fetches models of the Hub.
fn llm_inference_service(args: &ResolvedArgs, nodes: &Nodes) -> Option<String> {
    match nodes.spread {
        Spread::Parts { ray: true } => {
            Some("KServe starts vLLM 0.11.2 and newer over several nodes".to_owned())
        }
        Spread::Parts { .. } if args.pipeline_parallel_size.value != nodes.count => {
            Some("KServe takes one pipeline stage on each node".to_owned())
        }
        _ => None,
    }
}

/// Why a plan has no file of that kind; `None` where it has one.
pub fn omitted(plan: &Plan, kind: ArtifactKind) -> Option<String> {
    left_out(plan, kind, &|| Cow::Owned(serve_args(plan)))
}

/// The same, where the arguments may be at hand.
pub(crate) fn left_out<'a>(
    plan: &Plan,
    kind: ArtifactKind,
    serve_args: &dyn Fn() -> Cow<'a, [Arg]>,
) -> Option<String> {
    if plan.verdict.outcome == Outcome::Unsupported {
        return Some(format!("there is no plan: {}", plan.verdict.reason));
    }
    let Some(args) = &plan.args else {
        return Some("there is no plan".to_owned());
    };
    let hardware = &plan.scenario.hardware;
    let nodes = match Nodes::of(args, hardware, plan.scenario.vllm_version) {
        _ if !kind.starts() => return None,
        Ok(nodes) => nodes,
        Err(reason) => return Some(reason),
    };
    let cuda = hardware.gpu.vendor == Vendor::Nvidia;
    let one_node = || {
        (!nodes.is_alone()).then(|| {
            format!(
                "the deployment takes {} nodes, and this starts one; serve_command.sh and docker_run.sh run on each",
                nodes.count
            )
        })
    };
    let several = || {
        nodes
            .is_alone()
            .then(|| "one node is enough for the deployment; k8s.yaml starts it".to_owned())
    };
    match kind {
        _ if kind.group() == ArtifactGroup::Kubernetes && hardware.gpu.is_stack() => {
            Some("the plan counts stacks as vLLM sees them, and Intel's device plugin counts cards of two".to_owned())
        }
        ArtifactKind::Lws => several(),
        ArtifactKind::Ray => several().or_else(|| {
            let engines = matches!(nodes.spread, Spread::Engines(_));
            engines.then(|| "Ray Serve lays several engines out by itself; lws.yaml starts them".to_owned())
        }),
        ArtifactKind::LlmInferenceService if plan.scenario.model.id.starts_with('/') => {
            Some("the model is a folder, and KServe fetches models of the Hub".to_owned())
        }
        ArtifactKind::LlmInferenceService => llm_inference_service(args, &nodes),
        ArtifactKind::Skypilot if hardware.is_mixed() => {
            Some("SkyPilot asks for GPUs of one kind".to_owned())
        }
        ArtifactKind::Skypilot if !cuda => {
            Some("it installs vLLM's wheel, which is CUDA's".to_owned())
        }
        ArtifactKind::Skypilot if skypilot::accelerator(&hardware.gpu.name).is_none() => {
            Some("SkyPilot's name of this GPU is not known here".to_owned())
        }
        ArtifactKind::Docker | ArtifactKind::Compose if nodes.needs_ray() => Some(
            "before vLLM 0.11.2 an engine over several nodes needs a Ray cluster; run serve_command.sh in the image on each node".to_owned(),
        ),
        ArtifactKind::Systemd | ArtifactKind::Quadlet => one_node().or_else(|| {
            let args = serve_args();
            let mut words = args.iter().flat_map(Arg::words);
            if kind == ArtifactKind::Quadlet && words.clone().any(|word| word.is_empty()) {
                return Some("an argument is empty, and Podman's generator leaves it out".to_owned());
            }
            let refused = words.any(|word| !systemd_takes(&word));
            refused.then(|| "an argument holds a code point that systemd refuses".to_owned())
        }),
        ArtifactKind::Values if !cuda => {
            Some("vLLM's Helm chart asks for nvidia.com/gpu only, so it starts on NVIDIA's GPUs alone".to_owned())
        }
        ArtifactKind::Values
        | ArtifactKind::K8s
        | ArtifactKind::Autoscale
        | ArtifactKind::ProductionStack
        | ArtifactKind::Kserve => one_node(),
        _ => None,
    }
}
