//! profile.yaml → scenario.
use super::{KEYS, ProfileError, is_datasheet, tree::Tree};
use crate::{
    bounds,
    command::set_flag,
    engine::{FlagKind, FlagTable, negation},
    error::InputError,
    gpu::{self, ComputeCapability, GpuSpec, VisibleBasis},
    model::ModelInput,
    plan::{ArtifactKind, Scenario},
    units::Bytes,
    yaml::{Kind, Node},
};

/// Finds a model by id.
pub type LookUp<'a> = dyn Fn(&str) -> Option<ModelInput> + 'a;

/// What the caller knows beyond the catalogues.
#[derive(Clone, Copy, Default)]
pub struct Supply<'a> {
    /// Looks a model up by id, before the catalogue does.
    pub model: Option<&'a LookUp<'a>>,
    /// GPU and count of this machine, for `gpu_name: auto`.
    pub gpu: Option<(&'a GpuSpec, u32)>,
}

/// What a profile says.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// The question.
    pub scenario: Scenario,
    /// The files to generate; empty where it does not say.
    pub emit: Vec<ArtifactKind>,
    /// What was read differently from how it is written, as sentences.
    pub notes: Vec<String>,
}

/// Names of the older tool that the catalogue has under a longer one.
const ALIASES: &[(&str, &str)] = &[
    ("a100", "A100 SXM4 40GB"),
    ("a100 40gb", "A100 SXM4 40GB"),
    ("a100 80gb", "A100 SXM4 80GB"),
    ("h100", "H100 SXM"),
    ("h100 80gb", "H100 SXM"),
    ("h200", "H200 SXM"),
    ("v100", "V100 SXM2 16GB"),
    ("v100 16gb", "V100 SXM2 16GB"),
    ("v100 32gb", "V100 SXM2 32GB"),
    ("p100", "P100 16GB"),
    ("rtx 3060", "RTX 3060 12GB"),
    ("rtx 3080", "RTX 3080 10GB"),
];

/// Cards that the older tool knew and the catalogue does not: MiB in all, compute capability 8.6.
const OLD_CARDS: &[(&str, u64)] = &[
    ("rtx 3080 ti", 12_288),
    ("rtx 3070 ti", 8192),
    ("rtx 3070", 8192),
    ("rtx 3060 ti", 8192),
];

/// Reads a profile. Unknown keys are errors; what the older tool wrote is taken.
pub fn read(text: &str, supply: &Supply<'_>) -> Result<Profile, ProfileError> {
    let tree = Tree::parse(text)?;
    let mut notes = Vec::new();
    let model = model(&tree, supply)?;
    let (gpu, count) = hardware(&tree, supply, &mut notes)?;
    let mut scenario = Scenario::new(model, gpu);
    scenario.hardware.gpus = count;
    if let Some(version) = tree.text("", "vllm_version")? {
        let set = scenario.set("vllm_version", &version);
        set.map_err(|error| tree.value("", "vllm_version", error))?;
    }
    for key in KEYS {
        let Some(text) = tree.text(key.section, key.key)? else {
            continue;
        };
        match key.id {
            Some(id) => set(&mut scenario, id, key.key, &text, &mut notes)
                .map_err(|error| tree.value(key.section, key.key, error))?,
            None if key.key == "streaming" => {}
            None => notes.push(format!("`{}` is not used: {}", key.key, key.help)),
        }
    }
    vllm_args(&tree, &mut scenario)?;
    let emit = emit(&tree)?;
    Ok(Profile {
        scenario,
        emit,
        notes,
    })
}

