//! Every setting, once: key, form, default, meaning. The file reader, the environment, `convlog
//! config` and docs/config.md all follow this table.

use std::path::PathBuf;

use super::form::{
    Form, Numeric as _, Value, Wrong, path_text, to_bool, to_list, to_number, to_rules, to_text,
};
use super::{Config, LogFormat, TlsFiles};

/// One setting.
#[derive(Debug)]
pub(super) struct Setting {
    /// `table.key`, as in the file.
    pub(super) key: &'static str,
    /// What may be written.
    pub(super) form: Form,
    /// What it does.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "for the test that writes docs/config.md")
    )]
    pub(super) about: &'static str,
    /// Writes a value of the right form.
    pub(super) set: fn(&mut Config, Value) -> Result<(), Wrong>,
    /// Reads it back; the default when asked of [`Config::default`].
    pub(super) get: fn(&Config) -> Value,
}

impl Setting {
    /// The setting of that key.
    pub(super) fn find(key: &str) -> Option<&'static Setting> {
        settings().find(|setting| setting.key == key)
    }

    /// Whether settings lie in the table of that key, or in tables of it.
    pub(super) fn lie_in(table: &str) -> bool {
        let is_in = |key: &str| {
            key.strip_prefix(table)
                .is_some_and(|it| it.starts_with('.'))
        };
        settings().any(|setting| is_in(setting.key))
    }

    /// The table that it stands in, and its key there.
    pub(super) fn parts(&self) -> (&'static str, &'static str) {
        self.key.rsplit_once('.').unwrap_or(("", self.key))
    }

    /// The variable that sets it.
    pub(super) fn variable(&self) -> String {
        format!("CONVLOG_{}", self.key.to_uppercase().replace('.', "_"))
    }
}

macro_rules! number {
    ($key:literal, $min:literal, $($field:ident).+, $about:literal) => {
        Setting {
            key: $key,
            form: Form::Number($min),
            about: $about,
            set: |config, value| {
                config.$($field).+ = to_number(&value)?;
                Ok(())
            },
            get: |config| Value::Number(config.$($field).+.number()),
        }
    };
}

macro_rules! boolean {
    ($key:literal, $($field:ident).+, $about:literal) => {
        Setting {
            key: $key,
            form: Form::Bool,
            about: $about,
            set: |config, value| {
                config.$($field).+ = to_bool(&value)?;
                Ok(())
            },
            get: |config| Value::Bool(config.$($field).+),
        }
    };
}

macro_rules! list {
    ($key:literal, $($field:ident).+, $about:literal) => {
        Setting {
            key: $key,
            form: Form::List,
            about: $about,
            set: |config, value| {
                config.$($field).+ = to_list(value)?;
                Ok(())
            },
            get: |config| Value::List(config.$($field).+.clone()),
        }
    };
}

// Behind the macros, which it uses.
mod aws;

/// All settings, in the order of docs/config.md.
pub(super) fn settings() -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().chain(aws::SETTINGS)
}

