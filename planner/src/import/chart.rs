//! Values of Helm charts: vLLM's own, and production-stack.
use super::{
    Form, ImportError, container::texts, gpus, kubernetes::container, launch::Launch, script, vars::Style,
};
use crate::yaml::Node;

/// `vllmConfig` of production-stack, and the flags that its template writes.
const CONFIG: &[(&str, &str)] = &[
    ("maxModelLen", "--max-model-len"),
    ("dtype", "--dtype"),
    ("tensorParallelSize", "--tensor-parallel-size"),
    ("pipelineParallelSize", "--pipeline-parallel-size"),
    ("maxNumSeqs", "--max-num-seqs"),
    ("gpuMemoryUtilization", "--gpu-memory-utilization"),
    ("maxLoras", "--max-loras"),
    ("runner", "--runner"),
    ("convert", "--convert"),
];
/// Its switches.
const SWITCHES: &[(&str, &str)] = &[
    ("enablePrefixCaching", "enable-prefix-caching"),
    ("enableChunkedPrefill", "enable-chunked-prefill"),
];

/// What the values start; `None` where these are no values of the two charts.
pub(super) fn launch(document: &Node) -> Option<Result<Launch, ImportError>> {
    if let Some(engine) = document.get("servingEngineSpec") {
        return Some(stack(engine));
    }
    let image = document
        .get("image")
        .filter(|image| image.get("command").is_some())?;
    let mut vars = container(image, Form::Chart, String::new(), None).env;
    let command: Vec<String> = texts(image.get("command"))
        .iter()
        .map(|text| vars.interpolate(text, Style::Kubernetes).into_owned())
        .collect();
    let found = script::of_program(&command, &vars);
    let found = found.unwrap_or_else(|| {
        Err(ImportError::NoVllm {
            looked_for: "`vllm serve`",
            place: "image.command of these values".to_owned(),
            found: command.first().cloned().into_iter().collect(),
        })
    });
    Some(found.map(|mut launch| {
        launch.form = Form::Chart;
        "image.command".clone_into(&mut launch.place);
        launch.image = tagged(image);
        launch.gpus = document.get("resources").and_then(gpus::resources);
        launch.gpu = texts(document.get("gpuModels"))
            .iter()
            .find_map(|name| gpus::named(name));
        launch
    }))
}

fn tagged(image: &Node) -> Option<String> {
    let text = |key: &str| image.get(key).and_then(Node::text);
    let repository = text("repository")?;
    Some(match text("tag") {
        Some(tag) => format!("{repository}:{tag}"),
        None => repository.to_owned(),
    })
}

/// `servingEngineSpec.modelSpec`: the first model that is on.
fn stack(engine: &Node) -> Result<Launch, ImportError> {
    let specs = engine.get("modelSpec").map(Node::list).unwrap_or_default();
    let on = |spec: &&Node| spec.get("enabled").and_then(Node::switch) != Some(false);
    let missing = |looked_for| ImportError::NoVllm {
        looked_for,
        place: "servingEngineSpec of these values".to_owned(),
        found: Vec::new(),
    };
    let mut specs = specs.iter().filter(on);
    let spec = specs.next().ok_or_else(|| missing("`modelSpec`"))?;
    let text = |key: &str| spec.get(key).and_then(Node::text);
    let model = text("modelURL").ok_or_else(|| missing("`modelURL` of the first modelSpec"))?;
    let name = text("name").unwrap_or(model);
    let mut words = vec![model.to_owned()];
    let mut push = |flag: &str, value: Option<&str>| {
        if let Some(value) = value {
            words.extend([flag.to_owned(), value.to_owned()]);
        }
    };
    push("--revision", text("modelRevision"));
    push("--chat-template", text("chatTemplate"));
    let config = spec.get("vllmConfig");
    for (key, flag) in CONFIG {
        push(flag, config.and_then(|config| config.get(key)?.text()));
    }
    for (key, flag) in SWITCHES {
        match config.and_then(|config| config.get(key)?.switch()) {
            Some(true) => words.push(format!("--{flag}")),
            Some(false) => words.push(format!("--no-{flag}")),
            None => {}
        }
    }
    if spec.get("enableLoRA").and_then(Node::switch) == Some(true) {
        words.push("--enable-lora".to_owned());
    }
    // The container gives the variables, and undoes `$$`.
    let container = container(spec, Form::ProductionStack, String::new(), None);
    let mut env = container.env;
    let extra = texts(config.and_then(|config| config.get("extraArgs")));
    words.extend(
        extra
            .iter()
            .map(|word| env.interpolate(word, Style::Kubernetes).into_owned()),
    );
    let mut launch = Launch::new(
        Form::ProductionStack,
        format!("modelSpec `{}`", crate::text::short(name)),
        words,
    );
    launch.take_variables(&env);
    // The template writes 8000 unless it is told.
    let port = engine.get("containerPort").and_then(Node::text);
    if let Some(port) = port.filter(|port| *port != "8000") {
        launch.words.extend(["--port".to_owned(), port.to_owned()]);
    }
    launch.image = tagged(spec);
    launch.gpus = gpus::number(spec.get("requestGPU")).or(container.gpus);
    launch.gpu = spec
        .get("nodeSelectorTerms")
        .and_then(|terms| gpus::of_terms(terms.list()));
    let others: Vec<&str> = specs
        .filter_map(|spec| spec.get("name")?.text())
        .take(8)
        .collect();
    if !others.is_empty() {
        launch.notes.push(format!(
            "read {}; there are {} too",
            launch.place,
            others.join(", ")
        ));
    }
    Ok(launch)
}
