//! Amazon Lex V1: what its clients and its logs bring, and how others read it.

mod history;
