//! Cuts shell, YAML and JSON into coloured pieces. Only looks: the pieces joined are the text, whatever it is.

/// What a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// Anything else.
    Plain,
    /// From `#` to the end of the line.
    Comment,
    /// Quoted.
    Text,
    /// Before a colon.
    Key,
    /// `--like-this`.
    Flag,
    /// A number, `true`, `false` or `null`.
    Value,
}

impl Token {
    /// Its CSS class.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Comment => "tok-comment",
            Self::Text => "tok-text",
            Self::Key => "tok-key",
            Self::Flag => "tok-flag",
            Self::Value => "tok-value",
        }
    }
}

/// Which rules apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// `.sh`
    Shell,
    /// `.yaml`
    Yaml,
    /// `.json`
    Json,
}

impl Language {
    /// By the file's name.
    pub(crate) fn of(path: &str) -> Self {
        match path.rsplit('.').next() {
            Some("yaml" | "yml") => Self::Yaml,
            Some("json") => Self::Json,
            _ => Self::Shell,
        }
    }
}

/// Pieces of `text`, neighbours of one kind joined.
pub(crate) fn tokenize(language: Language, text: &str) -> Vec<(Token, &str)> {
    let mut pieces = Pieces {
        text,
        done: 0,
        out: Vec::new(),
    };
    let mut rest = text;
    let mut before = '\n';
    while let Some(first) = rest.chars().next() {
        let (token, length) = next(language, rest, first, before);
        let (piece, after) = rest.split_at(length);
        pieces.push(token, piece.len());
        before = piece.chars().next_back().unwrap_or('\n');
        rest = after;
    }
    pieces.out
}

struct Pieces<'a> {
    text: &'a str,
    done: usize,
    out: Vec<(Token, &'a str)>,
}

impl Pieces<'_> {
    fn push(&mut self, token: Token, length: usize) {
        let end = self.done + length;
        match self.out.last_mut() {
            Some((last, piece)) if *last == token => {
                *piece = self.text.get(self.done - piece.len()..end).unwrap_or(piece);
            }
            _ => self
                .out
                .push((token, self.text.get(self.done..end).unwrap_or_default())),
        }
        self.done = end;
    }
}

/// The kind and the length in bytes of the piece that `rest` begins with.
fn next(language: Language, rest: &str, first: char, before: char) -> (Token, usize) {
    let apart = before.is_whitespace();
    match first {
        '#' if language != Language::Json && apart => (Token::Comment, up_to(rest, |c| c == '\n')),
        '"' | '\'' => {
            let length = quoted(language, rest, first);
            let colon = rest.get(length..).is_some_and(|after| after.starts_with(':'));
            (
                if colon && language != Language::Shell {
                    Token::Key
                } else {
                    Token::Text
                },
                length,
            )
        }
        '-' if apart && rest.starts_with("--") => (
            Token::Flag,
            up_to(rest, |c| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')),
        ),
        c if word_part(c) => word(language, rest, before),
        c => (Token::Plain, c.len_utf8()),
    }
}

const fn word_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | '-' | '@')
}

fn word(language: Language, rest: &str, before: char) -> (Token, usize) {
    let length = up_to(rest, |c| !word_part(c));
    let (word, after) = rest.split_at(length);
    let mut end = after.chars();
    let colon = end.next() == Some(':') && end.next().is_none_or(char::is_whitespace);
    let number =
        word.chars().all(|c| c.is_ascii_digit() || c == '.') && word.contains(|c: char| c.is_ascii_digit());
    let ends = after
        .chars()
        .next()
        .is_none_or(|c| c.is_whitespace() || matches!(c, ',' | ']' | '}'));
    let begins = before.is_whitespace() || matches!(before, '[' | ':' | '{' | ',');
    let token = match language {
        Language::Yaml if colon => Token::Key,
        _ if begins && ends && (number || matches!(word, "true" | "false" | "null")) => Token::Value,
        _ => Token::Plain,
    };
    (token, length)
}

/// A quoted text with its quotes; to the end of the line where the closing one is missing.
fn quoted(language: Language, rest: &str, quote: char) -> usize {
    let escapes = quote == '"' || language == Language::Json;
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '\n' if language != Language::Shell => return at,
            _ if escaped => escaped = false,
            '\\' if escapes => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

fn up_to(rest: &str, ends: impl Fn(char) -> bool) -> usize {
    rest.find(ends).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use Token::{Comment, Flag, Key, Plain, Text, Value};

    #[track_caller]
    fn case(language: Language, text: &str, expected: &[(Token, &str)]) {
        assert_eq!(tokenize(language, text), expected);
    }

    #[test]
    fn shell() {
        case(
            Language::Shell,
            "# note\nvllm serve 'a b' \\\n  --max-model-len 32768",
            &[
                (Comment, "# note"),
                (Plain, "\nvllm serve "),
                (Text, "'a b'"),
                (Plain, " \\\n  "),
                (Flag, "--max-model-len"),
                (Plain, " "),
                (Value, "32768"),
            ],
        );
        // A hash inside a word is no comment, and a quoted text may span lines.
        case(
            Language::Shell,
            "a#b 'x\ny'",
            &[(Plain, "a#b "), (Text, "'x\ny'")],
        );
    }

    #[test]
    fn yaml() {
        case(
            Language::Yaml,
            "image: vllm/vllm-openai:v0.33.0\n\"on\": true # yes\nn: [1, x]",
            &[
                (Key, "image"),
                (Plain, ": vllm/vllm-openai:v0.33.0\n"),
                (Key, "\"on\""),
                (Plain, ": "),
                (Value, "true"),
                (Plain, " "),
                (Comment, "# yes"),
                (Plain, "\n"),
                (Key, "n"),
                (Plain, ": ["),
                (Value, "1"),
                (Plain, ", x]"),
            ],
        );
    }

    #[test]
    fn json() {
        case(
            Language::Json,
            r##"{"a": "b\"#", "c": null}"##,
            &[
                (Plain, "{"),
                (Key, "\"a\""),
                (Plain, ": "),
                (Text, r##""b\"#""##),
                (Plain, ", "),
                (Key, "\"c\""),
                (Plain, ": "),
                (Value, "null"),
                (Plain, "}"),
            ],
        );
    }

    #[test]
    fn the_pieces_are_the_text() {
        for text in [
            "",
            "'",
            "\"\\",
            "--",
            "é: ü # ß\n\u{1f600}",
            "a:\r\n\t- b",
            "{\"x\": \"unterminated\n}",
        ] {
            for language in [Language::Shell, Language::Yaml, Language::Json] {
                let joined: String = tokenize(language, text).iter().map(|(_, piece)| *piece).collect();
                assert_eq!(joined, text);
            }
        }
    }
}
