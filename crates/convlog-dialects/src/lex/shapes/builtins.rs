//! Requests for what is built in.

use super::common::{ANY_TEXT, LOCALE, PAGE};
use crate::aws::shape::{Shape, optional, required};

/// `GetBuiltinIntent`.
pub static GET_BUILTIN_INTENT: Shape =
    Shape::Structure(&[required("signature", &ANY_TEXT).param("signature")]);

/// `GetBuiltinIntents` and `GetBuiltinSlotTypes`.
pub static GET_BUILTINS: Shape = Shape::Structure(&[
    optional("locale", &LOCALE).param("locale"),
    optional("signatureContains", &ANY_TEXT).param("signatureContains"),
    optional("nextToken", &ANY_TEXT).param("nextToken"),
    optional("maxResults", &PAGE).param("maxResults"),
]);
