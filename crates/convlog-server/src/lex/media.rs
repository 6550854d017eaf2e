//! Media types of `PostContent`: what is taken in, and what may be asked for.

use axum::http::HeaderValue;

use crate::app::App;
use crate::aws::AwsError;

/// Seconds that speech may last.
const SPEECH_SECONDS_MAX: usize = 15;

/// What a body holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Text.
    Text,
    /// Speech.
    Speech(Speech),
}

/// Speech of a known form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Speech {
    /// The media type as it was sent.
    pub content_type: String,
    bytes_a_second: usize,
}

/// What an answer is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Accept {
    /// Text.
    Text,
    /// Speech of that media type.
    Speech(&'static str),
}

/// The forms that are taken in, without spaces and in lower case, with bytes a second.
const CONTENTS: &[(&str, usize)] = &[
    ("audio/l16;rate=16000;channels=1", 32_000),
    ("audio/x-l16;sample-rate=16000;channel-count=1", 32_000),
    (
        "audio/lpcm;sample-rate=8000;sample-size-bits=16;channel-count=1;is-big-endian=false",
        16_000,
    ),
    (
        "audio/lpcm;sample-rate=16000;sample-size-bits=16;channel-count=1;is-big-endian=false",
        32_000,
    ),
    (
        "audio/x-cbr-opus-with-preamble;preamble-size=0;bit-rate=256000;frame-size-milliseconds=4",
        32_000,
    ),
];

/// What the body of a request holds.
///
/// # Errors
/// 415.
pub(super) fn content(sent: Option<&HeaderValue>) -> Result<Content, AwsError> {
    let sent = sent
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let plain = plain(sent);
    let begins = |form: &str| {
        let rest = plain.strip_prefix(form);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(';'))
    };
    if begins("text/plain;charset=utf-8") || plain == "text/plain" {
        return Ok(Content::Text);
    }
    let found = CONTENTS.iter().find(|(form, _)| begins(form));
    match found {
        Some((_, bytes_a_second)) => Ok(Content::Speech(Speech {
            content_type: sent.to_owned(),
            bytes_a_second: *bytes_a_second,
        })),
        None => {
            let forms: Vec<&str> = CONTENTS.iter().map(|(form, _)| *form).collect();
            let message = format!(
                "Content-Type must begin with text/plain; charset=utf-8 or one of {}",
                forms.join(", ")
            );
            Err(AwsError::new("UnsupportedMediaTypeException", message))
        }
    }
}

/// What an answer is to be. Without `Accept` it is speech, where this server can speak.
///
/// # Errors
/// 406.
pub(super) fn accept(sent: Option<&HeaderValue>, app: &App) -> Result<Accept, AwsError> {
    let speaks = app.config().lex.synthesizer.is_some();
    let sent = sent
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let kind = match plain(sent).as_str() {
        "text/plain;charset=utf-8" | "text/plain" => return Ok(Accept::Text),
        // Clients of HTTP that say nothing of their own write this.
        "" | "*/*" if !speaks => return Ok(Accept::Text),
        "" | "*/*" | "audio/*" | "audio/mpeg" => "audio/mpeg",
        "audio/ogg" => "audio/ogg",
        "audio/pcm" => "audio/pcm",
        _ => {
            let message = "Accept must be one of audio/mpeg, audio/ogg, audio/pcm, audio/*, \
                           text/plain; charset=utf-8";
            return Err(AwsError::new("NotAcceptableException", message));
        }
    };
    match speaks {
        true => Ok(Accept::Speech(kind)),
        false => Err(AwsError::new(
            "NotAcceptableException",
            "This server cannot speak: [lex.synthesizer] names nobody. Ask for text/plain; \
             charset=utf-8.",
        )),
    }
}

/// Refuses speech that lasts too long.
///
/// # Errors
/// 408.
pub(super) fn require_short(speech: &Speech, body: &[u8]) -> Result<(), AwsError> {
    match body.len() > speech.bytes_a_second * SPEECH_SECONDS_MAX {
        false => Ok(()),
        true => Err(AwsError::new(
            "RequestTimeoutException",
            format!("the speech lasts longer than {SPEECH_SECONDS_MAX} seconds"),
        )),
    }
}

/// A media type without spaces, in lower case.
fn plain(text: &str) -> String {
    let kept = text.chars().filter(|c| !c.is_whitespace());
    kept.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &'static str) -> Result<Content, AwsError> {
        content(Some(&HeaderValue::from_static(text)))
    }

    #[test]
    fn forms_are_known_however_they_are_written() {
        for text in [
            "text/plain; charset=utf-8",
            "Text/Plain;Charset=UTF-8",
            "text/plain;charset=utf-8; x=y",
        ] {
            assert_eq!(of(text).unwrap(), Content::Text, "{text}");
        }
        for text in [
            "audio/l16; rate=16000; channels=1",
            "audio/x-l16; sample-rate=16000; channel-count=1",
            "AUDIO/LPCM;sample-rate=8000; sample-size-bits=16; channel-count=1; is-big-endian=false",
            "audio/x-cbr-opus-with-preamble; preamble-size=0; bit-rate=256000; \
             frame-size-milliseconds=4",
        ] {
            assert!(matches!(of(text), Ok(Content::Speech(_))), "{text}");
        }
        for text in [
            "",
            "audio/mpeg",
            "audio/l16",
            "text/html",
            "application/json",
        ] {
            assert!(of(text).is_err(), "{text}");
        }
    }

    #[test]
    fn speech_ends_after_a_quarter_of_a_minute() {
        let Content::Speech(speech) = of("audio/l16; rate=16000; channels=1").unwrap() else {
            panic!("speech");
        };
        assert!(require_short(&speech, &vec![0; 480_000]).is_ok());
        assert!(require_short(&speech, &vec![0; 480_001]).is_err());
    }
}
