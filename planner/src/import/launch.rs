//! What a text says of one vLLM, and the scenario that it makes.
use super::{
    ImportError,
    vars::{Vars, unknown},
};
use crate::{
    command::{self, Command},
    engine::{EngineArgs, FlagKind, FlagTable, VllmVersion},
    error::InputError,
    gpu::GpuSpec,
    model::ModelInput,
    plan::{Defaults, Hardware, Scenario, partition},
    text::short,
};

/// The most GPUs of a node, and the most nodes.
const MOST: u32 = 64;

/// Flags whose values belong into no file and no link.
const SECRETS: &[&str] = &["--api-key", "--hf-token"];

/// The most words behind `vllm serve`.
const MOST_WORDS: usize = 1000;
/// The most remarks; the rest is counted.
const MOST_REMARKS: usize = 40;

/// What a text was read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `vllm serve …`, or Python's module.
    Command,
    /// `docker run …`, or Podman's.
    Docker,
    /// docker-compose.yaml
    Compose,
    /// A pod, or what makes pods.
    Kubernetes,
    /// Values of vLLM's own chart.
    Chart,
    /// Values of the production-stack chart.
    ProductionStack,
    /// KServe's InferenceService or LLMInferenceService.
    Kserve,
    /// A SkyPilot task.
    SkyPilot,
    /// A unit of systemd.
    Systemd,
    /// A container unit of Podman.
    Quadlet,
}

impl Form {
    /// As a noun with its article.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Command => "a vllm command",
            Self::Docker => "a docker run command",
            Self::Compose => "a compose file",
            Self::Kubernetes => "a Kubernetes manifest",
            Self::Chart => "values of vLLM's chart",
            Self::ProductionStack => "values of production-stack",
            Self::Kserve => "a KServe manifest",
            Self::SkyPilot => "a SkyPilot task",
            Self::Systemd => "a systemd unit",
            Self::Quadlet => "a Podman unit",
        }
    }
}

/// One vLLM as a text starts it.
#[derive(Clone, Debug)]
pub(super) struct Launch {
    pub(super) form: Form,
    /// Where in the text.
    pub(super) place: String,
    pub(super) image: Option<String>,
    /// What follows `vllm serve`.
    pub(super) words: Vec<String>,
    /// On one node.
    pub(super) gpus: Option<u32>,
    pub(super) nodes: Option<u32>,
    pub(super) gpu: Option<&'static GpuSpec>,
    /// `VLLM_PP_LAYER_PARTITION`.
    pub(super) partition: Option<String>,
    pub(super) notes: Vec<String>,
}

/// An existing deployment.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// What the text was read as.
    pub form: Form,
    /// Where in it vLLM is started.
    pub place: String,
    /// What follows `vllm serve`, without what is only known where it runs.
    pub words: Vec<String>,
    /// The same, read.
    pub command: Command,
    /// The image, if there is one.
    pub image: Option<String>,
    /// The release that the image's tag names, where its rules are known.
    pub vllm_version: Option<VllmVersion>,
    /// GPUs on one node, where the text counts them.
    pub gpus: Option<u32>,
    /// Nodes, where the text counts them.
    pub nodes: Option<u32>,
    /// The kind of GPU, where the text names it.
    pub gpu: Option<&'static GpuSpec>,
    /// Layers of each pipeline stage, where the text sets them.
    pub pp_layer_partition: Option<Vec<u32>>,
    /// What was left out or chosen, as sentences.
    pub notes: Vec<String>,
}

impl Launch {
    pub(super) fn new(form: Form, place: impl Into<String>, words: Vec<String>) -> Self {
        Self {
            form,
            place: place.into(),
            image: None,
            words,
            gpus: None,
            nodes: None,
            gpu: None,
            partition: None,
            notes: Vec::new(),
        }
    }

    /// What variables say of the plan.
    pub(super) fn take_variables(&mut self, env: &Vars) {
        if let Some(counts) = env.get("VLLM_PP_LAYER_PARTITION") {
            self.partition = Some(counts.to_owned());
        }
    }

    pub(super) fn finish(mut self) -> Result<Imported, ImportError> {
        let mut version = self.image.as_deref().and_then(version_of);
        if let Some(old) = version.filter(|version| !version.has_rules()) {
            self.notes.push(format!(
                "the image is vLLM {old}, whose rules are not here; planned as {}",
                VllmVersion::latest()
            ));
            version = None;
        }
        if self.words.len() > MOST_WORDS {
            return Err(ImportError::Command {
                place: self.place,
                error: InputError::new("command", format!("more than {MOST_WORDS} words")),
            });
        }
        let words = self.known_words(version.unwrap_or_default())?;
        let image = self.image.filter(|image| unknown(image).is_none());
        let place = self.place;
        let command =
            command::parse(version.unwrap_or_default(), &words).map_err(|error| ImportError::Command {
                place: place.clone(),
                error,
            })?;
        let counts = self.partition.filter(|counts| unknown(counts).is_none());
        let partition = counts.and_then(|counts| match partition(&counts) {
            Ok(counts) => Some(counts),
            Err(error) => {
                let what = format!("VLLM_PP_LAYER_PARTITION is left out: {}", error.problem);
                self.notes.push(what);
                None
            }
        });
        let nodes = self.nodes.or_else(|| nodes_of(&command.engine));
        Ok(Imported {
            form: self.form,
            place,
            words,
            command,
            image,
            vllm_version: version,
            gpus: self.gpus.filter(|gpus| (1..=MOST).contains(gpus)),
            nodes: nodes.filter(|nodes| (1..=MOST).contains(nodes)),
            gpu: self.gpu,
            pp_layer_partition: partition,
            notes: self.notes,
        })
    }

