//! Where IAM and CP4D authenticators fetch their tokens, so that both work against convlog's own
//! URL: `POST /identity/token` and `POST /v1/authorize`. A token dies with its key.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use convlog_model::json::Json;

use crate::app::App;
use crate::auth::{self, Caller, TOKEN_SECONDS};
use crate::body::{self, RawBody};
use crate::error::Fault;
use crate::events::{self, OwnEvent};
use crate::watson::json;

const IAM_GRANT: &str = "urn:ibm:params:oauth:grant-type:apikey";

/// `POST /identity/token`, a form `grant_type=…&apikey=ID.SECRET`.
pub(crate) async fn iam(State(app): State<App>, RawBody(body): RawBody) -> Result<Response, Fault> {
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&body).into_owned().collect();
    let field = |name: &str| {
        let found = form.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    };
    if field("grant_type") != Some(IAM_GRANT) {
        let message = "Provided grant_type is not supported.";
        return Ok(iam_error("BXNIM0109E", message));
    }
    let Some(key) = field("apikey").filter(|key| !key.is_empty()) else {
        return Ok(iam_error(
            "BXNIM0109E",
            "Property missing or empty: 'apikey'.",
        ));
    };
    let caller = match auth::authenticate_key(&app, key).await {
        Ok(caller) => caller,
        Err(Fault::Unauthorized) => {
            let message = "Provided API key could not be found.";
            return Ok(iam_error("BXNIM0415E", message));
        }
        Err(fault) => return Err(fault),
    };
    let (token, expiration) = log_in(&app, &caller, "iam").await?;
    let body = Json::object([
        ("access_token", Json::string(token)),
        ("refresh_token", Json::string("not_supported")),
        ("token_type", Json::string("Bearer")),
        ("expires_in", Json::integer(TOKEN_SECONDS)),
        ("expiration", Json::integer(expiration)),
        ("scope", Json::string("ibm openid")),
    ]);
    Ok(json(StatusCode::OK, body.to_string()))
}

/// A token for the caller's key, and when it ends; told of first.
async fn log_in(app: &App, caller: &Caller, via: &str) -> Result<(String, i64), Fault> {
    let minted = auth::mint_token(app, &caller.key_id)?;
    let event = OwnEvent::new(app, caller, events::USER_LOGIN)
        .about("keyId", &caller.key_id)
        .with("via", via);
    events::record(app, event).await?;
    Ok(minted)
}

fn iam_error(code: &str, message: &str) -> Response {
    let body = Json::object([
        ("errorCode", Json::string(code)),
        ("errorMessage", Json::string(message)),
    ]);
    json(StatusCode::BAD_REQUEST, body.to_string())
}

/// `POST /v1/authorize`, JSON `{username, password}` or `{username, api_key}`; the key is the
/// password, whatever the name.
pub(crate) async fn cp4d(
    State(app): State<App>,
    RawBody(body): RawBody,
) -> Result<Response, Fault> {
    let parsed = body::tree(&body, app.config().limits.json_depth)?;
    let text = |name: &str| parsed.get(name).and_then(Json::as_str);
    let Some(key) = text("api_key").or_else(|| text("password")) else {
        return Err(Fault::bad_at("api_key", "api_key or password is required"));
    };
    let caller = auth::authenticate_key(&app, key).await?;
    let (token, _) = log_in(&app, &caller, "cp4d").await?;
    let body = Json::object([
        ("_messageCode_", Json::string("success")),
        ("message", Json::string("success")),
        ("token", Json::string(token)),
    ]);
    Ok(json(StatusCode::OK, body.to_string()))
}
