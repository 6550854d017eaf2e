//! Rules of the house that neither rustfmt nor clippy can check.
//!
//! Each rule is a small function from a source to complaints, tested against snippets. Exceptions
//! are lists beside the rule, name by name; an entry that is no longer needed is an error itself.

mod bans;
mod crates;
mod doors;
mod files;
mod lex;
mod limits;
mod links;
mod metadata;
mod packages;
mod source;
mod words;

use std::fmt;

use anyhow::{Result, bail};

use crate::out;
use metadata::Metadata;
use source::{Repository, Source};

/// Something to change, with its place.
#[derive(Debug)]
pub(crate) struct Complaint {
    path: String,
    line: usize,
    text: String,
}

impl Complaint {
    fn at(path: &str, line: usize, text: String) -> Self {
        Self {
            path: path.to_owned(),
            line,
            text,
        }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.text)
    }
}

/// Checks the whole repository and fails if there is a complaint.
pub(crate) fn run() -> Result<()> {
    let Repository { files, sources } = source::read_all()?;
    let metadata = Metadata::read()?;
    let duplicates = packages::duplicates(&metadata);

    let mut complaints: Vec<Complaint> = sources.iter().flat_map(check_source).collect();
    complaints.extend(
        files
            .iter()
            .filter_map(|(path, n_bytes)| files::size(path, *n_bytes)),
    );
    let paths: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    complaints.extend(files::unreferenced(&paths, &sources));
    complaints.extend(stale_entries(&paths));
    let names = paths.iter().copied().collect();
    complaints.extend(
        sources
            .iter()
            .flat_map(|source| links::dead(source, &names)),
    );
    complaints.extend(bans::missing(&sources));
    complaints.extend(packages::manifests(&sources));
    complaints.extend(packages::licences(&metadata));
    complaints.extend(packages::too_many_duplicates(&duplicates));
    complaints.extend(crates::edges(&metadata));
    complaints.extend(crates::reachability()?);

    for complaint in &complaints {
        out::line(&complaint.to_string());
    }
    if !complaints.is_empty() {
        bail!("tidy has {} complaints", complaints.len());
    }
    let n_packages = metadata.packages().len();
    let n_sources = sources.len();
    let n_duplicates = duplicates.len();
    out::line(&format!(
        "tidy: {n_sources} files, {n_packages} packages with allowed licences, \
         {n_duplicates} of them in several versions"
    ));
    Ok(())
}

/// All rules that look at one file.
fn check_source(source: &Source) -> Vec<Complaint> {
    let mut complaints = words::marks(source);
    complaints.extend(words::places(source));
    if source.is_rust() {
        complaints.extend(limits::module_doc(source));
        complaints.extend(limits::file_length(source, limits::LONG_FILES));
        complaints.extend(limits::function_lengths(source, limits::LONG_FUNCTIONS));
        complaints.extend(words::attributes(source));
        complaints.extend(words::sleeps(source, words::SLEEP_ALLOWED));
        complaints.extend(doors::files(source));
        complaints.extend(doors::no_expected_bans(source));
        complaints.extend(doors::doors(source));
    }
    complaints
}

/// Entries of the lists of exceptions whose file is gone.
fn stale_entries(paths: &[&str]) -> Vec<Complaint> {
    let long_files = limits::LONG_FILES.iter().map(|(path, _)| *path);
    let long_functions = limits::LONG_FUNCTIONS.iter().map(|(path, _, _)| *path);
    let sleepers = words::SLEEP_ALLOWED.iter().copied();
    let entries = long_files.chain(long_functions).chain(sleepers);
    let stale = entries.filter(|entry| !paths.contains(entry));
    let text = "is listed as an exception and does not exist";
    stale
        .map(|entry| Complaint::at(entry, 1, text.to_owned()))
        .collect()
}
