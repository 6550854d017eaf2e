//! The archive around a document, taken apart and made within bounds.

use std::io::{Cursor, Read as _, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::DecodeError;

/// How an archive begins.
const SIGNATURE: &[u8] = b"PK";
/// Most entries of an archive; other programs leave notes of their own in it.
const ENTRIES_MAX: usize = 16;
/// Where one of these programs leaves its notes.
const NOTES: &str = "__MACOSX/";

/// Whether a file is an archive.
pub(super) fn is_one(file: &[u8]) -> bool {
    file.starts_with(SIGNATURE)
}

/// The one JSON file of an archive.
pub(super) fn read(file: &[u8], bytes_max: usize) -> Result<Vec<u8>, DecodeError> {
    let broken = |_| DecodeError::new("the archive cannot be read", None);
    let mut archive = ZipArchive::new(Cursor::new(file)).map_err(broken)?;
    if archive.len() > ENTRIES_MAX {
        return Err(one());
    }
    let is_document = |name: &&str| name.ends_with(".json") && !name.starts_with(NOTES);
    let mut names = archive.file_names().filter(is_document);
    let (Some(name), None) = (names.next(), names.next()) else {
        return Err(one());
    };
    let name = name.to_owned();
    drop(names);
    let entry = archive.by_name(&name).map_err(broken)?;
    let mut text = Vec::new();
    // What an archive says of its sizes is not to be trusted.
    let bound = u64::try_from(bytes_max).unwrap_or(u64::MAX);
    entry
        .take(bound.saturating_add(1))
        .read_to_end(&mut text)
        .map_err(|_| DecodeError::new("the archive is damaged", None))?;
    match text.len() > bytes_max {
        true => Err(too_large(bytes_max)),
        false => Ok(text),
    }
}

/// An archive of one file.
///
/// # Errors
/// [`DecodeError`] for a name that no file of an archive can have.
pub fn write(name: &str, text: &str) -> Result<Vec<u8>, DecodeError> {
    let failed = |_| DecodeError::new("the archive cannot be made", None);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    archive.start_file(name, options).map_err(failed)?;
    archive
        .write_all(text.as_bytes())
        .map_err(|_| DecodeError::new("the archive cannot be made", None))?;
    Ok(archive.finish().map_err(failed)?.into_inner())
}

fn one() -> DecodeError {
    DecodeError::new("the archive must hold one JSON file", None)
}

pub(super) fn too_large(bytes_max: usize) -> DecodeError {
    let message = format!("the document is larger than {bytes_max} bytes");
    DecodeError::new(message, None)
}