/// The older tool's words are ours under other names.
fn set(
    scenario: &mut Scenario,
    id: &str,
    key: &str,
    text: &str,
    notes: &mut Vec<String>,
) -> Result<(), InputError> {
    let value = match (id, text) {
        ("quantization", "none") => return Ok(()),
        ("dtype" | "kv_cache_dtype", "fp16") => "float16",
        ("dtype" | "kv_cache_dtype", "bf16") => "bfloat16",
        ("dtype", "fp32") => "float32",
        ("kv_cache_dtype", "fp8_e4m3fn") => {
            notes.push("`kv_cache_dtype` fp8_e4m3fn is read as fp8_e4m3, vLLM's name for it".to_owned());
            "fp8_e4m3"
        }
        (_, text) => text,
    };
    if value.trim().is_empty() {
        return Err(InputError::new(key, "expected a value, or null"));
    }
    scenario.set(id, value)
}

fn model(tree: &Tree, supply: &Supply<'_>) -> Result<ModelInput, ProfileError> {
    let id = tree.text("model", "id")?.ok_or(ProfileError::MissingModel)?;
    let id = ModelInput::check_id(&id).map_err(|error| tree.value("model", "id", error))?;
    let supplied = supply.model.and_then(|look_up| look_up(&id));
    let model = supplied.or_else(|| ModelInput::from_catalog(&id));
    let mut model = model.ok_or_else(|| ProfileError::UnknownModel {
        line: tree.line("model", "id"),
        id,
    })?;
    if let Some(revision) = tree.text("model", "revision")? {
        let checked = bounds::parse_text("revision", &revision);
        model.revision = Some(checked.map_err(|error| tree.value("model", "revision", error))?);
    }
    Ok(model)
}

fn hardware(
    tree: &Tree,
    supply: &Supply<'_>,
    notes: &mut Vec<String>,
) -> Result<(GpuSpec, u32), ProfileError> {
    let exact = memory(tree, "gpu_memory_gib")?;
    let given = memory(tree, "vram_gb")?;
    let name = tree.text("hardware", "gpu_name")?;
    let Some(name) = name.filter(|name| !name.trim().eq_ignore_ascii_case("auto")) else {
        let (gpu, count) = supply.gpu.ok_or(ProfileError::NoGpu)?;
        return Ok((gpu.clone(), count));
    };
    let mut gpu = named(tree, &name, exact.or(given), notes)?;
    let known = gpu::find(&gpu.name);
    let memory = match (exact, given, known) {
        (Some(exact), ..) => Some(exact),
        (None, Some(given), Some(known)) if is_datasheet(known, given) => {
            notes.push(format!(
                "`vram_gb` is the datasheet's figure; of it a process sees {}, and that is used",
                gpu.memory_visible.unwrap_or(given)
            ));
            None
        }
        (None, given, _) => given,
    };
    if let Some(memory) = memory {
        gpu.memory_visible = Some(memory);
        gpu.visible_basis = VisibleBasis::Given;
    }
    Ok((gpu, 1))
}

/// The GPU of that name: the catalogue's, the older tool's, or one of our own making with the memory given.
fn named(
    tree: &Tree,
    name: &str,
    memory: Option<Bytes>,
    notes: &mut Vec<String>,
) -> Result<GpuSpec, ProfileError> {
    if let Some(known) = gpu::find(name) {
        return Ok(known.clone());
    }
    let plain = name.trim().to_ascii_lowercase().replace(['-', '_'], " ");
    let plain = plain.strip_prefix("nvidia ").unwrap_or(&plain);
    if let Some((_, long)) = ALIASES.iter().find(|(short, _)| *short == plain)
        && let Some(known) = gpu::find(long)
    {
        notes.push(format!("`gpu_name` {name:?} is read as {long}"));
        return Ok(known.clone());
    }
    let name = bounds::parse_text("gpu_name", name.trim())
        .map_err(|error| tree.value("hardware", "gpu_name", error))?;
    if let Some((_, mib)) = OLD_CARDS.iter().find(|(old, _)| *old == plain) {
        let visible = crate::host_report::estimated_visible(Bytes::from_mib(*mib));
        let capability = ComputeCapability { major: 8, minor: 6 };
        let mut gpu = GpuSpec::custom(visible, Some(capability));
        gpu.name = name;
        return Ok(gpu);
    }
    match memory {
        Some(memory) => Ok(GpuSpec {
            name,
            ..GpuSpec::custom(memory, None)
        }),
        None => Err(ProfileError::UnknownGpu {
            line: tree.line("hardware", "gpu_name"),
            name,
        }),
    }
}

