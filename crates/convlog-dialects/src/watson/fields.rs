//! Names of Watson v1 and v2, and the canonical fields that they mean.
