//! Words for messages: what somebody typed, cut short, and what they may have meant.

/// At most 60 characters of what somebody typed.
pub(crate) fn short(text: &str) -> String {
    let mut short: String = text.chars().filter(|c| !c.is_control()).take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// Up to three names that somebody may have meant, the likeliest first.
pub(crate) fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let name: Vec<char> = name.chars().take(60).collect();
    let limit = (name.len() / 3).max(2);
    let near: Vec<(usize, &str)> = names
        .into_iter()
        .map(|other| (distance(&name, other), other))
        .filter(|(distance, _)| *distance <= limit)
        .collect();
    // Few, and each sort is 3 kB for the page.
    let at = |wanted| near.iter().filter(move |(distance, _)| *distance == wanted);
    (0..=limit)
        .flat_map(at)
        .take(3)
        .map(|(_, other)| *other)
        .collect()
}

/// Insertions, deletions and replacements between two words.
fn distance(a: &[char], b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for ((y, corner), above) in b.iter().zip(&row).zip(row.iter().skip(1)) {
            let left = next.last().copied().unwrap_or(i);
            next.push((above.min(&left) + 1).min(corner + usize::from(x != y)));
        }
        row = next;
    }
    row.last().copied().unwrap_or(a.len())
}

/// Thousandths as a decimal number without trailing zeros.
pub(crate) fn milli_text(milli: u64) -> String {
    let text = format!("{}.{:03}", milli / 1000, milli % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Counts with commas.
pub(crate) fn commas(counts: &[u32]) -> String {
    let words: Vec<String> = counts.iter().map(u32::to_string).collect();
    words.join(",")
}
