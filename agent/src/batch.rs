//! `plan --batch`: one scenario a line in, one plan a line out, in the same order. A bad line is answered with an
//! error on its own line, and the run goes on.
use crate::{
    error::{Exit, ExpectedError},
    files,
    output::{self, Answers},
    scenario_source,
};
use planner::{artifact::plan_line, evaluate};
use serde_json::json;
use std::{
    fs::File,
    io::{self, BufRead, BufReader, IsTerminal, Read, Write},
    path::Path,
    time::{Duration, Instant},
};

/// Answers every line; ends with 5 if one could not be read.
pub(crate) fn run(path: &Path) -> Result<Exit, ExpectedError> {
    let source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(path).map_err(|error| unreadable(path, &error))?)
    };
    let mut reader = BufReader::with_capacity(1 << 16, source);
    let mut answers = Answers::new();
    let mut progress = Progress::new();
    let mut exit = Exit::Ok;
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let size = reader
            .by_ref()
            .take(files::MAX_SCENARIO)
            .read_until(b'\n', &mut line)
            .map_err(|error| unreadable(path, &error))?;
        if size == 0 {
            break;
        }
        let whole = line.ends_with(b"\n") || (size as u64) < files::MAX_SCENARIO;
        let answer = if whole {
            answer(&line)
        } else {
            too_long(&mut reader, path)?
        };
        let text = answer.unwrap_or_else(|error| {
            exit = Exit::BadInput;
            problem(number, &error)
        });
        answers.text(&text)?;
        // Nothing more is waiting: whoever feeds us line by line wants the answer now.
        if reader.buffer().is_empty() {
            answers.flush()?;
        }
        progress.tell(number);
    }
    progress.end();
    answers.flush()?;
    Ok(exit)
}

fn answer(line: &[u8]) -> Result<String, ExpectedError> {
    let text = std::str::from_utf8(line).map_err(|_| ExpectedError::input("not UTF-8"))?;
    let scenario = scenario_source::scenario_text(text, "the line")?;
    // A plan without its files: `generate` writes those.
    Ok(plan_line(&evaluate(&scenario)))
}

/// Skips the rest of a line that no scenario needs.
fn too_long(reader: &mut dyn BufRead, path: &Path) -> Result<Result<String, ExpectedError>, ExpectedError> {
    reader
        .skip_until(b'\n')
        .map_err(|error| unreadable(path, &error))?;
    let limit = files::MAX_SCENARIO;
    Ok(Err(ExpectedError::input(format!(
        "the line has more than {limit} bytes"
    ))))
}

fn problem(line: u64, error: &ExpectedError) -> String {
    let text = json!({ "error": { "line": line, "message": error.message, "help": error.help } });
    format!("{text}\n")
}

fn unreadable(path: &Path, error: &io::Error) -> ExpectedError {
    ExpectedError::input(format!(
        "{}: {error}, expected one scenario a line",
        files::shown(path)
    ))
}

/// A count on the terminal, where a run takes long enough to wonder.
struct Progress {
    started: Instant,
    told: Option<Instant>,
    wanted: bool,
}

impl Progress {
    const PATIENCE: Duration = Duration::from_secs(1);
    const PAUSE: Duration = Duration::from_millis(200);

    fn new() -> Self {
        Self {
            started: Instant::now(),
            told: None,
            // Not where the plans themselves run over the same screen.
            wanted: io::stderr().is_terminal() && !io::stdout().is_terminal() && !output::is_quiet(),
        }
    }

    fn tell(&mut self, number: u64) {
        // A look at the clock for each plan would be a part of its cost.
        if !self.wanted || !number.is_multiple_of(64) || self.started.elapsed() < Self::PATIENCE {
            return;
        }
        if self.told.is_none_or(|told| told.elapsed() >= Self::PAUSE) {
            self.told = Some(Instant::now());
            let _ = write!(io::stderr(), "\r{} plans", output::grouped(number));
        }
    }

    fn end(&self) {
        if self.told.is_some() {
            let _ = write!(io::stderr(), "\r{:40}\r", "");
        }
    }
}
