//! Secrets that administrators hand in: stored sealed, never shown again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::error::Fault;

/// What answers show in place of a secret; sent back, it keeps the secret.
pub(crate) const MASK: &str = "********";
/// Most bytes of a secret.
pub(crate) const SECRET_BYTES_MAX: usize = 4096;

const PURPOSE: &str = "secret of a connector or hook";

/// A secret as it is stored: sealed, in base64.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Secret(String);

impl Secret {
    /// Seals a text.
    #[must_use]
    pub(crate) fn seal(app: &App, text: &str) -> Self {
        Secret(STANDARD.encode(app.sealer().seal(app.ids(), PURPOSE, text.as_bytes())))
    }

    /// The text.
    ///
    /// # Errors
    /// 500 when the data directory's key does not open it.
    pub(crate) fn open(&self, app: &App) -> Result<String, Fault> {
        let opened = STANDARD
            .decode(&self.0)
            .ok()
            .and_then(|sealed| app.sealer().open(PURPOSE, &sealed).ok())
            .and_then(|plain| String::from_utf8(plain).ok());
        opened.ok_or_else(|| Fault::internal("a stored secret does not open with this key"))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// A secret field of a document that was sent.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum SecretInput {
    /// It is to stay as it is: not sent, or sent as the mask.
    Keep,
    /// It is to become this.
    New(String),
}

impl SecretInput {
    /// What a field's text means.
    #[must_use]
    pub(crate) fn of(text: Option<String>) -> Self {
        match text {
            None => SecretInput::Keep,
            Some(text) if text == MASK => SecretInput::Keep,
            Some(text) => SecretInput::New(text),
        }
    }

    /// What is to be stored, given what is.
    #[must_use]
    pub(crate) fn apply(&self, app: &App, old: Option<&Secret>) -> Option<Secret> {
        match self {
            SecretInput::Keep => old.cloned(),
            SecretInput::New(text) => Some(Secret::seal(app, text)),
        }
    }
}

impl std::fmt::Debug for SecretInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            SecretInput::Keep => "Keep",
            SecretInput::New(_) => "New(..)",
        })
    }
}
