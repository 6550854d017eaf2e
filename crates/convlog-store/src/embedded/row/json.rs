//! Canonical values in binary: nothing is lost, and reading needs no JSON parser.

use convlog_model::json::Json;

use crate::embedded::bytes::{Malformed, Reader, put_bytes, put_len};

/// Deepest value that is written.
const DEPTH_MAX: usize = 128;

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const NUMBER: u8 = 3;
const STRING: u8 = 4;
const ARRAY: u8 = 5;
const OBJECT: u8 = 6;

/// Whether a value is not too deep.
pub(crate) fn fits(value: &Json) -> bool {
    fits_within(value, DEPTH_MAX)
}

fn fits_within(value: &Json, depth: usize) -> bool {
    match value {
        Json::Array(items) => depth > 0 && items.iter().all(|v| fits_within(v, depth - 1)),
        Json::Object(members) => {
            depth > 0 && members.iter().all(|(_, v)| fits_within(v, depth - 1))
        }
        _ => true,
    }
}

/// Appends a value that [`fits`].
pub(crate) fn put(out: &mut Vec<u8>, value: &Json) {
    match value {
        Json::Null => out.push(NULL),
        Json::Bool(false) => out.push(FALSE),
        Json::Bool(true) => out.push(TRUE),
        Json::Number(text) => {
            out.push(NUMBER);
            put_bytes(out, text.as_bytes());
        }
        Json::String(text) => {
            out.push(STRING);
            put_bytes(out, text.as_bytes());
        }
        Json::Array(items) => {
            out.push(ARRAY);
            put_len(out, items.len());
            for item in items {
                put(out, item);
            }
        }
        Json::Object(members) => {
            out.push(OBJECT);
            put_len(out, members.len());
            for (key, member) in members {
                put_bytes(out, key.as_bytes());
                put(out, member);
            }
        }
    }
}

/// Reads a value.
pub(crate) fn take(reader: &mut Reader<'_>) -> Result<Json, Malformed> {
    take_within(reader, DEPTH_MAX)
}

fn take_within(reader: &mut Reader<'_>, depth: usize) -> Result<Json, Malformed> {
    let tag = reader.u8()?;
    let deeper = depth.checked_sub(1);
    match tag {
        NULL => Ok(Json::Null),
        FALSE => Ok(Json::Bool(false)),
        TRUE => Ok(Json::Bool(true)),
        NUMBER => Ok(Json::Number(reader.text()?.into())),
        STRING => Ok(Json::string(reader.text()?)),
        ARRAY => {
            let deeper = deeper.ok_or_else(|| reader.fault("value too deep"))?;
            let mut items = Vec::new();
            for _ in 0..reader.count()? {
                items.push(take_within(reader, deeper)?);
            }
            Ok(Json::Array(items))
        }
        OBJECT => {
            let deeper = deeper.ok_or_else(|| reader.fault("value too deep"))?;
            let mut members = Vec::new();
            for _ in 0..reader.count()? {
                let key = reader.text()?.into();
                members.push((key, take_within(reader, deeper)?));
            }
            Ok(Json::Object(members))
        }
        _ => Err(reader.fault("no value")),
    }
}
