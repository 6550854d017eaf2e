//! Recovery keeps whole groups and refuses corruption.
