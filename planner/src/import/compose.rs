//! docker-compose.yaml
use super::{
    Form, ImportError,
    container::{Container, first},
    gpus,
    launch::Launch,
    lexer,
    vars::{Style, Vars},
};
use crate::yaml::{Kind, Node};

/// The service that runs vLLM; `None` where this is no compose file.
pub(super) fn launch(document: &Node) -> Option<Result<Launch, ImportError>> {
    let services = document
        .get("services")
        .filter(|services| !services.map().is_empty())?;
    let mut containers = Vec::new();
    for entry in services.map() {
        match container(&entry.key, &entry.node) {
            Ok(container) => containers.push(container),
            Err(ImportError::Shell { problem, .. }) => {
                return Some(Err(ImportError::Shell {
                    line: entry.line,
                    problem,
                }));
            }
            Err(error) => return Some(Err(error)),
        }
    }
    Some(first(&containers).unwrap_or_else(|| {
        Err(ImportError::NoVllm {
            looked_for: "an image or a command of vLLM",
            place: "the services of this compose file".to_owned(),
            found: containers.iter().map(Container::shown).take(8).collect(),
        })
    }))
}

fn container(name: &str, service: &Node) -> Result<Container, ImportError> {
    let mut container = Container::new(Form::Compose, format!("service `{}`", crate::text::short(name)));
    // Compose fills in what stands in its own environment, which is not here; only defaults are known.
    let mut outside = Vars::default();
    let image = service.get("image").and_then(Node::text);
    container.image = image.map(|image| outside.interpolate(image, Style::Compose).into_owned());
    for (name, value) in environment(service.get("environment")) {
        let value = outside.interpolate(&value, Style::Compose).into_owned();
        container.env.set(&name, value);
    }
    container.entrypoint = words(service.get("entrypoint"), &mut outside)?;
    container.args = words(service.get("command"), &mut outside)?;
    container.gpus = gpus::compose(service);
    Ok(container)
}

/// A list of words, or one text that is split as a shell would.
fn words(node: Option<&Node>, outside: &mut Vars) -> Result<Vec<String>, ImportError> {
    let Some(node) = node else {
        return Ok(Vec::new());
    };
    match &node.kind {
        Kind::List(items) => Ok(items
            .iter()
            .filter_map(Node::text)
            .map(|text| outside.interpolate(text, Style::Compose).into_owned())
            .collect()),
        _ => lexer::words(&outside.interpolate(node.text().unwrap_or_default(), Style::Compose)),
    }
}

/// A map, or a list of `NAME=value`.
pub(super) fn environment(node: Option<&Node>) -> Vec<(String, String)> {
    let Some(node) = node else {
        return Vec::new();
    };
    let of_map = node
        .map()
        .iter()
        .filter_map(|entry| Some((entry.key.clone(), entry.node.text()?.to_owned())));
    let of_list = node.list().iter().filter_map(|item| {
        let (name, value) = item.text()?.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    });
    of_map.chain(of_list).collect()
}
