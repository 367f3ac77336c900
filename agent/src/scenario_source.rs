//! The scenario that the flags describe: a profile, a scenario, or a model and a machine; then single fields on top.
use crate::{
    cli::{MachineArgs, SourceArgs},
    error::{Exit, ExpectedError, flag_name},
    files, hardware_source, model_source, output,
    scenario_flags::FieldFlags,
};
use planner::{
    ArtifactKind, Scenario,
    gpu::GpuSpec,
    model::ModelInput,
    plan::Hardware,
    profile::{self, ProfileError, Supply},
    share,
};
use serde_json::Value;
use std::{cell::RefCell, path::Path};

/// The limit of `gpus`; more are several nodes.
const MOST_GPUS: u32 = 64;

/// A scenario and what came with it.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// The scenario.
    pub(crate) scenario: Scenario,
    /// The files that a profile asks for; empty is all.
    pub(crate) emit: Vec<ArtifactKind>,
}

/// Reads `plan`'s and `generate`'s flags; where they name no GPU, this machine's.
pub(crate) fn read<const ALL: bool>(
    source: &SourceArgs,
    machine: &MachineArgs,
    fields: &FieldFlags<ALL>,
) -> Result<Question, ExpectedError> {
    read_or(source, machine, fields, || {
        hardware_source::detected(machine.mixed_gpus)
    })
}

/// The same with other hardware where flags name none.
pub(crate) fn read_or<const ALL: bool>(
    source: &SourceArgs,
    machine: &MachineArgs,
    fields: &FieldFlags<ALL>,
    otherwise: impl FnOnce() -> Result<Hardware, ExpectedError>,
) -> Result<Question, ExpectedError> {
    let named = hardware_source::named(machine, fields)?;
    let fresh = source.profile.is_none() && source.scenario.is_none();
    let mut question = if let Some(path) = &source.profile {
        from_profile(path, source, named.as_ref())?
    } else if let Some(text) = &source.scenario {
        from_scenario(text, source)?
    } else {
        let model = given_model(source)?;
        let hardware = named.clone().map_or_else(otherwise, Ok)?;
        from_scratch(model, hardware)
    };
    if let Some(hardware) = named {
        put(&mut question.scenario, hardware, machine.host.is_some());
    }
    set_fields(&mut question.scenario, machine, fields)?;
    model_source::find_draft(&mut question.scenario, source.config.draft_config.as_deref())?;
    if fresh {
        count_gpus(&mut question.scenario, machine, fields);
    }
    Ok(question)
}

/// A scenario of that model on that hardware, everything else as it comes.
pub(crate) fn from_scratch(model: ModelInput, hardware: Hardware) -> Question {
    let mut scenario = Scenario::new(model, hardware.gpu.clone());
    scenario.hardware = hardware;
    Question {
        scenario,
        emit: Vec::new(),
    }
}

/// A named GPU replaces the kind only; a report replaces the machine.
fn put(scenario: &mut Scenario, hardware: Hardware, whole: bool) {
    if whole {
        scenario.hardware = hardware;
    } else {
        scenario.hardware.gpu = hardware.gpu;
    }
}

fn given_model(source: &SourceArgs) -> Result<ModelInput, ExpectedError> {
    let revision = source.config.revision.as_deref();
    model_source::find(source.model.as_deref(), &source.config, revision)
}

fn from_scenario(text: &str, source: &SourceArgs) -> Result<Question, ExpectedError> {
    let is_link = text.starts_with("s=") || text.contains("#s=");
    let (name, text) = if is_link {
        ("--scenario".to_owned(), text.to_owned())
    } else {
        let path = Path::new(text);
        let text = files::read_text(path, files::MAX_SCENARIO, "a scenario, a plan.json or a link")?;
        (files::shown(path), text)
    };
    let mut scenario = scenario_text(&text, &name)?;
    if source.model.is_some() || source.config.model_config.is_some() {
        scenario.model = given_model(source)?;
    } else {
        output::say(&format!(
            "model: {} (from {name})",
            output::printable(&scenario.model.id)
        ));
    }
    Ok(Question {
        scenario,
        emit: Vec::new(),
    })
}

/// JSON of a scenario or a plan, or a link; `name` is what errors call it.
pub(crate) fn scenario_text(text: &str, name: &str) -> Result<Scenario, ExpectedError> {
    let text = text.trim_start_matches('\u{feff}').trim();
    let read = if text.starts_with('{') {
        let document: Value = serde_json::from_str(text)
            .map_err(|error| ExpectedError::input(format!("{name}: not JSON: {error}")))?;
        share::scenario_from_json(&document).map(|scenario| (scenario, Vec::new()))
    } else {
        share::from_fragment(text.rsplit_once('#').map_or(text, |(_, fragment)| fragment))
    };
    let (scenario, ignored) =
        read.map_err(|error| ExpectedError::input(format!("{name}: {error}")).help(error.help()))?;
    for part in ignored {
        output::say(&format!(
            "note: `{}` of {name} is left out: {}",
            part.key, part.reason
        ));
    }
    Ok(scenario)
}

