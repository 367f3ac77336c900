//! Tables for the terminal: columns as wide as they need to be, the widest ones broken at blanks where the line is full.

/// Between two columns.
const GAP: usize = 2;
/// No column is made narrower.
const NARROWEST: usize = 8;

/// Rows of cells.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    width: usize,
    rows: Vec<Vec<String>>,
    right: Vec<usize>,
}

impl Table {
    /// An empty one for lines of that width.
    pub(crate) fn new(width: usize) -> Self {
        Self {
            width,
            ..Self::default()
        }
    }

    /// Adds a row.
    pub(crate) fn add_row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// Aligns these columns to the right.
    pub(crate) fn align_right(&mut self, columns: &[usize]) {
        self.right.extend_from_slice(columns);
    }

    /// The table's lines, without blanks at their ends.
    pub(crate) fn text(&self) -> String {
        let widths = self.widths();
        let lines: Vec<String> = self.rows.iter().flat_map(|row| self.row(row, &widths)).collect();
        lines.join("\n")
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let natural = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| length(cell)).max().unwrap_or(0)
        };
        let mut widths: Vec<usize> = (0..columns).map(natural).collect();
        loop {
            let excess = (widths.iter().sum::<usize>() + GAP * columns).saturating_sub(self.width + 1);
            let Some(widest) = widths.iter_mut().max() else {
                return widths;
            };
            if excess == 0 || *widest <= NARROWEST {
                return widths;
            }
            *widest -= 1;
        }
    }

    /// As many lines as its highest cell has.
    fn row(&self, row: &[String], widths: &[usize]) -> Vec<String> {
        let cells: Vec<Vec<String>> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| wrapped(cell, *width))
            .collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        (0..height)
            .map(|line| {
                let mut text = String::new();
                for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
                    let part = cell.get(line).map_or("", String::as_str);
                    let blanks = " ".repeat(width.saturating_sub(length(part)));
                    text.push_str(if column == 0 { " " } else { "  " });
                    if self.right.contains(&column) {
                        text.push_str(&blanks);
                        text.push_str(part);
                    } else {
                        text.push_str(part);
                        text.push_str(&blanks);
                    }
                }
                text.truncate(text.trim_end().len());
                text
            })
            .collect()
    }
}

fn length(text: &str) -> usize {
    text.chars().count()
}

/// Broken at blanks; a word that is too long is broken anywhere. Blanks at the start stay: they indent.
fn wrapped(cell: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let indent = length(cell) - length(cell.trim_start());
    let start = " ".repeat(indent);
    for word in cell.split_whitespace() {
        let mut rest: Vec<char> = word.chars().collect();
        let line = lines.last_mut().map_or(0, |line| length(line));
        if line > 0 && line + 1 + rest.len() > width {
            lines.push(String::new());
        }
        while !rest.is_empty() {
            let Some(line) = lines.last_mut() else { break };
            if line.is_empty() {
                line.push_str(&start);
            } else if length(line) > indent {
                line.push(' ');
            }
            let room = width.saturating_sub(length(line)).max(1);
            let later = rest.split_off(room.min(rest.len()));
            line.extend(rest);
            rest = later;
            if !rest.is_empty() {
                lines.push(String::new());
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(width: usize, rows: &[&[&str]]) -> Table {
        let mut table = Table::new(width);
        for row in rows {
            table.add_row(row.iter().copied());
        }
        table
    }

    #[test]
    fn columns_stand_under_each_other() {
        let mut table = table(80, &[&["a", "1", "x"], &["long", "100", ""]]);
        table.align_right(&[1]);
        assert_eq!(table.text(), " a       1  x\n long  100");
    }

    #[test]
    fn the_widest_column_is_broken_where_the_line_is_full() {
        let text = table(30, &[&["--flag", "four words in a sentence that is long", "end"]]).text();
        for line in text.lines() {
            assert!(length(line) <= 30, "{line:?}");
        }
        assert_eq!(
            text,
            " --flag  four words in a   end\n         sentence that is\n         long"
        );
    }

    #[test]
    fn words_that_fit_nowhere_are_broken_and_indents_kept() {
        assert_eq!(wrapped(" abcdefgh", 5), [" abcd", " efgh"]);
        assert_eq!(wrapped("a b", 1), ["a", "b"]);
        assert_eq!(wrapped("", 5), [""]);
        assert_eq!(Table::new(10).text(), "");
    }
}
