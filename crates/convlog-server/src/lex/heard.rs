//! What is logged of a turn: the record, with the entry of its log group as its raw body.

use convlog_dialects::cloudwatch::event;
use convlog_dialects::lex::decode;
use convlog_dialects::lex::dialog::Answer;
use convlog_dialects::lex::entry::Turn;
use convlog_dialects::lex::sentiment::Sentiment;
use convlog_model::json::Json;
use convlog_model::record::Draft;
use convlog_model::time::Timestamp;

use super::known::Ready;
use super::session::Session;
use super::target::{Address, Question};
use crate::aws::{Call, Refusal};
use crate::connector::Failure;

/// A turn, heard and answered.
pub(super) struct Heard<'a> {
    pub(super) call: &'a Call,
    pub(super) to: &'a Address,
    pub(super) question: &'a Question,
    pub(super) ready: &'a Ready,
    pub(super) session: &'a Session,
    pub(super) answer: &'a Answer,
    pub(super) customer: Option<&'a str>,
    pub(super) requested: Timestamp,
    pub(super) failure: Option<&'a Failure>,
    pub(super) sentiment: Option<&'a Sentiment>,
    /// Where its audio will be found.
    pub(super) audio: Option<&'a str>,
}

impl Heard<'_> {
    /// The record of the turn, where its session logs text.
    pub(super) fn draft(&self) -> Result<Option<Draft>, Refusal> {
        let Some(logs) = &self.session.logs else {
            return Ok(None);
        };
        let Some(group) = logs.group() else {
            return Ok(None);
        };
        let responded = self.call.app.now().max(self.requested);
        let entry = self.turn(self.requested).entry().to_string();
        let mut draft = decode::entry(&self.call.caller.instance, &entry)?;
        draft.set_text("time.request", &self.requested.to_micros_text());
        draft.set_text("time.response", &responded.to_micros_text());
        if let Some(customer) = self.customer {
            draft.set_text("customer", customer);
        }
        if let Some(failure) = self.failure {
            draft.set_text("error", &failure.class);
        }
        let turns = i64::try_from(self.session.turns).unwrap_or(i64::MAX);
        draft.set_value("conversation_turn", Json::integer(turns));
        let latency = responded.millis() - self.requested.millis();
        draft.set_value("latency_ms", Json::integer(latency));
        let stream = logs.stream(
            self.requested,
            &self.call.caller.instance,
            self.question.audio.is_some(),
        );
        let labels = &mut draft.labels;
        labels.insert(event::GROUP.to_owned(), group.to_owned());
        labels.insert(event::STREAM.to_owned(), stream);
        Ok(Some(draft))
    }

    fn turn(&self, time: Timestamp) -> Turn<'_> {
        let question = self.question;
        let bot = self.ready.compiled.bot();
        Turn {
            bot: &bot.name,
            alias: &self.to.alias,
            version: &self.session.version,
            locale: &bot.locale,
            utterance: question.utterance.as_deref().unwrap_or_default(),
            is_speech: question.audio.is_some(),
            answer: self.answer,
            hidden: &self.ready.hidden,
            request_id: &self.call.request_id,
            user: &self.to.user,
            session: &self.session.id,
            time,
            session_attributes: question.session_attributes.as_ref(),
            request_attributes: question.request_attributes.as_ref(),
            sentiment: self.sentiment,
            audio: self.audio,
        }
    }
}
