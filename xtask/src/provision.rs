//! Installs the unmodified vendor SDKs that the real-client stage runs, and the clients of the
//! benchmark's peers, pinned, into the target directory. An environment is made anew when its pins change and is otherwise left alone.

mod servers;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

pub(crate) use self::servers::{Had, Needed, ensure as ensure_server};
use crate::{out, shell};

/// What a script of `xtask/clients` runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Environment {
    /// `ibm-watson` 7: old paths of sessions and messages.
    Py7,
    /// `ibm-watson` 10: asks for an environment id and still sends the old paths.
    Py10,
    /// `ibm-watson` 11: environment paths; pandas and openpyxl for the export script, trustme for
    /// certificates.
    Py11,
    /// `chatbotkit` 0.6. Its licence lets nobody copy it: it is installed to be run here and is
    /// part of nothing that we pass on.
    PyCbk,
    /// `boto3`, the AWS CLI, and `moto` as the services of AWS that deliveries go to.
    PyAws,
    /// Engines that the benchmark compares with, and their clients; no part of `ci`.
    Peers,
    /// `ibm-watson` 12, `@chatbotkit/sdk` 1.36 and version 3 of AWS's SDK for Node.
    Node,
    /// Nothing but a shell with curl.
    Shell,
}

/// Everything that the real clients need.
const ALL: &[Environment] = &[
    Environment::Py7,
    Environment::Py10,
    Environment::Py11,
    Environment::PyCbk,
    Environment::PyAws,
    Environment::Node,
];

/// Written last into a finished environment: the text of the pins that it was made from.
const STAMP: &str = "made-from.txt";

/// The oldest Python that all pins are published for.
const PYTHON_MIN: (u32, u32) = (3, 11);

impl Environment {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Py7 => "py7",
            Self::Py10 => "py10",
            Self::Py11 => "py11",
            Self::PyCbk => "pycbk",
            Self::PyAws => "pyaws",
            Self::Peers => "peers",
            Self::Node => "node",
            Self::Shell => "shell",
        }
    }

    /// Requirements of a Python environment: `py7.txt` and its neighbours.
    fn requirements(self) -> Option<PathBuf> {
        let file = match self {
            Self::Py7 => "py7.txt",
            Self::Py10 => "py10.txt",
            Self::Py11 => "py11.txt",
            Self::PyCbk => "pycbk.txt",
            Self::PyAws => "pyaws.txt",
            Self::Peers => return Some(shell::root().join("xtask/peers/requirements.txt")),
            Self::Node | Self::Shell => return None,
        };
        Some(scripts_dir().join("python").join(file))
    }

    /// Where it is installed.
    pub(crate) fn dir(self, target: &Path) -> PathBuf {
        target.join("clients").join(self.name())
    }
}

/// Where the scripts and the pins are.
pub(crate) fn scripts_dir() -> PathBuf {
    shell::root().join("xtask/clients")
}

/// Installs every environment that is missing or out of date.
pub(crate) fn all(target: &Path) -> Result<()> {
    for environment in ALL {
        let name = environment.name();
        ensure(*environment, target).with_context(|| format!("cannot install `{name}`"))?;
    }
    Ok(())
}

/// The library with which tests of the program move its clock: the system's, or one unpacked from
/// Debian's package into the target directory; `None` where there is neither.
pub(crate) fn faketime(target: &Path) -> Option<PathBuf> {
    const NAME: &str = "faketime/libfaketimeMT.so.1";
    let dir = target.join("faketime");
    let places = |root: &Path| -> Vec<PathBuf> {
        let dirs = ["usr/lib", "usr/lib64"].map(|lib| root.join(lib));
        let below = |dir: &PathBuf| fs::read_dir(dir).into_iter().flatten().flatten();
        let inner = dirs
            .iter()
            .flat_map(|dir| below(dir).map(|entry| entry.path()));
        let all: Vec<PathBuf> = inner.chain(dirs.iter().cloned()).collect();
        all.into_iter().map(|dir| dir.join(NAME)).collect()
    };
    let find = |root: &Path| places(root).into_iter().find(|path| path.exists());
    if let Some(found) = find(Path::new("/")).or_else(|| find(&dir)) {
        return Some(found);
    }
    fs::create_dir_all(&dir).ok()?;
    let mut get = shell::command("apt-get");
    get.args(["-qq", "download", "libfaketime"])
        .current_dir(&dir);
    if shell::succeeds(&mut get) {
        let package = fs::read_dir(&dir).ok()?.flatten().map(|entry| entry.path());
        let package = package
            .into_iter()
            .find(|it| it.extension().is_some_and(|it| it == "deb"));
        let mut unpack = shell::command("dpkg");
        unpack.arg("-x").arg(package?).arg(&dir);
        shell::succeeds(&mut unpack);
    }
    let found = find(&dir);
    if found.is_none() {
        out::line(
            "libfaketime is not here and cannot be had: tests that move the clock are skipped",
        );
    }
    found
}

