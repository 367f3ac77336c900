//! Variables: what a text sets itself is put in; what it does not is marked.
use std::borrow::Cow;

/// Stands before and after the name of a variable that is not set. No argument can hold it.
pub(super) const MARK: char = '\0';

/// The largest text that variables may grow to, in bytes.
const MAX_GROWN: usize = 1 << 20;

/// The longest `${…}`, in characters.
const LONGEST: usize = 4096;

/// The most variables; further ones count as not set.
const MOST: usize = 500;

/// Names and values; a list of several is a shell's array.
#[derive(Clone, Debug, Default)]
pub(super) struct Vars {
    set: Vec<(String, Vec<String>)>,
    open: bool,
    grown: usize,
}

/// Whose `$` it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// `${A}`, `$A`, `$$`: Docker Compose.
    Compose,
    /// `$(A)`, `$$`: Kubernetes; an unknown name stays as it is.
    Kubernetes,
    /// The same where no shell follows, so that `${A}` is for `envsubst` to fill in.
    Template,
    /// `${A}`, `$$`, `%%`: systemd's ExecStart.
    Systemd,
}

impl Vars {
    /// Where `open`, others are set too, by what is not in the text.
    pub(super) fn beside(open: bool) -> Self {
        Self {
            open,
            ..Self::default()
        }
    }

    pub(super) fn set(&mut self, name: &str, value: String) {
        self.set_list(name, vec![value]);
    }

