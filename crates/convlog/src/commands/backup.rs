//! `convlog backup`: everything that a running server holds, to a file or a directory.

use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, Result};
use convlog_store::embedded::{is_one_file, save_backup};
use futures::StreamExt as _;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::json;
use tokio::sync::mpsc;

use crate::args::Backup;
use crate::client::Client;
use crate::out::{self, wrong_use};

/// Pieces that wait to be written.
const PIECES_MAX: usize = 16;
const PASSPHRASE_LEN_MAX: u64 = 4096;

/// Writes it.
pub(crate) async fn run(arguments: &Backup) -> Result<()> {
    let client = Client::new(&arguments.connection)?;
    let mut body = json!({"ledger_only": arguments.ledger_only});
    if let Some(path) = &arguments.passphrase_file {
        body["passphrase"] = passphrase(path)?.into();
    }
    let request = client
        .request(Method::POST, &["convlog", "v1", "backup"], &[])
        .header(CONTENT_TYPE, "application/json")
        .body(body.to_string());
    let answer = client.send(&request).await?;
    let n_bytes = save(answer, &arguments.output).await?;
    let is_secret = !arguments.ledger_only && arguments.passphrase_file.is_none();
    if arguments.json {
        let form = match is_one_file(&arguments.output) {
            true => "file",
            false => "directory",
        };
        let path = arguments.output.display().to_string();
        return out::line(
            &json!({"path": path, "form": form, "bytes": n_bytes, "secret": is_secret}).to_string(),
        );
    }
    let path = arguments.output.display();
    out::line(&format!(
        "{} bytes written to {path}",
        out::grouped(n_bytes)
    ))?;
    if is_secret {
        out::line(
            "it holds the key of the data in the clear: keep it as secret as the data itself \
             (--passphrase-file seals the key)",
        )?;
    }
    Ok(())
}

/// The first line of a file.
pub(crate) fn passphrase(path: &Path) -> Result<String> {
    let cannot = || format!("cannot read {}", path.display());
    let mut text = String::new();
    let file = std::fs::File::open(path).with_context(cannot)?;
    file.take(PASSPHRASE_LEN_MAX)
        .read_to_string(&mut text)
        .with_context(cannot)?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        _ => Err(wrong_use(format!(
            "{}: the first line is to be the passphrase, and is empty",
            path.display()
        ))),
    }
}

/// A thread writes and checks what this one receives.
async fn save(answer: reqwest::Response, path: &Path) -> Result<u64> {
    let (sender, pieces) = mpsc::channel(PIECES_MAX);
    let to = path.to_owned();
    let saving = tokio::task::spawn_blocking(move || {
        let from = Pieces {
            pieces,
            now: Vec::new(),
            at: 0,
        };
        save_backup(from, &to)
    });
    let mut stream = answer.bytes_stream();
    while let Some(piece) = stream.next().await {
        let piece = piece.map(Vec::from).map_err(io::Error::other);
        let is_last = piece.is_err();
        // Nobody takes it when the writing has failed; why is told below.
        if sender.send(piece).await.is_err() || is_last {
            break;
        }
    }
    drop(sender);
    let saved = saving.await.context("the writing thread failed")?;
    saved.context("the backup failed, and nothing of it is kept")
}

/// What the server sends, as a reader.
struct Pieces {
    pieces: mpsc::Receiver<io::Result<Vec<u8>>>,
    now: Vec<u8>,
    at: usize,
}

impl Read for Pieces {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.at == self.now.len() {
            match self.pieces.blocking_recv() {
                Some(piece) => self.now = piece?,
                None => return Ok(0),
            }
            self.at = 0;
        }
        let rest = self.now.get(self.at..).unwrap_or_default();
        let n = rest.len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..n), rest.get(..n)) {
            to.copy_from_slice(from);
        }
        self.at += n;
        Ok(n)
    }
}