/// An amount in GiB.
fn memory(tree: &Tree, key: &str) -> Result<Option<Bytes>, ProfileError> {
    let Some(text) = tree.text("hardware", key)? else {
        return Ok(None);
    };
    let bytes = Bytes::parse(&format!("{text}GiB")).or_else(|_| Bytes::parse(&text));
    match bytes {
        Ok(bytes) if bytes >= Bytes::from_gib(1) && bytes <= Bytes::from_gib(16 * 1024) => Ok(Some(bytes)),
        _ => Err(tree.wrong("hardware", key, "expected GiB from 1 to 16384, such as 79.18")),
    }
}

fn emit(tree: &Tree) -> Result<Vec<ArtifactKind>, ProfileError> {
    let Some(value) = tree.get("outputs", "emit") else {
        return Ok(Vec::new());
    };
    let wrong = |problem: &str| tree.wrong("outputs", "emit", problem);
    let Kind::List(items) = &value.kind else {
        return Err(wrong("expected a list"));
    };
    let kind = |item: &Node| {
        ArtifactKind::parse(item.text().unwrap_or_default()).map_err(|error| ProfileError::Value {
            line: item.line,
            error: InputError::new("outputs.emit", error.problem),
        })
    };
    items.iter().map(kind).collect()
}

fn vllm_args(tree: &Tree, scenario: &mut Scenario) -> Result<(), ProfileError> {
    let Some(value) = tree.get("outputs", "vllm_args") else {
        return Ok(());
    };
    let Kind::Map(entries) = &value.kind else {
        return Err(tree.wrong("outputs", "vllm_args", "expected a mapping of flags"));
    };
    for entry in entries {
        set_arg(scenario, &entry.key, &entry.node).map_err(|error| ProfileError::Value {
            line: entry.line,
            error,
        })?;
    }
    Ok(())
}

/// `max-num-seqs: 64`, `enable-lora: true`, `speculative-config: {…}`, `lora-modules: […]`
fn set_arg(scenario: &mut Scenario, key: &str, value: &Node) -> Result<(), InputError> {
    let flag = format!("--{}", key.trim_start_matches('-'));
    let version = scenario.vllm_version;
    let engine = &mut scenario.engine;
    let found = FlagTable::of(version).find(&flag);
    let kind = found.as_ref().map(|found| found.flag.kind);
    let is_switch = matches!(kind, Some(FlagKind::Switch | FlagKind::SwitchPair));
    if value.is_null() {
        return Ok(());
    }
    match (&value.kind, value.switch()) {
        (_, Some(true)) if is_switch || matches!(kind, None | Some(FlagKind::OptionalValue)) => {
            set_flag(engine, version, &flag, None)
        }
        (_, Some(false)) if kind == Some(FlagKind::Switch) => Ok(()),
        (_, Some(false)) if is_switch => {
            let no = negation(&flag);
            set_flag(engine, version, &no, None)
        }
        (Kind::List(items), _) if kind == Some(FlagKind::List) => {
            let items: Vec<String> = items.iter().map(list_item).collect();
            let text = serde_json::to_string(&items).unwrap_or_default();
            set_flag(engine, version, &flag, Some(&text))
        }
        (Kind::List(items), _) if flag == "--middleware" => items
            .iter()
            .try_for_each(|item| set_flag(engine, version, &flag, item.text())),
        (Kind::List(_) | Kind::Map(_), _) => {
            let text = value.json().to_string();
            set_flag(engine, version, &flag, Some(&text))
        }
        _ => set_flag(engine, version, &flag, value.text()),
    }
}

fn list_item(item: &Node) -> String {
    item.text().map_or_else(|| item.json().to_string(), str::to_owned)
}
