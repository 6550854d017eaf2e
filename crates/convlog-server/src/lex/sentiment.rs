//! What the user felt, by a service that the configuration names and that answers as Amazon
//! Comprehend does.

use std::time::Duration;

use axum::http::HeaderValue;
use convlog_dialects::lex::model::Bot;
use convlog_dialects::lex::sentiment::Sentiment;
use convlog_model::json::Json;

use crate::app::App;
use crate::auth::Caller;
use crate::connector::Failure;
use crate::events::{self, OwnEvent};

const TIMEOUT: Duration = Duration::from_secs(5);
const NAME: &str = "sentiment";

/// The sentiment of an utterance, where the bot detects it and somebody tells it. A service that
/// fails does not hold a conversation up: the turn goes on without, and an event says so.
pub(super) async fn of(app: &App, caller: &Caller, bot: &Bot, said: &str) -> Option<Sentiment> {
    let url = app.config().lex.sentiment.as_deref()?;
    if !bot.detect_sentiment || said.is_empty() {
        return None;
    }
    match ask(app, url, &bot.locale, said).await {
        Ok(sentiment) => Some(sentiment),
        Err(failure) => {
            let event = OwnEvent::by(
                app,
                &caller.instance,
                events::SYSTEM,
                events::INTEGRATION_SENTIMENT_FAILED,
            )
            .about("botId", bot.name.as_str())
            .with("class", failure.class.as_str());
            let subject = format!("{NAME}/{}/{}", caller.instance, failure.class);
            events::record_failure(app, &subject, event).await;
            None
        }
    }
}

async fn ask(app: &App, url: &str, locale: &str, said: &str) -> Result<Sentiment, Failure> {
    let language = locale.split('-').next().unwrap_or_default();
    let body = Json::object([
        ("LanguageCode", Json::string(language)),
        ("Text", Json::string(said)),
    ]);
    let json = HeaderValue::from_static("application/json");
    let body = body.to_string().into_bytes();
    let connectors = app.connectors();
    let answer = connectors.post_configured((NAME, url), json, body, TIMEOUT);
    let answer = answer.await?;
    let answer = Json::parse(&answer).ok();
    let sentiment = answer.as_ref().and_then(Sentiment::read);
    sentiment.ok_or_else(|| Failure::bad_answer(NAME, "it is none of DetectSentiment"))
}
