//! Foreign packages: their licences, how often each is there twice, and why we take them.

use std::collections::{BTreeMap, BTreeSet};

use super::Complaint;
use super::metadata::{Metadata, Package};
use super::source::Source;

/// Licences that ask for no more than a notice, or stay with their own files.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Packages that are built in more than one incompatible version. May only go down; other platforms
/// may have fewer.
const DUPLICATES_MAX: usize = 16;

const ROOT: &str = "Cargo.toml";

/// Every package that we build is under a licence of the list.
pub(super) fn licences(metadata: &Metadata) -> Vec<Complaint> {
    let is_foreign_to_list =
        |package: &&Package| !package.license.as_deref().is_some_and(is_allowed);
    let packages = metadata.packages().iter().filter(is_foreign_to_list);
    packages
        .map(
            |Package {
                 name,
                 version,
                 license,
                 ..
             }| {
                let license = license.as_deref().unwrap_or("none");
                let text =
                    format!("`{name}` {version} has the licence `{license}`, not on the list");
                Complaint::at(ROOT, 1, text)
            },
        )
        .collect()
}

/// An expression of SPDX: every part joined by AND needs one allowed alternative.
fn is_allowed(expression: &str) -> bool {
    let plain = expression.replace(['(', ')'], "").replace('/', " OR ");
    plain.split(" AND ").all(|part| {
        part.split(" OR ")
            .any(|licence| LICENCES.contains(&licence.trim()))
    })
}

/// Names and versions of the packages that are there more than once.
pub(super) fn duplicates(metadata: &Metadata) -> Vec<String> {
    let mut versions: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for package in metadata.packages() {
        let majors = versions.entry(&package.name).or_default();
        majors.insert(compatible_version(&package.version));
    }
    let doubles = versions.into_iter().filter(|(_, majors)| majors.len() > 1);
    doubles
        .map(|(name, majors)| format!("{name} {}", Vec::from_iter(majors).join(", ")))
        .collect()
}

/// Two copies of one package are two copies of its bugs; their number may only shrink.
pub(super) fn too_many_duplicates(duplicates: &[String]) -> Option<Complaint> {
    duplicates_over(duplicates, DUPLICATES_MAX)
}

fn duplicates_over(duplicates: &[String], max: usize) -> Option<Complaint> {
    let n_duplicates = duplicates.len();
    let list = duplicates.join("; ");
    let text = format!("{n_duplicates} packages in several versions, at most {max}: {list}");
    (n_duplicates > max).then(|| Complaint::at(ROOT, 1, text))
}

/// The part of a version that makes it incompatible with another: `1`, `0.7`, `0.0.3`.
fn compatible_version(version: &str) -> String {
    let parts: Vec<&str> = version.split('.').collect();
    let n_leading_zeros = parts.iter().take_while(|part| **part == "0").count();
    let n_kept = (n_leading_zeros + 1).min(parts.len());
    parts.into_iter().take(n_kept).collect::<Vec<_>>().join(".")
}

/// The root manifest names each dependency once, in order, with the reason why we take it,
/// and some crate takes it; a crate's manifest takes lints and versions from the root.
pub(super) fn manifests(sources: &[Source]) -> Vec<Complaint> {
    let is_crate = |source: &&Source| {
        source.path.ends_with("/Cargo.toml") && source.text.contains("[package]")
    };
    let crates: Vec<&Source> = sources.iter().filter(is_crate).collect();
    let mut complaints: Vec<Complaint> = crates
        .iter()
        .flat_map(|source| crate_manifest(source))
        .collect();
    complaints.extend(crates.iter().flat_map(|source| unused(source, sources)));
    if let Some(root) = sources.iter().find(|source| source.path == ROOT) {
        complaints.extend(root_manifest(root, &crates));
    }
    complaints
}

fn root_manifest(root: &Source, crates: &[&Source]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let mut previous = "";
    for (line, name, text) in dependencies(&root.text) {
        let mut complain = |text: String| complaints.push(Complaint::at(ROOT, line, text));
        let is_ours = name.starts_with("convlog");
        if !is_ours && !text.contains("# ") {
            complain(format!(
                "say behind `{name}` what it saves us from writing: `# …`"
            ));
        }
        if !is_ours && name < previous {
            complain(format!("`{name}` comes before `{previous}`"));
        }
        let takes =
            |source: &&Source| dependencies(&source.text).any(|(_, taken, _)| taken == name);
        if !crates.iter().any(takes) {
            complain(format!("no crate takes `{name}`: remove it"));
        }
        previous = if is_ours { previous } else { name };
    }
    complaints
}

fn crate_manifest(source: &Source) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    if !source.text.contains("[lints]\nworkspace = true") {
        let text = "takes the lints of the workspace: `[lints]`, `workspace = true`";
        complaints.push(Complaint::at(&source.path, 1, text.to_owned()));
    }
    for (line, name, text) in dependencies(&source.text) {
        if !text.contains("workspace = true") {
            let text =
                format!("`{name}` takes its version from the root: `{name}.workspace = true`");
            complaints.push(Complaint::at(&source.path, line, text));
        }
    }
    complaints
}