/// Those of everything but AWS and Lex.
static SETTINGS: &[Setting] = &[
    Setting {
        key: "data_dir",
        form: Form::Text,
        about: "Directory that holds everything; made when it does not exist. Flag `--data-dir`.",
        set: |config, value| {
            config.data_dir = PathBuf::from(to_text(value)?);
            Ok(())
        },
        get: |config| path_text(&config.data_dir),
    },
    list!(
        "listen",
        listen,
        "Addresses to listen on, `ADDRESS:PORT`; port 0 picks a free one. Flag `--listen`, which \
         may be given several times. Addresses other than loopback need `[tls]` or \
         `allow_plaintext`."
    ),
    boolean!(
        "allow_plaintext",
        allow_plaintext,
        "Speak plain HTTP on addresses that other machines reach, for example behind a proxy that \
         ends TLS. Flag `--allow-plaintext`."
    ),
    number!(
        "memory_bytes",
        16_777_216,
        memory_bytes,
        "Memory for records that are not indexed yet and for caches, in bytes."
    ),
    Setting {
        key: "tls.cert",
        form: Form::Text,
        about: "PEM file of the certificate chain; every listener then speaks https. Read again \
                on SIGHUP. Needs `tls.key`.",
        set: |config, value| {
            let cert = PathBuf::from(to_text(value)?);
            config.tls.get_or_insert_with(TlsFiles::default).cert = cert;
            Ok(())
        },
        get: |config| path_text(config.tls.as_ref().map_or("".as_ref(), |tls| &tls.cert)),
    },
    Setting {
        key: "tls.key",
        form: Form::Text,
        about: "PEM file of the certificate's private key. Needs `tls.cert`.",
        set: |config, value| {
            let key = PathBuf::from(to_text(value)?);
            config.tls.get_or_insert_with(TlsFiles::default).key = key;
            Ok(())
        },
        get: |config| path_text(config.tls.as_ref().map_or("".as_ref(), |tls| &tls.key)),
    },
    Setting {
        key: "log.format",
        form: Form::Text,
        about: "Form of convlog's own log on stderr: `text` or `json`. It never holds what users \
                said.",
        set: |config, value| {
            config.log_format = match to_text(value)?.as_str() {
                "text" => LogFormat::Text,
                "json" => LogFormat::Json,
                _ => return Err("must be `text` or `json`".into()),
            };
            Ok(())
        },
        get: |config| {
            let name = match config.log_format {
                LogFormat::Text => "text",
                LogFormat::Json => "json",
            };
            Value::Text(name.to_owned())
        },
    },
    Setting {
        key: "log.filter",
        form: Form::Text,
        about: "What convlog's own log holds: `error`, `warn`, `info`, `debug` or `trace`, or a \
                list such as `info,convlog_server=debug`.",
        set: |config, value| {
            config.log_filter = to_text(value)?;
            Ok(())
        },
        get: |config| Value::Text(config.log_filter.clone()),
    },
    number!(
        "limits.list_per_minute",
        0,
        server.limits.list_per_minute,
        "List calls a minute and key, in every dialect; further ones are answered 429. 0 is off."
    ),
    number!(
        "limits.list_per_minute_instance",
        0,
        server.limits.list_per_minute_instance,
        "List calls a minute and instance, in every dialect. 0 is off."
    ),
    number!(
        "limits.ingest_per_second",
        0,
        server.limits.ingest_per_second,
        "Records a second and instance. 0 is off."
    ),
    number!(
        "limits.exports_at_once",
        1,
        server.limits.exports_at_once,
        "Exports that run at once; further ones are answered 429."
    ),
    number!(
        "limits.subscriptions_at_once",
        1,
        server.limits.subscriptions_at_once,
        "Subscriptions to the event log at once; further ones are answered 429."
    ),
    number!(
        "limits.body_bytes",
        1024,
        server.limits.body_bytes,
        "Most bytes of a request body as sent."
    ),
    number!(
        "limits.body_bytes_decompressed",
        1024,
        server.limits.body_bytes_decompressed,
        "Most bytes of a request body after decompression."
    ),
    number!(
        "limits.bulk_bytes",
        1024,
        server.limits.bulk_bytes,
        "Most bytes of a bulk request body (`POST /convlog/v1/records`) as sent."
    ),
    number!(
        "limits.bulk_bytes_decompressed",
        1024,
        server.limits.bulk_bytes_decompressed,
        "Most bytes of a bulk request body after decompression."
    ),
    number!(
        "limits.record_bytes",
        1024,
        server.limits.record_bytes,
        "Most bytes of one record, in a message or on a line of a bulk request."
    ),
    number!(
        "limits.header_bytes",
        1024,
        server.limits.header_bytes,
        "Most bytes of all headers of a request."
    ),
    number!(
        "limits.json_depth",
        8,
        server.limits.json_depth,
        "Most levels of nesting of a JSON body."
    ),
    number!(
        "limits.page_max",
        1,
        server.limits.page_max,
        "Most records of a page; a request for more gets so many."
    ),
    number!(
        "limits.concurrent_requests",
        1,
        server.limits.concurrent_requests,
        "Requests that are worked on at once; further ones are answered 503."
    ),
    number!(
        "limits.connections",
        1,
        server.limits.connections,
        "Connections at once, over all addresses; further ones are closed."
    ),
    number!(
        "limits.header_seconds",
        1,
        server.limits.header_time,
        "Time in which the headers of a request must have arrived."
    ),
    number!(
        "limits.request_seconds",
        1,
        server.limits.request_time,
        "Time in which a request must be answered."
    ),
    number!(
        "limits.bulk_seconds",
        1,
        server.limits.bulk_time,
        "Time in which a bulk request must be answered."
    ),
    number!(
        "limits.query_seconds",
        1,
        server.limits.query_time,
        "Time that one question to the store may take; then the answer is 503."
    ),
    number!(
        "limits.stop_seconds",
        1,
        server.limits.stop_time,
        "Time that running requests have to finish after SIGTERM or SIGINT."
    ),
    number!(
        "retention.default_days",
        0,
        server.retention.default_days,
        "Days that turns are kept. 0 keeps them for ever. Settings of a bot and of an instance go \
         before it."
    ),
    number!(
        "retention.events_days",
        0,
        server.retention.events_days,
        "Days that events are kept. 0 keeps them for ever."
    ),
    number!(
        "retention.interval_seconds",
        1,
        server.retention.interval,
        "Time between two passes that remove what has expired. What has expired is shown by no \
         read, whether a pass has run or not."
    ),
    number!(
        "sessions.timeout_seconds",
        1,
        server.sessions.timeout,
        "Idle time after which a dialogue session ends, unless its bot says otherwise."
    ),
    number!(
        "sessions.at_once",
        1,
        server.sessions.at_once,
        "Most live dialogue sessions."
    ),
    boolean!(
        "watson.any_filter_field",
        server.watson.any_filter_field,
        "Whether a filter may name any field of a log; else one that Watson does not document is \
         a 400."
    ),
    list!(
        "connectors.allow",
        server.connectors.allow,
        "Hosts, addresses and networks (`10.0.0.0/8`) in private or link-local ranges that \
         connectors may reach. Loopback is allowed while the server listens on loopback alone."
    ),
    number!(
        "redaction.version",
        1,
        server.redaction.version,
        "Version of the rules below, which stands in what records tell of them."
    ),
    Setting {
        key: "redaction.rules",
        form: Form::Rules,
        about: "Rules that cut from the records of every instance what must not be kept, before \
                those of the instance and the bot: [redaction](redaction.md).",
        set: |config, value| {
            config.server.redaction.rules = to_rules(value)?;
            Ok(())
        },
        get: |config| Value::Rules(config.server.redaction.rules.clone()),
    },
    list!(
        "cors.origins",
        server.cors.origins,
        "Origins whose pages may read answers in a browser; `*` is every one, an empty list none."
    ),
];
