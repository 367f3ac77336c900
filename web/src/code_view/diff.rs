//! Which lines of a text are new, and which are gone.

/// More lines than this differ as a block: a comparison of each with each would take too long to type against.
const MOST: usize = 400;

/// The difference to an older text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// For each line of the new text, whether it is new.
    pub(crate) added: Vec<bool>,
    /// Lines that are gone, and the line of the new text before which they stood.
    pub(crate) removed: Vec<(usize, String)>,
}

/// Compares line by line.
pub(crate) fn diff(old: &str, new: &str) -> Marks {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - head;
    let tail = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take(rest)
        .take_while(|(a, b)| a == b)
        .count();
    let mut marks = Marks {
        added: vec![false; new.len()],
        removed: Vec::new(),
    };
    let gone = old.get(head..old.len() - tail).unwrap_or_default();
    let come = new.get(head..new.len() - tail).unwrap_or_default();
    let kept = if gone.len() > MOST || come.len() > MOST {
        Vec::new()
    } else {
        common(gone, come)
    };
    let (mut at, mut line) = (0, 0);
    for (old_at, new_at) in kept.into_iter().chain([(gone.len(), come.len())]) {
        for text in gone.get(at..old_at).unwrap_or_default() {
            marks.removed.push((head + line, (*text).to_owned()));
        }
        for added in marks.added.iter_mut().skip(head + line).take(new_at - line) {
            *added = true;
        }
        (at, line) = (old_at + 1, new_at + 1);
    }
    marks
}

/// The longest common subsequence, as places in both.
fn common(old: &[&str], new: &[&str]) -> Vec<(usize, usize)> {
    let width = new.len() + 1;
    let mut lengths = vec![0_u32; (old.len() + 1) * width];
    let get = |lengths: &[u32], i: usize, j: usize| lengths.get(i * width + j).copied().unwrap_or(0);
    for (i, a) in old.iter().enumerate().rev() {
        for (j, b) in new.iter().enumerate().rev() {
            let length = if a == b {
                get(&lengths, i + 1, j + 1) + 1
            } else {
                get(&lengths, i + 1, j).max(get(&lengths, i, j + 1))
            };
            if let Some(place) = lengths.get_mut(i * width + j) {
                *place = length;
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut pairs = Vec::new();
    while let (Some(a), Some(b)) = (old.get(i), new.get(j)) {
        if a == b {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if get(&lengths, i + 1, j) >= get(&lengths, i, j + 1) {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(old: &str, new: &str, added: &[usize], removed: &[(usize, &str)]) {
        let marks = diff(old, new);
        let got: Vec<usize> = (0..marks.added.len()).filter(|at| marks.added[*at]).collect();
        assert_eq!(got, added, "added");
        let got: Vec<(usize, &str)> = marks
            .removed
            .iter()
            .map(|(at, text)| (*at, text.as_str()))
            .collect();
        assert_eq!(got, removed, "removed");
    }

    #[test]
    fn lines_that_come_and_go_are_marked() {
        case("a\nb\nc", "a\nb\nc", &[], &[]);
        case("a\nb\nc", "a\nx\nc", &[1], &[(1, "b")]);
        case("a\nc", "a\nb\nc", &[1], &[]);
        case("a\nb\nc", "a\nc", &[], &[(1, "b")]);
        case("a\nb", "b\na", &[1], &[(0, "a")]);
        case("", "a\nb", &[0, 1], &[]);
        case("a\na", "a", &[], &[(1, "a")]);
        case(
            "a\nb\nc\nd\ne",
            "x\nb\nc\ny\ne\nf",
            &[0, 3, 5],
            &[(0, "a"), (3, "d")],
        );
    }

    #[test]
    fn long_differences_are_one_block() {
        let text = |word: &str| {
            let lines: Vec<String> = (0..500).map(|n| format!("{word}{n}")).collect();
            lines.join("\n")
        };
        let marks = diff(&format!("head\n{}", text("a")), &format!("head\n{}", text("b")));
        assert!(!marks.added[0] && marks.added[1..].iter().all(|added| *added));
        assert_eq!(marks.removed.len(), 500);
    }
}
