//! JSON texts taken apart and put together without touching what they hold.
