//! All that the program prints: results to stdout, remarks to stderr.

use std::fmt;
use std::io::{self, IsTerminal, Write};

use anyhow::{Context, Result};

/// A mistake in what the user typed or configured: exit status 2.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// A [`Usage`] error with this text.
pub(crate) fn wrong_use(text: impl Into<String>) -> anyhow::Error {
    Usage(text.into()).into()
}

/// Prints a line to stdout at once.
pub(crate) fn line(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}")
        .and_then(|()| stdout.flush())
        .context("cannot write to stdout")
}

/// Prints a remark to stderr. A stderr that is gone is no reason to fail.
pub(crate) fn note(text: &str) {
    drop(writeln!(io::stderr().lock(), "{text}"));
}

/// Whether a person reads stdout.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether a person reads stderr.
pub(crate) fn is_stderr_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Prints why the program fails, and says with which exit status: 2 for wrong use, else 1.
/// Nobody reading stdout any more (`convlog export | head`) is no failure.
pub(crate) fn exit_status(error: &anyhow::Error) -> u8 {
    let is_gone = |cause: &(dyn std::error::Error + 'static)| {
        let io_error = cause.downcast_ref::<io::Error>();
        io_error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    if error.to_string() == "cannot write to stdout" && error.chain().any(is_gone) {
        return 0;
    }
    note(&format!("error: {error:#}"));
    match error.downcast_ref::<Usage>() {
        Some(_) => 2,
        None => 1,
    }
}

/// Rows as a table: columns as wide as their widest cell, two spaces between them.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let n_chars = |text: &str| text.chars().count();
    let mut widths: Vec<usize> = header.iter().map(|cell| n_chars(cell)).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(n_chars(cell));
        }
    }
    let render = |cells: Vec<&str>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| {
            let padding = " ".repeat(width.saturating_sub(n_chars(cell)));
            format!("{cell}{padding}")
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let head = render(header.to_vec());
    let body = rows
        .iter()
        .map(|row| render(row.iter().map(String::as_str).collect()));
    [head]
        .into_iter()
        .chain(body)
        .collect::<Vec<_>>()
        .join("\n")
}

/// A text on one line of a terminal: control characters become spaces, at most `chars_max`
/// characters.
pub(crate) fn cell(text: &str, chars_max: usize) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let mut shown: String = text.chars().map(clean).take(chars_max).collect();
    if text.chars().nth(chars_max).is_some() {
        shown.pop();
        shown.push('…');
    }
    shown
}

/// `1 234 567`: digits in groups, for people.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let n_digits = digits.len();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (n_digits - i).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [
            vec!["a".to_owned(), "two".to_owned()],
            vec!["längst".to_owned(), String::new()],
        ];
        let expected = "x       y\na       two\nlängst";
        assert_eq!(table(&["x", "y"], &rows), expected);
    }

    #[test]
    fn a_cell_has_one_line_and_a_maximum() {
        assert_eq!(cell("a\nb\u{1b}[31m", 20), "a b [31m");
        assert_eq!(cell("abcdef", 4), "abc…");
        assert_eq!(cell("abcd", 4), "abcd");
    }

    #[test]
    fn digits_are_grouped() {
        let texts = [0, 999, 1000, 1_234_567].map(grouped);
        assert_eq!(texts, ["0", "999", "1 000", "1 234 567"]);
    }

    #[test]
    fn wrong_use_is_2_and_failure_is_1() {
        assert_eq!(exit_status(&wrong_use("no such key").context("reading")), 2);
        assert_eq!(exit_status(&anyhow::anyhow!("no server")), 1);
    }
}
