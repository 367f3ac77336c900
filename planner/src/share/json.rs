//! Scenario ⇄ JSON, as a file and as the `scenario` of plan.json.
use super::{ShareError, arg_text, entries, gpu};
use crate::{
    bounds,
    command::set_flag,
    error::InputError,
    json::FieldText,
    model::{ModelInput, ModelOrigin},
    plan::{PLAN_SCHEMA, Scenario},
    text::{nearest, short},
};
use serde::{Serialize, Serializer, ser::SerializeMap as _};
use serde_json::{Map, Value};

/// The schema that is written.
pub const SCENARIO_SCHEMA: &str = "vllm-wizard/scenario/v1";

/// A scenario that serialises with its keys in order.
pub(crate) struct Ordered<'a> {
    scenario: &'a Scenario,
    /// What differs from a fresh one.
    entries: Vec<(&'static str, String)>,
}

impl<'a> Ordered<'a> {
    /// Of that scenario.
    pub(crate) fn of(scenario: &'a Scenario) -> Self {
        Self {
            scenario,
            entries: entries(scenario),
        }
    }
}

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let scenario = self.scenario;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schema", SCENARIO_SCHEMA)?;
        map.serialize_entry("vllm_version", &scenario.vllm_version)?;
        map.serialize_entry("model", &Model::of(&scenario.model))?;
        map.serialize_entry("gpu", &scenario.hardware.gpu.name)?;
        for (id, text) in &self.entries {
            map.serialize_entry(id, &FieldText { id, text })?;
        }
        let args = scenario.engine.vllm_args.iter();
        let args: Vec<String> = args
            .map(|(flag, value)| arg_text(flag, value.as_deref()))
            .collect();
        map.serialize_entry("vllm_args", &args)?;
        if let Some(config) = &scenario.draft_config {
            map.serialize_entry("draft_config", config.as_ref())?;
        }
        map.end()
    }
}

#[derive(Serialize)]
struct Model<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<&'a str>,
    config: &'a Map<String, Value>,
}

impl<'a> Model<'a> {
    fn of(model: &'a ModelInput) -> Self {
        Self {
            id: &model.id,
            revision: model.revision.as_deref(),
            config: &model.config,
        }
    }
}

/// The scenario as a document.
pub fn scenario_json(scenario: &Scenario) -> Value {
    serde_json::to_value(Ordered::of(scenario)).unwrap_or_default()
}

/// Reads [`scenario_json`]'s document, or a plan.json, whose `scenario` is one. Nothing is left out silently.
pub fn scenario_from_json(document: &Value) -> Result<Scenario, ShareError> {
    let object = document.as_object().ok_or_else(|| schema_error("no object"))?;
    let schema = object.get("schema").and_then(Value::as_str);
    match schema {
        Some(SCENARIO_SCHEMA) => read(object),
        Some(PLAN_SCHEMA) => match object.get("scenario") {
            Some(scenario) => scenario_from_json(scenario),
            None => Err(schema_error("a plan without `scenario`")),
        },
        Some(other) if is_newer(other) => Err(ShareError::Newer {
            found: short(other),
            known: SCENARIO_SCHEMA.to_owned(),
        }),
        other => Err(schema_error(other.unwrap_or("no `schema`"))),
    }
}

fn schema_error(found: &str) -> ShareError {
    ShareError::Schema {
        found: short(found),
        expected: SCENARIO_SCHEMA,
    }
}

/// A later version of a schema that is known.
fn is_newer(schema: &str) -> bool {
    ["vllm-wizard/scenario/v", "vllm-wizard/plan/v"]
        .iter()
        .filter_map(|known| schema.strip_prefix(known))
        .any(|version| version.parse::<u32>().is_ok_and(|version| version > 1))
}

