//! Compression of payloads with the dictionary of a chunk; contexts are kept, not made anew.

use std::fmt;
use std::io;
use std::sync::{Mutex, PoisonError};

use zstd::bulk::{Compressor, Decompressor};

/// Compression level of rows: higher ones cost more than they save (facts of the design).
const LEVEL: i32 = 1;
/// Level where a block must be small, whatever it costs.
const LEVEL_MAX: i32 = 22;
/// Contexts kept for reuse; more exist only while more threads work at once.
const CONTEXTS_MAX: usize = 8;

/// One dictionary with what is prepared for it.
pub(crate) struct Codec {
    dictionary: Vec<u8>,
    compressors: Mutex<Vec<Compressor<'static>>>,
    decompressors: Mutex<Vec<Decompressor<'static>>>,
}

impl fmt::Debug for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Codec({} bytes)", self.dictionary.len())
    }
}

impl Codec {
    /// The codec of a dictionary; empty for none.
    pub(crate) fn new(dictionary: Vec<u8>) -> Self {
        Codec {
            dictionary,
            compressors: Mutex::default(),
            decompressors: Mutex::default(),
        }
    }

    pub(crate) fn dictionary(&self) -> &[u8] {
        &self.dictionary
    }

    /// One zstd block of `plain`.
    pub(crate) fn compress(&self, plain: &[u8]) -> io::Result<Vec<u8>> {
        let mut context = match take(&self.compressors) {
            Some(context) => context,
            None => self.compressor(LEVEL)?,
        };
        let out = context.compress(plain)?;
        put_back(&self.compressors, context);
        Ok(out)
    }

    /// What `payload` holds; an error unless it is exactly `plain_len` bytes.
    pub(crate) fn decompress(&self, payload: &[u8], plain_len: usize) -> io::Result<Vec<u8>> {
        if plain_len == 0 && payload.is_empty() {
            return Ok(Vec::new());
        }
        let mut context = match take(&self.decompressors) {
            Some(context) => context,
            None => Decompressor::with_dictionary(&self.dictionary)?,
        };
        let out = context.decompress(payload, plain_len)?;
        put_back(&self.decompressors, context);
        if out.len() == plain_len {
            return Ok(out);
        }
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "payload of another length",
        ))
    }

    /// The smallest block of `plain` that can be had.
    pub(crate) fn compress_hard(&self, plain: &[u8]) -> io::Result<Vec<u8>> {
        let mut context = self.compressor(LEVEL_MAX)?;
        context.set_parameter(zstd::zstd_safe::CParameter::ContentSizeFlag(false))?;
        context.compress(plain)
    }

    fn compressor(&self, level: i32) -> io::Result<Compressor<'static>> {
        let mut context = Compressor::with_dictionary(level, &self.dictionary)?;
        // The chunk names the dictionary, so that four bytes a frame are saved.
        context.set_parameter(zstd::zstd_safe::CParameter::DictIdFlag(false))?;
        Ok(context)
    }
}

fn take<T>(contexts: &Mutex<Vec<T>>) -> Option<T> {
    contexts
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .pop()
}

fn put_back<T>(contexts: &Mutex<Vec<T>>, context: T) {
    let mut kept = contexts.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.len() < CONTEXTS_MAX {
        kept.push(context);
    }
}
