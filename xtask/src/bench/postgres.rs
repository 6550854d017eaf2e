//! A private cluster of PostgreSQL 15 in the target directory, reached over a socket in it.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::{out, server, shell};

const PACKAGE: &str = "postgresql-15";
const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";
const USER: &str = "postgres";
/// What differs from the defaults. Durability does not; more memory and fewer checkpoints are in
/// PostgreSQL's favour.
const SETTINGS: [&str; 6] = [
    "listen_addresses=",
    "shared_buffers=1GB",
    "work_mem=64MB",
    "maintenance_work_mem=512MB",
    "max_wal_size=4GB",
    "jit=off",
];
const START_WAIT_MAX: Duration = Duration::from_secs(60);
const STOP_WAIT_MAX: Duration = Duration::from_secs(300);
const POLL_EVERY: Duration = Duration::from_millis(50);

/// A running cluster; killed when dropped without [`Cluster::stop`].
#[derive(Debug)]
pub(super) struct Cluster {
    child: Child,
    socket: PathBuf,
}

impl Cluster {
    /// Installs PostgreSQL if need be, makes a cluster in `dir` and starts it.
    pub(super) fn start(dir: &Path) -> Result<Self> {
        install()?;
        let owner = owner()?;
        let (data, socket) = (dir.join("data"), dir.join("socket"));
        for dir in [dir, &socket] {
            fs::create_dir_all(dir)?;
            if let Some((user, group)) = owner {
                std::os::unix::fs::chown(dir, Some(user), Some(group))?;
            }
        }
        let mut initdb = program("initdb", dir, owner);
        initdb.args(["--auth=trust", "--username=bench", "--encoding=UTF8"]);
        initdb.args(["--locale=C.UTF-8", "--pgdata"]).arg(&data);
        shell::read(&mut initdb).with_context(|| {
            format!("the user `{USER}` must be able to reach the target directory")
        })?;
        let log = File::create(dir.join("postgres.log"))?;
        let mut postgres = program("postgres", dir, owner);
        postgres.arg("-D").arg(&data).arg("-k").arg(&socket);
        for setting in SETTINGS {
            postgres.args(["-c", setting]);
        }
        let child = postgres
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("cannot start postgres")?;
        let mut cluster = Self { child, socket };
        cluster.wait_until_ready(dir)?;
        Ok(cluster)
    }

    /// The process that all others of the cluster are children of.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// For clients.
    pub(super) fn connection(&self) -> String {
        format!("host={} user=bench dbname=postgres", self.socket.display())
    }

    fn wait_until_ready(&mut self, dir: &Path) -> Result<()> {
        let start = Instant::now();
        loop {
            let mut ready = Command::new(format!("{PROGRAMS}/pg_isready"));
            ready.args(["-q", "-U", "bench", "-d", "postgres", "-h"]);
            if shell::succeeds(ready.arg(&self.socket)) {
                return Ok(());
            }
            if self.child.try_wait()?.is_some() || start.elapsed() > START_WAIT_MAX {
                let log = fs::read_to_string(dir.join("postgres.log")).unwrap_or_default();
                bail!("PostgreSQL does not start:\n{log}");
            }
            std::thread::sleep(POLL_EVERY);
        }
    }

    /// Ends it as an operator would who doesn't wait for clients.
    pub(super) fn stop(mut self) -> Result<()> {
        let id = self.child.id().to_string();
        shell::run(shell::command("kill").args(["-INT", &id]))?;
        match server::wait(&mut self.child, STOP_WAIT_MAX)? {
            Some(_) => Ok(()),
            None => bail!("PostgreSQL does not end"),
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Its other processes notice and end. Both fail only for a process that has ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn install() -> Result<()> {
    if Path::new(PROGRAMS).join("initdb").exists() {
        return Ok(());
    }
    out::line(&format!("installing {PACKAGE}"));
    let apt = |arguments: &[&str]| {
        let mut apt = shell::command("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        shell::run(apt.arg("-qq").args(arguments))
    };
    let installed = apt(&["update"])
        .and_then(|()| apt(&["install", "--yes", "--no-install-recommends", PACKAGE]));
    installed.with_context(|| format!("as root, `apt-get install {PACKAGE}` has to work"))
}

/// PostgreSQL does not run as root: who it runs as then.
fn owner() -> Result<Option<(u32, u32)>> {
    let id = |arguments: &[&str]| -> Result<u32> {
        let text = shell::read(shell::command("id").args(arguments))?;
        text.trim().parse().context("`id` gives no number")
    };
    if id(&["-u"])? != 0 {
        return Ok(None);
    }
    Ok(Some((id(&["-u", USER])?, id(&["-g", USER])?)))
}

fn program(name: &str, dir: &Path, owner: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(format!("{PROGRAMS}/{name}"));
    command.current_dir(dir);
    if let Some((user, group)) = owner {
        command.uid(user).gid(group);
    }
    command
}
