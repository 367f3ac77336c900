//! Texts that somebody might type or that somebody hostile might link to, through every door by which text comes in.
use planner::{Scenario, command::set_flag, gpu, model::ModelInput};

/// Where each text starts or ends, or what it holds.
const PIECES: [&str; 64] = [
    "'",
    "\"",
    "\\",
    "\\'",
    "''",
    "'\\''",
    "\"\"",
    "$HOME",
    "${HOME}",
    "$(touch PWNED)",
    "`touch PWNED`",
    "$$",
    "$",
    "%n",
    "%%",
    "%",
    "\n",
    "\r\n",
    "\t",
    "\r",
    "\u{b}",
    "\u{7f}",
    "\u{85}",
    "\u{2028}",
    "\u{2029}",
    "\u{feff}",
    "\u{202e}",
    "\u{a0}",
    "é",
    "漢字",
    "😀",
    "e\u{301}",
    "\u{1b}[31m",
    ";touch PWNED;",
    "&& touch PWNED",
    "| touch PWNED",
    "> PWNED",
    "<x",
    "#",
    " #",
    ": ",
    ":",
    "- ",
    "-",
    "--",
    "---",
    "...",
    "!!python/object",
    "&a",
    "*a",
    "{{ .Values }}",
    "[a, b]",
    "{a: b}",
    "|",
    ">",
    "on",
    "no",
    "~",
    "012",
    "1e3",
    "12:30",
    "!",
    ",",
    "=",
];

/// Texts that are one piece, or end a line, a quote or a document.
const WHOLE: [&str; 24] = [
    "",
    " ",
    "null",
    "true",
    "yes",
    "0x1F",
    "0o14",
    ".5",
    ".inf",
    "2026-11-25",
    "1_000",
    "- a\n- b",
    "a: b # c",
    "\n",
    "a\n",
    "\na",
    "  a",
    "a  ",
    "\\",
    "a\\",
    "a\nEOF\ntouch PWNED",
    "\\n",
    "%h/%u/$HOME",
    "*/",
];

/// A small generator, so that the texts are the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % bound
    }
}

/// That many texts.
pub(crate) fn texts(count: usize) -> Vec<String> {
    let mut random = Random(20_261_125);
    let mut all: Vec<String> = WHOLE
        .iter()
        .chain(&PIECES)
        .map(|text| (*text).to_owned())
        .collect();
    while all.len() < count {
        let length = 1 + random.below(6);
        let mut text: String = (0..length)
            .map(|_| match random.below(8) {
                0 => "a",
                1 => " ",
                _ => PIECES[random.below(PIECES.len())],
            })
            .collect();
        if all.len() % 100 == 99 {
            // 4 kB.
            text = text.repeat(4096 / text.len() + 1);
        }
        all.push(text);
    }
    all.truncate(count);
    all
}

/// What became of a text.
#[derive(Debug)]
pub(crate) enum Taken {
    /// A scenario holds it.
    Held,
    /// It was refused, with this message.
    Refused(String),
}

/// The doors.
pub(crate) const DOORS: [&str; 6] = [
    "model",
    "folder",
    "revision",
    "served_model_name",
    "chat_template",
    "list",
];

/// A scenario that text goes into.
pub(crate) fn fresh() -> Scenario {
    let model = ModelInput::from_catalog("Qwen/Qwen3-8B").unwrap_or_else(|| panic!("no model"));
    let gpu = gpu::find("H100 SXM").unwrap_or_else(|| panic!("no GPU"));
    Scenario::new(model, gpu.clone())
}

/// Puts texts through a door. All doors but `list` take one.
pub(crate) fn enter(scenario: &mut Scenario, door: &str, texts: &[String]) -> Taken {
    let text = texts[0].as_str();
    let taken = match door {
        "model" => ModelInput::check_id(text).map(|id| scenario.model.id = id),
        "folder" => ModelInput::check_id(&format!("/models/{text}")).map(|id| scenario.model.id = id),
        "revision" => planner::bounds::parse_text("revision", text)
            .map(|revision| scenario.model.revision = (!revision.is_empty()).then_some(revision)),
        "served_model_name" => scenario.set("served_model_name", text),
        "chat_template" => set_flag(
            &mut scenario.engine,
            scenario.vllm_version,
            "--chat-template",
            Some(text),
        ),
        _ => {
            let list = serde_json::to_string(texts).unwrap_or_default();
            set_flag(
                &mut scenario.engine,
                scenario.vllm_version,
                "--lora-modules",
                Some(&list),
            )
        }
    };
    match taken {
        Ok(()) => Taken::Held,
        Err(error) => Taken::Refused(error.to_string()),
    }
}
