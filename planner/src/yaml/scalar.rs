//! Plain, quoted, literal and folded texts.
use super::{Kind, YamlError, block::plain_end, cursor::Cursor};

impl Cursor<'_> {
    /// Whether a plain scalar may begin here.
    pub(super) fn starts_plain(&self) -> bool {
        match self.peek() {
            None => false,
            Some('-' | '?' | ':') => !matches!(self.byte(1), None | Some(b' ' | b'\t' | b'\n')),
            Some(c) => !c.is_whitespace() && !",[]{}#&*!|>'\"%@`".contains(c),
        }
    }

    pub(super) fn unexpected(&self) -> YamlError {
        match self.peek() {
            Some(c) => self.error(format!("no value begins with `{c}`; put the text in quotes")),
            None => self.error("the text ends where a value is expected"),
        }
    }

    /// A scalar without quotes outside flow collections; lines indented by at least `least` continue it.
    pub(super) fn plain(&mut self, least: usize) -> Result<Kind, YamlError> {
        if !self.starts_plain() {
            return Err(self.unexpected());
        }
        let mut text = String::new();
        loop {
            let line = self.rest().split('\n').next().unwrap_or_default();
            let end = plain_end(line);
            let part = end.and_then(|at| line.get(..at)).unwrap_or(line);
            self.at += part.len();
            text.push_str(part.trim_end_matches([' ', '\t']));
            if self.peek() == Some(':') {
                return Err(self.error("unexpected `:` in a value; put the text in quotes"));
            }
            if end.is_some() {
                self.settle()?;
                break;
            }
            let (mut breaks, mut tab) = (0_usize, false);
            while self.peek() == Some('\n') {
                self.bump();
                breaks += 1;
                let spaces = self.rest().len() - self.rest().trim_start_matches(' ').len();
                self.at += spaces;
                let column = self.at;
                self.skip_space();
                tab = column != self.at;
                if tab && self.peek() != Some('\n') {
                    // The column that counts is that of the last space.
                    break;
                }
            }
            let goes_on = self.level().is_some_and(|column| column >= least) && self.peek() != Some('#');
            if !goes_on || breaks == 0 {
                if self.peek() == Some('#') || tab {
                    self.at = self.line_start;
                    self.indentation()?;
                }
                break;
            }
            if tab {
                return Err(self.error("a tab in the indentation; YAML takes spaces"));
            }
            push_breaks(&mut text, breaks);
        }
        Ok(Kind::Scalar { text, plain: true })
    }

    /// A text in quotes; the cursor is at the first.
    pub(super) fn quoted(&mut self) -> Result<String, YamlError> {
        let opened = self.line;
        let quote = self.bump();
        let mut text = String::new();
        // Blanks before this length were written as escapes and stay at the end of a line.
        let mut kept = 0;
        loop {
            match self.peek() {
                None => break,
                Some('\n') => {
                    let blanks = text.get(kept..).unwrap_or_default();
                    let shorter = text.len() - (blanks.len() - blanks.trim_end_matches([' ', '\t']).len());
                    text.truncate(shorter);
                    self.fold(&mut text);
                    if self.at_marker() {
                        break;
                    }
                    kept = text.len();
                }
                c if c == quote => {
                    self.bump();
                    if quote != Some('\'') || self.peek() != quote {
                        return Ok(text);
                    }
                    self.bump();
                    text.push('\'');
                }
                Some('\\') if quote == Some('"') => {
                    self.bump();
                    self.escape(&mut text)?;
                    kept = text.len();
                }
                Some(c) => {
                    text.push(c);
                    self.bump();
                }
            }
        }
        Err(YamlError {
            line: opened,
            problem: "a quoted text is not closed".to_owned(),
        })
    }

    /// Line ends between two lines of a scalar: one is a blank, more are one less.
    pub(super) fn fold(&mut self, text: &mut String) {
        let mut breaks = 0;
        while self.peek() == Some('\n') {
            self.bump();
            breaks += 1;
            if self.at_marker() {
                return;
            }
            self.skip_space();
        }
        push_breaks(text, breaks);
    }

    /// What stands behind a `\` in double quotes.
    fn escape(&mut self, text: &mut String) -> Result<(), YamlError> {
        let c = self.bump();
        let digits = match c {
            Some('x') => 2,
            Some('u') => 4,
            Some('U') => 8,
            _ => 0,
        };
        let found = match c {
            Some('0') => Some('\0'),
            Some('a') => Some('\u{7}'),
            Some('b') => Some('\u{8}'),
            Some('t' | '\t') => Some('\t'),
            Some('n') => Some('\n'),
            Some('v') => Some('\u{b}'),
            Some('f') => Some('\u{c}'),
            Some('r') => Some('\r'),
            Some('e') => Some('\u{1b}'),
            Some(same @ (' ' | '"' | '/' | '\\')) => Some(same),
            Some('N') => Some('\u{85}'),
            Some('_') => Some('\u{a0}'),
            Some('L') => Some('\u{2028}'),
            Some('P') => Some('\u{2029}'),
            Some('x' | 'u' | 'U') => {
                let code = self.rest().get(..digits);
                let code = code.filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()));
                let found = code.and_then(|code| u32::from_str_radix(code, 16).ok());
                self.at += code.map_or(0, str::len);
                found.and_then(char::from_u32)
            }
            Some('\n') => {
                while matches!(self.peek(), Some(' ' | '\t' | '\n')) {
                    if self.peek() == Some('\n') {
                        text.push('\n');
                    }
                    self.bump();
                }
                return Ok(());
            }
            _ => None,
        };
        let Some(found) = found else {
            let c = c.map_or(String::new(), String::from);
            return Err(self.error(format!(
                "`\\{c}` is no escape of YAML; in single quotes it stands for itself"
            )));
        };
        text.push(found);
        Ok(())
    }

    /// `|` or `>`; the cursor is at it. Its lines are indented by at least `least`, one at the least.
    pub(super) fn block_scalar(&mut self, least: usize) -> Result<Kind, YamlError> {
        let folded = self.bump() == Some('>');
        let (mut chomp, mut given) = (None, None);
        while let Some(c @ ('+' | '-' | '1'..='9')) = self.peek() {
            match c.to_digit(10) {
                Some(digit) if given.is_none() => given = usize::try_from(digit).ok(),
                None if chomp.is_none() => chomp = Some(c),
                _ => break,
            }
            self.bump();
        }
        self.skip_space();
        if !self.at_line_end() {
            return Err(self.error("only `+`, `-` and a digit may follow `|` or `>` on its line"));
        }
        self.take_line();
        let lines = self.block_lines(least, given)?;
        let mut text = if folded {
            fold_lines(&lines)
        } else {
            lines.join("\n")
        };
        let trailing = lines.iter().rev().take_while(|line| line.is_empty()).count();
        let full = trailing < lines.len();
        if chomp == Some('+') {
            text = kept(&lines, folded);
        } else {
            text.truncate(text.trim_end_matches('\n').len());
            if chomp.is_none() && full {
                text.push('\n');
            }
        }
        self.indentation()?;
        Ok(Kind::Scalar { text, plain: false })
    }

    /// The lines of a block scalar without their indentation; empty ones at its end too.
    fn block_lines(&mut self, least: usize, given: Option<usize>) -> Result<Vec<String>, YamlError> {
        let least = least.max(1);
        let mut indent = given.map(|digit| least.saturating_sub(1) + digit);
        let (mut lines, mut widest) = (Vec::new(), 0);
        while self.peek().is_some() {
            let line = self.rest().split('\n').next().unwrap_or_default();
            let spaces = line.len() - line.trim_start_matches(' ').len();
            let blank = spaces == line.len();
            if self.at_marker() {
                break;
            }
            if blank && indent.is_none_or(|indent| spaces <= indent) {
                widest = widest.max(spaces);
                lines.push(String::new());
                self.take_line();
                continue;
            }
            let width = match indent {
                Some(width) => width,
                None if spaces >= least => {
                    if widest > spaces {
                        return Err(self.error("a line above is indented further than the text's first"));
                    }
                    spaces
                }
                None => break,
            };
            if spaces < width {
                break;
            }
            indent = Some(width);
            lines.push(line.get(width..).unwrap_or_default().to_owned());
            self.take_line();
        }
        Ok(lines)
    }
}

