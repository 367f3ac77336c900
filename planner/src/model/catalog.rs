//! The bundled models, parsed once from `data/models.json` by the same path as anybody's config.json.
use super::{ConfigError, ModelSpec, resolve};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::sync::{Arc, LazyLock};

const TEXT: &str = include_str!("../../data/models.json");

#[derive(Deserialize)]
struct File {
    models: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    id: String,
    total_params: u64,
    /// What the published count has besides the language model: a tower, a multi-token prediction layer.
    outside: Option<String>,
    config: Map<String, Value>,
}

/// A bundled model.
#[derive(Clone, Debug)]
pub struct CatalogModel {
    /// Repository id.
    pub id: String,
    /// Published parameter count.
    pub total_params: u64,
    /// What it counts besides the language model.
    pub outside: Option<String>,
    /// The fields of its config.json that shape memory.
    pub config: Arc<Map<String, Value>>,
    /// What they resolve to.
    pub spec: Result<Arc<ModelSpec>, ConfigError>,
}

static CATALOG: LazyLock<Vec<CatalogModel>> = LazyLock::new(|| {
    // A test proves that the bundled file parses; an empty list beats a panic in somebody's browser.
    let file = serde_json::from_str(TEXT).unwrap_or(File { models: Vec::new() });
    file.models.into_iter().map(load).collect()
});

fn load(entry: Entry) -> CatalogModel {
    let (spec, config) = resolve(&entry.config);
    CatalogModel {
        id: entry.id,
        total_params: entry.total_params,
        outside: entry.outside,
        config: Arc::new(config),
        spec: spec.map(Arc::new),
    }
}

/// All bundled models, in the file's order: by family, then by size.
pub fn models() -> &'static [CatalogModel] {
    &CATALOG
}

/// The model of that id, without regard to case.
pub fn find(id: &str) -> Option<&'static CatalogModel> {
    models()
        .iter()
        .find(|model| model.id.eq_ignore_ascii_case(id.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bundled_model_resolves() {
        let file: File = serde_json::from_str(TEXT).unwrap();
        assert_eq!(file.models.len(), models().len());
        for model in models() {
            assert!(model.spec.is_ok(), "{}: {:?}", model.id, model.spec);
        }
    }

    #[test]
    fn parameters_with_the_tower_equal_the_published_count() {
        let mut met = 0;
        for model in models() {
            let spec = model.spec.as_ref().unwrap();
            let tower = spec.tower.as_ref().unwrap().parameters();
            let computed = spec.parameters() + tower;
            // Gemma 4's full layers use their keys as values, of which vLLM keeps a copy; the scales of FP8 experts are
            // counted as parameters.
            let counted_otherwise = model.id.starts_with("google/gemma-4")
                || model.id.ends_with("Maverick-17B-128E-Instruct-FP8");
            if model.outside.as_deref() == Some("vision tower") && !counted_otherwise {
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
            let spec = model.spec.as_ref().unwrap();
            let computed = spec.parameters();
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
