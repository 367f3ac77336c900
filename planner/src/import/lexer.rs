//! Words of a command line, as sh, bash, PowerShell or cmd.exe split them.
mod word;

use super::{ImportError, vars::Vars};

/// The most words of a text.
const MAX_WORDS: usize = 10_000;

/// Whose quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Posix,
    /// Escapes and continues lines with a backtick.
    PowerShell,
    /// Escapes and continues lines with `^`.
    Cmd,
    /// Quotes and backslashes only: `command:` of a compose file.
    Words,
    /// The same with C's escapes: a unit of systemd.
    Unit,
}

/// One simple command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// Where it begins, from 1.
    pub(super) number: usize,
    /// `NAME=value` in front.
    pub(super) env: Vec<(String, String)>,
    pub(super) words: Vec<String>,
}

/// The commands of a script in their order. What it sets is put into `vars`.
pub(super) fn commands(text: &str, vars: &mut Vars) -> Result<Vec<Line>, ImportError> {
    Lexer::new(text, dialect(text), vars).commands()
}

/// The words of a text that no shell reads.
pub(super) fn words(text: &str) -> Result<Vec<String>, ImportError> {
    split(text, Dialect::Words)
}

/// The words of a unit's `ExecStart=`.
pub(super) fn unit_words(text: &str) -> Result<Vec<String>, ImportError> {
    split(text, Dialect::Unit)
}

fn split(text: &str, dialect: Dialect) -> Result<Vec<String>, ImportError> {
    let mut vars = Vars::default();
    let lines = Lexer::new(text, dialect, &mut vars).commands()?;
    Ok(lines.into_iter().flat_map(|line| line.words).collect())
}

fn dialect(text: &str) -> Dialect {
    let ends_with = |mark: &str| text.lines().any(|line| line.trim_end().ends_with(mark));
    if ends_with(" `") {
        Dialect::PowerShell
    } else if ends_with(" ^") {
        Dialect::Cmd
    } else {
        Dialect::Posix
    }
}

impl Dialect {
    /// No shell: no comments, no operators.
    fn is_bare(self) -> bool {
        matches!(self, Self::Words | Self::Unit)
    }
}

fn wrong(line: usize, problem: &str) -> ImportError {
    ImportError::Shell {
        line,
        problem: problem.to_owned(),
    }
}

struct Lexer<'a, 'v> {
    text: &'a str,
    at: usize,
    line: usize,
    dialect: Dialect,
    vars: &'v mut Vars,
    count: usize,
    /// Ends of here-documents that begin with the next line.
    heredocs: Vec<String>,
    /// Open `if`, `for` and their like: what is set in them may not hold.
    maybe: usize,
}

impl<'a, 'v> Lexer<'a, 'v> {
    fn new(text: &'a str, dialect: Dialect, vars: &'v mut Vars) -> Self {
        Self {
            text,
            at: 0,
            line: 1,
            dialect,
            vars,
            count: 0,
            heredocs: Vec::new(),
            maybe: 0,
        }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        self.line += usize::from(c == '\n');
        Some(c)
    }

    fn commands(mut self) -> Result<Vec<Line>, ImportError> {
        let mut lines = Vec::new();
        let mut line = Line::default();
        while let Some(c) = self.peek() {
            match c {
                '\n' if self.dialect.is_bare() => {
                    self.bump();
                }
                '\n' => {
                    self.bump();
                    self.skip_heredocs();
                    self.end(&mut line, &mut lines);
                }
                c if c.is_whitespace() => {
                    self.bump();
                }
                '#' if !self.dialect.is_bare() && self.dialect != Dialect::Cmd => self.skip_line(),
                ';' | '&' | '|' | '(' | ')' if self.is_operator(c) => {
                    self.bump();
                    // `&>file`: a redirection.
                    if c != '&' || self.peek() != Some('>') {
                        self.end(&mut line, &mut lines);
                    }
                }
                '<' | '>' if !self.dialect.is_bare() => self.redirection()?,
                _ => {
                    if line.words.is_empty() && line.env.is_empty() {
                        line.number = self.line;
                    }
                    self.one(&mut line)?;
                }
            }
        }
        self.end(&mut line, &mut lines);
        Ok(lines)
    }

    fn is_operator(&self, c: char) -> bool {
        match self.dialect {
            Dialect::Words | Dialect::Unit => false,
            Dialect::Posix => true,
            Dialect::PowerShell => matches!(c, ';' | '|'),
            Dialect::Cmd => matches!(c, '&' | '|'),
        }
    }

