//! What the route table says of a route.

use axum::routing::MethodRouter;

use crate::app::App;
use crate::auth::Role;
use crate::aws::Service;

/// What a key must be allowed to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// No key is needed.
    Open,
    /// Any valid key.
    Key,
    /// A key with this role.
    Role(Role),
}

/// The form in which a route shows errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Envelope {
    /// problem+json
    Own,
    /// Watson's `{"error","code"}`
    Watson,
    /// ChatBotKit's `{"message","code"}`
    Flat,
    /// AWS's `{"__type","message"}`
    Aws(Service),
}

/// One route.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// Its method.
    pub method: &'static str,
    /// Its path; `{name}` stands for one segment.
    pub path: &'static str,
    /// What a key must be allowed to do.
    pub access: Access,
    /// Whether a key that is limited to some bots is refused.
    pub is_instance_wide: bool,
    /// Whether it counts as a list call.
    pub is_list: bool,
    /// Whether it may take the time of a bulk request.
    pub is_bulk: bool,
    /// Whether an `Idempotency-Key` makes it safe to send again.
    pub is_creating: bool,
    /// Whether a signature may leave its body out.
    pub may_be_unsigned: bool,
    /// The form of its errors.
    pub envelope: Envelope,
    pub(super) handler: fn() -> MethodRouter<App>,
}

impl Route {
    const fn new(
        method: &'static str,
        path: &'static str,
        access: Access,
        envelope: Envelope,
        handler: fn() -> MethodRouter<App>,
    ) -> Self {
        Route {
            method,
            path,
            access,
            is_instance_wide: false,
            is_list: false,
            is_bulk: false,
            is_creating: false,
            may_be_unsigned: false,
            envelope,
            handler,
        }
    }

    pub(super) const fn instance_wide(mut self) -> Self {
        self.is_instance_wide = true;
        self
    }

    pub(super) const fn list(mut self) -> Self {
        self.is_list = true;
        self
    }

    pub(super) const fn bulk(mut self) -> Self {
        self.is_bulk = true;
        self
    }

    pub(super) const fn unsigned(mut self) -> Self {
        self.may_be_unsigned = true;
        self
    }

    pub(super) const fn creating(mut self) -> Self {
        self.is_creating = true;
        self
    }
}

/// A route of the own API.
pub(super) const fn own(
    method: &'static str,
    path: &'static str,
    access: Access,
    handler: fn() -> MethodRouter<App>,
) -> Route {
    Route::new(method, path, access, Envelope::Own, handler)
}

/// A route of the ChatBotKit dialect, at the root; see [`super::prefix`].
pub(super) const fn flat(
    method: &'static str,
    path: &'static str,
    access: Access,
    handler: fn() -> MethodRouter<App>,
) -> Route {
    Route::new(method, path, access, Envelope::Flat, handler)
}

/// A route of the Lex dialect; a slash at the end of the path is the same.
pub(super) const fn lex(
    method: &'static str,
    path: &'static str,
    access: Access,
    handler: fn() -> MethodRouter<App>,
) -> Route {
    Route::new(method, path, access, Envelope::Aws(Service::Lex), handler)
}

/// The route of CloudWatch Logs, whose operations say what a key must be allowed to do.
pub(super) const fn logs(
    method: &'static str,
    path: &'static str,
    handler: fn() -> MethodRouter<App>,
) -> Route {
    let envelope = Envelope::Aws(Service::Logs);
    Route::new(method, path, Access::Key, envelope, handler)
}

/// A route of the Watson dialect, at the root; see [`super::prefix`].
pub(super) const fn watson(
    method: &'static str,
    path: &'static str,
    access: Access,
    handler: fn() -> MethodRouter<App>,
) -> Route {
    Route::new(method, path, access, Envelope::Watson, handler)
}
