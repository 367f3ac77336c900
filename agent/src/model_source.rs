//! Finds a model's config.json: the file that was given, a local folder, the local Hugging Face cache, the catalogue.
use crate::{cli::ConfigArgs, error::ExpectedError, files, hub_cache, output, suggest};
use planner::{
    Scenario,
    model::{CHECKPOINT_BYTES, ConfigError, ModelInput, POOLING_BESIDE, models, parse_config},
};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// The name where a config.json came without one.
pub(crate) const UNNAMED: &str = "your-org/your-model";

/// Finds the model and says on stderr where its config comes from.
pub(crate) fn find(
    model: Option<&str>,
    args: &ConfigArgs,
    revision: Option<&str>,
) -> Result<ModelInput, ExpectedError> {
    let id = model.map(ModelInput::check_id).transpose()?;
    let (mut input, origin) = match (id, &args.model_config) {
        (id, Some(path)) => (
            given(id.as_deref(), path)?,
            format!("config from {}", files::shown(path)),
        ),
        (Some(id), None) => by_id(&id, args, revision)?,
        (None, None) => {
            return Err(ExpectedError::usage("which model? --model is missing")
                .help("Such as `--model Qwen/Qwen3-8B`, a local folder, or `--model-config config.json`."));
        }
    };
    input.revision = revision.map(str::to_owned);
    output::say(&format!("model: {} ({origin})", output::printable(&input.id)));
    if args.params_b.is_some() {
        output::say("note: --params-b changes nothing: the config gives the count");
    }
    Ok(input)
}

/// Finds the config of the draft that the arguments name, as a model's is found; the catalogue is the planner's to ask.
pub(crate) fn find_draft(scenario: &mut Scenario, config: Option<&Path>) -> Result<(), ExpectedError> {
    let name = scenario.engine.draft_model();
    let folder = match (config, &name) {
        (Some(path), _) if !path.is_dir() => return read_draft(scenario, path),
        (Some(path), _) => path.to_owned(),
        (None, _) if scenario.draft_config.is_some() => return Ok(()),
        (None, Some(name)) if *name == scenario.model.id => return Ok(()),
        (None, Some(name)) => {
            let local = PathBuf::from(name);
            let known = local
                .is_dir()
                .then_some(local)
                .or_else(|| hub_cache::snapshot(name, None));
            let Some(folder) = known.filter(|folder| folder.join("config.json").is_file()) else {
                return Ok(());
            };
            folder
        }
        (None, None) => return Ok(()),
    };
    read_draft(scenario, &folder.join("config.json"))
}

fn read_draft(scenario: &mut Scenario, path: &Path) -> Result<(), ExpectedError> {
    let text = files::read_text(path, files::MAX_CONFIG, "a draft's config.json")?;
    let config = parse_config(&text).map_err(|error| wrong(path, &error))?;
    let read = scenario.set_draft_config(&config);
    read.map_err(|error| wrong(path, &error))?;
    output::say(&format!("draft: config from {}", files::shown(path)));
    Ok(())
}

/// Looks the id up.
fn by_id(id: &str, args: &ConfigArgs, revision: Option<&str>) -> Result<(ModelInput, String), ExpectedError> {
    let folder = Path::new(id);
    if folder.is_dir() {
        return Ok((from_folder(id, folder)?, "a local folder".to_owned()));
    }
    if let Some(snapshot) = hub_cache::snapshot(id, revision)
        && snapshot.join("config.json").is_file()
    {
        return Ok((
            from_folder(id, &snapshot)?,
            "config from the local Hugging Face cache".to_owned(),
        ));
    }
    match ModelInput::from_catalog(id) {
        Some(input) => Ok((input, "config from the built-in catalogue".to_owned())),
        None => fetched(id, args, revision),
    }
}

/// From the Hub, if that is allowed.
#[cfg(feature = "hub")]
fn fetched(
    id: &str,
    args: &ConfigArgs,
    revision: Option<&str>,
) -> Result<(ModelInput, String), ExpectedError> {
    if !args.hub {
        return Err(unknown(id));
    }
    let (text, url) = crate::hub::config(id, revision)?;
    let input = ModelInput::from_config(id, &text)
        .map_err(|error| ExpectedError::input(format!("{url}: {error}")).help(error.help()))?;
    Ok((input, format!("config from {url}")))
}

#[cfg(not(feature = "hub"))]
fn fetched(id: &str, _: &ConfigArgs, _: Option<&str>) -> Result<(ModelInput, String), ExpectedError> {
    Err(unknown(id))
}

fn unknown(id: &str) -> ExpectedError {
    let error = ExpectedError::input(format!(
        "`{}` is no local folder, not in the local Hugging Face cache and not in the catalogue",
        output::printable(id)
    ));
    let names = models().iter().map(|model| model.id);
    let question = suggest::did_you_mean(&suggest::nearest(id, names));
    let way = "Download the model's config.json and give it with --model-config.";
    error.help(question.map_or_else(|| way.to_owned(), |question| format!("{question} Else: {way}")))
}

/// The config that was given, with the best name for it.
fn given(id: Option<&str>, path: &Path) -> Result<ModelInput, ExpectedError> {
    if path.is_dir() {
        let folder = path.to_string_lossy();
        return from_folder(id.unwrap_or(&folder), path);
    }
    let text = files::read_text(path, files::MAX_CONFIG, "a model's config.json")?;
    let beside = path.file_name().is_some_and(|name| name == "config.json");
    let named = id
        .map(str::to_owned)
        .or_else(|| named_in(&text))
        .or_else(|| {
            beside.then(|| {
                path.parent()?
                    .to_str()
                    .filter(|dir| !dir.is_empty())
                    .map(str::to_owned)
            })?
        })
        .unwrap_or_else(|| {
            output::say(&format!(
                "note: the config names no model; files will say {UNNAMED}. Give --model."
            ));
            UNNAMED.to_owned()
        });
    ModelInput::from_config(&ModelInput::check_id(&named)?, &text).map_err(|error| wrong(path, &error))
}