/// Installs the environment if it is missing or out of date.
pub(crate) fn ensure(environment: Environment, target: &Path) -> Result<()> {
    let dir = environment.dir(target);
    let pins = pins(environment)?;
    let stamp = dir.join(STAMP);
    if fs::read_to_string(&stamp).is_ok_and(|text| text == pins) {
        return Ok(());
    }
    out::line(&format!("installing {}", environment.name()));
    if dir.exists() {
        fs::remove_dir_all(&dir)?;
    }
    fs::create_dir_all(&dir)?;
    match environment.requirements() {
        Some(requirements) => install_python(&dir, &requirements)?,
        None => install_node(&dir)?,
    }
    fs::write(stamp, pins)?;
    Ok(())
}

/// What the environment depends on; another interpreter makes another environment.
fn pins(environment: Environment) -> Result<String> {
    let (version, files) = match environment.requirements() {
        Some(requirements) => (python_version()?, vec![build_requirements(), requirements]),
        None => {
            let node = shell::read(shell::command("node").arg("--version"));
            let node = node.context("Node is needed: install Node 20 or newer")?;
            (
                node,
                ["package.json", "package-lock.json"]
                    .map(node_file)
                    .to_vec(),
            )
        }
    };
    let mut pins = version;
    for file in files {
        let text = fs::read_to_string(&file);
        pins += &text.with_context(|| format!("cannot read {}", file.display()))?;
    }
    Ok(pins)
}

fn build_requirements() -> PathBuf {
    scripts_dir().join("python").join("build.txt")
}

fn node_file(name: &str) -> PathBuf {
    scripts_dir().join("node").join(name)
}

fn python_version() -> Result<String> {
    let version = shell::read(shell::command("python3").arg("--version"));
    let version = version.context("Python is needed: install Python 3.11 or newer with venv")?;
    let (major, minor) = PYTHON_MIN;
    if parse_version(&version).is_none_or(|found| found < PYTHON_MIN) {
        bail!(
            "the pinned packages need Python {major}.{minor}, this is {}",
            version.trim()
        );
    }
    Ok(version)
}

/// `Python 3.11.7` is `(3, 11)`.
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().strip_prefix("Python ")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// The lists are complete (`--no-deps`, then `pip check`) and name the build tools too, so that
/// nothing is resolved on the day of the installation.
fn install_python(dir: &Path, requirements: &Path) -> Result<()> {
    let python = dir.join("bin/python");
    let pip = || {
        let mut pip = shell::command(&python);
        pip.args(["-m", "pip", "--disable-pip-version-check", "--no-input"]);
        pip
    };
    let install = ["install", "--quiet", "--no-deps"];
    shell::run(shell::command("python3").args(["-m", "venv"]).arg(dir))
        .context("`python3 -m venv` has to work; some systems package it as python3-venv")?;
    shell::run(pip().args(install).arg("-r").arg(build_requirements()))?;
    // The SDK comes as source; it is built with the tools just installed.
    let sources = ["--no-build-isolation", "-r"];
    shell::run(pip().args(install).args(sources).arg(requirements))?;
    shell::read(pip().arg("check")).map(drop)
}

/// `npm ci` takes exactly the lock file. Scripts of packages stay off: none is needed.
fn install_node(dir: &Path) -> Result<()> {
    for file in ["package.json", "package-lock.json"] {
        fs::copy(node_file(file), dir.join(file))?;
    }
    let arguments = [
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ];
    shell::run(shell::command("npm").args(arguments).current_dir(dir))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_what_python_says() {
        assert_eq!(parse_version("Python 3.11.7\n"), Some((3, 11)));
        assert_eq!(parse_version("Python 3.9"), Some((3, 9)));
        assert!((3, 9) < PYTHON_MIN && (3, 12) > PYTHON_MIN);
    }

    #[test]
    fn text_that_is_no_version_is_none() {
        assert_eq!(parse_version("pyenv: python3: command not found"), None);
    }

    #[test]
    fn every_requirement_is_pinned_exactly() {
        let files = ALL
            .iter()
            .chain([&Environment::Peers])
            .filter_map(|environment| environment.requirements());
        for file in files.chain([build_requirements()]) {
            let text = fs::read_to_string(&file).unwrap();
            for line in text.lines() {
                assert_eq!(line.matches("==").count(), 1, "{}: {line}", file.display());
            }
        }
    }

    #[test]
    fn the_lock_file_names_versions_and_hashes_and_no_address() {
        let text = fs::read_to_string(node_file("package-lock.json")).unwrap();
        let lock: serde_json::Value = serde_json::from_str(&text).unwrap();
        let packages = lock["packages"].as_object().unwrap();
        for (name, package) in packages.iter().filter(|(name, _)| !name.is_empty()) {
            assert!(package["integrity"].is_string(), "{name}");
            assert!(package.get("resolved").is_none(), "{name}");
        }
    }
}
