//! Pods, and whatever makes pods: Deployment, StatefulSet, Job, LeaderWorkerSet, Ray's kinds.
use super::{
    Form, ImportError,
    container::{Container, first, texts},
    gpus, kserve,
    launch::Launch,
    ray, script,
    vars::{Style, Vars, marked},
};
use crate::{gpu::GpuSpec, yaml::Node};

/// A container of a pod, and what its pod says.
struct Found {
    container: Container,
    gpu: Option<&'static GpuSpec>,
    nodes: Option<u32>,
}

/// The container that runs vLLM in these documents.
pub(super) fn launch(documents: &[Node]) -> Result<Launch, ImportError> {
    let mut objects: Vec<&Node> = Vec::new();
    for document in documents {
        match document.get("items").map(Node::list) {
            Some(items) if !items.is_empty() => objects.extend(items),
            _ => objects.push(document),
        }
    }
    let mut found = Vec::new();
    for object in &objects {
        if let Some(launch) = kserve::launch(object).or_else(|| ray::launch(object)) {
            return launch;
        }
        let size = object.at(&["spec", "leaderWorkerTemplate", "size"]);
        pods(object, &name(object), gpus::number(size), &mut found);
    }
    let containers: Vec<Container> = found.iter().map(|found| found.container.clone()).collect();
    if let Some(launch) = first(&containers) {
        let mut launch = launch?;
        let of = found.iter().find(|found| found.container.place == launch.place);
        if let Some(found) = of {
            launch.gpu = found.gpu;
            launch.nodes = found.nodes;
        }
        return Ok(launch);
    }
    let kinds: Vec<String> = objects.iter().map(|object| name(object)).collect();
    let (place, found) = if containers.is_empty() {
        ("this YAML, which has no containers".to_owned(), kinds)
    } else {
        let shown = containers.iter().map(Container::shown);
        (format!("the containers of {}", kinds.join(", ")), shown.collect())
    };
    Err(ImportError::NoVllm {
        looked_for: "an image or a command of vLLM",
        place,
        found: found
            .into_iter()
            .filter(|name| !name.is_empty())
            .take(8)
            .collect(),
    })
}

/// `Deployment/llm`
pub(super) fn name(object: &Node) -> String {
    let text = |path: &[&str]| object.at(path).and_then(Node::text).unwrap_or_default();
    let (kind, name) = (text(&["kind"]), text(&["metadata", "name"]));
    match (kind, name) {
        (kind, "") => crate::text::short(kind),
        (kind, name) => crate::text::short(&format!("{kind}/{name}")),
    }
}

/// Every map with `containers` below a node. The reader limits how deep that is.
fn pods(node: &Node, of: &str, nodes: Option<u32>, found: &mut Vec<Found>) {
    if let Some(containers) = node.get("containers") {
        let gpu = gpus::product(node);
        for (at, item) in containers.list().iter().enumerate() {
            let named = item.get("name").and_then(Node::text);
            let named = named.map_or_else(
                || format!("container {}", at + 1),
                |name| format!("container `{}`", crate::text::short(name)),
            );
            let place = if of.is_empty() {
                named
            } else {
                format!("{named} of {of}")
            };
            let container = container(item, Form::Kubernetes, place, nodes);
            found.push(Found {
                container,
                gpu,
                nodes,
            });
        }
    }
    let led = node.get("leaderTemplate").is_some();
    // The leader's flags are the deployment's.
    for entry in node
        .map()
        .iter()
        .filter(|entry| !led || entry.key != "workerTemplate")
    {
        pods(&entry.node, of, nodes, found);
    }
    for item in node.list() {
        pods(item, of, nodes, found);
    }
}

/// One container of a pod.
pub(super) fn container(node: &Node, form: Form, place: String, nodes: Option<u32>) -> Container {
    let mut container = Container::new(form, place);
    container.image = node.get("image").and_then(Node::text).map(str::to_owned);
    let mut env = Vars::beside(node.get("envFrom").is_some());
    if let Some(nodes) = nodes {
        env.set("LWS_GROUP_SIZE", nodes.to_string());
        env.set("LWS_WORKER_INDEX", "0".to_owned());
        env.set("LWS_LEADER_ADDRESS", marked("$(LWS_LEADER_ADDRESS)"));
    }
    for item in node.get("env").map(Node::list).unwrap_or_default() {
        let Some(name) = item.get("name").and_then(Node::text) else {
            continue;
        };
        match item.get("value").and_then(Node::text) {
            Some(value) => {
                let value = env.interpolate(value, Style::Kubernetes).into_owned();
                env.set(name, value);
            }
            // From a secret, a field or a config map.
            None if item.get("valueFrom").is_some() => env.set(name, marked(&format!("$({name})"))),
            None => env.set(name, String::new()),
        }
    }
    let (command, args) = (texts(node.get("command")), texts(node.get("args")));
    let style = if script::has_shell(command.iter().chain(&args)) {
        Style::Kubernetes
    } else {
        Style::Template
    };
    let mut put_in = |words: Vec<String>| -> Vec<String> {
        words
            .iter()
            .map(|text| env.interpolate(text, style).into_owned())
            .collect()
    };
    container.entrypoint = put_in(command);
    container.args = put_in(args);
    container.env = env;
    container.gpus = node.get("resources").and_then(gpus::resources);
    container
}