    pub(super) fn set_list(&mut self, name: &str, values: Vec<String>) {
        let full = self.set.len() >= MOST;
        match self.set.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = values,
            None if !full => self.set.push((name.to_owned(), values)),
            None => {}
        }
    }

    pub(super) fn append(&mut self, name: &str, values: Vec<String>) {
        match self.set.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => old.extend(values),
            None => self.set_list(name, values),
        }
    }

    fn list(&self, name: &str) -> Option<&[String]> {
        let found = self.set.iter().find(|(known, _)| known == name)?;
        Some(&found.1)
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.list(name)?.first().map(String::as_str)
    }

    /// `$@`: nothing where nobody gave arguments.
    pub(super) fn arguments(&mut self) -> Vec<String> {
        if self.get("@").is_some() {
            self.values("@")
        } else {
            Vec::new()
        }
    }

    /// All values of an array, or the mark.
    pub(super) fn values(&mut self, name: &str) -> Vec<String> {
        let found = self.list(name).unwrap_or_default();
        let size: usize = found.iter().map(|value| value.len() + 1).sum();
        let known = self.list(name).is_some() && self.grown < MAX_GROWN && size < MAX_GROWN;
        let values = if known {
            found.to_vec()
        } else {
            vec![marked(&format!("${{{name}[@]}}"))]
        };
        self.grown = self.grown.saturating_add(size);
        values
    }

    /// The value, or the mark.
    pub(super) fn value(&mut self, name: &str) -> String {
        let value = match self.get(name) {
            Some(value) if self.grown < MAX_GROWN => value.to_owned(),
            _ if self.open => marked(&format!("$({name})")),
            _ => marked(&format!("${name}")),
        };
        self.grown = self.grown.saturating_add(value.len());
        value
    }

    /// What stands in `${…}`: a name, perhaps with `:-default` and its like.
    pub(super) fn braces(&mut self, inner: &str) -> String {
        let end = inner.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let (name, rest) = inner.split_at(end.unwrap_or(inner.len()));
        let set = self.get(name).is_some();
        let filled = self.get(name).is_some_and(|value| !value.is_empty());
        let default = |rest: &str| rest.replace(['"', '\''], "");
        match rest {
            "" if !name.is_empty() => self.value(name),
            _ => match (rest.strip_prefix(':'), rest.get(..1)) {
                (Some(rest), _) if rest.starts_with(['-', '=', '?']) => match rest.get(..1) {
                    Some("?") => self.value(name),
                    _ if filled => self.value(name),
                    _ => default(rest.get(1..).unwrap_or_default()),
                },
                (Some(rest), _) if rest.starts_with('+') => {
                    if filled {
                        default(rest.get(1..).unwrap_or_default())
                    } else {
                        String::new()
                    }
                }
                (None, Some("?")) => self.value(name),
                (None, Some("-" | "=")) if set => self.value(name),
                (None, Some("-" | "=")) => default(rest.get(1..).unwrap_or_default()),
                _ => marked(&format!("${{{inner}}}")),
            },
        }
    }

    /// `$A` at the start of a text: its value and the length of its name.
    pub(super) fn named(&mut self, text: &str) -> Option<(String, usize)> {
        let end = text
            .char_indices()
            .find(|(at, c)| !(c.is_ascii_alphabetic() || *c == '_' || (*at > 0 && c.is_ascii_digit())))
            .map_or(text.len(), |(at, _)| at);
        let name = text.get(..end).filter(|name| !name.is_empty())?;
        Some((self.value(name), end))
    }

    /// The text with its variables put in.
    pub(super) fn interpolate<'t>(&mut self, text: &'t str, style: Style) -> Cow<'t, str> {
        if !text.contains(['$', '%']) {
            return Cow::Borrowed(text);
        }
        let mut done = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(['$', '%']) {
            let (before, from) = rest.split_at(at);
            done.push_str(before);
            let (value, length) = self.one(from, style);
            done.push_str(&value);
            rest = from.get(length..).unwrap_or_default();
        }
        done.push_str(rest);
        Cow::Owned(done)
    }

    /// What stands at the start of `from`, which is a `$` or `%`, and how long it is.
    fn one(&mut self, from: &str, style: Style) -> (String, usize) {
        let rest = from.get(1..).unwrap_or_default();
        if from.starts_with('%') {
            let length = match rest.chars().next() {
                Some('%') if style == Style::Systemd => return ("%".to_owned(), 2),
                Some(c) if style == Style::Systemd && c.is_ascii_alphabetic() => 2,
                _ => return ("%".to_owned(), 1),
            };
            return (marked(from.get(..length).unwrap_or_default()), length);
        }
        if rest.starts_with('$') {
            return ("$".to_owned(), 2);
        }
        let pod = matches!(style, Style::Kubernetes | Style::Template);
        let braces = !pod || (style == Style::Template && rest.starts_with('{'));
        let (open, close) = if braces { ('{', '}') } else { ('(', ')') };
        if let Some(inner) = rest.strip_prefix(open).filter(|_| self.grown < MAX_GROWN) {
            let near = inner
                .char_indices()
                .nth(LONGEST)
                .map_or(inner.len(), |(at, _)| at);
            let near = inner.get(..near).unwrap_or_default();
            let Some(end) = closing(near, open, close) else {
                // Looking for it again and again would take long.
                self.grown = self.grown.saturating_add(near.len());
                return ("$".to_owned(), 1);
            };
            let inner = inner.get(..end).unwrap_or_default();
            let length = end + 3;
            let as_it_is = from.get(..length).unwrap_or_default();
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            return match pod {
                true if braces && !inner.is_empty() && inner.chars().all(is_name) => {
                    (marked(as_it_is), length)
                }
                true if braces => ("$".to_owned(), 1),
                true if self.get(inner).is_none() && !self.open => (as_it_is.to_owned(), length),
                true => (self.value(inner), length),
                false => (self.braces(inner), length),
            };
        }
        match self.named(rest) {
            Some((value, length)) if style == Style::Compose => (value, length + 1),
            Some((value, length)) if style == Style::Systemd => (value, length + 1),
            _ => ("$".to_owned(), 1),
        }
    }
}

/// Where a bracket that is open closes.
pub(super) fn closing(text: &str, open: char, close: char) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        if c == close {
            match depth.checked_sub(1) {
                None => return Some(at),
                Some(less) => depth = less,
            }
        } else if c == open {
            depth += 1;
        }
    }
    None
}

/// How a text shows that it is not known here.
pub(super) fn marked(shown: &str) -> String {
    format!("{MARK}{shown}{MARK}")
}

/// The first unknown part of a word, as it was written.
pub(super) fn unknown(word: &str) -> Option<&str> {
    word.split(MARK).nth(1)
}
