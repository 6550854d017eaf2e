//! `convlog completions`: what a shell needs to complete our command line.

use anyhow::{Context, Result};
use clap::CommandFactory as _;

use crate::args::{Cli, Completions};
use crate::out;

/// Prints the script of a shell.
pub(crate) fn run(arguments: &Completions) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "convlog", &mut script);
    let script = String::from_utf8(script).context("the script is not UTF-8")?;
    out::line(script.trim_end())
}
