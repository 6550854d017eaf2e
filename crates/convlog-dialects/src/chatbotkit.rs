//! ChatBotKit's event log: items that it lists, parameters that it takes, and every record of ours
//! as such items.
//!
//! Facts: the reference server `chatbotkit/platform` 0.2.0, the OpenAPI document of
//! `@chatbotkit/sdk` 1.38.0, and what both SDKs send and accept.

pub mod conversation;
pub mod cursor;
pub mod decode;
pub mod encode;
pub mod filter;
pub mod ids;
pub mod item;
pub mod message;
pub mod meta;
pub mod params;
pub mod project;
