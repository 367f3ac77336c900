//! KServe: InferenceService and LLMInferenceService.
use super::{
    Form, ImportError, gpus,
    kubernetes::{container, name},
    launch::Launch,
    lexer,
};
use crate::yaml::Node;

/// What it starts; `None` where this is neither kind or has its own containers.
pub(super) fn launch(object: &Node) -> Option<Result<Launch, ImportError>> {
    match object.get("kind")?.text()? {
        "InferenceService" => inference(object),
        "LLMInferenceService" => llm(object),
        _ => None,
    }
}

/// `spec.predictor.model`: arguments of the Hugging Face server, which passes vLLM's own on.
fn inference(object: &Node) -> Option<Result<Launch, ImportError>> {
    let predictor = object.at(&["spec", "predictor"])?;
    let model = predictor.get("model")?;
    let read = container(model, Form::Kserve, name(object), None);
    let mut words = Vec::new();
    let mut given = None;
    let mut args = read.args.iter().peekable();
    while let Some(word) = args.next() {
        let (flag, inline) = match word.split_once('=') {
            Some((flag, value)) => (flag, Some(value.to_owned())),
            None => (word.as_str(), None),
        };
        let own = matches!(
            flag,
            "--model_name" | "--model_id" | "--model_dir" | "--model_revision" | "--backend"
        );
        if !own {
            words.push(word.clone());
            continue;
        }
        let value = inline.or_else(|| args.next().cloned()).unwrap_or_default();
        match flag {
            "--model_id" => given = Some(value),
            "--model_dir" => given = given.or(Some(value)),
            "--model_name" => words.extend(["--served-model-name".to_owned(), value]),
            "--model_revision" => words.extend(["--revision".to_owned(), value]),
            _ => {}
        }
    }
    let uri = model.get("storageUri").and_then(Node::text).map(of_uri);
    let mut launch = Launch::new(Form::Kserve, name(object), words);
    match given.filter(|model| model != "/mnt/models").or(uri) {
        Some(model) => {
            launch.words.splice(0..0, model_words(&model));
        }
        None => {
            return Some(Err(ImportError::NoVllm {
                looked_for: "`--model_id`, or `storageUri: hf://…`",
                place: format!("{}, spec.predictor.model", name(object)),
                found: Vec::new(),
            }));
        }
    }
    launch.image = read.image;
    launch.gpus = read.gpus;
    launch.gpu = gpus::product(predictor);
    Some(Ok(launch))
}

/// `spec.model`, `spec.parallelism`, and what the template's container adds.
fn llm(object: &Node) -> Option<Result<Launch, ImportError>> {
    let spec = object.get("spec")?;
    let uri = spec.at(&["model", "uri"]).and_then(Node::text).map(of_uri);
    let place = name(object);
    let Some(model) = uri else {
        return Some(Err(ImportError::NoVllm {
            looked_for: "`spec.model.uri`",
            place,
            found: Vec::new(),
        }));
    };
    let mut words = model_words(&model);
    let served = spec.at(&["model", "name"]).and_then(Node::text);
    if let Some(served) = served.filter(|served| words.first().is_some_and(|model| model != served)) {
        words.extend(["--served-model-name".to_owned(), served.to_owned()]);
    }
    for (key, flag) in [
        ("tensor", "--tensor-parallel-size"),
        ("pipeline", "--pipeline-parallel-size"),
        ("data", "--data-parallel-size"),
    ] {
        if let Some(size) = spec.at(&["parallelism", key]).and_then(Node::text) {
            words.extend([flag.to_owned(), size.to_owned()]);
        }
    }
    if spec.at(&["parallelism", "expert"]).and_then(Node::switch) == Some(true) {
        words.push("--enable-expert-parallel".to_owned());
    }
    let mut launch = Launch::new(Form::Kserve, place.clone(), words);
    if let Some(template) = spec.get("template") {
        launch.gpu = gpus::product(template);
        let main = template.get("containers").map(Node::list).unwrap_or_default();
        if let Some(node) = main.first() {
            let main = container(node, Form::Kserve, place, None);
            launch.image = main.image;
            launch.gpus = main.gpus;
            launch.take_variables(&main.env);
            launch.words.extend(main.args);
            if let Some(more) = main.env.get("VLLM_ADDITIONAL_ARGS") {
                match lexer::words(more) {
                    Ok(more) => launch.words.extend(more),
                    Err(error) => return Some(Err(error)),
                }
            }
        }
    }
    if spec.get("worker").is_some() {
        let size = |key: &str| gpus::number(spec.at(&["parallelism", key]));
        let engine = size("tensor").unwrap_or(1) * size("pipeline").unwrap_or(1);
        launch.nodes = match (size("data"), size("dataLocal")) {
            (Some(all), Some(local)) => Some(all.div_ceil(local)),
            _ => launch.gpus.map(|gpus| engine.div_ceil(gpus)),
        };
    }
    Some(Ok(launch))
}

/// `hf://org/name` is that repository; anything else stays as it is.
fn of_uri(uri: &str) -> String {
    uri.strip_prefix("hf://").unwrap_or(uri).to_owned()
}

/// `org/name:revision` is a model at a revision.
fn model_words(model: &str) -> Vec<String> {
    match model.split_once(':').filter(|(_, rest)| !rest.starts_with("//")) {
        Some((model, revision)) => [model, "--revision", revision].map(str::to_owned).to_vec(),
        None => vec![model.to_owned()],
    }
}
