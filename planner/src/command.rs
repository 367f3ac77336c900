//! An existing `vllm serve MODEL FLAGS…` → model, engine arguments, and what was not understood.
//!
//! Reads as vLLM's own parser does (`vllm/utils/argparse_utils.py` at 0.33.0): underscores for dashes, `--flag=value`,
//! `-tp 2`, `--no-…`, dotted JSON keys, unique abbreviations, `-O3`; the last of two equal flags counts.
//! It takes words, not shell text, and does not read files that `--config` names.
mod flag;

pub use flag::set_flag;
pub(crate) use flag::{list_values, modelled};

use crate::{
    bounds,
    engine::{EngineArgs, FlagKind, FlagTable, VllmVersion, extras},
    error::InputError,
    model::ModelInput,
    text::short,
    units::decimal,
};

/// What a command says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    /// Repository id or path.
    pub model: String,
    /// `--revision`.
    pub revision: Option<String>,
    /// The arguments; flags that the plan does not model are in `vllm_args`.
    pub engine: EngineArgs,
    /// Flags that vLLM knows and the plan does not model.
    pub unmodelled: Vec<String>,
    /// Flags that this vLLM would refuse.
    pub unknown: Vec<InputError>,
    /// What else is worth saying.
    pub notes: Vec<String>,
    /// Every argument as it was written, without the model and without secrets.
    pub given: Vec<Given>,
}

/// An argument as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// vLLM's own spelling of the flag; as it was written where this vLLM has no such flag.
    pub flag: String,
    /// The words.
    pub words: Vec<String>,
}

/// Reads `[vllm serve] MODEL FLAGS…`, already split into words.
pub fn parse<S: AsRef<str>>(version: VllmVersion, argv: &[S]) -> Result<Command, InputError> {
    let words: Vec<&str> = argv.iter().map(AsRef::as_ref).collect();
    let mut reader = Reader {
        version,
        table: FlagTable::of(version),
        words: without_program(&words)?,
        command: Command::default(),
        model: None,
    };
    while let Some((word, rest)) = reader.words.split_first() {
        let before = reader.words;
        reader.words = rest;
        if let Some(flag) = reader.word(word)? {
            let taken = before.len() - reader.words.len();
            let words = before.iter().take(taken).map(|word| (*word).to_owned()).collect();
            reader.command.given.push(Given { flag, words });
        }
    }
    let Reader {
        mut command, model, ..
    } = reader;
    let model = model.ok_or_else(|| {
        InputError::new(
            "model",
            "the command names no model (expected `vllm serve MODEL …`)",
        )
    })?;
    command.model = ModelInput::check_id(&model)?;
    Ok(command)
}

