//! Commands of a script, of a shell that a container starts, of a task.
use super::{
    Form, ImportError, docker, gpus,
    launch::Launch,
    lexer::{self, Line},
    vars::Vars,
};
use crate::yaml::{Kind, Node};

/// Programs that start a shell.
const SHELLS: &[&str] = &["sh", "bash", "zsh", "dash", "ash"];
/// How deep a shell may start a shell.
const MAX_SHELLS: usize = 4;

/// A script, or one command.
pub(super) fn of_text(text: &str) -> Result<Launch, ImportError> {
    let mut vars = Vars::default();
    let lines = lexer::commands(text, &mut vars)?;
    if let Some(found) = first(&lines, &vars, 0) {
        return found;
    }
    // Flags alone, as they stand behind an image.
    if let [line] = lines.as_slice()
        && line
            .words
            .iter()
            .any(|word| word == "--model" || word.starts_with("--model="))
        && line.words.first().is_some_and(|word| word.starts_with("--"))
    {
        return Ok(Launch::new(Form::Command, "line 1", line.words.clone()));
    }
    let mut found: Vec<String> = Vec::new();
    for line in &lines {
        let program = line
            .words
            .first()
            .map(|word| format!("`{}`", crate::text::short(word)));
        if let Some(program) = program.filter(|program| !found.contains(program)) {
            found.push(program);
        }
    }
    found.truncate(6);
    Err(ImportError::NoVllm {
        looked_for: "`vllm serve`, vLLM's api_server, and `docker run` with a vLLM image",
        place: "the commands of this text".to_owned(),
        found,
    })
}

