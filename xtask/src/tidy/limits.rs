//! How long a file and a function may be, and that each file says what it is for.

use super::Complaint;
use super::source::Source;

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;

/// Files that are over the limit, with the length they may not grow beyond. Meant to stay empty.
pub(super) const LONG_FILES: &[(&str, usize)] = &[];

/// Functions (`path`, `name`) that are over the limit, with the length they may not grow beyond.
/// Meant to stay empty.
pub(super) const LONG_FUNCTIONS: &[(&str, &str, usize)] = &[];

/// Product lines of a file against the limit, or against its entry in the list of offenders.
pub(super) fn file_length(source: &Source, listed: &[(&str, usize)]) -> Option<Complaint> {
    let n_lines = source.product_lines().count();
    let entry = listed.iter().find(|(path, _)| *path == source.path);
    let text = match entry {
        None if n_lines > FILE_LINES_MAX => {
            format!("{n_lines} lines without tests, at most {FILE_LINES_MAX}: split the file")
        }
        Some((_, max)) if n_lines > *max => {
            format!("{n_lines} lines, more than the {max} of its entry in LONG_FILES")
        }
        Some(_) if n_lines <= FILE_LINES_MAX => {
            "keeps the limit now: remove its entry from LONG_FILES".to_owned()
        }
        _ => return None,
    };
    Some(Complaint::at(&source.path, 1, text))
}

/// Product functions of a file against the limit, or against the list of offenders.
pub(super) fn function_lengths(source: &Source, listed: &[(&str, &str, usize)]) -> Vec<Complaint> {
    let functions = functions(&source.product_code());
    let too_long = functions
        .iter()
        .filter(|function| function.n_lines > FUNCTION_LINES_MAX);
    let entry_of = |name: &str| {
        listed
            .iter()
            .find(|(path, entry, _)| *path == source.path && *entry == name)
    };
    let mut complaints = Vec::new();
    for Function {
        name,
        line,
        n_lines,
    } in too_long.clone()
    {
        let text = match entry_of(name) {
            None => format!("`{name}` has {n_lines} lines, at most {FUNCTION_LINES_MAX}: split it"),
            Some((_, _, max)) if n_lines > max => {
                format!("`{name}` has {n_lines} lines, more than its entry in LONG_FUNCTIONS")
            }
            Some(_) => continue,
        };
        complaints.push(Complaint::at(&source.path, *line, text));
    }
    let entries = listed.iter().filter(|(path, _, _)| *path == source.path);
    for (_, name, _) in entries {
        if !too_long.clone().any(|function| function.name == *name) {
            let text = format!("`{name}` is not over the limit: remove it from LONG_FUNCTIONS");
            complaints.push(Complaint::at(&source.path, 1, text));
        }
    }
    complaints
}

/// Each Rust file opens with a `//!` sentence.
pub(super) fn module_doc(source: &Source) -> Option<Complaint> {
    let first = source.text.lines().next().unwrap_or_default();
    let says = first
        .strip_prefix("//!")
        .is_some_and(|doc| doc.trim().len() > 3);
    let text = "the first line has to say what the file is for: `//! …`";
    (!says).then(|| Complaint::at(&source.path, 1, text.to_owned()))
}

struct Function {
    name: String,
    line: usize,
    n_lines: usize,
}

/// Functions with a body. The code is formatted, so a body ends at the indentation of its `fn`.
fn functions(code: &str) -> Vec<Function> {
    let lines: Vec<&str> = code.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else {
            continue;
        };
        let n_lines = body_end(&lines, start).map(|end| end + 1 - start);
        if let Some(n_lines) = n_lines {
            found.push(Function {
                name,
                line: start + 1,
                n_lines,
            });
        }
    }
    found
}

fn function_name(line: &str) -> Option<String> {
    let (before, after) = line.split_once("fn ")?;
    let is_modifier = |word: &str| {
        word.starts_with("pub")
            || ["async", "const", "unsafe", "extern", "in", "default"].contains(&word)
            || word.ends_with(')')
    };
    let name: String = after
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    (before.split_whitespace().all(is_modifier) && !name.is_empty()).then_some(name)
}

