//! Ray Serve LLM on KubeRay: a RayService whose `serveConfigV2` builds vLLM's engine.
use super::{
    Form, ImportError, gpus,
    kubernetes::{container, name},
    launch::Launch,
};
use crate::yaml::{self, Kind, Node};

/// What it starts; `None` where this is no RayService, or one that runs a program of its own.
pub(super) fn launch(object: &Node) -> Option<Result<Launch, ImportError>> {
    if object.get("kind")?.text()? != "RayService" {
        return None;
    }
    let config = object.at(&["spec", "serveConfigV2"])?;
    let documents = match yaml::read(config.text()?) {
        Ok(documents) => documents,
        Err(error) => {
            return Some(Err(ImportError::Yaml {
                line: config.line + error.line,
                problem: format!("in serveConfigV2: {}", error.problem),
            }));
        }
    };
    let applications = documents.first().and_then(|config| config.get("applications"))?;
    let model = applications
        .list()
        .iter()
        .filter_map(|application| application.at(&["args", "llm_configs"]))
        .find_map(|configs| configs.list().first())?;
    let text = |key: &str| model.at(&["model_loading_config", key]).and_then(Node::text);
    let place = name(object);
    let Some(source) = text("model_source").or_else(|| text("model_id")) else {
        return Some(Err(ImportError::NoVllm {
            looked_for: "`model_loading_config.model_source`",
            place,
            found: Vec::new(),
        }));
    };
    let mut words = vec![source.to_owned()];
    if let Some(served) = text("model_id").filter(|served| *served != source) {
        words.extend(["--served-model-name".to_owned(), served.to_owned()]);
    }
    for entry in model.get("engine_kwargs").map(Node::map).unwrap_or_default() {
        words.extend(flag(&entry.key, &entry.node));
    }
    let mut launch = Launch::new(Form::Kubernetes, place.clone(), words);
    let group = object.at(&["spec", "rayClusterConfig", "workerGroupSpecs"]);
    if let Some(group) = group.and_then(|groups| groups.list().first()) {
        launch.nodes = gpus::number(group.get("replicas"));
        if let Some(pod) = group.at(&["template", "spec"]) {
            launch.gpu = gpus::product(pod);
            let worker = pod
                .get("containers")
                .and_then(|containers| containers.list().first());
            if let Some(worker) = worker {
                let worker = container(worker, Form::Kubernetes, place, None);
                (launch.gpus, launch.image) = (worker.gpus, worker.image);
            }
        }
    }
    Some(Ok(launch))
}

/// `max_model_len: 8192` is `--max-model-len 8192`.
fn flag(key: &str, value: &Node) -> Vec<String> {
    let name = key.replace('_', "-");
    match (&value.kind, value.switch()) {
        _ if value.is_null() => Vec::new(),
        (_, Some(true)) => vec![format!("--{name}")],
        (_, Some(false)) => vec![format!("--no-{name}")],
        (Kind::List(items), _) => {
            let texts = items.iter().filter_map(Node::text).map(str::to_owned);
            std::iter::once(format!("--{name}")).chain(texts).collect()
        }
        (Kind::Map(_), _) => vec![format!("--{name}"), value.json().to_string()],
        _ => vec![format!("--{name}={}", value.text().unwrap_or_default())],
    }
}