/// The words behind `vllm serve`, or behind Python's `-m vllm.entrypoints.openai.api_server`.
fn without_program<'a>(words: &'a [&'a str]) -> Result<&'a [&'a str], InputError> {
    if let Some(at) = words
        .iter()
        .position(|word| *word == "vllm.entrypoints.openai.api_server")
    {
        return Ok(words.get(at + 1..).unwrap_or_default());
    }
    let is_vllm = |word: &&str| *word == "vllm" || word.ends_with("/vllm");
    match words {
        [program, "serve", rest @ ..] if is_vllm(program) => Ok(rest),
        [program, ..] if is_vllm(program) => Err(InputError::new(
            "command",
            "only `vllm serve` is read, no other subcommand",
        )),
        ["serve", rest @ ..] | rest => Ok(rest),
    }
}

struct Reader<'a> {
    version: VllmVersion,
    table: FlagTable,
    words: &'a [&'a str],
    command: Command,
    model: Option<String>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    /// The next word if it is a value: no flag, or a negative number.
    fn value(&mut self) -> Option<&'a str> {
        let first = self.words.first()?;
        is_value(first).then(|| self.next()).flatten()
    }

    /// Reads one argument; its flag, if it is one that is kept.
    fn word(&mut self, word: &str) -> Result<Option<String>, InputError> {
        if word == "--" {
            return Ok(None);
        }
        if is_value(word) {
            return self.set_model(word);
        }
        if let Some(level) = word.strip_prefix("-O").filter(|rest| !rest.starts_with('.')) {
            let level = level.strip_prefix('=').unwrap_or(level).to_owned();
            let level = match level.as_str() {
                "" => self.value().unwrap_or_default().to_owned(),
                _ => level,
            };
            let own = "--optimization-level";
            let flag = match self.table.find(own) {
                Some(_) => own,
                None => "--compilation-config.level",
            };
            return self.apply(flag, Some(&level));
        }
        let (flag, inline) = match word.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (word, None),
        };
        let Some(found) = self.table.find(flag).or_else(|| self.table.abbreviated(flag)) else {
            self.unknown(flag, inline);
            return Ok(Some(flag.to_owned()));
        };
        let value = match (found.flag.kind, inline) {
            (_, Some(value)) => Some(value.to_owned()),
            (FlagKind::Switch | FlagKind::SwitchPair, None) => None,
            (FlagKind::Value | FlagKind::OptionalValue, None) => self.value().map(str::to_owned),
            (FlagKind::List, None) => self.list(),
        };
        match found.flag.flag {
            "--model" => self.set_model(value.as_deref().unwrap_or_default()),
            _ => self.apply(&found.name(), value.as_deref()),
        }
    }

    fn list(&mut self) -> Option<String> {
        let mut values = vec![self.value()?];
        while let Some(value) = self.value() {
            values.push(value);
        }
        match values.as_slice() {
            [one] if !one.starts_with('[') => Some((*one).to_owned()),
            many => serde_json::to_string(many).ok(),
        }
    }

    fn set_model(&mut self, model: &str) -> Result<Option<String>, InputError> {
        if let Some(first) = &self.model {
            return Err(InputError::new(
                "model",
                format!("unexpected {:?} after the model {:?}", short(model), short(first)),
            ));
        }
        self.model = Some(model.to_owned());
        Ok(None)
    }

    fn apply(&mut self, name: &str, value: Option<&str>) -> Result<Option<String>, InputError> {
        if name == "--revision" {
            let value = value.ok_or_else(|| InputError::new(name, "expected a value"))?;
            self.command.revision = Some(bounds::parse_text("revision", value)?);
            return Ok(Some(name.to_owned()));
        }
        if matches!(name, "--api-key" | "--hf-token") {
            self.command.notes.push(format!(
                "{name} is a secret and is not kept; set it as a variable where vLLM runs"
            ));
            return Ok(None);
        }
        if name == "--config" {
            self.command
                .notes
                .push("the file that --config names is not read; its flags are not in the plan".to_owned());
        }
        let engine = &mut self.command.engine;
        set_flag(engine, self.version, name, value)?;
        let unmodelled = &mut self.command.unmodelled;
        if !extras::reads(name)
            && engine.vllm_args.iter().any(|(flag, _)| flag == name)
            && !unmodelled.iter().any(|f| f == name)
        {
            unmodelled.push(name.to_owned());
        }
        Ok(Some(name.to_owned()))
    }

    /// Kept as it is. What follows is taken for its value if it looks like one and the model is known already.
    fn unknown(&mut self, flag: &str, inline: Option<&str>) {
        let value = match inline {
            Some(value) => Some(value.to_owned()),
            None if self.model.is_some() => self.value().map(str::to_owned),
            None => None,
        };
        self.command.unknown.push(self.table.unknown(flag));
        self.command.engine.vllm_args.push((flag.to_owned(), value));
    }
}

/// argparse takes a word with a leading dash for a flag unless it is a negative number.
fn is_value(word: &str) -> bool {
    match word.strip_prefix('-') {
        None | Some("") => true,
        Some(rest) => decimal(rest).is_some() && rest.starts_with(|c: char| c.is_ascii_digit() || c == '.'),
    }
}