/// Words that a shell has split already; flags alone are taken for vLLM's own.
pub(super) fn of_words(words: &[String]) -> Result<Launch, ImportError> {
    let is_variable = |word: &&String| {
        let name = word.split_once('=').map(|(name, _)| name);
        name.is_some_and(|name| {
            !name.is_empty()
                && name
                    .chars()
                    .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        })
    };
    let env = words.iter().take_while(is_variable).count();
    let line = Line {
        number: 1,
        env: words
            .iter()
            .take(env)
            .filter_map(|word| word.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        words: words.get(env..).unwrap_or_default().to_vec(),
    };
    of_line(&line, &Vars::default(), 0)
        .unwrap_or_else(|| Ok(Launch::new(Form::Command, "the command", line.words.clone())))
}

/// What a container's words start, if that is vLLM.
pub(super) fn of_program(words: &[String], env: &Vars) -> Option<Result<Launch, ImportError>> {
    let line = Line {
        number: 1,
        env: Vec::new(),
        words: words.to_vec(),
    };
    of_line(&line, env, 0)
}

/// A SkyPilot task: `run` beside `resources`.
pub(super) fn of_task(document: &Node) -> Option<Result<Launch, ImportError>> {
    let run = document.get("run")?.text()?;
    let resources = document.get("resources")?;
    let mut vars = Vars::default();
    for key in ["envs", "secrets"] {
        for entry in document.get(key).map(Node::map).unwrap_or_default() {
            if let Some(value) = entry.node.text() {
                vars.set(&entry.key, value.to_owned());
            }
        }
    }
    let (gpu, count) = resources
        .get("accelerators")
        .map(accelerators)
        .unwrap_or_default();
    if let Some(count) = count {
        vars.set("SKYPILOT_NUM_GPUS_PER_NODE", count.to_string());
    }
    let nodes = gpus::number(document.get("num_nodes"));
    vars.set("SKYPILOT_NUM_NODES", nodes.unwrap_or(1).to_string());
    vars.set("SKYPILOT_NODE_RANK", "0".to_owned());
    let lines = match lexer::commands(run, &mut vars) {
        Ok(lines) => lines,
        Err(error) => return Some(Err(error)),
    };
    let found = first(&lines, &vars, 0).unwrap_or_else(|| {
        Err(ImportError::NoVllm {
            looked_for: "`vllm serve`",
            place: "`run` of this task".to_owned(),
            found: Vec::new(),
        })
    });
    Some(found.map(|mut launch| {
        launch.form = Form::SkyPilot;
        "`run`".clone_into(&mut launch.place);
        launch.gpus = launch.gpus.or(count);
        launch.nodes = nodes;
        launch.gpu = gpu.and_then(gpus::named);
        launch
    }))
}

/// `H100:8`, `{H100: 8}`, or a list of such: the first.
fn accelerators(node: &Node) -> (Option<&str>, Option<u32>) {
    match &node.kind {
        Kind::List(items) => items.first().map(accelerators).unwrap_or_default(),
        Kind::Map(entries) => entries.first().map_or((None, None), |entry| {
            (Some(entry.key.as_str()), gpus::number(Some(&entry.node)))
        }),
        _ => match node.text().unwrap_or_default().split_once(':') {
            Some((name, count)) => (Some(name), count.parse().ok()),
            None => (node.text(), Some(1)),
        },
    }
}

/// The first command that starts vLLM; others are named in a note.
pub(super) fn first(lines: &[Line], env: &Vars, depth: usize) -> Option<Result<Launch, ImportError>> {
    let mut found = lines
        .iter()
        .filter_map(|line| Some((line.number, of_line(line, env, depth)?)));
    let (_, first) = found.next()?;
    let others: Vec<String> = found
        .filter(|(_, launch)| launch.is_ok())
        .map(|(line, _)| line.to_string())
        .take(8)
        .collect();
    Some(first.map(|mut launch| {
        if !others.is_empty() {
            launch.notes.push(format!(
                "read {}; vLLM is started again in line {}",
                launch.place,
                others.join(", ")
            ));
        }
        launch
    }))
}

/// What one command starts, if that is vLLM.
pub(super) fn of_line(line: &Line, env: &Vars, depth: usize) -> Option<Result<Launch, ImportError>> {
    let words = &line.words;
    if matches!(words.first().map(String::as_str), Some("echo" | "printf" | "cat")) {
        return None;
    }
    if let Some(found) = docker::launch(words, line.number) {
        return Some(found);
    }
    if let Some((script, arguments)) = shell_script(words).filter(|_| depth < MAX_SHELLS) {
        let mut env = with(env, line);
        env.set_list("@", arguments.to_vec());
        return match lexer::commands(script, &mut env) {
            Ok(lines) => first(&lines, &env, depth + 1),
            // What cannot be read matters only where it starts vLLM.
            Err(error) => script.contains("vllm").then_some(Err(error)),
        };
    }
    let rest = served(words)?;
    let mut launch = Launch::new(Form::Command, format!("line {}", line.number), rest.to_vec());
    let env = with(env, line);
    launch.gpus = gpus::visible(&env);
    launch.take_variables(&env);
    Some(Ok(launch))
}

/// Variables with those that stand in front of a command.
fn with(env: &Vars, line: &Line) -> Vars {
    let mut env = env.clone();
    for (name, value) in &line.env {
        env.set(name, value.clone());
    }
    env
}

/// The script behind `sh -c`, and its arguments; the first of them is its name.
fn shell_script(words: &[String]) -> Option<(&str, &[String])> {
    let at = words.iter().position(|word| SHELLS.contains(&base(word)))?;
    let after = words.get(at + 1..)?;
    let flag = after.iter().position(|word| is_command_flag(word))?;
    let options = after.get(..flag)?;
    let script = after.get(flag + 1)?;
    let plain = options
        .iter()
        .all(|option| option.starts_with(['-', '+']) || option == "pipefail");
    plain.then_some((script.as_str(), after.get(flag + 3..).unwrap_or_default()))
}

/// Whether one of the words is a shell.
pub(super) fn has_shell<'a>(mut words: impl Iterator<Item = &'a String>) -> bool {
    words.any(|word| SHELLS.contains(&base(word)))
}

/// `-c`, `-lc`, `-ec`.
fn is_command_flag(word: &str) -> bool {
    word.strip_prefix('-')
        .is_some_and(|letters| letters.ends_with('c') && letters.chars().all(|c| c.is_ascii_lowercase()))
}

/// The last part of a path.
pub(super) fn base(word: &str) -> &str {
    word.rsplit(['/', '\\']).next().unwrap_or_default()
}

/// The words behind `vllm serve` or Python's module.
fn served(words: &[String]) -> Option<&[String]> {
    let module = |word: &String| {
        word == "vllm.entrypoints.openai.api_server"
            || word.ends_with("vllm/entrypoints/openai/api_server.py")
    };
    if let Some(at) = words.iter().position(module) {
        return words.get(at + 1..);
    }
    let pairs = words.iter().zip(words.iter().skip(1));
    let serves =
        |(program, next): (&String, &String)| matches!(base(program), "vllm" | "vllm.exe") && next == "serve";
    let at = pairs.into_iter().position(serves)?;
    words.get(at + 2..)
}
