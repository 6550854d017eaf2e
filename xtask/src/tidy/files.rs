//! Files that nobody opens, and files that are too big for git.

use super::Complaint;
use super::source::Source;

const FILE_BYTES_MAX: u64 = 512 * 1024;

/// Folders whose files exist only to be read by tests.
const DATA_FOLDERS: &[&str] = &["fixtures", "expected", "test_data", "scenarios"];
/// Scripts and pins of the real-client stage, each named in its table or by another script.
const CLIENTS: &str = "xtask/clients/";

/// Git keeps every version of every file for ever.
pub(super) fn size(path: &str, n_bytes: u64) -> Option<Complaint> {
    let n_kib = n_bytes.div_ceil(1024);
    let text = format!(
        "{n_kib} KiB, at most {}: generate it",
        FILE_BYTES_MAX / 1024
    );
    (n_bytes > FILE_BYTES_MAX).then(|| Complaint::at(path, 1, text))
}

/// Each fixture, expected text and scenario is named by a test, by itself or with its folder.
pub(super) fn unreferenced(paths: &[&str], sources: &[Source]) -> Vec<Complaint> {
    let is_program = |source: &&Source| {
        let kinds = [".rs", ".py", ".mjs", ".js", ".sh"];
        // These rules quote the names of the folders themselves.
        let is_tidy = source.path.starts_with("xtask/src/tidy");
        !is_tidy && kinds.iter().any(|kind| source.path.ends_with(kind))
    };
    let programs: Vec<&Source> = sources.iter().filter(is_program).collect();
    let is_named = |name: &str| programs.iter().any(|source| names(&source.text, name));
    let is_unused = |path: &&&str| {
        let names = names_of(path);
        !names.is_empty() && !names.iter().any(|name| is_named(name))
    };
    let text = "no test reads or runs this file: use it or remove it";
    let unused = paths.iter().filter(is_unused);
    unused
        .map(|path| Complaint::at(path, 1, text.to_owned()))
        .collect()
}

/// What a test may call the file: its name, or the path of a folder from the data folder on.
/// Empty for a file that tests need not name.
fn names_of(path: &str) -> Vec<String> {
    if let Some(script) = path.strip_prefix(CLIENTS) {
        let name = script.rsplit('/').next().unwrap_or(script);
        let module = name
            .strip_suffix(".py")
            .map(|stem| format!("import {stem}"));
        return [Some(name.to_owned()), module]
            .into_iter()
            .flatten()
            .collect();
    }
    let parts: Vec<&str> = path.split('/').collect();
    let n_folders = parts.len() - 1;
    let is_data = |part: &&str| DATA_FOLDERS.contains(part);
    let Some(data) = parts.iter().take(n_folders).position(is_data) else {
        return Vec::new();
    };
    // Fixtures are so many things that no test can claim to read them all.
    let n_roots = if parts.get(data) == Some(&"fixtures") {
        2
    } else {
        1
    };
    let folder_names = (data + n_roots..=n_folders).map(|end| {
        let folder: Vec<&str> = parts.iter().copied().take(end).skip(data).collect();
        folder.join("/")
    });
    let mut names: Vec<String> = folder_names.collect();
    names.extend(parts.last().map(|name| (*name).to_owned()));
    names
}

/// Whether the text holds the name as the end of a path in a literal, or as an import of Python.
fn names(text: &str, name: &str) -> bool {
    if name.starts_with("import ") {
        return text.lines().any(|line| line.trim() == name);
    }
    let parts: Vec<&str> = text.split(name).collect();
    parts.windows(2).any(|pair| {
        let [before, after] = pair else { return false };
        let starts = before
            .chars()
            .next_back()
            .is_some_and(|c| "\"'/`".contains(c));
        starts && after.chars().next().is_some_and(|c| "\"'`".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, test: &str) -> usize {
        unreferenced(&[path], &[Source::new("crates/a/tests/it/main.rs", test)]).len()
    }

    #[test]
    fn a_file_named_by_a_test_passes() {
        assert_eq!(
            check(
                "fixtures/watson/a.json",
                "include_str!(\"../fixtures/watson/a.json\")"
            ),
            0
        );
        assert_eq!(check("fixtures/watson/a.json", "load(\"a.json\")"), 0);
        assert_eq!(check("src/a.json", ""), 0);
    }

    #[test]
    fn a_file_in_a_folder_that_a_test_walks_passes() {
        assert_eq!(
            check("scenarios/watson/a.http", "walk(\"../../scenarios\")"),
            0
        );
        assert_eq!(
            check("scenarios/watson/a.http", "walk(\"scenarios/watson\")"),
            0
        );
    }

    #[test]
    fn a_file_that_no_test_names_is_named() {
        for test in [
            "",
            "load(\"aa.json\")",
            "walk(\"fixtures/lex\")",
            "// fixtures, a.json",
        ] {
            assert_eq!(check("fixtures/watson/a.json", test), 1, "{test}");
        }
    }

    #[test]
    fn a_script_is_named_by_the_table_or_imported() {
        let path = "xtask/clients/python/logs.py";
        assert_eq!(check(path, "script: \"python/logs.py\""), 0);
        assert_eq!(check(path, "import logs\n"), 0);
        assert_eq!(check(path, "walk(\"clients\"); walk(\"python\")"), 1);
    }

    #[test]
    fn a_big_file_is_named() {
        assert!(size("a", 512 * 1024).is_none());
        let complaint = size("a", 512 * 1024 + 1).unwrap().to_string();
        assert_eq!(complaint, "a:1: 513 KiB, at most 512: generate it");
    }
}