fn read(object: &Map<String, Value>) -> Result<Scenario, ShareError> {
    let model = read_model(object.get("model"))?;
    let memory = object.get("gpu_memory").map(|value| text("gpu_memory", value));
    let memory = memory.transpose()?;
    let name = object
        .get("gpu")
        .and_then(Value::as_str)
        .ok_or(ShareError::MissingGpu)?;
    let mut scenario = Scenario::new(model, gpu(name, memory.as_deref())?);
    if let Some(version) = object.get("vllm_version") {
        scenario.set("vllm_version", &text("vllm_version", version)?)?;
    }
    for (key, value) in object {
        match key.as_str() {
            "schema" | "model" | "gpu" | "vllm_version" => {}
            "vllm_args" => read_args(&mut scenario, value)?,
            "draft_config" => read_draft(&mut scenario, value)?,
            key if Scenario::ids().any(|id| id == key) => scenario.set(key, &text(key, value)?)?,
            key => return Err(unknown_key(key)),
        }
    }
    Ok(scenario)
}

fn unknown_key(key: &str) -> ShareError {
    let near = nearest(key, Scenario::ids());
    let hint = match near.first() {
        Some(near) => format!("unknown field; the nearest is `{near}`"),
        None => "unknown field".to_owned(),
    };
    InputError::new(short(key), hint).into()
}

fn read_model(value: Option<&Value>) -> Result<ModelInput, ShareError> {
    let object = value.and_then(Value::as_object).ok_or(ShareError::MissingModel)?;
    let id = object
        .get("id")
        .and_then(Value::as_str)
        .ok_or(ShareError::MissingModel)?;
    let id = ModelInput::check_id(id)?;
    let revision = match object.get("revision") {
        None | Some(Value::Null) => None,
        Some(value) => Some(bounds::parse_text("revision", &text("revision", value)?)?),
    };
    if let Some(key) = object
        .keys()
        .find(|key| !matches!(key.as_str(), "id" | "revision" | "config"))
    {
        return Err(InputError::new(format!("model.{}", short(key)), "unknown field").into());
    }
    let config =
        match object.get("config") {
            None | Some(Value::Null) => None,
            Some(value) => Some(value.as_object().ok_or_else(|| {
                InputError::new("model.config", "expected an object, the model's config.json")
            })?),
        };
    let model = with_config(&id, config)?;
    Ok(ModelInput { revision, ..model })
}

/// The catalogue's model where the config is the catalogue's or is not given.
pub(super) fn with_config(id: &str, config: Option<&Map<String, Value>>) -> Result<ModelInput, ShareError> {
    let known = ModelInput::from_catalog(id);
    let Some(config) = config else {
        return known.ok_or_else(|| ShareError::UnknownModel { id: id.to_owned() });
    };
    let own = ModelInput::from_object(id, config).map_err(|error| ShareError::Config {
        id: id.to_owned(),
        error,
    })?;
    Ok(match known {
        Some(known) if known.config == own.config && known.id == own.id => known,
        _ => ModelInput {
            origin: ModelOrigin::Config,
            ..own
        },
    })
}

/// The config of the draft that `vllm_args` name.
pub(super) fn read_draft(scenario: &mut Scenario, value: &Value) -> Result<(), ShareError> {
    let object = value
        .as_object()
        .ok_or_else(|| InputError::new("draft_config", "expected an object, the draft's config.json"))?;
    scenario
        .set_draft_config(object)
        .map_err(|error| InputError::new("draft_config", error.to_string()).into())
}

fn read_args(scenario: &mut Scenario, value: &Value) -> Result<(), ShareError> {
    let wrong = || InputError::new("vllm_args", "expected a list of texts such as \"--flag=value\"");
    for item in value.as_array().ok_or_else(wrong)? {
        let item = item.as_str().ok_or_else(wrong)?;
        let (flag, value) = match item.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (item, None),
        };
        set_flag(&mut scenario.engine, scenario.vllm_version, flag, value)?;
    }
    Ok(())
}

/// A field's value as [`Scenario::set`] takes it.
fn text(key: &str, value: &Value) -> Result<String, InputError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        _ => Err(InputError::new(
            short(key),
            "expected a text, a number, true or false",
        )),
    }
}