    /// A command is complete: what it sets holds from here on.
    fn end(&mut self, line: &mut Line, lines: &mut Vec<Line>) {
        let line = std::mem::take(line);
        match line.words.first().map(String::as_str) {
            None => {
                for (name, value) in &line.env {
                    self.set(name, vec![value.clone()]);
                }
                return;
            }
            Some("export" | "declare" | "readonly" | "local" | "typeset") => {
                for (name, value) in line.words.iter().filter_map(|word| word.split_once('=')) {
                    self.set(name, vec![value.to_owned()]);
                }
            }
            Some("if" | "for" | "while" | "until" | "case") => self.maybe += 1,
            Some("fi" | "done" | "esac") => self.maybe = self.maybe.saturating_sub(1),
            _ => {}
        }
        lines.push(line);
    }

    /// Sets a variable; where that may not happen, only one that has no value yet.
    fn set(&mut self, name: &str, values: Vec<String>) {
        if self.maybe == 0 || self.vars.get(name).is_none_or(str::is_empty) {
            self.vars.set_list(name, values);
        }
    }

    /// The next word, or an assignment in front of the command.
    fn one(&mut self, line: &mut Line) -> Result<(), ImportError> {
        let name = assignment(self.rest()).filter(|_| self.dialect == Dialect::Posix);
        if let (Some(name), true) = (name, line.words.is_empty()) {
            return self.assign(name, line);
        }
        let words = self.word(name.is_none())?;
        self.count += words.len();
        if self.count > MAX_WORDS {
            return Err(wrong(self.line, "more than 10000 words"));
        }
        // `2>file`: the number belongs to the redirection.
        let number = |word: &String| word.len() == 1 && word.chars().all(|c| c.is_ascii_digit());
        if matches!(self.peek(), Some('<' | '>')) && words.iter().all(number) {
            return Ok(());
        }
        line.words.extend(words);
        Ok(())
    }

    fn assign(&mut self, name: &str, line: &mut Line) -> Result<(), ImportError> {
        self.at += name.len();
        let adds = self.peek() == Some('+');
        self.at += 1 + usize::from(adds);
        if self.peek() != Some('(') {
            let value = self.word(false)?.concat();
            let value = if adds && self.vars.get(name).is_some() {
                self.vars.value(name) + &value
            } else {
                value
            };
            line.env.push((name.to_owned(), value));
            return Ok(());
        }
        let opened = self.line;
        self.bump();
        let mut values = Vec::new();
        loop {
            match self.peek() {
                None => return Err(wrong(opened, "a list in round brackets is not closed")),
                Some(')') => {
                    self.bump();
                    break;
                }
                Some('#') => self.skip_line(),
                Some(c) if c.is_whitespace() => {
                    self.bump();
                }
                Some(_) => {
                    let before = self.at;
                    values.extend(self.word(true)?);
                    if self.at == before {
                        self.bump();
                    }
                    self.count += 1;
                }
            }
        }
        if self.count + values.len() > MAX_WORDS {
            return Err(wrong(opened, "more than 10000 words"));
        }
        match adds {
            true if self.maybe > 0 => {}
            true => self.vars.append(name, values),
            false => self.set(name, values),
        }
        Ok(())
    }

    /// `> file`, `2>&1`, `<<EOF`: nothing of it reaches the program.
    fn redirection(&mut self) -> Result<(), ImportError> {
        let heredoc = self.rest().starts_with("<<") && !self.rest().starts_with("<<<");
        while matches!(self.peek(), Some('<' | '>' | '&' | '-')) {
            self.bump();
        }
        while matches!(self.peek(), Some(' ' | '\t')) {
            self.bump();
        }
        let target = self.word(true)?;
        if heredoc {
            self.heredocs.extend(target.into_iter().next());
        }
        Ok(())
    }

    fn skip_heredocs(&mut self) {
        for end in std::mem::take(&mut self.heredocs) {
            while self.peek().is_some() {
                let line = self.rest().split('\n').next().unwrap_or_default().trim();
                self.skip_line();
                self.bump();
                if line == end {
                    break;
                }
            }
        }
    }

    fn skip_line(&mut self) {
        self.at += self.rest().find('\n').unwrap_or(self.rest().len());
    }
}

/// The name in front of `NAME=` or `NAME+=`.
fn assignment(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?;
    let (name, rest) = text.split_at(end);
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    (is_name && (rest.starts_with('=') || rest.starts_with("+="))).then_some(name)
}
