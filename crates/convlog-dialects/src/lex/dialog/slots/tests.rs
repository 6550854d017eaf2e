//! Values of slot types.
