//! Filters as text, in the filter language.
