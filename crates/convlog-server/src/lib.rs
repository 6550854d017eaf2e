//! HTTP: routes, keys, the ingest door and the query door. Holds an `Arc<dyn Store>` and cannot
//! see which; opens no files and reads no environment. See ARCHITECTURE.md.

mod aggregate;
mod app;
mod audit;
pub mod auth;
mod backup;
mod body;
mod bots;
mod cache;
pub mod config;
mod connector;
mod definitions;
mod entity;
mod erasures;
pub mod error;
mod export;
mod health;
mod hooks;
mod hooks_admin;
mod idempotency;
mod ingest;
mod instances;
mod jobs;
pub mod keys;
mod limits;
mod metrics;
mod middleware;
mod object;
mod openapi;
mod own_filter;
mod query;
mod records;
mod redaction;
mod retention;
mod router;
mod secret;
mod serve;
mod sessions;
mod settings;
mod stats;
#[cfg(test)]
mod testing;
mod tls;
mod tokens;
mod upkeep;
mod watson;

pub use self::app::{App, Deps};
pub use self::auth::{Caller, Role, Roles};
pub use self::config::ServerConfig;
pub use self::ingest::Ingest;
pub use self::jobs::Jobs;
pub use self::metrics::Metrics;
pub use self::query::{CursorState, Listed, QueryDoor};
pub use self::router::{Access, Envelope, ROUTES, Route, router};
pub use self::serve::serve;
pub use self::tls::TlsPem;