/// Dependencies that no code of the crate names.
fn unused(manifest: &Source, sources: &[Source]) -> Vec<Complaint> {
    let folder = manifest.path.strip_suffix("Cargo.toml").unwrap_or_default();
    let code: Vec<&str> = sources
        .iter()
        .filter(|source| source.is_rust() && source.path.starts_with(folder))
        .map(|source| source.code.as_str())
        .collect();
    let is_named = |name: &str| {
        let name = name.replace('-', "_");
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        code.iter()
            .any(|code| code.split(|c| !is_word(c)).any(|word| word == name))
    };
    let unnamed = dependencies(&manifest.text).filter(|(_, name, _)| !is_named(name));
    unnamed
        .map(|(line, name, _)| {
            let text = format!("no code of the crate names `{name}`: remove it");
            Complaint::at(&manifest.path, line, text)
        })
        .collect()
}

/// Lines of the dependency tables: number, name, text.
fn dependencies(manifest: &str) -> impl Iterator<Item = (usize, &str, &str)> {
    let mut in_table = false;
    manifest.lines().enumerate().filter_map(move |(i, line)| {
        if line.starts_with('[') {
            in_table = line.ends_with("dependencies]");
            return None;
        }
        let is_name = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
        let name = line
            .split(|c| !is_name(c))
            .next()
            .filter(|name| !name.is_empty())?;
        in_table.then_some((i + 1, name, line))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(complaints: &[Complaint]) -> Vec<String> {
        complaints.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn expressions_need_one_allowed_licence_a_part() {
        for licence in [
            "MIT",
            "GPL-3.0 OR MIT",
            "MIT/Apache-2.0",
            "(GPL-2.0 OR MIT) AND Zlib",
        ] {
            assert!(is_allowed(licence), "{licence}");
        }
        for licence in ["GPL-3.0", "MIT AND GPL-3.0", "", "Apache"] {
            assert!(!is_allowed(licence), "{licence}");
        }
    }

    #[test]
    fn a_licence_off_the_list_is_named() {
        let metadata =
            Metadata::for_tests(&[("a", "1.0.0", "GPL-3.0", &[]), ("b", "1.0.0", "", &[])]);
        let expected = [
            "Cargo.toml:1: `a` 1.0.0 has the licence `GPL-3.0`, not on the list",
            "Cargo.toml:1: `b` 1.0.0 has the licence `none`, not on the list",
        ];
        assert_eq!(texts(&licences(&metadata)), expected);
    }

    #[test]
    fn duplicates_are_incompatible_versions() {
        let metadata = Metadata::for_tests(&[
            ("a", "1.0.0", "MIT", &[]),
            ("a", "1.9.0", "MIT", &[]),
            ("b", "0.7.0", "MIT", &[]),
            ("b", "0.8.1", "MIT", &[]),
        ]);
        assert_eq!(duplicates(&metadata), ["b 0.7, 0.8"]);
    }

    #[test]
    fn the_number_of_duplicates_only_goes_down() {
        let duplicates = ["b 0.7, 0.8".to_owned()];
        assert!(duplicates_over(&duplicates, 1).is_none());
        let more = duplicates_over(&duplicates, 0).unwrap().to_string();
        let expected = "Cargo.toml:1: 1 packages in several versions, at most 0: b 0.7, 0.8";
        assert_eq!(more, expected);
    }

    fn check(root: &str, member: &str) -> Vec<String> {
        let root = format!("[workspace.dependencies]\n{root}");
        let member = format!("[package]\nname = \"a\"\n{member}");
        let sources = [
            Source::new(ROOT, &root),
            Source::new("crates/a/Cargo.toml", &member),
            Source::new("crates/a/src/lib.rs", "use csv::Reader;\n"),
            Source::new("crates/b/src/lib.rs", "use tokio_util::io;\n"),
        ];
        texts(&manifests(&sources))
    }

    const LINTS: &str = "[lints]\nworkspace = true\n[dependencies]\n";

    #[test]
    fn a_dependency_with_a_reason_and_a_user_passes() {
        let member = format!("{LINTS}csv.workspace = true\n");
        assert!(check("csv = \"1\" # quoting rules\n", &member).is_empty());
    }

    #[test]
    fn a_dependency_without_reason_order_or_user_is_named() {
        let complaints = check("url = \"2\" # URLs\ncsv = \"1\"\n", LINTS);
        let expected = [
            "Cargo.toml:2: no crate takes `url`: remove it",
            "Cargo.toml:3: say behind `csv` what it saves us from writing: `# …`",
            "Cargo.toml:3: `csv` comes before `url`",
            "Cargo.toml:3: no crate takes `csv`: remove it",
        ];
        assert_eq!(complaints, expected);
    }

    #[test]
    fn a_dependency_that_only_another_crate_names_is_named() {
        let member = format!("{LINTS}tokio-util.workspace = true\n");
        let complaints = check("tokio-util = \"1\" # readers\n", &member);
        let expected = "crates/a/Cargo.toml:6: no code of the crate names `tokio-util`: remove it";
        assert_eq!(complaints, [expected]);
    }

    #[test]
    fn a_crate_with_versions_or_lints_of_its_own_is_named() {
        let complaints = check("", "[dependencies]\ncsv = \"1\"\n");
        let expected = [
            "crates/a/Cargo.toml:1: takes the lints of the workspace: `[lints]`, `workspace = true`",
            "crates/a/Cargo.toml:4: `csv` takes its version from the root: `csv.workspace = true`",
        ];
        assert_eq!(complaints, expected);
    }
}
