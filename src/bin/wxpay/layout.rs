//! Tables in help texts, which fit [`WIDTH`] columns.

/// The width of every help text.
pub(crate) const WIDTH: usize = 100;

/// Rows of cells, indented by two. Every column but the last is as wide as its longest cell; the last one is wrapped.
pub(crate) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let Some(last) = N.checked_sub(1) else { return String::new() };
    let widths: Vec<_> = (0..last).map(width).collect();
    let indent = 2 + widths.iter().map(|width| width + 2).sum::<usize>();
    let mut lines = Vec::new();
    for row in rows {
        let mut line = "  ".to_owned();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{cell:width$}  "));
        }
        for part in wrapped(&row[last], WIDTH.saturating_sub(indent)) {
            line.push_str(&part);
            lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
        }
    }
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}

/// A text, wrapped.
pub(crate) fn paragraph(text: &str) -> String {
    wrapped(text, WIDTH).join("\n")
}

/// Lines of at most `width` characters, broken between words; at least one.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { break };
        let length = line.chars().count();
        if length > 0 && length + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if length > 0 {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_column_is_wrapped() {
        let row = |a: &str, b: String| [a.to_owned(), b];
        let text = table(&[row("a", "x".into()), row("long", "word ".repeat(20).trim_end().to_owned())]);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "  a     x");
        assert_eq!(lines[1].len(), 97);
        assert_eq!(lines[2..], ["        word word"]);
    }
}