fn body_end(lines: &[&str], start: usize) -> Option<usize> {
    let indent_of = |line: &str| line.len() - line.trim_start().len();
    let indent = indent_of(lines.get(start)?);
    let mut is_open = false;
    for (at, line) in lines.iter().enumerate().skip(start) {
        let trimmed = line.trim();
        if trimmed.is_empty() || indent_of(line) != indent {
            continue;
        }
        if is_open && trimmed.starts_with('}') {
            return Some(at);
        }
        if !is_open && trimmed.ends_with(';') {
            return None;
        }
        if !is_open && trimmed.ends_with('}') {
            return Some(at);
        }
        is_open |= trimmed.ends_with('{');
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::new("src/a.rs", text)
    }

    fn long_function(n_lines: usize) -> String {
        format!(
            "pub(crate) async fn a(\n) {{\n{}}}\n",
            "    x();\n".repeat(n_lines - 3)
        )
    }

    #[test]
    fn a_file_of_the_limit_passes() {
        assert!(file_length(&source(&"//\n".repeat(400)), &[]).is_none());
        let tests = format!(
            "{}#[cfg(test)]\nmod tests {{\n{}}}\n",
            "//\n".repeat(400),
            "//\n"
        );
        assert!(file_length(&source(&tests), &[]).is_none());
        assert!(file_length(&source(&"//\n".repeat(420)), &[("src/a.rs", 420)]).is_none());
    }

    #[test]
    fn a_file_over_the_limit_is_named() {
        let text = "//\n".repeat(401);
        let complaint = |listed| file_length(&source(&text), listed).unwrap().to_string();
        assert_eq!(
            complaint(&[]),
            "src/a.rs:1: 401 lines without tests, at most 400: split the file"
        );
        assert_eq!(
            complaint(&[("src/a.rs", 400)]),
            "src/a.rs:1: 401 lines, more than the 400 of its entry in LONG_FILES"
        );
    }

    #[test]
    fn a_stale_entry_of_a_file_is_named() {
        let complaint = file_length(&source("//\n"), &[("src/a.rs", 420)]).unwrap();
        assert!(
            complaint
                .to_string()
                .ends_with("remove its entry from LONG_FILES")
        );
    }

    #[test]
    fn a_function_of_the_limit_passes() {
        assert!(function_lengths(&source(&long_function(70)), &[]).is_empty());
        assert!(function_lengths(&source("fn a(); fn b() {}\n"), &[]).is_empty());
        let listed = [("src/a.rs", "a", 75)];
        assert!(function_lengths(&source(&long_function(72)), &listed).is_empty());
    }

    #[test]
    fn a_function_over_the_limit_is_named() {
        let complaints = function_lengths(&source(&long_function(71)), &[]);
        let texts: Vec<String> = complaints.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            ["src/a.rs:1: `a` has 71 lines, at most 70: split it"]
        );
        let grown = function_lengths(&source(&long_function(71)), &[("src/a.rs", "a", 70)]);
        assert!(
            grown[0]
                .to_string()
                .ends_with("more than its entry in LONG_FUNCTIONS")
        );
    }

    #[test]
    fn a_stale_entry_of_a_function_is_named() {
        let complaints = function_lengths(&source("fn a() {}\n"), &[("src/a.rs", "a", 75)]);
        assert!(
            complaints[0]
                .to_string()
                .ends_with("remove it from LONG_FUNCTIONS")
        );
    }

    #[test]
    fn a_declaration_without_body_does_not_borrow_the_next_one() {
        let text = "trait A {\n    fn a(\n        &self,\n    ) -> B;\n    fn b() {\n    }\n}\n";
        let lengths: Vec<_> = functions(text)
            .iter()
            .map(|f| (f.name.clone(), f.n_lines))
            .collect();
        assert_eq!(lengths, [("b".to_owned(), 2)]);
    }

    #[test]
    fn a_file_opens_with_what_it_is_for() {
        assert!(module_doc(&source("//! Keeps ducks.\n")).is_none());
        for text in ["fn a() {}\n", "//!\n", "// Keeps ducks.\n", ""] {
            assert!(module_doc(&source(text)).is_some(), "{text}");
        }
    }
}
