//! One word: quotes, escapes, variables.
use super::{Dialect, Lexer, wrong};
use crate::import::{
    ImportError,
    vars::{MARK, closing, marked},
};

/// A word while it grows. Unquoted variables may make several of one.
#[derive(Default)]
struct Word {
    done: Vec<String>,
    text: String,
    /// Something stands here, be it only quotes.
    some: bool,
}

impl Lexer<'_, '_> {
    /// One word; `split`: what variables bring in without quotes is split at blanks.
    pub(super) fn word(&mut self, split: bool) -> Result<Vec<String>, ImportError> {
        let mut word = Word::default();
        while let Some(c) = self.peek() {
            match (c, self.dialect) {
                _ if c.is_whitespace() => break,
                (';' | '&' | '|' | '(' | ')', _) if self.is_operator(c) => break,
                ('<' | '>', Dialect::Posix | Dialect::PowerShell | Dialect::Cmd) => break,
                ('\\', Dialect::Posix | Dialect::Words)
                | ('`', Dialect::PowerShell)
                | ('^', Dialect::Cmd) => {
                    self.bump();
                    match self.bump() {
                        Some('\n') | None => {}
                        Some(c) => word.push(c),
                    }
                }
                ('\\', Dialect::Cmd) if self.rest().starts_with("\\\"") => {
                    self.at += 2;
                    word.push('"');
                }
                ('\\', Dialect::Unit) => {
                    self.bump();
                    self.c_escape(&mut word)?;
                }
                ('\'', Dialect::Posix | Dialect::PowerShell | Dialect::Words | Dialect::Unit) => {
                    self.single(&mut word)?;
                }
                ('"', _) => self.double(&mut word)?,
                ('$', Dialect::Posix) if self.rest().starts_with("$'") => self.ansi(&mut word)?,
                ('$' | '`', Dialect::Posix) | ('$', Dialect::PowerShell) => self.expand(&mut word, !split),
                ('%', Dialect::Cmd) => self.expand(&mut word, true),
                _ => {
                    self.bump();
                    word.push(c);
                }
            }
        }
        Ok(word.finish())
    }

    fn single(&mut self, word: &mut Word) -> Result<(), ImportError> {
        let opened = self.line;
        word.some = true;
        self.bump();
        while let Some(c) = self.bump() {
            if c == '\\' && self.dialect == Dialect::Unit {
                self.c_escape(word)?;
            } else if c != '\'' {
                word.text.push(c);
            } else if self.dialect == Dialect::PowerShell && self.peek() == Some('\'') {
                self.bump();
                word.text.push('\'');
            } else {
                return Ok(());
            }
        }
        Err(wrong(opened, "a `'` is not closed"))
    }

    fn double(&mut self, word: &mut Word) -> Result<(), ImportError> {
        let opened = self.line;
        word.some = true;
        self.bump();
        let all = ["$@\"", "${@}\"", "$*\""];
        if let Some(end) = all.iter().find(|all| self.rest().starts_with(**all)) {
            self.at += end.len();
            word.some = !word.text.is_empty();
            word.list(self.vars.arguments());
            return Ok(());
        }
        while let Some(c) = self.peek() {
            match (c, self.dialect) {
                ('"', Dialect::PowerShell) if self.rest().starts_with("\"\"") => {
                    self.at += 2;
                    word.text.push('"');
                }
                ('"', _) => {
                    self.bump();
                    return Ok(());
                }
                ('\\', Dialect::Unit) => {
                    self.bump();
                    self.c_escape(word)?;
                }
                ('\\', Dialect::Posix | Dialect::Words | Dialect::Cmd) => self.backslash(word),
                ('`', Dialect::PowerShell) => {
                    self.bump();
                    word.text.extend(self.bump().filter(|c| *c != '\n'));
                }
                ('$' | '`', Dialect::Posix) | ('$', Dialect::PowerShell) | ('%', Dialect::Cmd) => {
                    self.expand(word, true);
                }
                _ => {
                    self.bump();
                    word.text.push(c);
                }
            }
        }
        Err(wrong(opened, "a `\"` is not closed"))
    }

    /// A backslash in double quotes: only before some characters does it go away.
    fn backslash(&mut self, word: &mut Word) {
        self.bump();
        let escapes = match self.dialect {
            Dialect::Cmd => "\"",
            Dialect::Words => "\"\\",
            _ => "\"\\$`\n",
        };
        match self.peek() {
            Some('\n') if self.dialect == Dialect::Posix => {
                self.bump();
            }
            Some(c) if escapes.contains(c) => {
                self.bump();
                word.text.push(c);
            }
            _ => word.text.push('\\'),
        }
    }