    /// The words without secrets, and without those that hold a variable nobody set; each with its flag and a note.
    fn known_words(&mut self, version: VllmVersion) -> Result<Vec<String>, ImportError> {
        let table = FlagTable::of(version);
        let takes_value = |word: &String| {
            let kind = table.find(word).map(|found| found.flag.kind);
            word.starts_with('-')
                && !word.contains('=')
                && !matches!(kind, Some(FlagKind::Switch | FlagKind::SwitchPair))
        };
        let mut known: Vec<String> = Vec::new();
        let mut secret = false;
        for word in std::mem::take(&mut self.words) {
            let flag = word.split('=').next().unwrap_or_default().replace('_', "-");
            if SECRETS.contains(&flag.as_str()) {
                secret = !word.contains('=');
                self.notes.push(format!(
                    "{flag} is a secret and is not kept; set it as a variable where vLLM runs"
                ));
                continue;
            }
            secret &= !word.starts_with('-');
            if secret {
                continue;
            }
            let Some(variable) = unknown(&word) else {
                known.push(word);
                continue;
            };
            let inline = word
                .split_once('=')
                .map(|(flag, _)| flag)
                .filter(|flag| flag.starts_with("--"));
            let flag = match inline {
                Some(flag) => Some(flag.to_owned()),
                None => known.pop_if(|last| takes_value(last)),
            };
            let is_model = match flag.as_deref() {
                Some(flag) => flag == "--model",
                None => known.is_empty(),
            };
            let variable = short(variable);
            if is_model {
                return Err(ImportError::UnsetModel {
                    place: self.place.clone(),
                    variable,
                });
            }
            let what = flag.map_or_else(String::new, |flag| format!("{} ", short(&flag)));
            self.notes.push(format!(
                "`{what}{variable}` is left out: it is not set in this text"
            ));
        }
        Ok(known)
    }
}

/// The release in an image's tag: `vllm/vllm-openai:v0.33.0-cu130` is 0.33.0.
fn version_of(image: &str) -> Option<VllmVersion> {
    let image = image.split('@').next().unwrap_or_default();
    let (_, tag) = image.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'))?;
    VllmVersion::at_start(tag.strip_prefix('v').unwrap_or(tag))
}

impl Imported {
    /// The command as that version reads it.
    pub fn command_of(&self, version: VllmVersion) -> Result<Command, ImportError> {
        command::parse(version, &self.words).map_err(|error| ImportError::Command {
            place: self.place.clone(),
            error,
        })
    }

    /// The scenario: vLLM's own defaults for what the text leaves out. `hardware` is where the text does not say.
    pub fn scenario(&self, model: ModelInput, hardware: Hardware) -> Scenario {
        let mut scenario = Scenario::new(model, hardware.gpu.clone());
        scenario.hardware = hardware;
        if let Some(gpu) = self.gpu {
            scenario.hardware.gpu = gpu.clone();
        }
        if let Some(revision) = &self.command.revision {
            scenario.model.revision = Some(revision.clone());
        }
        if let Some(version) = self.vllm_version {
            scenario.vllm_version = version;
        }
        scenario.defaults = Defaults::Vllm;
        scenario.engine = self.command.engine.clone();
        scenario.pp_layer_partition.clone_from(&self.pp_layer_partition);
        let nodes = self.nodes.unwrap_or(1);
        scenario.hardware.nodes = nodes;
        let asked = gpus_asked(&scenario.engine).div_ceil(nodes).clamp(1, MOST);
        scenario.hardware.gpus = self.gpus.unwrap_or(asked);
        // Those that were there before mean nothing in another machine.
        if self.gpu.is_some() || scenario.hardware.gpus as usize <= scenario.hardware.others.len() {
            scenario.hardware.others.clear();
        }
        if let Some(image) = self.own_image(scenario.vllm_version) {
            scenario.deploy.image = Some(image.to_owned());
        }
        scenario
    }

    /// The image, where it is not vLLM's own for the version.
    fn own_image(&self, version: VllmVersion) -> Option<&str> {
        let own = ["", "-rocm", "-xpu"].map(|build| format!("vllm/vllm-openai{build}:v{version}"));
        self.image
            .as_deref()
            .map(|image| image.strip_prefix("docker.io/").unwrap_or(image))
            .filter(|image| !own.iter().any(|own| own == image))
            .filter(|image| crate::bounds::parse_text("image", image).is_ok())
    }

    /// What was left out or chosen, and what else is worth saying, as sentences.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = self.notes.clone();
        remarks.extend(self.command.notes.iter().cloned());
        let more = remarks.len().saturating_sub(MOST_REMARKS);
        if more > 0 {
            remarks.truncate(MOST_REMARKS);
            remarks.push(format!("and {more} more"));
        }
        remarks
    }
}

/// `--nnodes`, or all engines over those of a node.
fn nodes_of(engine: &EngineArgs) -> Option<u32> {
    let number = |flag| engine.passed(flag).and_then(|text| text.parse::<u32>().ok());
    number("--nnodes").or_else(|| {
        let local = number("--data-parallel-size-local").filter(|local| *local > 0)?;
        Some(engine.data_parallel_size?.div_ceil(local))
    })
}

/// TP × PP × DP.
pub(crate) fn gpus_asked(engine: &EngineArgs) -> u32 {
    let sizes = [
        engine.tensor_parallel_size,
        engine.pipeline_parallel_size,
        engine.data_parallel_size,
    ];
    sizes.into_iter().flatten().fold(1, u32::saturating_mul)
}