fn wrong(path: &Path, error: &ConfigError) -> ExpectedError {
    let name = if path == Path::new("-") {
        "stdin".to_owned()
    } else {
        files::shown(path)
    };
    ExpectedError::input(format!("{name}: {error}")).help(error.help())
}

/// `_name_or_path`, where it looks like a repository.
fn named_in(text: &str) -> Option<String> {
    let config: Value = serde_json::from_str(text).ok()?;
    let name = config.get("_name_or_path")?.as_str()?;
    let repository =
        name.split('/').count() == 2 && !name.starts_with(['/', '.', '-']) && !name.contains('\\');
    (repository && ModelInput::check_id(name).is_ok()).then(|| name.to_owned())
}

/// A folder with config.json, and perhaps ModelOpt's description of its quantisation beside it.
fn from_folder(id: &str, folder: &Path) -> Result<ModelInput, ExpectedError> {
    let path = folder.join("config.json");
    if !path.exists() {
        let mut error =
            ExpectedError::input(format!("{}: no config.json in this folder", files::shown(folder)));
        if folder.join("adapter_config.json").exists() {
            error = error.help("This is a LoRA adapter; give the folder of its base model.");
        } else if folder.join("params.json").exists() {
            error = error
                .help("Only Mistral's own params.json is there; the repository's config.json is needed.");
        }
        return Err(error);
    }
    let id = ModelInput::check_id(id)?;
    let text = files::read_text(&path, files::MAX_CONFIG, "a model's config.json")?;
    let plain = ModelInput::from_config(&id, &text).map_err(|error| wrong(&path, &error))?;
    let quantized = quantization_beside(&plain, folder)?;
    let pools = pools(folder)?;
    let total = checkpoint_bytes(folder);
    if quantized.is_none() && !pools && total.is_none() {
        return Ok(plain);
    }
    let mut config = quantized.unwrap_or_else(|| plain.config.as_ref().clone());
    if pools {
        config.insert(POOLING_BESIDE.to_owned(), Value::from(true));
    }
    if let Some(total) = total {
        config.insert(CHECKPOINT_BYTES.to_owned(), Value::from(total));
    }
    ModelInput::from_object(&id, &config).map_err(|error| wrong(&path, &error))
}

/// `metadata.total_size` of the index beside the config; without a readable one, nothing is checked.
fn checkpoint_bytes(folder: &Path) -> Option<u64> {
    let path = folder.join("model.safetensors.index.json");
    if !path.is_file() {
        return None;
    }
    let text = files::read_text(&path, files::MAX_INDEX, "a checkpoint's index").ok()?;
    let index: Value = serde_json::from_str(&text).ok()?;
    let total = index.get("metadata")?.get("total_size")?;
    // Some writers make it a float.
    total
        .as_u64()
        .or_else(|| total.as_f64().map(whole))
        .filter(|bytes| *bytes > 0)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a size in bytes; saturates"
)]
fn whole(size: f64) -> u64 {
    size as u64
}

/// Whether sentence-transformers' modules lie beside the config, with one that pools: vLLM pools by itself then.
fn pools(folder: &Path) -> Result<bool, ExpectedError> {
    let path = folder.join("modules.json");
    if !path.exists() {
        return Ok(false);
    }
    let text = files::read_text(&path, files::MAX_CONFIG, "sentence-transformers' modules")?;
    let modules: Value = serde_json::from_str(&text)
        .map_err(|error| ExpectedError::input(format!("{}: not JSON: {error}", files::shown(&path))))?;
    let is_pooling = |module: &Value| {
        let kind = module.get("type").and_then(Value::as_str);
        kind.is_some_and(|kind| kind.ends_with(".Pooling"))
    };
    Ok(modules.as_array().is_some_and(|list| list.iter().any(is_pooling)))
}

/// The config with its neighbour's quantisation, where only the neighbour has one: vLLM reads it the same way.
fn quantization_beside(
    model: &ModelInput,
    folder: &Path,
) -> Result<Option<Map<String, Value>>, ExpectedError> {
    let path = folder.join("hf_quant_config.json");
    if has_quantization(&model.config) || !path.exists() {
        return Ok(None);
    }
    let text = files::read_text(&path, files::MAX_CONFIG, "a quantisation's description")?;
    let beside: Map<String, Value> = serde_json::from_str(&text).map_err(|error| {
        ExpectedError::input(format!("{}: not a JSON object: {error}", files::shown(&path)))
    })?;
    // ModelOpt nests here what it writes flat, and with `quant_method`, into a config.json.
    let mut quantization = match beside.get("quantization") {
        Some(Value::Object(nested)) => nested.clone(),
        _ => beside,
    };
    quantization
        .entry("quant_method")
        .or_insert_with(|| Value::from("modelopt"));
    let mut config = model.config.as_ref().clone();
    config.insert("quantization_config".to_owned(), Value::Object(quantization));
    Ok(Some(config))
}

fn has_quantization(config: &Map<String, Value>) -> bool {
    let has = |object: &Map<String, Value>| {
        ["quantization_config", "compression_config"]
            .iter()
            .any(|key| object.contains_key(*key))
    };
    let inner = config.get("text_config").and_then(Value::as_object);
    has(config) || inner.is_some_and(has)
}
