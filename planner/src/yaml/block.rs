//! Documents, and what is told by its indentation.
use super::{Entry, Kind, Node, YamlError, cursor::Cursor};

impl Cursor<'_> {
    pub(super) fn documents(&mut self) -> Result<Vec<Node>, YamlError> {
        let mut documents = Vec::new();
        self.indentation()?;
        while self.rest().starts_with('%') && self.column() == 0 {
            self.take_line();
            self.indentation()?;
        }
        while self.peek().is_some() {
            let mut opened = false;
            if self.at_marker() {
                opened = self.rest().starts_with("---");
                self.at += 3;
                self.skip_space();
            }
            let node = if !opened && self.at_line_end() {
                // `...` ends a document and begins none.
                self.settle()?;
                continue;
            } else if self.at_line_end() {
                let line = self.line;
                self.settle()?;
                self.below(0, None, line)?
            } else {
                self.node(0, !opened)?
            };
            if self.level().is_some() {
                return Err(self.misplaced());
            }
            documents.push(node);
        }
        Ok(documents)
    }

    fn misplaced(&self) -> YamlError {
        self.error("indented differently from its neighbours, or not `key: value`")
    }

    /// The value on the lines below, indented by at least `least`, or a list at `list_at`.
    fn below(&mut self, least: usize, list_at: Option<usize>, line: usize) -> Result<Node, YamlError> {
        match self.level() {
            Some(column) if column >= least => self.node(least, true),
            Some(column) if list_at == Some(column) && self.indicator(b'-') => self.node(column, true),
            _ => Ok(Node::empty(line)),
        }
    }

    /// The value whose first token is at the cursor. `block`: it may be a map or a list that goes on below it.
    fn node(&mut self, least: usize, block: bool) -> Result<Node, YamlError> {
        self.enter()?;
        let line = self.line;
        let kind = match self.peek() {
            Some('&') => {
                let name = self.name()?;
                self.skip_space();
                let node = if self.at_line_end() {
                    let list_at = if block { None } else { least.checked_sub(1) };
                    self.settle()?;
                    self.below(least, list_at, line)?
                } else if block && self.key_ahead() {
                    return Err(self.error("an anchor before a key; put it behind the `:`"));
                } else {
                    self.node(least, false)?
                };
                self.anchor(name, &node);
                node.kind
            }
            Some('*') => {
                let node = self.alias()?;
                self.ends_value()?;
                node.kind
            }
            Some('!') => return Err(self.error("a tag (`!…`), which is not read; leave it out")),
            Some('|' | '>') => self.block_scalar(least)?,
            Some('[' | '{') => {
                let kind = self.flow()?;
                self.ends_value()?;
                kind
            }
            Some('-') if self.indicator(b'-') => {
                if !block {
                    return Err(self.error("a list begins on a line of its own"));
                }
                self.block_list()?
            }
            Some('?') if self.indicator(b'?') => return Err(self.error("a `?` key, which is not read")),
            Some(_) if block && self.key_ahead() => self.block_map()?,
            Some('"' | '\'') => {
                let text = self.quoted()?;
                self.ends_value()?;
                Kind::Scalar { text, plain: false }
            }
            _ => self.plain(least)?,
        };
        self.leave();
        Ok(Node { line, kind })
    }

    /// Behind a value that is complete on its line.
    fn ends_value(&mut self) -> Result<(), YamlError> {
        self.skip_space();
        if self.peek() == Some(':') {
            return Err(self.error("unexpected `:` after a value"));
        }
        self.settle()
    }

    fn block_list(&mut self) -> Result<Kind, YamlError> {
        let column = self.column();
        let mut items = Vec::new();
        while self.level() == Some(column) && self.indicator(b'-') {
            let line = self.line;
            self.at += 1;
            let tab = self.skip_space();
            items.push(if self.at_line_end() {
                self.settle()?;
                self.below(column + 1, None, line)?
            } else if tab {
                return Err(self.error("a tab in the indentation; YAML takes spaces"));
            } else {
                self.node(column + 1, true)?
            });
        }
        self.check_end(column)?;
        Ok(Kind::List(items))
    }

    fn block_map(&mut self) -> Result<Kind, YamlError> {
        let column = self.column();
        let mut entries = Vec::new();
        while self.level() == Some(column) {
            if !self.key_ahead() {
                // The next item of the list that this map is part of is not its business.
                if self.indicator(b'-') && !entries.is_empty() {
                    break;
                }
                return Err(self.error("expected `key: value`"));
            }
            let line = self.line;
            let key = self.block_key()?;
            self.skip_space();
            let node = if self.at_line_end() {
                self.settle()?;
                self.below(column + 1, Some(column), line)?
            } else {
                self.node(column + 1, false)?
            };
            entries.push(Entry { key, line, node });
        }
        self.check_end(column)?;
        self.finish_map(entries)
    }

    /// What follows a block may not be deeper than it.
    fn check_end(&self, column: usize) -> Result<(), YamlError> {
        match self.level() {
            Some(next) if next > column => Err(self.misplaced()),
            _ => Ok(()),
        }
    }

    /// Whether the line goes on as `key:`.
    fn key_ahead(&self) -> bool {
        let line = self.rest().split('\n').next().unwrap_or_default();
        let after = match line.chars().next() {
            Some('"') => {
                let mut escaped = false;
                let end = line.char_indices().skip(1).find(|(_, c)| {
                    let ends = *c == '"' && !escaped;
                    escaped = *c == '\\' && !escaped;
                    ends
                });
                end.and_then(|(at, _)| line.get(at + 1..))
            }
            Some('\'') => line.get(1..).and_then(|rest| {
                let mut rest = rest;
                loop {
                    let (_, after) = rest.split_once('\'')?;
                    match after.strip_prefix('\'') {
                        Some(more) => rest = more,
                        None => return Some(after),
                    }
                }
            }),
            _ => {
                return self.starts_plain()
                    && plain_end(line).is_some_and(|at| line.as_bytes().get(at) == Some(&b':'));
            }
        };
        after.is_some_and(|after| is_colon(after.trim_start_matches([' ', '\t'])))
    }

    /// A key, its `:` taken too.
    fn block_key(&mut self) -> Result<String, YamlError> {
        let key = if let Some('"' | '\'') = self.peek() {
            self.quoted()?
        } else {
            let line = self.rest().split('\n').next().unwrap_or_default();
            let key = plain_end(line).and_then(|at| line.get(..at)).unwrap_or_default();
            self.at += key.len();
            key.trim_end_matches([' ', '\t']).to_owned()
        };
        self.skip_space();
        if self.peek() != Some(':') {
            return Err(self.error("expected `:` behind a key"));
        }
        self.at += 1;
        Ok(key)
    }
}

/// A `:` that separates.
fn is_colon(text: &str) -> bool {
    text.strip_prefix(':')
        .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
}

/// Where a plain scalar outside flow collections stops on this line: at `: ` or ` #`; `None` where it takes it whole.
pub(super) fn plain_end(line: &str) -> Option<usize> {
    let bytes = line.as_bytes();
    let mut blank = false;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b':' if matches!(bytes.get(at + 1), None | Some(b' ' | b'\t')) => return Some(at),
            b'#' if blank => return Some(at),
            _ => {}
        }
        blank = matches!(byte, b' ' | b'\t');
    }
    None
}
