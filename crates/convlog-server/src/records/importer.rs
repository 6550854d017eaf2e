//! What reads the lines of a bulk request, by dialect.

use convlog_dialects::watson::decode;
use convlog_dialects::{DecodeError, chatbotkit, lex, native};
use convlog_model::ids::InstanceId;
use convlog_model::record::{Dialect, Draft};

use crate::bots::Channels;
use crate::error::Fault;

pub(super) type Decode = fn(&InstanceId, &str) -> Result<Draft, DecodeError>;

/// What reads the lines of a dialect.
#[derive(Clone, Copy, Debug)]
pub(super) struct Importer {
    pub(super) decode: Decode,
    pub(super) missing: Missing,
}

/// What a line does not say by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Missing {
    /// Nothing of it.
    Nothing,
    /// The channel, which may tell the customer.
    Channel,
    /// The customer, whom a request attribute may name.
    Customer,
}

/// The dialects of the contract.
const IMPORTERS: &[(Dialect, Importer)] = &[
    (
        Dialect::WatsonV1,
        Importer {
            decode: |instance, line| decode::bare(instance, Dialect::WatsonV1, line),
            missing: Missing::Channel,
        },
    ),
    (
        Dialect::WatsonV2,
        Importer {
            decode: |instance, line| decode::bare(instance, Dialect::WatsonV2, line),
            missing: Missing::Channel,
        },
    ),
    (
        Dialect::Convlog,
        Importer {
            decode: native::decode,
            missing: Missing::Nothing,
        },
    ),
    (
        Dialect::ChatBotKit,
        Importer {
            decode: chatbotkit::decode::event,
            missing: Missing::Nothing,
        },
    ),
    (
        Dialect::LexV1,
        Importer {
            decode: lex::decode::entry,
            missing: Missing::Customer,
        },
    ),
];

impl Importer {
    /// That of a dialect.
    ///
    /// # Errors
    /// 400 for a dialect that cannot be imported.
    pub(super) fn of(name: &str) -> Result<Self, Fault> {
        let mut known = IMPORTERS.iter();
        match known.find(|(dialect, _)| dialect.as_str() == name) {
            Some((_, importer)) => Ok(*importer),
            None => {
                let names = IMPORTERS.iter().map(|(dialect, _)| dialect.as_str());
                let names: Vec<&str> = names.collect();
                let message = format!("must be one of {}", names.join(", "));
                Err(Fault::bad_at("dialect", message))
            }
        }
    }

    /// The draft of a line.
    pub(super) fn decode(self, instance: &InstanceId, line: &str) -> Result<Draft, DecodeError> {
        (self.decode)(instance, line)
    }

    /// Adds what the line does not say by itself.
    pub(super) fn complete(self, draft: &mut Draft, channels: &Channels, attribute: &str) {
        match self.missing {
            Missing::Nothing => {}
            Missing::Channel => channels.apply(draft),
            Missing::Customer => lex::decode::name_customer(draft, attribute),
        }
    }
}

/// One record in the form of a dialect.
///
/// # Errors
/// 400 for a dialect that cannot be imported.
pub(crate) fn decode(
    dialect: &str,
    instance: &InstanceId,
    line: &str,
) -> Result<Result<Draft, String>, Fault> {
    let importer = Importer::of(dialect)?;
    let draft = importer.decode(instance, line);
    Ok(draft.map_err(|error| error.to_string()))
}
