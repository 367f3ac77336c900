//! The only place that escapes. Whatever a person typed reaches a file through one of these functions.
//!
//! YAML's scalars are quoted in `yaml_write.rs`: whatever a reader of YAML 1.1 would take for something else (`on`, `no`,
//! `12:30`, `1e3`, `012`).
use std::{borrow::Cow, fmt::Write as _};

/// One word of a POSIX shell command. A NUL cannot be in an argument and is left out.
pub fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    // zsh expands a leading `=`, and people paste these lines there.
    if !text.is_empty() && !text.starts_with('=') && text.chars().all(plain) {
        return text.to_owned();
    }
    let body: String = text.chars().filter(|c| *c != '\0').collect();
    format!("'{}'", body.replace('\'', r"'\''"))
}

/// Text for a `#` comment: one line, and nothing that hides or reorders what a reader sees.
pub fn comment(text: &str) -> Cow<'_, str> {
    // Nearly every line is one already.
    if is_one_line(text) {
        return Cow::Borrowed(text);
    }
    let line: String = text
        .chars()
        .map(|c| if is_unsafe_in_comment(c) { ' ' } else { c })
        .collect();
    Cow::Owned(line.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Appends text as one `#` line.
pub(crate) fn push_comment(to: &mut String, text: &str) {
    to.push('#');
    let text = comment(text);
    if !text.is_empty() {
        to.push(' ');
        to.push_str(&text);
    }
    to.push('\n');
}

/// Lines of `#` comments, each already safe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comments(String);

impl Comments {
    /// One more line.
    pub fn push(&mut self, text: &str) {
        push_comment(&mut self.0, text);
    }

    /// As they stand in a file.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Nothing to replace, no space at either end and no two beside each other.
fn is_one_line(text: &str) -> bool {
    is_one_ascii_line(text)
        || !text.is_ascii()
            && !text.starts_with(' ')
            && !text.ends_with(' ')
            && !text.contains("  ")
            && text
                .chars()
                .all(|c| c == ' ' || !(c.is_whitespace() || is_unsafe_in_comment(c)))
}

/// The same for ASCII, eight bytes at a time: half of what the files hold is comments. `false` for all other texts.
fn is_one_ascii_line(text: &str) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    // The high bit of each byte that is `byte`, where all bytes are ASCII.
    let is = |word: u64, byte: u8| !((word ^ (ONES * u64::from(byte))) + (HIGH - ONES)) & HIGH;
    let (chunks, rest) = text.as_bytes().as_chunks::<8>();
    let mut last = [b'x'; 8];
    for (to, byte) in last.iter_mut().zip(rest) {
        *to = *byte;
    }
    // As if a space stood before the text.
    let mut space_before = 0x80;
    for chunk in chunks.iter().chain([&last]) {
        let word = u64::from_le_bytes(*chunk);
        if word & HIGH != 0 {
            return false;
        }
        let controls = !(word + ONES * (0x80 - 0x20)) & HIGH;
        let spaces = is(word, b' ');
        let beside = spaces & (spaces << 8 | space_before);
        if (controls | beside | is(word, 0x7F)) != 0 {
            return false;
        }
        space_before = spaces >> 56;
    }
    !text.ends_with(' ')
}

/// Control characters, line breaks of any standard, bidirectional overrides, and what YAML does not print.
fn is_unsafe_in_comment(c: char) -> bool {
    c.is_control()
        || matches!(
            u32::from(c),
            0x2028..=0x202E | 0x2066..=0x2069 | 0x200B..=0x200F | 0xFEFF | 0xFFF0..=0xFFFF
        )
}

/// A text in which Docker Compose and Kubernetes would expand `$`: there, `$$` is a dollar sign.
pub fn dollars<'a>(text: impl Into<Cow<'a, str>>) -> Cow<'a, str> {
    let text = text.into();
    if text.contains('$') {
        text.replace('$', "$$").into()
    } else {
        text
    }
}

/// A folder at its own path for `--mount`, which reads a line of CSV; `-v` cannot hold a colon.
pub fn bind(folder: &str) -> String {
    let field = |text: String| {
        if text.contains([',', '"']) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text
        }
    };
    let (source, target) = (
        field(format!("source={folder}")),
        field(format!("target={folder}")),
    );
    format!("type=bind,{source},{target},readonly")
}

/// One word of a systemd `Exec…=` line, in quotes unless it is plain (`systemd.service(5)`, "Command lines").
///
/// Specifiers (`%`) and variables (`$`) are doubled. A NUL cannot be in an argument and is left out.
pub fn systemd_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@+=:,./-".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    let mut word = "\"".to_owned();
    for c in text.chars().filter(|c| *c != '\0') {
        match c {
            '"' => word.push_str("\\\""),
            '\\' => word.push_str("\\\\"),
            '%' => word.push_str("%%"),
            '$' => word.push_str("$$"),
            '\n' => word.push_str("\\n"),
            c if c.is_ascii_control() => {
                let _ = write!(word, "\\x{:02x}", u32::from(c));
            }
            c => word.push(c),
        }
    }
    word.push('"');
    word
}

