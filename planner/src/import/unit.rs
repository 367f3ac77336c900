//! Units: systemd's `[Service]` and Podman's `[Container]`.
use super::{
    Form, ImportError,
    container::Container,
    gpus,
    launch::Launch,
    lexer, script,
    vars::{Style, Vars},
};

/// One `Key=value`, continued lines joined.
struct Setting {
    section: String,
    key: String,
    value: String,
    line: usize,
}

/// What the unit starts.
pub(super) fn launch(text: &str) -> Result<Launch, ImportError> {
    let settings = settings(text);
    let is_container = settings.iter().any(|setting| setting.section == "Container");
    let section = if is_container { "Container" } else { "Service" };
    let of = |key: &'static str| {
        settings
            .iter()
            .filter(move |setting| setting.section == section && setting.key == key)
    };
    let mut env = Vars::default();
    for setting in of("Environment") {
        for word in words(setting)? {
            if let Some((name, value)) = word.split_once('=') {
                let value = env.interpolate(value, Style::Systemd).into_owned();
                env.set(name, value);
            }
        }
    }
    if is_container {
        let mut container = Container::new(Form::Quadlet, "[Container]");
        let last = |key| of(key).next_back().map(words).transpose();
        let image = last("Image")?.map(|words| expanded(words, &mut Vars::default()));
        container.image = image.and_then(|words| words.into_iter().next());
        container.entrypoint = last("Entrypoint")?.unwrap_or_default();
        if let Some(exec) = of("Exec").next_back() {
            container.args = expanded(words(exec)?, &mut Vars::default());
        }
        let mut devices: Vec<String> = of("AddDevice").map(|setting| setting.value.clone()).collect();
        for setting in of("PodmanArgs") {
            let args = words(setting)?;
            for (at, word) in args.iter().enumerate() {
                let value = |flag: &str| {
                    let inline = word.strip_prefix(flag)?.strip_prefix('=').map(str::to_owned);
                    inline.or_else(|| args.get(at + 1).filter(|_| word == flag).cloned())
                };
                container.gpus = value("--gpus").map_or(container.gpus, |value| gpus::flag(&value));
                devices.extend(value("--device"));
            }
        }
        container.gpus = container.gpus.or_else(|| gpus::cdi(&devices));
        container.env = env;
        return container
            .launch()
            .unwrap_or_else(|| Err(missing("`Image=` or `Exec=` of vLLM", &container.shown())));
    }
    for setting in of("ExecStart") {
        let line = setting.value.trim_start_matches(['@', '-', ':', '+', '!', '|']);
        let line = Setting {
            value: line.to_owned(),
            section: String::new(),
            key: String::new(),
            line: setting.line,
        };
        let words = expanded(words(&line)?, &mut env);
        if let Some(found) = script::of_program(&words, &env) {
            return found.map(|mut launch| {
                launch.form = Form::Systemd;
                launch.place = format!("ExecStart in line {}", setting.line);
                launch
            });
        }
    }
    let found = of("ExecStart")
        .next()
        .map(|setting| crate::text::short(&setting.value));
    Err(missing("`vllm serve` in ExecStart=", &found.unwrap_or_default()))
}

fn missing(looked_for: &'static str, found: &str) -> ImportError {
    ImportError::NoVllm {
        looked_for,
        place: "this unit".to_owned(),
        found: (!found.is_empty())
            .then(|| found.to_owned())
            .into_iter()
            .collect(),
    }
}

fn words(setting: &Setting) -> Result<Vec<String>, ImportError> {
    lexer::unit_words(&setting.value).map_err(|error| match error {
        ImportError::Shell { problem, .. } => ImportError::Shell {
            line: setting.line,
            problem,
        },
        error => error,
    })
}

fn expanded(words: Vec<String>, env: &mut Vars) -> Vec<String> {
    let expand = |word: String| env.interpolate(&word, Style::Systemd).into_owned();
    words.into_iter().map(expand).collect()
}

fn settings(text: &str) -> Vec<Setting> {
    let mut settings: Vec<Setting> = Vec::new();
    let (mut section, mut goes_on) = (String::new(), false);
    for (number, raw) in (1..).zip(text.lines()) {
        let line = raw.trim();
        let comment = line.starts_with(['#', ';']);
        if comment || (line.is_empty() && !goes_on) {
            continue;
        }
        let (body, continued) = match line.strip_suffix('\\') {
            Some(body) => (body.trim_end(), true),
            None => (line, false),
        };
        let last = settings.last_mut().filter(|_| goes_on);
        if let Some(last) = last {
            last.value.push(' ');
            last.value.push_str(body);
        } else if let Some(name) = line.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
            name.clone_into(&mut section);
        } else if let Some((key, value)) = body.split_once('=') {
            settings.push(Setting {
                section: section.clone(),
                key: key.trim_end().to_owned(),
                value: value.trim_start().to_owned(),
                line: number,
            });
        }
        goes_on = continued;
    }
    settings
}
