//! Builds the program as it is released and starts its demonstration.

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result};

use crate::{server, shell};

/// Becomes `convlog demo`, so that Ctrl-C reaches it and its exit status is ours.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let program = server::build(&shell::target_dir()?, true)?;
    let error = Command::new(&program).arg("demo").args(arguments).exec();
    Err(error).with_context(|| format!("cannot start {}", program.display()))
}
