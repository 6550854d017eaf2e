//! Amazon Lex V1: what its bots are made of, what its requests may hold, its built-in dialogue, and
//! what is logged of a conversation.

pub mod decode;
pub mod dialog;
pub mod entry;
pub mod fields;
pub mod import;
pub mod model;
pub mod neutral;
pub mod obfuscate;
pub mod rules;
pub mod sentiment;
pub mod shapes;
pub mod transfer;
