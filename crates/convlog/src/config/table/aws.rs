//! The settings of AWS and Lex.

use super::Setting;
use crate::config::aws::{self, ROLE_KEYS, TARGET_KEYS};
use crate::config::form::{Form, Numeric as _, Value, to_bool, to_number, to_text};

/// A text that need not be set.
macro_rules! optional {
    ($key:literal, $read:path, $($field:ident).+, $about:literal) => {
        Setting {
            key: $key,
            form: Form::Text,
            about: $about,
            set: |config, value| {
                config.$($field).+ = Some($read(value)?);
                Ok(())
            },
            get: |config| Value::Text(config.$($field).+.clone().unwrap_or_default()),
        }
    };
}

macro_rules! text {
    ($key:literal, $read:path, $($field:ident).+, $about:literal) => {
        Setting {
            key: $key,
            form: Form::Text,
            about: $about,
            set: |config, value| {
                config.$($field).+ = $read(value)?;
                Ok(())
            },
            get: |config| Value::Text(config.$($field).+.clone()),
        }
    };
}

macro_rules! endpoint {
    ($key:literal, $($field:ident).+, $about:literal) => {
        Setting {
            key: $key,
            form: Form::Text,
            about: $about,
            set: |config, value| {
                config.$($field).+ = Some(aws::to_endpoint(value)?);
                Ok(())
            },
            get: |config| aws::endpoint_text(config.$($field).+.as_ref()),
        }
    };
}

macro_rules! targets {
    ($key:literal, $($field:ident).+, $about:literal) => {
        Setting {
            key: $key,
            form: Form::Tables(TARGET_KEYS),
            about: $about,
            set: |config, value| {
                config.$($field).+ = aws::to_targets(value)?;
                Ok(())
            },
            get: |config| aws::targets(&config.$($field).+),
        }
    };
}

/// All of them, in the order of docs/config.md.
pub(super) static SETTINGS: &[Setting] = &[
    text!(
        "aws.region",
        aws::to_region,
        server.aws.region,
        "The only region, in signatures and in ARNs."
    ),
    text!(
        "aws.account",
        aws::to_account,
        server.aws.account,
        "The account in ARNs, 12 digits."
    ),
    boolean!(
        "aws.builtin_logs",
        server.aws.builtin_logs,
        "Whether log groups are convlog's own; else conversation logs are delivered to CloudWatch \
         Logs, at `aws.endpoints.logs` or at AWS. Is `false` where `aws.endpoints.logs` is set, \
         and cannot be `true` there."
    ),
    number!(
        "aws.queue_bytes",
        1024,
        server.aws.queue_bytes,
        "Most bytes that wait for delivery."
    ),
    Setting {
        key: aws::ROLES,
        form: Form::Tables(ROLE_KEYS),
        about: "Roles by which conversation logs are written. Each has `arn`, a role of the \
                account; `access_key_id`; and either `secret_access_key` or \
                `secret_access_key_file`, a file that is read when the server starts and that \
                holds the secret on one line. With `assume = true` (default `false`) the key is \
                that of somebody who assumes the role through `aws.endpoints.sts`. `pass` lists \
                the ids of the keys of convlog that may pass the role to an alias; without it, \
                those with the role `admin` may.",
        set: aws::set_roles,
        get: aws::roles,
    },
    targets!(
        "aws.functions",
        server.aws.functions,
        "Functions: `url` is called where the code hook of a Lex bot names `arn`."
    ),
    targets!(
        "aws.destinations",
        server.aws.destinations,
        "Destinations: `url` gets what a subscription filter sends to `arn`."
    ),
    optional!(
        "aws.endpoints.logs",
        aws::to_logs_endpoint,
        server.aws.endpoints.logs,
        "URL of CloudWatch Logs. Without it and with `aws.builtin_logs = false`, AWS's own is used."
    ),
    endpoint!(
        "aws.endpoints.s3",
        server.aws.endpoints.s3,
        "URL of S3, or `aws` for AWS's own. Without it no audio is delivered."
    ),
    endpoint!(
        "aws.endpoints.sts",
        server.aws.endpoints.sts,
        "URL of STS, or `aws` for AWS's own. Roles with `assume = true` need it."
    ),
    text!(
        "lex.customer_attribute",
        to_text,
        server.lex.customer_attribute,
        "The request attribute that names the customer of a turn."
    ),
    number!(
        "lex.keep_audio_days",
        0,
        server.lex.keep_audio_days,
        "Days that audio stays readable in convlog after its delivery. 0 keeps none."
    ),
    optional!(
        "lex.transcriber.url",
        aws::to_url,
        server.lex.transcriber,
        "URL that gets audio and answers `{\"transcript\": …}`. Without it audio is not understood."
    ),
    optional!(
        "lex.synthesizer.url",
        aws::to_url,
        server.lex.synthesizer,
        "URL that gets a text and answers audio. Without it answers are text."
    ),
    optional!(
        "lex.sentiment.url",
        aws::to_url,
        server.lex.sentiment,
        "URL that gets `{\"LanguageCode\", \"Text\"}` and answers as Amazon Comprehend's DetectSentiment. \
         Without it answers and logs tell no sentiment."
    ),
];
