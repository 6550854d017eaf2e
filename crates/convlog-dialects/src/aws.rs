//! What the dialects of AWS share: the shapes that requests may have, and names of resources.

pub mod arn;
pub mod shape;
