//! Amazon Lex V1: what its bots are made of, what its requests may hold, and its built-in dialogue.

pub mod dialog;
pub mod model;
pub mod rules;
pub mod shapes;
