//! The terminal: width, colour, tables. Answers go to stdout, everything else to stderr.
use crate::{
    error::{Exit, ExpectedError},
    table::Table,
};
use std::{
    io::{self, IsTerminal, Write},
    sync::atomic::{AtomicBool, Ordering},
};

/// Where no terminal says its width.
const WIDTH_WITHOUT_TERMINAL: u16 = 100;
/// Longer lines are hard to read.
const WIDEST: u16 = 140;

/// What the output can show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    color: bool,
    width: u16,
}

/// What a text means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// A heading.
    Strong,
    /// Good.
    Good,
    /// Doubtful.
    Doubtful,
    /// Bad.
    Bad,
}

impl Screen {
    /// Of the process's stdout. `NO_COLOR` with any value turns colour off, as does `TERM=dumb`.
    pub(crate) fn of_stdout() -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let width = terminal_size::terminal_size().map(|(width, _)| width.0);
        Self {
            color: io::stdout().is_terminal() && !set("NO_COLOR") && !dumb,
            width: width
                .or_else(columns)
                .unwrap_or(WIDTH_WITHOUT_TERMINAL)
                .clamp(40, WIDEST),
        }
    }

    /// For tests: no colour.
    #[cfg(test)]
    pub(crate) const fn plain(width: u16) -> Self {
        Self { color: false, width }
    }

    /// The text in the tone's colour.
    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Strong => "1",
            Tone::Good => "1;32",
            Tone::Doubtful => "1;33",
            Tone::Bad => "1;31",
        };
        if self.color {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    /// Characters in a line.
    pub(crate) fn columns(self) -> usize {
        usize::from(self.width)
    }

    /// Whether colours are shown.
    pub(crate) const fn has_color(self) -> bool {
        self.color
    }

    /// The text in black on white, where there are colours.
    pub(crate) fn black_on_white(self, text: &str) -> String {
        if self.color {
            format!("\u{1b}[30;107m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    /// An empty table that fits the width.
    pub(crate) fn table(self) -> Table {
        Table::new(self.columns())
    }

    /// The text broken into lines of at most the width, each behind `indent` spaces.
    pub(crate) fn wrap(self, text: &str, indent: usize) -> String {
        let width = usize::from(self.width).saturating_sub(indent).max(20);
        let mut lines: Vec<String> = Vec::new();
        for word in text.split_whitespace() {
            match lines.last_mut() {
                Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                    line.push(' ');
                    line.push_str(word);
                }
                _ => lines.push(word.to_owned()),
            }
        }
        let pad = " ".repeat(indent);
        lines
            .iter()
            .map(|line| format!("{pad}{line}"))
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// What the user says it is, where no terminal does.
fn columns() -> Option<u16> {
    std::env::var("COLUMNS")
        .ok()?
        .parse()
        .ok()
        .filter(|width| *width > 0)
}

/// Writes an answer. A reader that has gone away is not an error.
pub(crate) fn answer(text: &str) -> Result<(), ExpectedError> {
    let mut stdout = io::stdout().lock();
    let end = if text.ends_with('\n') { "" } else { "\n" };
    written(write!(stdout, "{text}{end}").and_then(|()| stdout.flush()))
}

/// Many answers, a line each, without a system call for each.
pub(crate) struct Answers {
    out: io::BufWriter<io::StdoutLock<'static>>,
}

impl Answers {
    pub(crate) fn new() -> Self {
        Self {
            out: io::BufWriter::with_capacity(1 << 16, io::stdout().lock()),
        }
    }

    pub(crate) fn text(&mut self, text: &str) -> Result<(), ExpectedError> {
        written(self.out.write_all(text.as_bytes()))
    }

    pub(crate) fn flush(&mut self) -> Result<(), ExpectedError> {
        written(self.out.flush())
    }
}

fn written(result: io::Result<()>) -> Result<(), ExpectedError> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(ExpectedError::new(
            Exit::Internal,
            format!("cannot write to stdout: {error}"),
        )),
        _ => Ok(()),
    }
}

/// Whether `--quiet` was given.
static QUIET: AtomicBool = AtomicBool::new(false);

/// From here on only errors go to stderr.
pub(crate) fn be_quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

/// Whether only errors go to stderr.
pub(crate) fn is_quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// Writes a note to stderr, unless somebody wants none.
pub(crate) fn say(text: &str) {
    if !is_quiet() {
        complain(text);
    }
}

/// Writes a line to stderr in any case; nothing can be done where that fails.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Text from outside without control characters, which a terminal could take for commands.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// `1234567` as `1,234,567`, as vLLM's log prints it.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 GPU`, `2 GPUs`.
pub(crate) fn counted(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

/// Below a table: that rows were left out.
pub(crate) fn more(rows: usize, shown: usize) -> String {
    match rows.saturating_sub(shown) {
        0 => String::new(),
        left => format!("\n … {left} more (--top {rows})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_as_in_vllms_log() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn long_text_is_broken_at_blanks() {
        let text = Screen::plain(40).wrap("one two three four five six seven eight nine ten", 2);
        assert_eq!(
            text,
            "  one two three four five six seven eight\n  nine ten"
                .replace("eight\n  nine", "\n  eight nine")
                .replace("seven \n", "seven\n")
        );
    }

    #[test]
    fn escape_sequences_do_not_reach_the_terminal() {
        assert_eq!(printable("a\u{1b}[31mb\n"), "a\u{fffd}[31mb\u{fffd}");
    }
}
