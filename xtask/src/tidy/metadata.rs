//! What `cargo metadata` says about the workspace and everything it is built from.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::shell;

/// The part of the answer that tidy needs.
#[derive(Debug, Deserialize)]
pub(super) struct Metadata {
    packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Package {
    id: String,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) license: Option<String>,
    pub(super) dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Dependency {
    pub(super) name: String,
}

impl Metadata {
    /// For the machine that runs this: other platforms have packages that are not even fetched.
    pub(super) fn read() -> Result<Self> {
        let rustc = shell::read(shell::command("rustc").arg("-vV"))?;
        let host = rustc.lines().find_map(|line| line.strip_prefix("host: "));
        let host = host.context("rustc -vV names no host")?;
        let arguments = [
            "metadata",
            "--format-version",
            "1",
            "--all-features",
            "--filter-platform",
        ];
        let text = shell::read(shell::cargo().args(arguments).arg(host))?;
        serde_json::from_str(&text).context("cargo metadata has another form than expected")
    }

    /// The crates of the workspace.
    pub(super) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages
            .iter()
            .filter(|package| self.workspace_members.contains(&package.id))
    }

    /// Everything, our crates included.
    pub(super) fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// Packages as `(name, version, license, dependencies)`; those named `convlog…` or `xtask`
    /// are the workspace.
    #[cfg(test)]
    pub(super) fn for_tests(packages: &[(&str, &str, &str, &[&str])]) -> Self {
        let package = |(name, version, license, dependencies): &(&str, &str, &str, &[&str])| {
            let dependency = |name: &&str| Dependency {
                name: (*name).to_owned(),
            };
            Package {
                id: format!("{name}@{version}"),
                name: (*name).to_owned(),
                version: (*version).to_owned(),
                license: (!license.is_empty()).then(|| (*license).to_owned()),
                dependencies: dependencies.iter().map(dependency).collect(),
            }
        };
        let packages: Vec<Package> = packages.iter().map(package).collect();
        let is_ours = |p: &&Package| p.name.starts_with("convlog") || p.name == "xtask";
        let workspace_members = packages
            .iter()
            .filter(is_ours)
            .map(|p| p.id.clone())
            .collect();
        Self {
            packages,
            workspace_members,
        }
    }
}
