//! Scenario → profile.yaml.
use super::{
    ArtifactKind,
    quote::Comments,
    yaml::{Document, Yaml, texts},
};
use crate::{
    bounds::{self, FieldKind},
    command::list_values,
    engine::{EngineArgs, FlagKind, FlagTable},
    gpu,
    model::ModelOrigin,
    plan::Scenario,
    profile::{KEYS, SECTIONS, is_datasheet},
    share,
    units::{Bytes, GIB, decimal},
};
use std::borrow::Cow;

type Entries<'a> = Vec<(Cow<'a, str>, Yaml<'a>)>;

/// profile.yaml, under the lines of `header`; `emit` names the files to generate from it.
pub fn profile_yaml(scenario: &Scenario, emit: &[ArtifactKind], header: &Comments) -> String {
    let mut document = Document::new(header);
    document.gap();
    document.entry("profile_version", 1_u32);
    document.entry(
        "vllm_version",
        Yaml::from(scenario.vllm_version.to_string()).comment("whose defaults and arithmetic"),
    );
    let changed = share::entries(scenario);
    for section in SECTIONS {
        document.gap();
        if *section == "model" && scenario.model.origin == ModelOrigin::Config {
            document.comment("This model is not in the catalogue: reading the profile takes its config.json (--model-config).");
        }
        document.entry(section, Yaml::Map(entries(scenario, section, emit, &changed)));
    }
    document.finish()
}

fn entries<'a>(
    scenario: &'a Scenario,
    section: &str,
    emit: &[ArtifactKind],
    changed: &[(&str, String)],
) -> Entries<'a> {
    let mut entries = match section {
        "model" => model(scenario),
        "hardware" => hardware(scenario),
        _ => Entries::new(),
    };
    for key in KEYS.iter().filter(|key| key.section == section) {
        let Some(id) = key.id else { continue };
        let value = scenario.get(id);
        if key.always || changed.iter().any(|(other, _)| *other == id) {
            let node = value.map_or(Yaml::Null, |text| typed(id, text));
            entries.push((key.key.into(), node.comment(key.help)));
        }
    }
    if section == "outputs" {
        entries.push(("emit".into(), texts(emit.iter().map(|kind| kind.name()))));
        entries.push(("vllm_args".into(), Yaml::Map(vllm_args(scenario))));
    }
    entries
}

fn model(scenario: &Scenario) -> Entries<'_> {
    let model = &scenario.model;
    let revision = model.revision.as_deref().map_or(Yaml::Null, Yaml::from);
    vec![
        (
            "id".into(),
            Yaml::from(model.id.as_str()).comment("repository id or path"),
        ),
        ("revision".into(), revision.comment("branch, tag or commit")),
    ]
}

/// The GPU, and its memory where it is not the catalogue's.
fn hardware(scenario: &Scenario) -> Entries<'_> {
    let gpu = &scenario.hardware.gpu;
    let known = gpu::find(&gpu.name);
    let own = gpu.memory_visible.filter(|_| {
        known.is_none_or(|k| k.memory_visible != gpu.memory_visible || k.visible_basis != gpu.visible_basis)
    });
    let key = match (own, known) {
        (Some(own), Some(known)) if is_datasheet(known, own) => "gpu_memory_gib",
        _ => "vram_gb",
    };
    vec![
        (
            "gpu_name".into(),
            Yaml::from(gpu.name.as_str()).comment("as in the catalogue, or as NVML prints it"),
        ),
        (
            key.into(),
            own.map_or(Yaml::Null, gib)
                .comment("GiB that a process sees, where it is not the catalogue's"),
        ),
    ]
}

/// GiB with ten decimals, which give the bytes back exactly.
fn gib(bytes: Bytes) -> Yaml<'static> {
    const TENS: u128 = 10_000_000_000;
    let scaled = (u128::from(bytes.get()) * TENS).div_ceil(u128::from(GIB));
    number(format!("{}.{:010}", scaled / TENS, scaled % TENS))
}

/// The arguments that have no key of their own, and what is passed through.
fn vllm_args(scenario: &Scenario) -> Entries<'_> {
    let mut entries = Entries::new();
    for id in EngineArgs::ids() {
        if KEYS.iter().any(|key| key.id == Some(*id)) {
            continue;
        }
        let flag = bounds::field(id).and_then(|field| field.flag);
        if let (Some(flag), Some(text)) = (flag, scenario.engine.get(id)) {
            entries.push((bare(flag).into(), typed(id, text)));
        }
    }
    let table = FlagTable::of(scenario.vllm_version);
    for (flag, value) in &scenario.engine.vllm_args {
        let found = table.find(flag);
        let (name, node) = match (&found, value) {
            (Some(found), None) if found.negated => (found.flag.flag, Yaml::Bool(false)),
            (_, None) => (flag.as_str(), Yaml::Bool(true)),
            (Some(found), Some(value)) if found.flag.kind == FlagKind::List => {
                (flag.as_str(), list(list_values(value)))
            }
            (_, Some(value)) => (flag.as_str(), Yaml::from(value.as_str())),
        };
        let name = bare(name);
        match entries.iter_mut().find(|(other, _)| other == name) {
            // Only `--middleware` stands more than once.
            Some((_, Yaml::List(items))) => items.push(node),
            Some((_, first)) => *first = Yaml::List(vec![first.clone(), node]),
            None => entries.push((name.to_owned().into(), node)),
        }
    }
    entries
}

fn list(mut values: Vec<String>) -> Yaml<'static> {
    match values.pop() {
        Some(one) if values.is_empty() && !one.starts_with('[') => one.into(),
        last => texts(values.into_iter().chain(last)),
    }
}

fn bare(flag: &str) -> &str {
    flag.trim_start_matches('-')
}

fn typed(id: &str, text: String) -> Yaml<'static> {
    match bounds::field(id).map(|field| field.kind) {
        Some(FieldKind::Switch) => Yaml::Bool(text == "true"),
        Some(FieldKind::Count { .. } | FieldKind::Fraction | FieldKind::Decimal | FieldKind::Memory) => {
            number(text)
        }
        _ => Yaml::from(text),
    }
}

/// A number, or the text where it is none (`auto`).
fn number(text: String) -> Yaml<'static> {
    if let Ok(whole) = text.parse::<u64>() {
        return Yaml::Int(whole);
    }
    decimal(&text).map_or_else(|| Yaml::from(text), Yaml::Number)
}
