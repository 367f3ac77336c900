//! The regular expressions of a checkpoint's ignore list, as Python's `re.match` reads them.
//!
//! Names of modules are short and the answer is yes or no, so all ways through a pattern are followed at once and the time
//! is linear in both. Refused: looking around, references, flags. A test holds it against the crate regex-lite, which would
//! be 14 kB of the page.
use std::str::Chars;

/// The most steps of a pattern, its counted repetitions written out.
const MAX_STEPS: usize = 4000;
/// The deepest nesting.
const MAX_DEPTH: usize = 32;

/// A pattern that has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    steps: Vec<Step>,
}

/// What is to be found next; numbers are places in the list of steps.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    One(Letters),
    At(Place),
    Either(usize, usize),
    Jump(usize),
    Found,
}

/// Some letters, or all but those.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Letters {
    ranges: Vec<(char, char)>,
    among: bool,
}

/// A place between letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Start,
    End,
    /// Where a word begins or ends, or anywhere else.
    Edge(bool),
}

const DIGITS: &[(char, char)] = &[('0', '9')];
const WORDS: &[(char, char)] = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];
const SPACES: &[(char, char)] = &[('\t', '\r'), (' ', ' ')];

impl Letters {
    fn among(ranges: &[(char, char)], among: bool) -> Self {
        Self {
            ranges: ranges.to_vec(),
            among,
        }
    }

    fn has(&self, letter: char) -> bool {
        self.ranges
            .iter()
            .any(|(from, to)| (*from..=*to).contains(&letter))
            == self.among
    }
}

impl Place {
    fn is_between(self, before: Option<char>, after: Option<char>) -> bool {
        let in_word = |letter: Option<char>| letter.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
        match self {
            Self::Start => before.is_none(),
            Self::End => after.is_none(),
            Self::Edge(edge) => (in_word(before) != in_word(after)) == edge,
        }
    }
}

impl Pattern {
    /// `None` where it is no pattern, or one that is not supported.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut reader = Reader {
            rest: text.chars(),
            depth: 0,
        };
        let node = reader.either()?;
        let mut steps = Vec::new();
        write(&node, &mut steps)?;
        steps.push(Step::Found);
        reader.rest.next().is_none().then_some(Self { steps })
    }

    /// Whether a text begins with it.
    pub(super) fn starts(&self, text: &str) -> bool {
        let (mut before, mut rest) = (None, text.chars());
        let mut now = vec![0];
        loop {
            let after = rest.clone().next();
            // Where the ways that are open lead without another letter.
            let (mut seen, mut open) = (vec![false; self.steps.len()], Vec::new());
            while let Some(at) = now.pop() {
                if std::mem::replace(&mut seen[at], true) {
                    continue;
                }
                match &self.steps[at] {
                    Step::Found => return true,
                    Step::Jump(to) => now.push(*to),
                    Step::Either(one, other) => now.extend([*one, *other]),
                    Step::At(place) if place.is_between(before, after) => now.push(at + 1),
                    Step::At(_) => {}
                    Step::One(letters) => open.push((at, letters)),
                }
            }
            let Some(letter) = rest.next() else {
                return false;
            };
            let ways = open.iter().filter(|(_, letters)| letters.has(letter));
            now.extend(ways.map(|(at, _)| at + 1));
            before = Some(letter);
        }
    }
}

enum Node {
    One(Letters),
    At(Place),
    Row(Vec<Node>),
    Either(Vec<Node>),
    Repeat(Box<Node>, u16, Option<u16>),
}

