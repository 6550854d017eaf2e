//! Redo files: whole ones are read, all others are nothing.
