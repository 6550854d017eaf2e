//! Servers of other vendors that slow clients deliver to: Debian's Ceph, and `s3s-fs`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::{out, shell};

/// A server that a client needs beside its environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needed {
    Nothing,
    /// Ceph's S3 gateway with its cluster.
    Radosgw,
    /// An S3 server that ignores encryption; the variable `S3S_FS` names its program.
    S3sFs,
}

/// What became of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Had {
    /// It is here; variables that a script finds it by.
    Here(Vec<(&'static str, PathBuf)>),
    /// This machine has no way to it; why.
    Nowhere(String),
}

const RADOSGW_PROGRAMS: &[&str] = &[
    "ceph",
    "ceph-mon",
    "ceph-osd",
    "monmaptool",
    "rados",
    "radosgw",
    "radosgw-admin",
];
const RADOSGW_PACKAGES: &[&str] = &["ceph-common", "ceph-mon", "ceph-osd", "radosgw"];

const S3S_FS_VERSION: &str = "0.14.1";

/// Has a server installed.
///
/// # Errors
/// When it is not whole though it was installed, and when `cargo install` fails.
pub(crate) fn ensure(needed: Needed, target: &Path) -> Result<Had> {
    match needed {
        Needed::Nothing => Ok(Had::Here(Vec::new())),
        Needed::Radosgw => radosgw(),
        Needed::S3sFs => s3s_fs(target).map(|program| Had::Here(vec![("S3S_FS", program)])),
    }
}

fn is_program(name: &str) -> bool {
    let script = "command -v \"$1\"";
    shell::succeeds(shell::command("sh").args(["-c", script, "sh", name]))
}

fn radosgw() -> Result<Had> {
    if RADOSGW_PROGRAMS.iter().all(|name| is_program(name)) {
        return Ok(Had::Here(Vec::new()));
    }
    if !is_program("apt-get") {
        let why = "radosgw is not here, and apt-get neither".to_owned();
        return Ok(Had::Nowhere(why));
    }
    let names = RADOSGW_PACKAGES.join(" ");
    out::line(&format!("installing {names}"));
    // A machine that was just made has no lists of packages, and an old one outdated ones.
    if apt_get(&["install"], RADOSGW_PACKAGES).is_err() {
        let updated = apt_get(&["update"], &[]);
        let installed = updated.and_then(|()| apt_get(&["install"], RADOSGW_PACKAGES));
        if let Err(error) = installed {
            // Without the right to install, or the way to Debian, no fault of convlog's shows.
            let why = format!("install {names}, or let `sudo -n apt-get` do it: {error:#}");
            return Ok(Had::Nowhere(why));
        }
    }
    let missing = RADOSGW_PROGRAMS.iter().find(|name| !is_program(name));
    match missing {
        None => Ok(Had::Here(Vec::new())),
        Some(name) => bail!("`{name}` is missing though {names} are installed"),
    }
}

/// Runs `apt-get` as root, whoever we are; without asking anybody.
fn apt_get(command: &[&str], packages: &[&str]) -> Result<()> {
    let id = shell::read(shell::command("id").arg("-u"))?;
    let mut words = vec!["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"];
    if id.trim() != "0" {
        words.splice(0..0, ["sudo", "-n"]);
    }
    words.extend(["-qq", "-y", "-o", "DPkg::Lock::Timeout=300"]);
    words.extend(["-o", "Acquire::http::Timeout=30"]);
    words.extend(command);
    if !packages.is_empty() {
        words.push("--no-install-recommends");
        words.extend(packages);
    }
    let (program, arguments) = words.split_first().context("no command")?;
    shell::read(shell::command(program).args(arguments)).map(drop)
}

/// The program, installed once a version.
fn s3s_fs(target: &Path) -> Result<PathBuf> {
    let dir = target.join("clients/s3s-fs");
    let (program, stamp) = (dir.join("bin/s3s-fs"), dir.join(super::STAMP));
    if program.exists() && fs::read_to_string(&stamp).is_ok_and(|text| text == S3S_FS_VERSION) {
        return Ok(program);
    }
    out::line("installing s3s-fs");
    let mut install = shell::cargo();
    install
        .args(["install", "--quiet", "s3s-fs", "--version", S3S_FS_VERSION])
        .args(["--features", "binary", "--locked", "--force", "--root"])
        .arg(&dir)
        // Its own, so that the build does not wait for that of the tests which run meanwhile.
        .arg("--target-dir")
        .arg(dir.join("target"));
    shell::run(&mut install)?;
    fs::remove_dir_all(dir.join("target"))?;
    fs::write(stamp, S3S_FS_VERSION)?;
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_by_its_name() {
        assert!(is_program("sh"));
        assert!(!is_program("no-such-program-of-anybody"));
        assert!(!is_program("; true"));
    }

    #[test]
    fn what_needs_nothing_is_here() {
        let had = ensure(Needed::Nothing, Path::new("nowhere")).unwrap();
        assert_eq!(had, Had::Here(Vec::new()));
    }
}
