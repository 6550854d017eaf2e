//! Documents point to files that exist: a map that has gone stale is worse than none.

use std::collections::BTreeSet;

use super::Complaint;
use super::source::Source;

/// Links of Markdown, and paths of Rust files in backquotes. A path may leave out `crates/`.
pub(super) fn dead(source: &Source, paths: &BTreeSet<&str>) -> Vec<Complaint> {
    if !source.path.ends_with(".md") {
        return Vec::new();
    }
    let folder = source
        .path
        .rsplit_once('/')
        .map_or("", |(folder, _)| folder);
    let mut complaints = Vec::new();
    for (i, line) in source.text.lines().enumerate() {
        let dead_links = links(line).filter(|link| !exists(&resolve(folder, link), paths));
        let dead_names = rust_paths(line).filter(|path| {
            !paths.contains(path) && !paths.contains(format!("crates/{path}").as_str())
        });
        for dead in dead_links.chain(dead_names) {
            let text = format!("`{dead}` does not exist");
            complaints.push(Complaint::at(&source.path, i + 1, text));
        }
    }
    complaints
}

/// Targets of links inside the repository, without what follows `#`.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let targets = line
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let is_inside = |target: &&str| !target.contains("://") && !target.starts_with("mailto:");
    let files = targets
        .filter(is_inside)
        .filter_map(|target| target.split('#').next());
    files.filter(|target| !target.is_empty())
}

/// `convlog-model/src/filter.rs`; names with placeholders such as `<dialect>` are no paths.
fn rust_paths(line: &str) -> impl Iterator<Item = &str> {
    let quoted = line.split('`').skip(1).step_by(2);
    let is_path_char = |c: char| c.is_alphanumeric() || "/-_.".contains(c);
    quoted.filter(move |text| {
        let is_of_crate = text.contains("/src/") || text.contains("/tests/");
        is_of_crate && text.ends_with(".rs") && text.chars().all(is_path_char)
    })
}

fn resolve(folder: &str, link: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in link.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// A file, or a folder of files.
fn exists(path: &str, paths: &BTreeSet<&str>) -> bool {
    let folder = format!("{path}/");
    paths.contains(path) || paths.iter().any(|file| file.starts_with(&folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, text: &str) -> Vec<String> {
        let paths = BTreeSet::from(["README.md", "docs/filter.md", "crates/a/src/b.rs"]);
        let complaints = dead(&Source::new(path, text), &paths);
        complaints.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn links_to_files_and_folders_pass() {
        let text = "[a](docs/filter.md#b) [c](docs) [d](https://example.com/e) [f](#g)";
        assert!(check("README.md", text).is_empty());
        assert!(check("docs/a.md", "[a](../README.md) [b](./filter.md)").is_empty());
    }

    #[test]
    fn links_to_nothing_are_named() {
        let complaints = check("docs/a.md", "a\n[b](README.md)");
        assert_eq!(complaints, ["docs/a.md:2: `README.md` does not exist"]);
    }

    #[test]
    fn paths_of_code_pass() {
        let text = "`a/src/b.rs`, `crates/a/src/b.rs`, `b.rs`, `a/src/<b>.rs`, `a/src/`";
        assert!(check("README.md", text).is_empty());
    }

    #[test]
    fn paths_of_code_that_is_gone_are_named() {
        let complaints = check("README.md", "see `a/src/c.rs`");
        assert_eq!(complaints, ["README.md:1: `a/src/c.rs` does not exist"]);
    }
}