/// Reads a profile; this machine is asked only if neither flags nor profile name a GPU.
fn from_profile(
    path: &Path,
    source: &SourceArgs,
    named: Option<&Hardware>,
) -> Result<Question, ExpectedError> {
    let text = files::read_text(path, files::MAX_SCENARIO, "a profile.yaml")?;
    // The reader asks for the model by id and takes no error: keep it for later.
    let failed = RefCell::new(None);
    let model = |id: &str| {
        let id = source.model.as_deref().unwrap_or(id);
        let found = model_source::find(Some(id), &source.config, source.config.revision.as_deref());
        found.map_err(|error| failed.replace(Some(error))).ok()
    };
    let read = |gpu: Option<(&GpuSpec, u32)>| {
        profile::read(
            &text,
            &Supply {
                model: Some(&model),
                gpu,
            },
        )
    };
    let mut machine = named.cloned();
    let mut read_once = read(machine.as_ref().map(|machine| (&machine.gpu, machine.gpus)));
    if read_once == Err(ProfileError::NoGpu) {
        machine = Some(hardware_source::detected(false)?);
        read_once = read(machine.as_ref().map(|machine| (&machine.gpu, machine.gpus)));
    }
    // An id that is not found anywhere has its own, better message.
    if let Some(error) = failed.take() {
        return Err(error);
    }
    let profile = read_once.map_err(|error| {
        let exit = if error == ProfileError::NoGpu {
            Exit::NoGpu
        } else {
            Exit::BadInput
        };
        ExpectedError::new(exit, format!("{}: {error}", files::shown(path))).help(error.help())
    })?;
    for note in &profile.notes {
        output::say(&format!("note: {note}"));
    }
    Ok(Question {
        scenario: profile.scenario,
        emit: profile.emit,
    })
}

/// Sets what was given field by field.
pub(crate) fn set_fields<const ALL: bool>(
    scenario: &mut Scenario,
    machine: &MachineArgs,
    fields: &FieldFlags<ALL>,
) -> Result<(), ExpectedError> {
    if let Some(version) = &machine.vllm_version {
        scenario.set("vllm_version", release(version))?;
    }
    if let Some(gib) = &machine.gpu_memory_gib {
        scenario.set("gpu_memory", &hardware_source::in_gib(gib)?)?;
    }
    for (id, text) in &fields.values {
        if text.trim().is_empty() {
            return Err(ExpectedError::usage(format!(
                "{}: expected a value",
                flag_name(id)
            )));
        }
        scenario.set(id, text)?;
    }
    Ok(())
}

/// Where only the kind of GPU is named: as many as the arguments ask for.
pub(crate) fn count_gpus<const ALL: bool>(
    scenario: &mut Scenario,
    machine: &MachineArgs,
    fields: &FieldFlags<ALL>,
) {
    let by_kind = machine.host.is_none() && (machine.gpu.is_some() || machine.gpu_memory_gib.is_some());
    if !by_kind || fields.value("gpus").is_some() {
        return;
    }
    let engine = &scenario.engine;
    let asked = [
        engine.tensor_parallel_size,
        engine.pipeline_parallel_size,
        engine.data_parallel_size,
    ]
    .into_iter()
    .flatten()
    .fold(1, u32::saturating_mul);
    let hardware = &mut scenario.hardware;
    let each = asked.div_ceil(hardware.nodes.max(1));
    if each > hardware.gpus && each <= MOST_GPUS {
        hardware.gpus = each;
        output::say(&format!(
            "note: no --gpus given; the arguments ask for {each} on a node, so that many are planned"
        ));
    }
}

/// `0.11.2` of `v0.11.2.post1` or `0.11.2+cu129`: rules do not differ within a release.
fn release(version: &str) -> &str {
    let version = version.trim();
    let end = version
        .match_indices(|c: char| !c.is_ascii_digit() && c != '.')
        .map(|(place, _)| place)
        .find(|place| *place > 0)
        .unwrap_or(version.len());
    version.get(..end).unwrap_or(version).trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_of_a_release_counts_as_the_release() {
        for (text, version) in [
            ("0.11.2", "0.11.2"),
            ("v0.11.2", "v0.11.2"),
            ("0.6.3.post1", "0.6.3"),
            ("0.19.0rc1", "0.19.0"),
            ("0.11.2+cu129", "0.11.2"),
        ] {
            assert_eq!(release(text), version);
        }
    }
}
