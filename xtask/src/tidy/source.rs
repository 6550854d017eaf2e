//! The files that tidy reads, and which of their lines are tests.

use anyhow::{Context, Result};

use super::lex;
use crate::shell;

/// A text file of the repository.
#[derive(Debug)]
pub(crate) struct Source {
    /// Relative to the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
    /// The text of a Rust file with comments and literals blanked, line for line.
    pub(crate) code: String,
    /// One entry a line: whether it belongs to a test.
    test_lines: Vec<bool>,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let is_rust = path.ends_with(".rs");
        let code = if is_rust {
            lex::code_only(text)
        } else {
            String::new()
        };
        let test_lines = if is_test_path(path) {
            vec![true; code.lines().count()]
        } else {
            test_lines(&code)
        };
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            code,
            test_lines,
        }
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Lines of code that are part of the product, with their numbers from 1.
    pub(crate) fn product_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines_where(false)
    }

    /// Lines of code that are part of tests, with their numbers from 1.
    pub(crate) fn test_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines_where(true)
    }

    /// The product's code alone, tests blanked, line for line.
    pub(crate) fn product_code(&self) -> String {
        let lines = self.code.lines().zip(&self.test_lines);
        lines
            .map(|(line, is_test)| {
                if *is_test {
                    "\n".into()
                } else {
                    format!("{line}\n")
                }
            })
            .collect()
    }

    fn lines_where(&self, is_test: bool) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.code.lines().zip(&self.test_lines).enumerate();
        lines
            .filter(move |(_, (_, test))| **test == is_test)
            .map(|(i, (line, _))| (i + 1, line))
    }
}

/// Every file that git tracks or would add.
#[derive(Debug)]
pub(crate) struct Repository {
    /// Path and size.
    pub(crate) files: Vec<(String, u64)>,
    /// Those that are text.
    pub(crate) sources: Vec<Source>,
}

/// Reads them all.
pub(crate) fn read_all() -> Result<Repository> {
    let list = [
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "-z",
    ];
    let names = shell::read(shell::command("git").args(list))?;
    let root = shell::root();
    let mut files = Vec::new();
    let mut sources = Vec::new();
    for name in names.split('\0').filter(|name| !name.is_empty()) {
        let path = root.join(name);
        // Listed but gone: removed in the working tree and not yet committed.
        let Ok(metadata) = std::fs::metadata(&path) else {
            continue;
        };
        files.push((name.to_owned(), metadata.len()));
        let bytes = std::fs::read(&path).with_context(|| format!("cannot read {name}"))?;
        if let Ok(text) = String::from_utf8(bytes) {
            sources.push(Source::new(name, &text));
        }
    }
    Ok(Repository { files, sources })
}

fn is_test_path(path: &str) -> bool {
    path.ends_with("tests.rs")
        || path
            .split('/')
            .any(|part| part == "tests" || part == "benches")
}

/// Marks `#[cfg(test)]` items. The code is formatted, so an item ends at its own indentation.
fn test_lines(code: &str) -> Vec<bool> {
    let mut marks = Vec::new();
    let mut open_indent: Option<usize> = None;
    let mut in_head = false;
    for line in code.lines() {
        let trimmed = line.trim();
        let indent = line.len() - line.trim_start().len();
        if open_indent.is_none() && trimmed.starts_with("#[cfg(test)]") {
            open_indent = Some(indent);
            in_head = true;
        }
        marks.push(open_indent.is_some());
        let Some(open) = open_indent else { continue };
        if indent != open || trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let closes_body = !in_head && trimmed.starts_with('}');
        let ends_head = in_head && (trimmed.ends_with(';') || trimmed.ends_with('}'));
        if closes_body || ends_head {
            open_indent = None;
        } else if trimmed.ends_with('{') {
            in_head = false;
        }
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(text: &str) -> Vec<usize> {
        Source::new("src/a.rs", text)
            .product_lines()
            .map(|(line, _)| line)
            .collect()
    }

    #[test]
    fn a_test_module_is_not_product() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {\n    }\n}\nfn c() {}\n";
        assert_eq!(product(text), [1, 7]);
    }

    #[test]
    fn a_test_module_in_its_own_file_is_one_line() {
        assert_eq!(product("#[cfg(test)]\nmod tests;\nfn c() {}\n"), [3]);
    }

    #[test]
    fn a_test_method_ends_at_its_indentation() {
        let text = "impl A {\n    #[cfg(test)]\n    fn b(\n    ) {\n        x();\n    }\n\n    fn c() {}\n}\n";
        assert_eq!(product(text), [1, 7, 8, 9]);
    }

    #[test]
    fn files_of_tests_hold_no_product() {
        for path in ["crates/a/tests/it/main.rs", "crates/a/src/b/tests.rs"] {
            assert_eq!(
                Source::new(path, "fn a() {}\n").product_lines().count(),
                0,
                "{path}"
            );
        }
    }
}