struct Reader<'a> {
    rest: Chars<'a>,
    depth: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    fn take(&mut self, text: &str) -> bool {
        let rest = self.rest.as_str().strip_prefix(text).map(str::chars);
        self.rest = rest.clone().unwrap_or_else(|| self.rest.clone());
        rest.is_some()
    }

    fn either(&mut self) -> Option<Node> {
        let mut ways = vec![self.row()?];
        while self.take("|") {
            ways.push(self.row()?);
        }
        Some(Node::Either(ways))
    }

    fn row(&mut self) -> Option<Node> {
        let mut items = Vec::new();
        while !matches!(self.peek(), None | Some('|' | ')')) {
            let item = self.item()?;
            items.push(self.repeated(item)?);
        }
        Some(Node::Row(items))
    }

    fn repeated(&mut self, item: Node) -> Option<Node> {
        let (least, most) = match self.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => {
                let (inner, _) = self.rest.as_str()[1..].split_once('}')?;
                let (least, most) = inner.split_once(',').unwrap_or((inner, inner));
                self.rest = self.rest.as_str()[1 + inner.len()..].chars();
                (
                    count(least)?,
                    if most.is_empty() { None } else { Some(count(most)?) },
                )
            }
            _ => return Some(item),
        };
        self.rest.next();
        self.take("?"); // the shorter match first, which is all the same here
        let twice = matches!(self.peek(), Some('*' | '+' | '?' | '{'));
        let fits = most.is_none_or(|most| least <= most);
        (fits && !twice).then(|| Node::Repeat(Box::new(item), least, most))
    }

    fn item(&mut self) -> Option<Node> {
        let one = |letter| Node::One(Letters::among(&[(letter, letter)], true));
        Some(match self.rest.next()? {
            '(' => {
                if self.take("?") && !self.take(":") {
                    return None;
                }
                self.depth += 1;
                let inner = (self.depth <= MAX_DEPTH).then(|| self.either())??;
                self.depth -= 1;
                return self.take(")").then_some(inner);
            }
            '[' => Node::One(self.class()?),
            '.' => Node::One(Letters::among(&[('\n', '\n')], false)),
            '^' => Node::At(Place::Start),
            '$' => Node::At(Place::End),
            '\\' => match self.rest.next()? {
                'b' => Node::At(Place::Edge(true)),
                'B' => Node::At(Place::Edge(false)),
                escaped => match group(escaped.to_ascii_lowercase()) {
                    Some(ranges) => Node::One(Letters::among(ranges, escaped.is_ascii_lowercase())),
                    None => one(literal(escaped)?),
                },
            },
            '*' | '+' | '?' | '{' => return None,
            letter => one(letter),
        })
    }

    /// Behind `[`.
    fn class(&mut self) -> Option<Letters> {
        let among = !self.take("^");
        let mut ranges = Vec::new();
        loop {
            let from = match self.rest.next()? {
                ']' if !ranges.is_empty() => return Some(Letters { ranges, among }),
                '[' => return None, // read differently by others
                '\\' => {
                    let escaped = self.rest.next()?;
                    if let Some(group) = group(escaped) {
                        ranges.extend(group);
                        continue;
                    }
                    literal(escaped)?
                }
                letter => letter,
            };
            let is_range = self.peek() == Some('-') && !self.rest.as_str().starts_with("-]");
            let to = if is_range {
                self.rest.next();
                match self.rest.next()? {
                    '\\' => {
                        let escaped = self.rest.next()?;
                        literal(escaped)?
                    }
                    letter => letter,
                }
            } else {
                from
            };
            if to < from {
                return None;
            }
            ranges.push((from, to));
        }
    }
}

fn count(digits: &str) -> Option<u16> {
    let plain = digits.bytes().all(|c| c.is_ascii_digit());
    digits.parse().ok().filter(|_| plain)
}

/// What an escaped letter stands for, where it stands for several.
fn group(escaped: char) -> Option<&'static [(char, char)]> {
    match escaped {
        'd' => Some(DIGITS),
        'w' => Some(WORDS),
        's' => Some(SPACES),
        _ => None,
    }
}

/// The same for one letter; what is not known has a meaning of its own.
fn literal(escaped: char) -> Option<char> {
    match escaped {
        't' => Some('\t'),
        'n' => Some('\n'),
        'r' => Some('\r'),
        _ => (!escaped.is_alphanumeric()).then_some(escaped),
    }
}

