//! A crate's `clippy.toml` replaces the root's; what the root bans has to be banned there too.

use super::Complaint;
use super::source::Source;

const ROOT: &str = "clippy.toml";

/// Lines of the root's file that a crate's own file lacks. Automation is free of them.
pub(super) fn missing(sources: &[Source]) -> Vec<Complaint> {
    let Some(root) = sources.iter().find(|source| source.path == ROOT) else {
        return Vec::new();
    };
    let is_of_crate = |source: &&Source| {
        source.path.starts_with("crates/") && source.path.ends_with("/clippy.toml")
    };
    let mut complaints = Vec::new();
    for source in sources.iter().filter(is_of_crate) {
        for line in root.text.lines().filter(|line| !line.starts_with('#')) {
            if !source.text.lines().any(|own| own == line) {
                let text = format!("lacks a line of the root's clippy.toml: {}", line.trim());
                complaints.push(Complaint::at(&source.path, 1, text));
            }
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(of_crate: &str) -> Vec<String> {
        let root = Source::new(ROOT, "# why\na = [\n    \"b\",\n]\n");
        let sources = [root, Source::new("crates/a/clippy.toml", of_crate)];
        missing(&sources).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_crate_with_more_bans_passes() {
        assert!(check("a = [\n    \"b\",\n    \"c\",\n]\n").is_empty());
    }

    #[test]
    fn a_crate_that_lost_a_ban_is_named() {
        let expected = "crates/a/clippy.toml:1: lacks a line of the root's clippy.toml: \"b\",";
        assert_eq!(check("a = [\n]\n"), [expected]);
    }
}
