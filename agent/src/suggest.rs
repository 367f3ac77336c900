//! Nearest names for one that is not known.

/// At most this many.
const MOST: usize = 3;
/// Below this likeness a name is no help.
const LIKE: f64 = 0.72;

/// The names most like `wanted`, the likest first.
pub(crate) fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = plain(wanted);
    let mut scored: Vec<(f64, &str)> = names
        .map(|name| (likeness(&wanted, &plain(name)), name))
        .filter(|(score, _)| *score >= LIKE)
        .collect();
    planner::order::sort(&mut scored, |a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.dedup_by(|a, b| a.1 == b.1);
    scored.into_iter().take(MOST).map(|(_, name)| name).collect()
}

/// "did you mean `a`, `b` or `c`?", or nothing.
pub(crate) fn did_you_mean(names: &[&str]) -> Option<String> {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let (last, rest) = quoted.split_last()?;
    Some(if rest.is_empty() {
        format!("Did you mean {last}?")
    } else {
        format!("Did you mean {} or {last}?", rest.join(", "))
    })
}

/// Of the whole without blanks, and of the words: `h100` should find `h100 sxm` before `a100 sxm4`.
fn likeness(wanted: &str, name: &str) -> f64 {
    let whole = strsim::jaro_winkler(&wanted.replace(' ', ""), &name.replace(' ', ""));
    let (mut weights, mut sum) = (0.0, 0.0);
    for word in wanted.split(' ') {
        // Words with digits are models and sizes, and count more.
        let number = word.chars().any(|c| c.is_ascii_digit());
        let weight = if number { 3.0 } else { 1.0 };
        let best = name
            .split(' ')
            .map(|other| word_likeness(word, other, number))
            .fold(0.0, f64::max);
        weights += weight;
        sum += weight * best;
    }
    whole * 0.6 + sum / f64::max(weights, 1.0) * 0.4
}

/// A number is another one where a digit differs: 4090 is not nearly 3090.
fn word_likeness(wanted: &str, word: &str, number: bool) -> f64 {
    if !number || wanted == word {
        strsim::jaro_winkler(wanted, word)
    } else if word.len() > 1 && (wanted.starts_with(word) || word.starts_with(wanted)) {
        0.8
    } else {
        0.0
    }
}

/// Lower case, every other sign a blank, no maker's name.
fn plain(name: &str) -> String {
    let lower: String = name
        .to_ascii_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { ' ' })
        .collect();
    let words: Vec<&str> = lower
        .split_whitespace()
        .filter(|word| *word != "nvidia")
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(wanted: &str, first: &str) {
        let names = planner::gpu::gpus().iter().map(|gpu| gpu.name.as_str());
        assert_eq!(nearest(wanted, names).first(), Some(&first), "{wanted}");
    }

    #[test]
    fn finds_the_gpu_that_was_meant() {
        case("H100-SXM5", "H100 SXM");
        case("NVIDIA H200 SXM5", "H200 SXM");
        case("RTX 4090 Ti", "RTX 4090");
        case("H100X", "H100 SXM");
        case("l4s", "L4");
        case("a100 80gb", "A100 PCIe 80GB");
    }

    #[test]
    fn has_nothing_for_nonsense() {
        let names = planner::gpu::gpus().iter().map(|gpu| gpu.name.as_str());
        assert!(nearest("toaster", names).is_empty());
    }

    #[test]
    fn reads_as_a_question() {
        assert_eq!(did_you_mean(&[]), None);
        assert_eq!(
            did_you_mean(&["a", "b", "c"]).as_deref(),
            Some("Did you mean `a`, `b` or `c`?")
        );
    }
}
