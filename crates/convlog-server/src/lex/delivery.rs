//! What of a turn goes out of the server, under the names that its alias gave.

use bytes::Bytes;
use convlog_model::record::Draft;
use convlog_model::store::Stored;
use convlog_model::time::Timestamp;

use super::session::Session;
use super::target::{Address, Question};
use crate::aws::{Call, Refusal};
use crate::cloudwatch;
use crate::deliveries::{self, AudioOrder, Destination, Owner, Underway};

/// Speech as it came.
#[derive(Clone, Debug)]
pub(super) struct Audio {
    /// Its media type with all parameters.
    pub content_type: String,
    /// Its bytes.
    pub bytes: Bytes,
}

/// Keeps the audio of a turn for its delivery, where its session logs any. Returns the path under
/// which it will be found.
pub(super) async fn audio(
    call: &Call,
    (to, question): (&Address, &Question),
    session: &Session,
    customer: &Option<String>,
) -> Result<(Underway, Option<String>), Refusal> {
    let mut underway = Underway::new(&call.app, &call.caller, owner(to, session));
    let logs = session.logs.as_ref();
    let target = logs.and_then(|logs| logs.audio.as_ref().map(|target| (logs, target)));
    let (Some((logs, target)), Some(audio)) = (target, &question.audio) else {
        return Ok((underway, None));
    };
    let key = key(
        &logs.prefix,
        call.app.now(),
        (&session.id, &call.request_id),
        audio,
    );
    let order = AudioOrder {
        bucket: &target.bucket,
        key: &key,
        kms_key: target.kms_key.as_deref(),
        role: &logs.role,
        content_type: &audio.content_type,
        bytes: audio.bytes.clone(),
        request_id: &call.request_id,
        customer: customer.as_deref(),
    };
    let is_kept = underway.keep_audio(&call.caller, &order).await?;
    let path = format!("s3://{}/{key}", target.bucket);
    Ok((underway, is_kept.then_some(path)))
}

/// Prepares the delivery of the text of a turn, where its session logs any.
pub(super) async fn text(
    mut underway: Underway,
    (session, question): (&Session, &Question),
    mut draft: Option<Draft>,
) -> Result<(Underway, Option<Draft>), Refusal> {
    let logs = session.logs.as_ref();
    let group = logs.and_then(|logs| logs.text.as_deref().map(|group| (logs, group)));
    let (Some((logs, group)), Some(marked)) = (group, &mut draft) else {
        return Ok((underway, draft));
    };
    let destination = Destination {
        group,
        role: &logs.role,
        is_speech: question.audio.is_some(),
    };
    underway.mark(&destination, marked).await?;
    Ok((underway, draft))
}

/// An entry that goes to a group of this server's own: it is there with its record, if the group is.
#[derive(Debug)]
pub(super) struct BuiltIn {
    owner: Owner,
    group: String,
    entry: String,
}

/// The entry of a turn, where log groups are this server's own.
pub(super) fn built_in(
    call: &Call,
    to: &Address,
    session: &Session,
    draft: Option<&Draft>,
) -> Option<BuiltIn> {
    if !call.app.config().aws.builtin_logs {
        return None;
    }
    let group = session.logs.as_ref()?.group()?;
    Some(BuiltIn {
        owner: owner(to, session),
        group: group.to_owned(),
        entry: draft?.raw.as_str().to_owned(),
    })
}

impl BuiltIn {
    /// Counts the entry, once its record is kept: a group that is not there does not show it.
    pub(super) async fn tally(&self, call: &Call, turn: &Stored) {
        let (app, instance) = (&call.app, &call.caller.instance);
        let entry = (self.group.as_str(), self.entry.as_str());
        match cloudwatch::take_turn(app, instance, entry, turn).await {
            Ok(is_shown) => {
                deliveries::count_text(app, instance, &self.owner, is_shown);
                if !is_shown {
                    deliveries::tell_missing(app, instance, &self.owner).await;
                }
            }
            Err(fault) => {
                let status = fault.status().as_u16();
                tracing::warn!(status, "an entry of a log group was not counted");
            }
        }
    }
}

fn owner(to: &Address, session: &Session) -> Owner {
    Owner {
        bot: to.bot.clone(),
        alias: to.alias.clone(),
        version: session.version.clone(),
    }
}

/// `<prefix><yyyy>/<mm>/<dd>/<session>/<request>.<pcm|opus>`, of letters that need no escaping in
/// any tool: a colon, as in ids of sessions, becomes a low line.
fn key(prefix: &str, at: Timestamp, (session, request): (&str, &str), audio: &Audio) -> String {
    let day = at.to_millis_text();
    let day = day.split('T').next().unwrap_or_default().replace('-', "/");
    let kind = match audio.content_type.contains("opus") {
        true => "opus",
        false => "pcm",
    };
    let safe = |c: char| match c {
        '!' | '-' | '_' | '.' | '*' | '\'' | '(' | ')' | '/' => c,
        c if c.is_ascii_alphanumeric() => c,
        _ => '_',
    };
    let key = format!("{prefix}{day}/{session}/{request}.{kind}");
    key.chars().map(safe).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_of_safe_letters_and_told_apart_by_kind() {
        let at = Timestamp::parse_rfc3339("2026-01-02T03:04:05.006Z").unwrap();
        let ids = ("2026-01-02T03:04:05.006Z-aB", "r1");
        let of = |content_type: &str| {
            let audio = Audio {
                content_type: content_type.to_owned(),
                bytes: Bytes::new(),
            };
            key("aws/lex/B/PROD/1/", at, ids, &audio)
        };
        let path = "aws/lex/B/PROD/1/2026/01/02/2026-01-02T03_04_05.006Z-aB/r1";
        assert_eq!(
            of("audio/l16; rate=16000; channels=1"),
            format!("{path}.pcm")
        );
        let opus = "audio/x-cbr-opus-with-preamble; bit-rate=32000";
        assert_eq!(of(opus), format!("{path}.opus"));
    }
}
