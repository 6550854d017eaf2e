//! Sessions end when they should, and their keys with them.