fn write(node: &Node, steps: &mut Vec<Step>) -> Option<()> {
    match node {
        Node::One(letters) => steps.push(Step::One(letters.clone())),
        Node::At(place) => steps.push(Step::At(*place)),
        Node::Row(items) => {
            for item in items {
                write(item, steps)?;
            }
        }
        Node::Either(ways) => {
            let (last, others) = ways.split_last()?;
            let mut ends = Vec::new();
            for way in others {
                let fork = steps.len();
                steps.push(Step::Found); // until it is known where the other way begins
                write(way, steps)?;
                ends.push(steps.len());
                steps.push(Step::Found);
                steps[fork] = Step::Either(fork + 1, steps.len());
            }
            write(last, steps)?;
            for end in ends {
                steps[end] = Step::Jump(steps.len());
            }
        }
        Node::Repeat(node, least, most) => {
            for _ in 0..*least {
                let before = steps.len();
                write(node, steps)?;
                if steps.len() == before {
                    break; // nothing, however often
                }
            }
            let mut forks = Vec::new();
            for _ in *least..most.unwrap_or(least.saturating_add(1)) {
                forks.push(steps.len());
                steps.push(Step::Found);
                write(node, steps)?;
            }
            if let (None, [fork]) = (most, &*forks) {
                steps.push(Step::Jump(*fork));
            }
            for fork in forks {
                steps[fork] = Step::Either(fork + 1, steps.len());
            }
        }
    }
    (steps.len() <= MAX_STEPS).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(pattern: &str, text: &str) -> Option<bool> {
        Pattern::read(pattern).map(|pattern| pattern.starts(text))
    }

    #[test]
    fn published_patterns_find_their_modules() {
        for (pattern, text, found) in [
            (".*lm_head", "lm_head", true),
            (r".*\.mlp\.gate$", "model.layers.3.mlp.gate", true),
            (r".*\.mlp\.gate$", "model.layers.3.mlp.gate_proj", false),
            (
                r".*mlp\.(gate|up|gate_up|down)_proj.*",
                "layers.0.mlp.gate_up_proj",
                true,
            ),
            (
                r".*mlp\.(gate|up|gate_up|down)_proj.*",
                "layers.0.mlp.side_proj",
                false,
            ),
            ("vision_tower.*", "model.vision_tower.x", false),
            ("^mtp.*", "mtp.0", true),
            (
                r"^model\.layers\.(?:1|12)\.mlp\.experts\.[0-9]+\.(?:gate_proj|up_proj)$",
                "model.layers.12.mlp.experts.107.up_proj",
                true,
            ),
            (
                r"^model\.layers\.(?:1|12)\.mlp\.experts\.[0-9]+\.(?:gate_proj|up_proj)$",
                "model.layers.13.mlp.experts.107.up_proj",
                false,
            ),
            (r".*layers\.\d{2,}\.", "layers.9.", false),
            (r".*layers\.\d{2,}\.", "layers.10.", true),
            ("", "x", true),
        ] {
            assert_eq!(starts(pattern, text), Some(found), "{pattern} {text}");
        }
    }

    #[test]
    fn what_is_no_pattern_or_not_supported_is_refused() {
        for pattern in [
            "(", ")", "a)", "[", "[]", "[b-a]", "*", "a**", "a{2,1}", "a{x}", r"\", r"\1", "(?=a)", "(?i)a",
            "(?P<n>a)", "a{5000}",
        ] {
            assert_eq!(Pattern::read(pattern), None, "{pattern}");
        }
        assert_eq!(Pattern::read(&"(".repeat(100_000)), None);
    }

    #[test]
    fn nested_repetitions_take_no_time() {
        assert_eq!(starts("(((a*)*)*)*b", &"a".repeat(5000)), Some(false));
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod against_regex_lite {
    use super::*;
    use proptest::prelude::*;

    fn patterns() -> impl Strategy<Value = String> {
        let leaf = prop::sample::select(vec![
            "a", "b", "1", ".", r"\.", r"\d", r"\w", r"\W", r"\s", r"\b", r"\B", "^", "$", "[ab]", "[^a]",
            r"[\d_.-]", "[0-9a]", "_",
        ]);
        leaf.prop_map(str::to_owned).prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(|parts| parts.concat()),
                prop::collection::vec(inner.clone(), 1..4).prop_map(|ways| format!("({})", ways.join("|"))),
                (
                    inner,
                    prop::sample::select(vec!["*", "+", "?", "{2}", "{1,}", "{0,2}", "*?"])
                )
                    .prop_map(|(inner, times)| format!("(?:{inner}){times}")),
            ]
        })
    }

    proptest! {
        #[test]
        fn both_find_the_same(pattern in patterns(), texts in prop::collection::vec("[ab1_. ]{0,8}", 8)) {
            let ours = Pattern::read(&pattern).expect("made of what is supported");
            let theirs = regex_lite::Regex::new(&format!("^(?:{pattern})")).expect("as well");
            for text in texts {
                prop_assert_eq!(ours.starts(&text), theirs.is_match(&text), "{} in {:?}", pattern, text);
            }
        }

        #[test]
        fn any_text_is_read_or_refused(pattern in r"[ab1(){}\[\]*+?|^$.,\\d-]{0,16}", text in "[ab1]{0,8}") {
            if let Some(ours) = Pattern::read(&pattern) {
                let theirs = regex_lite::Regex::new(&format!("^(?:{pattern})"));
                prop_assert!(theirs.is_ok(), "{} is read", pattern);
                prop_assert_eq!(theirs.map(|theirs| theirs.is_match(&text)).ok(), Some(ours.starts(&text)), "{}", pattern);
            }
        }
    }
}
