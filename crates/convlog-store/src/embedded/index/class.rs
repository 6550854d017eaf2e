//! The class of a row: what retention and the choice of rows look at first.

use convlog_model::flatten::Leaves;
use convlog_model::ids::InstanceId;
use convlog_model::record::{Dialect, Draft, Kind};
use convlog_model::store::retention::LOG_GROUP;

use crate::embedded::bytes::{Malformed, Reader, put_bytes};
use crate::embedded::row::{dialect_code, dialect_of};

/// Instance, kind, dialect, bot, event type and log group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Class {
    pub(crate) instance: InstanceId,
    pub(crate) kind: Kind,
    pub(crate) dialect: Dialect,
    pub(crate) bot: Option<String>,
    pub(crate) event_type: Option<String>,
    pub(crate) log_group: Option<String>,
}

impl Class {
    pub(crate) fn of(draft: &Draft, leaves: &Leaves<'_>) -> Self {
        Class {
            instance: draft.instance.clone(),
            kind: draft.kind,
            dialect: draft.dialect,
            bot: leaves.text("bot").map(str::to_owned),
            event_type: leaves.text("event.type").map(str::to_owned),
            log_group: draft.labels.get(LOG_GROUP).cloned(),
        }
    }

    /// The instance first, so that those of one instance stand side by side.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Self::prefix(&self.instance);
        out.push(match self.kind {
            Kind::Turn => 0,
            Kind::Event => 1,
        });
        out.push(dialect_code(self.dialect));
        for text in [&self.bot, &self.event_type] {
            match text {
                Some(text) => {
                    out.push(1);
                    put_bytes(&mut out, text.as_bytes());
                }
                None => out.push(0),
            }
        }
        // Nothing at all without one, as before there were any.
        if let Some(group) = &self.log_group {
            put_bytes(&mut out, group.as_bytes());
        }
        out
    }

    /// What the classes of an instance begin with.
    pub(crate) fn prefix(instance: &InstanceId) -> Vec<u8> {
        let mut out = Vec::new();
        put_bytes(&mut out, instance.as_str().as_bytes());
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let instance = InstanceId::new(reader.text()?);
        let instance = instance.map_err(|_| reader.fault("no instance id"))?;
        let kind = match reader.u8()? {
            0 => Kind::Turn,
            1 => Kind::Event,
            _ => return Err(reader.fault("unknown kind")),
        };
        let dialect = dialect_of(reader.u8()?).map_err(|_| reader.fault("unknown dialect"))?;
        let mut texts = [None, None];
        for text in &mut texts {
            *text = match reader.u8()? {
                0 => None,
                _ => Some(reader.text()?.to_owned()),
            };
        }
        let [bot, event_type] = texts;
        let log_group = match reader.left() {
            0 => None,
            _ => Some(reader.text()?.to_owned()),
        };
        Ok(Class {
            instance,
            kind,
            dialect,
            bot,
            event_type,
            log_group,
        })
    }
}
