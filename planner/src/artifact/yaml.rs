//! A YAML document as a tree, in the order in which it is written.
use super::{
    quote::{self, Comments},
    yaml_write,
};
use std::borrow::Cow;

/// A node.
#[derive(Clone, Debug)]
pub(crate) enum Yaml<'a> {
    /// Nothing.
    Null,
    /// Quoted where a reader would take it for something else.
    Text(Cow<'a, str>),
    /// A whole number.
    Int(u64),
    /// A number as it stands, such as `0.92`.
    Number(f64),
    /// `true` or `false`.
    Bool(bool),
    /// A list.
    List(Vec<Yaml<'a>>),
    /// A map.
    Map(Vec<(Cow<'a, str>, Yaml<'a>)>),
    /// Lines of text as they stand, for a file within the file.
    Block(String),
    /// A scalar with a comment after it.
    Commented(Box<Yaml<'a>>, Cow<'a, str>),
}

impl<'a> Yaml<'a> {
    /// With a comment behind it; scalars only.
    pub(crate) fn comment(self, text: &'a str) -> Self {
        Self::Commented(Box::new(self), quote::comment(text))
    }
}

impl<'a> From<&'a str> for Yaml<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl<'a> From<Cow<'a, str>> for Yaml<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self::Text(text)
    }
}

impl From<String> for Yaml<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<u64> for Yaml<'_> {
    fn from(value: u64) -> Self {
        Self::Int(value)
    }
}

impl From<u32> for Yaml<'_> {
    fn from(value: u32) -> Self {
        Self::Int(u64::from(value))
    }
}

impl From<bool> for Yaml<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl<'a> From<Vec<Yaml<'a>>> for Yaml<'a> {
    fn from(items: Vec<Yaml<'a>>) -> Self {
        Self::List(items)
    }
}

/// A map of fixed keys.
pub(crate) fn map<'a, const N: usize>(entries: [(&'static str, Yaml<'a>); N]) -> Yaml<'a> {
    Yaml::Map(
        entries
            .into_iter()
            .map(|(key, value)| (Cow::Borrowed(key), value))
            .collect(),
    )
}

/// A list of texts.
pub(crate) fn texts<'a, T: Into<Yaml<'a>>>(items: impl IntoIterator<Item = T>) -> Yaml<'a> {
    Yaml::List(items.into_iter().map(T::into).collect())
}

/// Top-level entries, each under its own comment lines.
pub(crate) struct Document {
    text: String,
}

impl Document {
    /// Starts with comment lines.
    pub(crate) fn new(header: &Comments) -> Self {
        // Most documents take less.
        let mut text = String::with_capacity(8 << 10);
        text.push_str(header.as_str());
        Self { text }
    }

    /// A comment line.
    pub(crate) fn comment(&mut self, line: &str) {
        quote::push_comment(&mut self.text, line);
    }

    /// An empty line.
    pub(crate) fn gap(&mut self) {
        self.text.push('\n');
    }

    /// One top-level entry.
    pub(crate) fn entry<'a>(&mut self, key: &'static str, value: impl Into<Yaml<'a>>) {
        yaml_write::entry(&mut self.text, key, &value.into());
    }

    /// Text as it stands.
    pub(crate) fn text(&mut self, text: &'static str) {
        self.text.push_str(text);
    }

    /// A new document that holds one object of Kubernetes.
    pub(crate) fn object(&mut self, version: &'static str, kind: &'static str, name: &str, labels: Yaml<'_>) {
        self.text.push_str("---\n");
        self.entry("apiVersion", version);
        self.entry("kind", kind);
        self.entry("metadata", map([("name", name.into()), ("labels", labels)]));
    }

    /// The text.
    pub(crate) fn finish(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reader_could_mistake_is_quoted() {
        let mut header = Comments::default();
        header.push("two\nlines");
        let mut document = Document::new(&header);
        let words = [
            "on", "no", "12:30", "1e3", "012", "- a", "a\nb", "{{ x }}", "a: b # c",
        ];
        document.entry("words", texts(words));
        document.entry("size", Yaml::Int(3).comment("three"));
        assert_eq!(
            document.finish(),
            "# two lines\nwords:\n  - \"on\"\n  - \"no\"\n  - \"12:30\"\n  - \"1e3\"\n  - \"012\"\n  - \"- a\"\n  - \"a\\nb\"\n  - \"{{ x }}\"\n  - \"a: b # c\"\nsize: 3 # three\n"
        );
    }
}
