//! `convlog export`: a consistent snapshot of a server, streamed to a file or to stdout.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use futures::StreamExt as _;
use reqwest::Method;
use serde_json::json;

use crate::args::{Export, ExportFormat, Shape};
use crate::client::Client;
use crate::out;

/// Writes it.
pub(crate) async fn run(arguments: &Export) -> Result<()> {
    let client = Client::new(&arguments.connection)?;
    let format = match arguments.format {
        ExportFormat::Jsonl => "jsonl",
        ExportFormat::Csv => "csv",
        ExportFormat::WatsonJson => "watson-json",
    };
    let mut query = vec![("format", format)];
    query.extend(arguments.filter.as_deref().map(|filter| ("filter", filter)));
    query.extend(arguments.shape.map(|shape| match shape {
        Shape::V1 => ("shape", "v1"),
        Shape::V2 => ("shape", "v2"),
    }));
    query.extend(arguments.for_training.then_some(("purpose", "improvement")));
    let request = client.request(Method::GET, &["convlog", "v1", "export"], &query);
    let answer = client.send(&request).await?;
    let n_bytes = match &arguments.output {
        None => write(answer, &mut io::stdout().lock(), "cannot write to stdout").await?,
        Some(path) => to_file(answer, path).await?,
    };
    if arguments.json {
        out::note(&json!({"bytes": n_bytes}).to_string());
    } else if let Some(path) = &arguments.output {
        let n_bytes = out::grouped(n_bytes);
        out::note(&format!("{n_bytes} bytes written to {}", path.display()));
    }
    Ok(())
}

/// The file gets its name when it is complete; what is there under that name stays until then.
async fn to_file(answer: reqwest::Response, path: &Path) -> Result<u64> {
    let cannot = || format!("cannot write {}", path.display());
    let part = part_of(path);
    let mut file = BufWriter::new(File::create(&part).with_context(cannot)?);
    let written = write(answer, &mut file, "cannot write the file").await;
    let written = written.and_then(|n_bytes| {
        let file = file.into_inner().map_err(io::IntoInnerError::into_error);
        file.and_then(|file| file.sync_all()).with_context(cannot)?;
        std::fs::rename(&part, path).with_context(cannot)?;
        Ok(n_bytes)
    });
    if written.is_err() {
        // What went wrong before matters more.
        drop(std::fs::remove_file(&part));
    }
    written
}

fn part_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

async fn write(
    answer: reqwest::Response,
    file: &mut impl Write,
    cannot: &'static str,
) -> Result<u64> {
    let mut chunks = answer.bytes_stream();
    let mut n_bytes = 0;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.context("the export broke off; nothing of it can be relied on")?;
        file.write_all(&chunk).context(cannot)?;
        n_bytes += chunk.len() as u64;
    }
    file.flush().context(cannot)?;
    Ok(n_bytes)
}