fn push_breaks(text: &mut String, breaks: usize) {
    if breaks == 1 {
        text.push(' ');
    } else {
        text.extend(std::iter::repeat_n('\n', breaks.saturating_sub(1)));
    }
}

/// The whole of a block scalar, all of its line ends kept.
fn kept(lines: &[String], folded: bool) -> String {
    let trailing = lines.iter().rev().take_while(|line| line.is_empty()).count();
    let body = lines.get(..lines.len() - trailing).unwrap_or_default();
    let mut text = if folded { fold_lines(body) } else { body.join("\n") };
    let ends = if body.is_empty() { trailing } else { trailing + 1 };
    text.extend(std::iter::repeat_n('\n', ends));
    text
}

/// Joins lines with blanks; empty lines and lines that begin with a blank keep their line ends.
fn fold_lines(lines: &[String]) -> String {
    let mut text = String::new();
    let (mut breaks, mut before_indented) = (0_usize, false);
    let mut first = true;
    for line in lines {
        if line.is_empty() {
            breaks += 1;
            continue;
        }
        let indented = line.starts_with([' ', '\t']);
        if first {
            text.extend(std::iter::repeat_n('\n', breaks));
        } else if indented || before_indented {
            text.extend(std::iter::repeat_n('\n', breaks + 1));
        } else {
            push_breaks(&mut text, breaks + 1);
        }
        text.push_str(line);
        (breaks, before_indented, first) = (0, indented, false);
    }
    text
}
