//! Reads fields of a log object and names those of a wrong type.

use std::cell::RefCell;

use convlog_model::json::{Items, Value};
use convlog_model::record::Draft;

use crate::DecodeError;

/// A log object. Paths are spelled with dots; no key of a log object that is read here has one.
pub(super) struct Reader<'a> {
    body: Value<'a>,
    /// What was found on the way: most paths that are read lie beside one that was.
    known: RefCell<Vec<(&'static str, Option<Value<'a>>)>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(body: Value<'a>) -> Self {
        Reader {
            body,
            known: RefCell::new(Vec::with_capacity(16)),
        }
    }

    /// The value of a path; `null` counts as missing.
    pub(super) fn get(&self, path: &'static str) -> Option<Value<'a>> {
        let found = self.find(path)?;
        (!matches!(found, Value::Null)).then_some(found)
    }

    fn find(&self, path: &'static str) -> Option<Value<'a>> {
        let dot = path.bytes().rposition(|byte| byte == b'.');
        match dot.and_then(|dot| Some((path.get(..dot)?, path.get(dot + 1..)?))) {
            None => self.body.get(path),
            Some((around, key)) => self.around(around)?.get(key),
        }
    }

    /// What holds the value of a path.
    fn around(&self, path: &'static str) -> Option<Value<'a>> {
        let known = self
            .known
            .borrow()
            .iter()
            .find(|(known, _)| *known == path)
            .copied();
        if let Some((_, value)) = known {
            return value;
        }
        let value = self.find(path);
        self.known.borrow_mut().push((path, value));
        value
    }

    /// The text of a path.
    pub(super) fn text(&self, path: &'static str) -> Result<Option<&'a str>, DecodeError> {
        match self.get(path) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(DecodeError::wrong_type("a string", other, path)),
        }
    }

    /// The text of a path, unless it is empty.
    pub(super) fn filled(&self, path: &'static str) -> Result<Option<&'a str>, DecodeError> {
        Ok(self.text(path)?.filter(|text| !text.is_empty()))
    }

    /// The objects of an array; none when it is missing.
    pub(super) fn objects(&self, path: &'static str) -> Result<Items<'a>, DecodeError> {
        let items = match self.get(path) {
            None => return Ok(Items::default()),
            Some(Value::Array(items)) => items,
            Some(other) => return Err(DecodeError::wrong_type("an array", other, path)),
        };
        let is_wrong = |(_, item): &(usize, Value<'_>)| !matches!(item, Value::Object(_));
        match items.enumerate().find(is_wrong) {
            Some((i, other)) => Err(DecodeError::wrong_type(
                "an object",
                other,
                &format!("{path}[{i}]"),
            )),
            None => Ok(items),
        }
    }

    /// Checks that a path, where present, holds an object.
    pub(super) fn check_object(&self, path: &'static str) -> Result<(), DecodeError> {
        match self.get(path) {
            None | Some(Value::Object(_)) => Ok(()),
            Some(other) => Err(DecodeError::wrong_type("an object", other, path)),
        }
    }

    /// Lets a canonical field refer to the first of these paths that holds a text.
    pub(super) fn refer(
        &self,
        draft: &mut Draft,
        canonical: &str,
        paths: &[&'static str],
    ) -> Result<(), DecodeError> {
        for path in paths {
            if self.filled(path)?.is_some() {
                refer_to(draft, canonical, path);
                return Ok(());
            }
        }
        Ok(())
    }
}

/// Lets a canonical field refer to a path.
pub(super) fn refer_to(draft: &mut Draft, canonical: &str, path: &str) {
    draft.set_ref_spelled(canonical, path);
}
