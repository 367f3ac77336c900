//! `plan --batch`: one scenario a line in, one plan a line out, in the same order. A bad line is answered with an
//! error on its own line, and the run goes on.
use crate::{
    error::{Exit, ExpectedError},
    files, output, scenario_source,
};
use planner::{RenderOptions, artifact::plan_json, evaluate, render};
use serde_json::json;
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

/// Answers every line; ends with 5 if one could not be read.
pub(crate) fn run(path: &Path) -> Result<Exit, ExpectedError> {
    let mut reader: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        let file = File::open(path).map_err(|error| unreadable(path, &error))?;
        Box::new(BufReader::new(file))
    };
    let mut exit = Exit::Ok;
    let mut number = 0_u64;
    loop {
        number += 1;
        let mut line = Vec::new();
        let size = reader
            .by_ref()
            .take(files::MAX_SCENARIO)
            .read_until(b'\n', &mut line)
            .map_err(|error| unreadable(path, &error))?;
        if size == 0 {
            return Ok(exit);
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
        output::answer(&text)?;
    }
}

fn answer(line: &[u8]) -> Result<String, ExpectedError> {
    let text = std::str::from_utf8(line).map_err(|_| ExpectedError::input("not UTF-8"))?;
    let scenario = scenario_source::scenario_text(text, "the line")?;
    let plan = evaluate(&scenario);
    Ok(one_line(&plan_json(
        &plan,
        &render(&plan, &RenderOptions::default()),
    )))
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
    json!({ "error": { "line": line, "message": error.message, "help": error.help } }).to_string()
}

fn unreadable(path: &Path, error: &io::Error) -> ExpectedError {
    ExpectedError::input(format!(
        "{}: {error}, expected one scenario a line",
        files::shown(path)
    ))
}

/// JSON without the blanks between its tokens, keys in the same order.
fn one_line(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let (mut quoted, mut escaped) = (false, false);
    for sign in json.chars() {
        if quoted || !sign.is_ascii_whitespace() {
            text.push(sign);
        }
        quoted ^= sign == '"' && !escaped;
        escaped = quoted && sign == '\\' && !escaped;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_blanks_between_tokens_go() {
        let json = "{\n  \"a b\": \"c \\\" d\\\\\",\n  \"e\": [ 1 ]\n}\n";
        assert_eq!(one_line(json), r#"{"a b":"c \" d\\","e":[1]}"#);
    }
}
