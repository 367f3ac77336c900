//! A place in the text, and the steps between tokens.
use super::{Entry, Kind, MAX_DEPTH, MAX_KEYS, MAX_NODES, Node, YamlError};

pub(super) struct Cursor<'a> {
    pub(super) text: &'a str,
    /// Byte offset; always on a character's border.
    pub(super) at: usize,
    pub(super) line: usize,
    pub(super) line_start: usize,
    nodes: usize,
    depth: usize,
    anchors: Vec<(String, Node)>,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            line: 1,
            line_start: 0,
            nodes: 0,
            depth: 0,
            anchors: Vec::new(),
        }
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// The byte that many after the next; ASCII tokens only.
    pub(super) fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    pub(super) fn column(&self) -> usize {
        self.at - self.line_start
    }

    /// Takes the next character.
    pub(super) fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        if c == '\n' {
            self.line += 1;
            self.line_start = self.at;
        }
        Some(c)
    }

    /// The rest of the line, taken with its end.
    pub(super) fn take_line(&mut self) -> &'a str {
        let rest = self.rest();
        let line = rest.split('\n').next().unwrap_or_default();
        self.at += line.len();
        self.bump();
        line
    }

    /// Passes blanks within the line; true where one of them is a tab.
    pub(super) fn skip_space(&mut self) -> bool {
        let mut tab = false;
        while let Some(c @ (' ' | '\t')) = self.peek() {
            tab |= c == '\t';
            self.at += 1;
        }
        tab
    }

    /// Whether nothing but a comment follows on this line.
    pub(super) fn at_line_end(&self) -> bool {
        match self.byte(0) {
            None | Some(b'\n') => true,
            Some(b'#') => {
                let before = self.at.checked_sub(1).and_then(|at| self.text.as_bytes().get(at));
                matches!(before, None | Some(b' ' | b'\t' | b'\n'))
            }
            Some(_) => false,
        }
    }

    /// Ends a line behind a complete value, and passes blank lines and comments up to the next token.
    pub(super) fn settle(&mut self) -> Result<(), YamlError> {
        self.skip_space();
        if !self.at_line_end() {
            let found: String = self.rest().chars().take_while(|c| *c != '\n').take(20).collect();
            return Err(self.error(format!("unexpected {found:?} after a value")));
        }
        self.take_line();
        self.indentation()
    }

    /// From the start of a line to the first token.
    pub(super) fn indentation(&mut self) -> Result<(), YamlError> {
        loop {
            let tab = self.skip_space();
            if self.peek().is_none() {
                return Ok(());
            }
            if !self.at_line_end() {
                return if tab {
                    Err(self.error("a tab in the indentation; YAML takes spaces"))
                } else {
                    Ok(())
                };
            }
            self.take_line();
        }
    }

    /// The column of the token at the cursor; `None` at the end of the document.
    pub(super) fn level(&self) -> Option<usize> {
        (self.peek().is_some() && !self.at_marker()).then(|| self.column())
    }

    /// `---` or `...` at the margin.
    pub(super) fn at_marker(&self) -> bool {
        let rest = self.rest();
        self.column() == 0
            && (rest.starts_with("---") || rest.starts_with("..."))
            && matches!(self.byte(3), None | Some(b' ' | b'\t' | b'\n'))
    }

    /// Whether an indicator is one: a blank or the line's end behind it.
    pub(super) fn indicator(&self, c: u8) -> bool {
        self.byte(0) == Some(c) && matches!(self.byte(1), None | Some(b' ' | b'\t' | b'\n'))
    }

    pub(super) fn error(&self, problem: impl Into<String>) -> YamlError {
        YamlError {
            line: self.line,
            problem: problem.into(),
        }
    }

    /// Counts a node and a level; [`Self::leave`] goes back up.
    pub(super) fn enter(&mut self) -> Result<(), YamlError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error(format!("nested more than {MAX_DEPTH} levels deep")));
        }
        self.count(1)
    }

    pub(super) fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    fn count(&mut self, nodes: usize) -> Result<(), YamlError> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES {
            return Err(self.error(format!("too many values: more than {MAX_NODES}")));
        }
        Ok(())
    }

    /// The name behind `&` or `*`, which is at the cursor.
    pub(super) fn name(&mut self) -> Result<String, YamlError> {
        self.bump();
        let is_name = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let name: String = self.rest().chars().take_while(is_name).collect();
        self.at += name.len();
        let ends = matches!(
            self.byte(0),
            None | Some(b' ' | b'\t' | b'\n' | b',' | b']' | b'}')
        );
        if name.is_empty() || !ends {
            return Err(self.error(
                "`&` and `*` take a name of letters, digits, - and _; put the text in quotes if it is one",
            ));
        }
        Ok(name)
    }

    pub(super) fn anchor(&mut self, name: String, node: &Node) {
        self.anchors.push((name, node.clone()));
    }

    /// What an alias, which is at the cursor, stands for.
    pub(super) fn alias(&mut self) -> Result<Node, YamlError> {
        let line = self.line;
        let name = self.name()?;
        let found = self.anchors.iter().rev().find(|(known, _)| *known == name);
        let node = found.map(|(_, node)| node.clone());
        let node =
            node.ok_or_else(|| self.error(format!("*{name} stands for nothing: no &{name} before it")))?;
        self.count(node.size())?;
        Ok(Node { line, ..node })
    }

    /// Makes a map: keys stand once, and those that `<<` brings give way to a map's own.
    pub(super) fn finish_map(&self, read: Vec<Entry>) -> Result<Kind, YamlError> {
        if read.len() > MAX_KEYS {
            return Err(self.error(format!("a map of more than {MAX_KEYS} keys")));
        }
        let mut entries: Vec<Entry> = Vec::with_capacity(read.len());
        let mut merged = Vec::new();
        for entry in read {
            if entries.iter().any(|other| other.key == entry.key) {
                return Err(YamlError {
                    line: entry.line,
                    problem: format!("`{}` stands here twice", entry.key),
                });
            }
            if entry.key == "<<" {
                merged.push(entry);
            } else {
                entries.push(entry);
            }
        }
        for Entry { line, node, .. } in merged {
            let maps = match node.kind {
                Kind::List(maps) => maps,
                kind => vec![Node { kind, ..node }],
            };
            for map in maps {
                let Kind::Map(more) = map.kind else {
                    return Err(YamlError {
                        line,
                        problem: "`<<` takes a map".to_owned(),
                    });
                };
                for entry in more {
                    if !entries.iter().any(|other| other.key == entry.key) {
                        entries.push(entry);
                    }
                }
            }
        }
        Ok(Kind::Map(entries))
    }
}