/// Whether systemd takes the text: it refuses the code points that Unicode sets apart (`basic/utf8.c: unichar_is_valid`).
pub fn systemd_takes(text: &str) -> bool {
    text.chars()
        .map(u32::from)
        .all(|c| !(0xFDD0..=0xFDEF).contains(&c) && c & 0xFFFE != 0xFFFE)
}

/// Text in Markdown that reads as it is.
pub fn markdown(text: &str) -> String {
    let text = comment(text);
    let mut out = String::with_capacity(text.len() + 8);
    for piece in text.split_inclusive(is_markdown) {
        let plain = piece.trim_end_matches(is_markdown);
        out.push_str(plain);
        if plain.len() < piece.len() {
            out.push('\\');
            out.push_str(&piece[plain.len()..]);
        }
    }
    out
}

/// A letter that means something to Markdown.
fn is_markdown(c: char) -> bool {
    matches!(
        c,
        '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '~' | '&'
    )
}

/// A code span of Markdown, in a table too, where GitHub takes `|` for the next cell even in code.
pub fn markdown_code(text: &str) -> String {
    let text = comment(text);
    if !text.contains(['`', '|']) {
        return ["`", &*text, "`"].concat();
    }
    let (mut run, mut longest) = (0_usize, 0);
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest + 1);
    let pad = if longest > 0 { " " } else { "" };
    format!("{fence}{pad}{}{pad}{fence}", text.replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_only_where_needed() {
        for (text, quoted) in [
            ("Qwen/Qwen3-8B", "Qwen/Qwen3-8B"),
            ("--max-model-len", "--max-model-len"),
            ("", "''"),
            ("a b", "'a b'"),
            ("=x", "'=x'"),
            ("~/models", "'~/models'"),
            ("it's", r"'it'\''s'"),
            ("$(id)", "'$(id)'"),
            ("a\nb", "'a\nb'"),
            ("a\0b", "'ab'"),
            ("é", "'é'"),
        ] {
            assert_eq!(shell_word(text), quoted, "{text:?}");
        }
    }

    #[test]
    fn a_comment_stays_one_line() {
        for (text, shown) in [
            ("plain", "plain"),
            ("4 × 80 GiB – é", "4 × 80 GiB – é"),
            (" two  spaces ", "two spaces"),
            ("a\u{A0}b", "a b"),
            ("a\nrm -rf /", "a rm -rf /"),
            ("a\r\u{85}\u{2028}b", "a b"),
            ("x\u{202E}y", "x y"),
            ("\0", ""),
        ] {
            assert_eq!(comment(text), shown, "{text:?}");
        }
    }

    #[test]
    fn every_place_of_a_letter_is_looked_at() {
        for length in 1..20 {
            for at in 0..length {
                for letter in ['\0', '\t', '\n', '\x1f', '\x7f', ' ', '\u{a0}', '\u{202E}'] {
                    let mut text = vec!['a'; length];
                    text[at] = letter;
                    let text: String = text.iter().collect();
                    let inside = at > 0 && at + 1 < length;
                    assert_eq!(is_one_line(&text), letter == ' ' && inside, "{text:?}");
                    assert!(is_one_line(&text.replace(letter, "é")), "{text:?}");
                    assert!(!is_one_line(&text.replace(letter, "a  b")), "{text:?}");
                    assert!(!is_one_line(&text.replace(letter, "é  b")), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn mounts_are_csv() {
        assert_eq!(bind("/a:b"), "type=bind,source=/a:b,target=/a:b,readonly");
        assert_eq!(
            bind("/a,\"b"),
            "type=bind,\"source=/a,\"\"b\",\"target=/a,\"\"b\",readonly"
        );
    }

    #[test]
    fn systemd_expands_nothing() {
        for (text, quoted) in [
            ("Qwen/Qwen3-8B", "Qwen/Qwen3-8B"),
            ("", r#""""#),
            (";", r#"";""#),
            ("a b", r#""a b""#),
            ("100%d $X", r#""100%%d $$X""#),
            (r#"{"a": 1}"#, r#""{\"a\": 1}""#),
            ("a\\n\n\t\0'", r#""a\\n\n\x09'""#),
        ] {
            assert_eq!(systemd_word(text), quoted, "{text:?}");
        }
        assert!(systemd_takes("é😀") && !systemd_takes("\u{FDD0}") && !systemd_takes("\u{1FFFE}"));
    }

    #[test]
    fn markdown_shows_the_text() {
        assert_eq!(markdown("a|b *c*\n# d"), r"a\|b \*c\* \# d");
        assert_eq!(markdown_code("a|b"), r"`a\|b`");
        assert_eq!(markdown_code("a`b"), "`` a`b ``");
    }

    #[test]
    fn dollars_are_doubled() {
        assert_eq!(dollars("a$b$(C)"), "a$$b$$(C)");
    }
}
