//! Scenarios beside the one of a link: `a.key=value` for each part in which the first one differs, `a.-key` for a part
//! that it does not have, `b.` for the second.
use super::LINK_LIMIT;

/// One for each.
const LETTERS: [&str; 2] = ["a.", "b."];

/// The link of `fragment` with others beside it; without them where it would be too long.
pub fn with_pins(fragment: &str, pins: &[String]) -> String {
    let mut out = fragment.to_owned();
    let here: Vec<&str> = fragment.split('&').collect();
    for (letter, pin) in LETTERS.iter().zip(pins) {
        let there: Vec<&str> = pin.split('&').collect();
        let more = there.iter().filter(|part| !here.contains(part));
        let mut over: Vec<String> = more.map(|part| (*part).to_owned()).collect();
        let gone = here
            .iter()
            .map(|part| key(part))
            .filter(|name| there.iter().all(|part| key(part) != *name));
        over.extend(gone.map(|name| format!("-{name}")));
        if over.is_empty() {
            over.push("s=1".to_owned()); // the same as here, and pinned all the same
        }
        for part in over {
            out.push('&');
            out.push_str(letter);
            out.push_str(&part);
        }
    }
    if out.len() > LINK_LIMIT {
        fragment.to_owned()
    } else {
        out
    }
}

/// The link's own fragment, and those of the scenarios beside it.
pub fn split_pins(fragment: &str) -> (String, Vec<String>) {
    let fragment = fragment.strip_prefix('#').unwrap_or(fragment);
    let parts: Vec<&str> = fragment.split('&').collect();
    let is_own = |part: &&&str| LETTERS.iter().all(|letter| !part.starts_with(letter));
    let own: Vec<&str> = parts.iter().filter(is_own).copied().collect();
    let pins = LETTERS.iter().filter_map(|letter| {
        let over: Vec<&str> = parts
            .iter()
            .filter_map(|part| part.strip_prefix(letter))
            .collect();
        (!over.is_empty()).then(|| overridden(&own, &over))
    });
    (own.join("&"), pins.collect())
}

fn overridden(own: &[&str], over: &[&str]) -> String {
    let replaced = |part: &str| {
        over.iter()
            .any(|other| key(other.strip_prefix('-').unwrap_or(other)) == key(part))
    };
    let mut parts: Vec<&str> = own.iter().filter(|part| !replaced(part)).copied().collect();
    parts.extend(over.iter().filter(|part| !part.starts_with('-')));
    parts.join("&")
}

fn key(part: &str) -> &str {
    part.split('=').next().unwrap_or_default()
}
