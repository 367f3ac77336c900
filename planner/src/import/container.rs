//! A container that may run vLLM: image, entry point, arguments, variables.
use super::{Form, ImportError, VLLM, gpus, launch::Launch, script, vars::Vars};
use crate::yaml::Node;

/// A container, its variables put in.
#[derive(Clone, Debug)]
pub(super) struct Container {
    pub(super) form: Form,
    /// What an error or a note calls it.
    pub(super) place: String,
    pub(super) image: Option<String>,
    /// What replaces the image's entry point; empty where the image's own runs.
    pub(super) entrypoint: Vec<String>,
    pub(super) args: Vec<String>,
    pub(super) env: Vars,
    pub(super) gpus: Option<u32>,
}

impl Container {
    pub(super) fn new(form: Form, place: impl Into<String>) -> Self {
        Self {
            form,
            place: place.into(),
            image: None,
            entrypoint: Vec::new(),
            args: Vec::new(),
            env: Vars::default(),
            gpus: None,
        }
    }

    /// What it starts, if that is vLLM.
    pub(super) fn launch(&self) -> Option<Result<Launch, ImportError>> {
        let words: Vec<String> = self.entrypoint.iter().chain(&self.args).cloned().collect();
        let is_image = self.image.as_deref().is_some_and(is_vllm_image);
        let mut launch = match script::of_program(&words, &self.env) {
            Some(Ok(launch)) => launch,
            Some(Err(error)) => return Some(Err(error)),
            // The image's own entry point is the server.
            None if is_image && self.entrypoint.is_empty() => Launch::new(self.form, "", words),
            None => return None,
        };
        launch.form = self.form;
        launch.place.clone_from(&self.place);
        launch.image.clone_from(&self.image);
        launch.take_variables(&self.env);
        launch.gpus = gpus::visible(&self.env).or(self.gpus).or(launch.gpus);
        Some(Ok(launch))
    }

    /// As a message lists it.
    pub(super) fn shown(&self) -> String {
        match &self.image {
            Some(image) => format!("{} with image {}", self.place, crate::text::short(image)),
            None => self.place.clone(),
        }
    }
}

/// Whether vLLM's server is what the image starts by itself.
pub(super) fn is_vllm_image(image: &str) -> bool {
    let name = image.split(['@', ':']).next().unwrap_or_default();
    // A registry's port is not the tag.
    let name = if name.contains('/') { name } else { image };
    name.to_ascii_lowercase().contains(VLLM)
}

/// The first of several vLLMs; the others are named in a note.
pub(super) fn first(containers: &[Container]) -> Option<Result<Launch, ImportError>> {
    let mut found = containers
        .iter()
        .filter_map(|container| Some((container, container.launch()?)));
    let (_, first) = found.next()?;
    let others: Vec<&str> = found
        .filter(|(_, launch)| launch.is_ok())
        .map(|(container, _)| container.place.as_str())
        .take(8)
        .collect();
    Some(first.map(|mut launch| {
        if !others.is_empty() {
            let place = &launch.place;
            launch
                .notes
                .push(format!("read {place}; vLLM runs in {} too", others.join(", ")));
        }
        launch
    }))
}

/// A list of texts, each item's scalar as it stands.
pub(super) fn texts(node: Option<&Node>) -> Vec<String> {
    let items = node.map(Node::list).unwrap_or_default();
    items.iter().filter_map(Node::text).map(str::to_owned).collect()
}
