//! The bundled models of `data/models.json` and the heads of `data/drafts.json`, read by the same path as anybody's config.json.
use super::{ConfigError, ModelSpec, fields, resolve};
use crate::built;
use serde_json::{Map, Value};
use std::sync::{Arc, LazyLock, OnceLock};

/// A bundled model.
#[derive(Debug)]
pub struct CatalogModel {
    /// Repository id.
    pub id: &'static str,
    /// Published parameter count.
    pub total_params: u64,
    /// What that counts besides the language model: a tower, a multi-token prediction layer.
    pub outside: Option<&'static str>,
    /// The fields of its config.json that shape memory.
    text: &'static str,
    /// What they resolve to, once somebody asks.
    resolved: OnceLock<Resolved>,
}

#[derive(Debug)]
struct Resolved {
    config: Arc<Map<String, Value>>,
    spec: Result<Arc<ModelSpec>, ConfigError>,
}

impl CatalogModel {
    fn read(line: &'static str) -> Option<Self> {
        let mut columns = line.split('\t');
        Some(Self {
            id: columns.next()?,
            total_params: columns.next()?.parse().ok()?,
            outside: columns.next().filter(|text| !text.is_empty()),
            text: columns.next()?,
            resolved: OnceLock::new(),
        })
    }

    fn resolved(&self) -> &Resolved {
        self.resolved.get_or_init(|| {
            // A test proves that every bundled config resolves; an error beats a panic in somebody's browser.
            let object = fields::parse(self.text).unwrap_or_default();
            let (spec, config) = resolve(&object);
            Resolved {
                config: Arc::new(config),
                spec: spec.map(Arc::new),
            }
        })
    }

    /// The fields of its config.json that shape memory.
    pub fn config(&self) -> &Arc<Map<String, Value>> {
        &self.resolved().config
    }

    /// What they resolve to.
    pub fn spec(&self) -> &Result<Arc<ModelSpec>, ConfigError> {
        &self.resolved().spec
    }
}

// Every line is a model: a test counts them.
// As text: tables of pointers would be larger in every program.
static MODELS: LazyLock<Vec<CatalogModel>> = LazyLock::new(|| {
    built::text!("models")
        .lines()
        .filter_map(CatalogModel::read)
        .collect()
});

/// All bundled models, in the file's order: by family, then by size.
pub fn models() -> &'static [CatalogModel] {
    &MODELS
}

/// The model of that id, without regard to case.
pub fn find(id: &str) -> Option<&'static CatalogModel> {
    models()
        .iter()
        .find(|model| model.id.eq_ignore_ascii_case(id.trim()))
}

/// A published head that drafts for a model, and is none itself.
struct Draft {
    ids: &'static [&'static str],
    text: &'static str,
    config: OnceLock<Map<String, Value>>,
}

impl Draft {
    const fn new(ids: &'static [&'static str], text: &'static str) -> Self {
        Self {
            ids,
            text,
            config: OnceLock::new(),
        }
    }
}

// `DRAFTS`, the rows of `data/drafts.json`.
include!(concat!(env!("OUT_DIR"), "/drafts.rs"));

/// The config of the draft of that id: a head's or a model's.
pub fn bundled_draft(id: &str) -> Option<&'static Map<String, Value>> {
    if let Some(model) = find(id) {
        return Some(model.config());
    }
    let named = |draft: &&Draft| draft.ids.iter().any(|own| own.eq_ignore_ascii_case(id.trim()));
    let draft = DRAFTS.iter().find(named)?;
    Some(
        draft
            .config
            .get_or_init(|| fields::parse(draft.text).unwrap_or_default()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bundled_model_resolves() {
        assert_eq!(models().len(), built::text!("models").lines().count());
        for model in models() {
            assert!(model.spec().is_ok(), "{}: {:?}", model.id, model.spec());
        }
    }

    #[test]
    fn parameters_with_the_tower_equal_the_published_count() {
        let mut met = 0;
        for model in models() {
            let spec = model.spec().as_ref().unwrap();
            let tower = spec.tower.as_ref().unwrap().parameters();
            let computed = spec.parameters() + tower;
            // Gemma 4's full layers use their keys as values, of which vLLM keeps a copy; the scales of FP8 experts are
            // counted as parameters.
            let counted_otherwise = model.id.starts_with("google/gemma-4")
                || model.id == "moonshotai/Kimi-K3"
                || model.id.ends_with("Maverick-17B-128E-Instruct-FP8");
            if model.outside == Some("vision tower") && !counted_otherwise {
                assert_eq!(computed, model.total_params, "{}", model.id);
                met += 1;
            }
        }
        assert!(met >= 10, "{met}");
    }

    #[test]
    #[expect(clippy::cast_precision_loss, reason = "a ratio")]
    fn parameters_equal_the_published_count() {
        assert!(models().len() >= 60, "{}", models().len());
        for model in models() {
            let computed = model.spec().as_ref().unwrap().parameters();
            if model.outside.is_none() {
                assert_eq!(computed, model.total_params, "{}", model.id);
            } else {
                // A tower or a prediction layer is a small part of a model.
                let ratio = computed as f64 / model.total_params as f64;
                assert!(ratio > 0.88 && ratio < 1.000_001, "{} {ratio}", model.id);
            }
        }
    }
}