    /// `$'…'`
    fn ansi(&mut self, word: &mut Word) -> Result<(), ImportError> {
        let opened = self.line;
        word.some = true;
        self.at += 2;
        while let Some(c) = self.bump() {
            match c {
                '\'' => return Ok(()),
                '\\' => self.c_escape(word)?,
                c => word.text.push(c),
            }
        }
        Err(wrong(opened, "a `'` is not closed"))
    }

    /// What follows a backslash, as in C.
    fn c_escape(&mut self, word: &mut Word) -> Result<(), ImportError> {
        word.some = true;
        let c = self.bump();
        let (digits, radix) = match c {
            Some('x') => (2, 16),
            Some('u') => (4, 16),
            Some('U') => (8, 16),
            Some('0'..='7') => {
                self.at -= 1;
                (3, 8)
            }
            _ => (0, 0),
        };
        let found = match c {
            Some('a') => Some('\u{7}'),
            Some('b') => Some('\u{8}'),
            Some('f') => Some('\u{c}'),
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('v') => Some('\u{b}'),
            Some('s' | '\n') => Some(' '),
            Some(same @ ('\\' | '\'' | '"' | '?')) => Some(same),
            _ if digits > 0 => {
                let code = self.rest().get(..digits).unwrap_or_default();
                self.at += code.len();
                u32::from_str_radix(code, radix).ok().and_then(char::from_u32)
            }
            _ => None,
        };
        let found = found.filter(|c| *c != MARK);
        let found = found.ok_or_else(|| wrong(self.line, "a `\\` before what needs none"))?;
        word.text.push(found);
        Ok(())
    }

    /// A variable or a command that is put in. `whole`: not split.
    fn expand(&mut self, word: &mut Word, whole: bool) {
        let first = self.bump();
        let rest = self.rest();
        let until = |close: char| rest.find(close);
        let (value, length) = match (first, rest.chars().next()) {
            (Some('%'), _) => match until('%') {
                Some(end) if end > 0 => (
                    marked(&format!("%{}%", rest.get(..end).unwrap_or_default())),
                    end + 1,
                ),
                _ => ("%".to_owned(), 0),
            },
            (Some('`'), _) => match until('`') {
                Some(end) => (marked("`…`"), end + 1),
                None => ("`".to_owned(), 0),
            },
            (_, Some('(')) => {
                let end = closing(rest.get(1..).unwrap_or_default(), '(', ')');
                (marked("$(…)"), end.map_or(rest.len(), |end| end + 2))
            }
            (_, Some('{')) => {
                let inner = rest.get(1..).unwrap_or_default();
                let end = closing(inner, '{', '}').unwrap_or(inner.len());
                let inner = inner.get(..end).unwrap_or_default();
                self.at += (end + 2).min(rest.len());
                self.line += inner.matches('\n').count();
                if let Some(name) = inner.strip_suffix("[@]").or_else(|| inner.strip_suffix("[*]")) {
                    return word.list(self.vars.values(name));
                }
                let value = self.vars.braces(inner);
                return word.add(&value, whole);
            }
            (_, Some('@' | '*')) => {
                self.at += 1;
                return word.list(self.vars.arguments());
            }
            _ if rest.starts_with("env:") => {
                let (value, length) = self
                    .vars
                    .named(rest.get(4..).unwrap_or_default())
                    .unwrap_or_default();
                (value, length + 4)
            }
            _ => self.vars.named(rest).unwrap_or_else(|| ("$".to_owned(), 0)),
        };
        let taken = rest.get(..length).unwrap_or_default();
        self.line += taken.matches('\n').count();
        self.at += taken.len();
        word.add(&value, whole);
    }
}

impl Word {
    fn push(&mut self, c: char) {
        self.some = true;
        self.text.push(c);
    }

    fn add(&mut self, value: &str, whole: bool) {
        if whole || !value.contains(char::is_whitespace) {
            self.text.push_str(value);
            self.some |= whole || !value.is_empty();
            return;
        }
        let parts: Vec<String> = value.split_whitespace().map(str::to_owned).collect();
        self.list(parts);
    }

    /// The first joins what stands before it, the last what follows.
    fn list(&mut self, parts: Vec<String>) {
        let mut first = true;
        for part in parts {
            if !first {
                self.done.push(std::mem::take(&mut self.text));
            }
            self.text.push_str(&part);
            (first, self.some) = (false, true);
        }
        if first {
            self.some = !self.text.is_empty();
        }
    }

    fn finish(mut self) -> Vec<String> {
        if self.some {
            self.done.push(self.text);
        }
        self.done
    }
}
