//! The `key` file: 32 random bytes that encrypt secrets and key the hashes, readable by the owner.

use std::path::Path;

use convlog_model::clock::IdSource;
use convlog_model::seal::Sealer;

use super::disk::{Disk, read_all};
use super::error::OpenError;

/// The file.
pub(crate) const KEY: &str = "key";
const KEY_NEW: &str = "key.new";
const HEAD: &str = "convlog-key-1 ";

/// Reads the key of a data directory.
pub(crate) fn read(disk: &dyn Disk, dir: &Path) -> Result<Sealer, OpenError> {
    decode(text(disk, dir)?)
}

/// The bytes of the file.
pub(crate) fn text(disk: &dyn Disk, dir: &Path) -> Result<Vec<u8>, OpenError> {
    let io_error = |error| OpenError::io(KEY, error);
    let file = disk.open_read(&dir.join(KEY)).map_err(io_error)?;
    read_all(file.as_ref(), 4096).map_err(io_error)
}

/// The key in the bytes of a file.
pub(crate) fn decode(bytes: Vec<u8>) -> Result<Sealer, OpenError> {
    let text = String::from_utf8(bytes).unwrap_or_default();
    let key = text.trim_end().strip_prefix(HEAD).and_then(parse);
    let unusable = || OpenError::unusable(KEY, "holds no key of convlog");
    key.map(Sealer::new).ok_or_else(unusable)
}

fn parse(hex: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = hex
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits
        .chunks_exact(2)
        .filter_map(|pair| Some((pair.first()? << 4) | pair.get(1)?))
        .collect();
    (hex.len() == 64).then(|| bytes.try_into().ok()).flatten()
}

/// Makes a key. Under another name first, so that it is there wholly or not at all.
pub(crate) fn make(disk: &dyn Disk, dir: &Path, ids: &dyn IdSource) -> Result<(), OpenError> {
    let io_error = |error| OpenError::io(KEY, error);
    let mut key = [0; 32];
    ids.fill(&mut key);
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let new = dir.join(KEY_NEW);
    drop(disk.remove(&new));
    let file = disk.create(&new).map_err(io_error)?;
    let text = format!("{HEAD}{hex}\n");
    file.write_at(0, text.as_bytes()).map_err(io_error)?;
    file.sync_data().map_err(io_error)?;
    disk.rename(&new, &dir.join(KEY)).map_err(io_error)?;
    disk.sync_dir(dir).map_err(io_error)
}
