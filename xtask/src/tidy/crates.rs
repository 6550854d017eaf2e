//! The edges between our crates, and what each of them must not be able to reach.

use std::collections::BTreeSet;

use anyhow::Result;

use super::Complaint;
use super::metadata::Metadata;
use crate::shell;

/// The only edges between crates of the workspace.
const EDGES: &[(&str, &[&str])] = &[
    ("convlog-model", &[]),
    ("convlog-dialects", &["convlog-model"]),
    ("convlog-store", &["convlog-model"]),
    ("convlog-server", &["convlog-model", "convlog-dialects"]),
    (
        "convlog",
        &[
            "convlog-model",
            "convlog-dialects",
            "convlog-store",
            "convlog-server",
        ],
    ),
    ("xtask", &[]),
];

/// What a crate must not reach, even through others: the reason for which it is a crate.
const UNREACHABLE: &[(&str, &[&str])] = &[
    (
        "convlog-model",
        &[
            "tokio",
            "axum",
            "hyper",
            "redb",
            "reqwest",
            "getrandom",
            "rand",
        ],
    ),
    (
        "convlog-dialects",
        &["tokio", "axum", "redb", "reqwest", "convlog-store"],
    ),
    (
        "convlog-server",
        &["redb", "roaring", "convlog-store", "clap"],
    ),
    ("convlog-store", &["axum", "convlog-dialects"]),
];

/// Edges beside the diamond, those of tests and build scripts included.
pub(super) fn edges(metadata: &Metadata) -> Vec<Complaint> {
    let ours: BTreeSet<&str> = metadata
        .members()
        .map(|package| package.name.as_str())
        .collect();
    let mut complaints = Vec::new();
    for package in metadata.members() {
        let name = package.name.as_str();
        let Some((_, allowed)) = EDGES.iter().find(|(from, _)| *from == name) else {
            let text = format!("`{name}` is a new crate: say in EDGES what it may depend on");
            complaints.push(Complaint::at("Cargo.toml", 1, text));
            continue;
        };
        for dependency in &package.dependencies {
            let to = dependency.name.as_str();
            if ours.contains(to) && !allowed.contains(&to) {
                let text = format!("`{name}` must not depend on `{to}`");
                complaints.push(Complaint::at(&manifest(name), 1, text));
            }
        }
    }
    complaints
}

/// Asks cargo, with all features, what each crate reaches by normal dependencies.
pub(super) fn reachability() -> Result<Vec<Complaint>> {
    let mut complaints = Vec::new();
    for (from, unwanted) in UNREACHABLE {
        let tree = ["tree", "--all-features", "-e", "normal", "-p", from];
        let all = shell::read(shell::cargo().args(tree).args(["--prefix", "none"]))?;
        for (name, version) in reached(&all, unwanted) {
            // The tree upside down shows the way by which it came in.
            let spec = format!("{name}@{version}");
            let way = shell::read(shell::cargo().args(tree).args(["-i", &spec]))?;
            let text = format!("`{from}` must not reach `{name}`, and does:\n{way}");
            complaints.push(Complaint::at(&manifest(from), 1, text));
        }
    }
    Ok(complaints)
}

/// Lines of `cargo tree --prefix none` read `name vVERSION …`.
fn reached(tree: &str, unwanted: &[&str]) -> BTreeSet<(String, String)> {
    let packages = tree.lines().filter_map(|line| {
        let (name, rest) = line.split_once(" v")?;
        let version = rest.split_whitespace().next()?;
        Some((name.to_owned(), version.to_owned()))
    });
    packages
        .filter(|(name, _)| unwanted.contains(&name.as_str()))
        .collect()
}

fn manifest(name: &str) -> String {
    if name == "xtask" {
        "xtask/Cargo.toml".into()
    } else {
        format!("crates/{name}/Cargo.toml")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, dependency: &str) -> Vec<String> {
        let metadata = Metadata::for_tests(&[
            (name, "0.1.0", "Apache-2.0", &[dependency]),
            (dependency, "0.1.0", "Apache-2.0", &[]),
        ]);
        edges(&metadata).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_diamond_passes() {
        assert!(check("convlog-store", "convlog-model").is_empty());
        assert!(check("convlog", "convlog-store").is_empty());
    }

    #[test]
    fn an_edge_beside_the_diamond_is_named() {
        let expected = "crates/convlog-store/Cargo.toml:1: `convlog-store` must not depend on `convlog-dialects`";
        assert_eq!(check("convlog-store", "convlog-dialects"), [expected]);
        assert_eq!(check("xtask", "convlog-model").len(), 1);
    }

    #[test]
    fn a_crate_that_nobody_planned_is_named() {
        let complaints = check("convlog-extra", "convlog-model");
        assert!(complaints[0].contains("`convlog-extra` is a new crate"));
    }

    #[test]
    fn what_a_crate_reaches_is_found_by_whole_name() {
        let tree = "convlog-model v0.1.0 (path)\ntokio-util v0.7.1\nrand v0.9.1 (*)\n";
        let found = reached(tree, &["tokio", "rand"]);
        assert_eq!(
            Vec::from_iter(found),
            [("rand".to_owned(), "0.9.1".to_owned())]
        );
    }

    #[test]
    fn every_crate_of_the_diamond_has_its_absences() {
        for (name, _) in EDGES
            .iter()
            .filter(|(name, _)| name.starts_with("convlog-"))
        {
            assert!(UNREACHABLE.iter().any(|(from, _)| from == name), "{name}");
        }
    }
}
