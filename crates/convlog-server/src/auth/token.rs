//! Tokens of an hour that stand for a key, for clients of IAM and CP4D. They die with their key.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use super::Caller;
use crate::app::App;
use crate::error::Fault;
use crate::keys;

/// Life of a token.
pub const TOKEN_SECONDS: i64 = 3600;

/// What a token says. `username` is what CP4D clients look for.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    username: String,
    iat: i64,
    exp: i64,
}

const ISSUER: &str = "convlog";

/// A token for the key of this id, and the second at which it ends.
///
/// # Errors
/// 500 when it cannot be signed.
pub fn mint_token(app: &App, key_id: &str) -> Result<(String, i64), Fault> {
    let iat = app.now().millis().div_euclid(1000);
    let claims = Claims {
        iss: ISSUER.to_owned(),
        sub: key_id.to_owned(),
        username: key_id.to_owned(),
        iat,
        exp: iat + TOKEN_SECONDS,
    };
    let key = EncodingKey::from_secret(&signing_key(app));
    let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key)
        .map_err(|error| Fault::internal(format!("cannot sign a token: {error}")))?;
    Ok((token, claims.exp))
}

/// Who a token stands for.
pub(super) async fn verify(app: &App, token: &str) -> Result<Caller, Fault> {
    let mut rules = Validation::new(Algorithm::HS256);
    // The library reads the system's clock; ours decides below.
    rules.validate_exp = false;
    rules.required_spec_claims.clear();
    rules.set_issuer(&[ISSUER]);
    let key = DecodingKey::from_secret(&signing_key(app));
    let claims = jsonwebtoken::decode::<Claims>(token, &key, &rules)
        .map_err(|_| Fault::Unauthorized)?
        .claims;
    if app.now().millis().div_euclid(1000) >= claims.exp {
        return Err(Fault::Unauthorized);
    }
    keys::caller_of(app, &claims.sub).await
}

fn signing_key(app: &App) -> [u8; 32] {
    app.sealer().derive("tokens").hash(b"HS256")
}
