//! A disk in memory that fails, forgets and damages on demand.
