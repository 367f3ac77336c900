//! `[a, b]` and `{a: b}`.
use super::{Entry, Kind, Node, YamlError, cursor::Cursor};

impl Cursor<'_> {
    /// The list or map at the cursor.
    pub(super) fn flow(&mut self) -> Result<Kind, YamlError> {
        if self.bump() == Some('[') {
            self.flow_list()
        } else {
            self.flow_map()
        }
    }

    fn flow_list(&mut self) -> Result<Kind, YamlError> {
        let mut items = Vec::new();
        let opened = self.line;
        loop {
            self.flow_space(opened)?;
            if self.peek() == Some(']') {
                self.bump();
                return Ok(Kind::List(items));
            }
            items.push(self.flow_node()?);
            self.flow_space(opened)?;
            match self.peek() {
                Some(',') => {
                    self.bump();
                }
                Some(']') => {}
                Some(':') => {
                    return Err(self.error("`:` in a list; write a map in braces, or quote the text"));
                }
                _ => return Err(self.error("expected `,` or `]`")),
            }
        }
    }

    fn flow_map(&mut self) -> Result<Kind, YamlError> {
        let mut entries = Vec::new();
        let opened = self.line;
        if self.peek() == Some('{') {
            return Err(
                self.error("`{{`: a template; render it first (`helm template`), then read what comes out")
            );
        }
        loop {
            self.flow_space(opened)?;
            let line = self.line;
            let key = match self.peek() {
                Some('}') => {
                    self.bump();
                    return self.finish_map(entries);
                }
                Some('"' | '\'') => self.quoted()?,
                _ => self.flow_plain()?,
            };
            self.flow_space(opened)?;
            let mut node = Node::empty(line);
            if self.peek() == Some(':') {
                self.bump();
                self.flow_space(opened)?;
                if !matches!(self.peek(), Some(',' | '}')) {
                    node = self.flow_node()?;
                    self.flow_space(opened)?;
                }
            }
            entries.push(Entry { key, line, node });
            match self.peek() {
                Some(',') => {
                    self.bump();
                }
                Some('}') => {}
                _ => return Err(self.error("expected `,` or `}`")),
            }
        }
    }

    fn flow_node(&mut self) -> Result<Node, YamlError> {
        self.enter()?;
        let line = self.line;
        let kind = match self.peek() {
            Some('[' | '{') => self.flow()?,
            Some('"' | '\'') => Kind::Scalar {
                text: self.quoted()?,
                plain: false,
            },
            Some('*') => self.alias()?.kind,
            Some('&') => {
                let name = self.name()?;
                self.flow_space(line)?;
                let node = self.flow_node()?;
                self.anchor(name, &node);
                node.kind
            }
            _ => Kind::Scalar {
                text: self.flow_plain()?,
                plain: true,
            },
        };
        self.leave();
        Ok(Node { line, kind })
    }

    /// A scalar without quotes, which may go on in the next line.
    fn flow_plain(&mut self) -> Result<String, YamlError> {
        if !self.starts_plain() || self.peek() == Some('?') {
            return Err(self.unexpected());
        }
        let mut text = String::new();
        while let Some(c) = self.peek() {
            let next = self.byte(1);
            let ends = match c {
                ',' | '[' | ']' | '{' | '}' => true,
                ':' => matches!(
                    next,
                    None | Some(b' ' | b'\t' | b'\n' | b',' | b'[' | b']' | b'{' | b'}')
                ),
                '#' => self.at_line_end(),
                _ => false,
            };
            if ends {
                break;
            }
            if c == '\n' {
                text.truncate(text.trim_end_matches([' ', '\t']).len());
                self.fold(&mut text);
            } else {
                text.push(c);
                self.bump();
            }
        }
        text.truncate(text.trim_end_matches([' ', '\t', '\n']).len());
        Ok(text)
    }

    /// Passes blanks, line ends and comments.
    fn flow_space(&mut self, opened: usize) -> Result<(), YamlError> {
        loop {
            self.skip_space();
            if self.peek().is_none() || self.at_marker() {
                return Err(YamlError {
                    line: opened,
                    problem: "a `[` or `{` is not closed".to_owned(),
                });
            }
            if !self.at_line_end() {
                return Ok(());
            }
            self.take_line();
        }
    }
}
