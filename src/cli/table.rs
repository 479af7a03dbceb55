//! Columns that line up: two blanks between them, numbers to the right, no lines.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

/// To which side the cells of a column lean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A table of `N` columns, each as wide as its widest cell.
#[derive(Debug)]
pub(super) struct Table<const N: usize> {
    sides: [Side; N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    /// Makes a table of nothing but its heads.
    pub(super) fn new(columns: [(&str, Side); N]) -> Self {
        Self {
            sides: columns.map(|(_, side)| side),
            rows: vec![columns.map(|(head, _)| head.to_owned())],
        }
    }

    /// Adds a row; what would steer a terminal is shown as [`plain`] shows it.
    pub(super) fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells.map(|cell| match plain(&cell) {
            Cow::Borrowed(_) => cell,
            Cow::Owned(plain) => plain,
        }));
    }
}

impl<const N: usize> fmt::Display for Table<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut widths = [0; N];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = columns(cell).max(*width);
            }
        }
        for row in &self.rows {
            let mut line = String::new();
            for ((cell, width), side) in row.iter().zip(widths).zip(self.sides) {
                let blanks = " ".repeat(width.saturating_sub(columns(cell)));
                let (before, behind) = match side {
                    Side::Left => ("", blanks.as_str()),
                    Side::Right => (blanks.as_str(), ""),
                };
                write!(line, "{before}{cell}{behind}  ")?;
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// Writes text so that it steers no terminal: control characters, and those that turn the direction
/// of writing, as Rust escapes them.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    let steers = |it: char| {
        it.is_control() || matches!(it, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    for it in text.chars() {
        if steers(it) {
            plain.extend(it.escape_debug());
        } else {
            plain.push(it);
        }
    }
    Cow::Owned(plain)
}

/// Returns how many columns of a terminal text takes, roughly: marks take none, East Asian letters and
/// pictures two.
///
/// *Source*: UAX #11, by blocks and not by letters.
fn columns(text: &str) -> usize {
    let of = |it: char| match u32::from(it) {
        0x0300..=0x036f | 0x200b..=0x200f | 0x20d0..=0x20ff | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f
        | 0x2e80..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x1f680..=0x1f6ff
        | 0x1f900..=0x1faff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    };
    text.chars().map(of).sum()
}

/// Writes a value, or a dash where there is none.
pub(super) fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_steer_the_terminal() {
        let mut table = Table::new([("group", Side::Left), ("state", Side::Left)]);
        table.row(["a\u{1b}[2J\nb\u{9b}".to_owned(), "Empty".to_owned()]);
        table.row(["\"größer\"".to_owned(), "\u{202e}Empty".to_owned()]);
        let want = "group                state\n\
                    a\\u{1b}[2J\\nb\\u{9b}  Empty\n\
                    \"größer\"             \\u{202e}Empty\n";
        assert_eq!(table.to_string(), want);
    }

    #[test]
    fn what_stands_wide_is_counted_wide() {
        let mut table = Table::new([("group", Side::Left), ("lag", Side::Right)]);
        table.row(["読者".to_owned(), "1".to_owned()]);
        table.row(["e\u{301}te\u{301}s".to_owned(), "2".to_owned()]);
        let want = "group  lag\n\
                    読者     1\n\
                    e\u{301}te\u{301}s     2\n";
        assert_eq!(table.to_string(), want);
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new([("topic", Side::Left), ("lag", Side::Right)]);
        table.row(["t".to_owned(), "12345".to_owned()]);
        table.row(["größer".to_owned(), or_dash(None::<i64>)]);
        let want = "topic     lag\n\
                    t       12345\n\
                    größer      -\n";
        assert_eq!(table.to_string(), want);
    }
}
