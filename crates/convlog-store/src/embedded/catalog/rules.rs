//! Rules of retention, kept so that a restart hides what was hidden before it.

use std::collections::BTreeMap;

use convlog_model::ids::InstanceId;
use convlog_model::store::Retention;
use convlog_model::store::retention::InstanceRetention;

use super::{Catalog, CatalogError};
use crate::embedded::bytes::{Malformed, Reader, put_bytes, put_len, put_varint};

const RULES: &str = "retention";

fn put_days(out: &mut Vec<u8>, rules: &BTreeMap<String, u32>) {
    put_len(out, rules.len());
    for (name, days) in rules {
        put_bytes(out, name.as_bytes());
        put_varint(out, (*days).into());
    }
}

fn take_number(reader: &mut Reader<'_>) -> Result<u32, Malformed> {
    u32::try_from(reader.varint()?).map_err(|_| reader.fault("too many days"))
}

fn take_days(reader: &mut Reader<'_>) -> Result<BTreeMap<String, u32>, Malformed> {
    let mut out = BTreeMap::new();
    for _ in 0..reader.count()? {
        let name = reader.text()?.to_owned();
        out.insert(name, take_number(reader)?);
    }
    Ok(out)
}

fn take_instance(reader: &mut Reader<'_>) -> Result<InstanceId, Malformed> {
    InstanceId::new(reader.text()?).map_err(|_| reader.fault("no instance id"))
}

fn encode(rules: &Retention) -> Vec<u8> {
    let mut out = Vec::new();
    put_varint(&mut out, rules.default_days.into());
    put_varint(&mut out, rules.events_days.into());
    put_len(&mut out, rules.instances.len());
    for (instance, own) in &rules.instances {
        put_bytes(&mut out, instance.as_str().as_bytes());
        // 0 is no rule, so that a rule of 0 days can be told from it.
        put_varint(&mut out, own.days.map_or(0, |days| u64::from(days) + 1));
        put_days(&mut out, &own.bots);
        put_days(&mut out, &own.type_prefixes);
    }
    let with_groups = rules.instances.iter();
    let with_groups = with_groups.filter(|(_, own)| !own.log_groups.is_empty());
    let with_groups: Vec<_> = with_groups.collect();
    // Behind the rest, and nothing without any, as before there were log groups.
    if !with_groups.is_empty() {
        put_len(&mut out, with_groups.len());
        for (instance, own) in with_groups {
            put_bytes(&mut out, instance.as_str().as_bytes());
            put_days(&mut out, &own.log_groups);
        }
    }
    out
}

fn decode(bytes: &[u8]) -> Result<Retention, Malformed> {
    let mut reader = Reader::new(bytes);
    let default_days = take_number(&mut reader)?;
    let events_days = take_number(&mut reader)?;
    let mut instances = BTreeMap::new();
    for _ in 0..reader.count()? {
        let instance = take_instance(&mut reader)?;
        let days = reader.varint()?.checked_sub(1);
        let own = InstanceRetention {
            days: days.and_then(|days| u32::try_from(days).ok()),
            bots: take_days(&mut reader)?,
            type_prefixes: take_days(&mut reader)?,
            log_groups: BTreeMap::new(),
        };
        instances.insert(instance, own);
    }
    if reader.left() > 0 {
        for _ in 0..reader.count()? {
            let instance = take_instance(&mut reader)?;
            let groups = take_days(&mut reader)?;
            instances.entry(instance).or_default().log_groups = groups;
        }
    }
    reader.finish()?;
    Ok(Retention {
        default_days,
        events_days,
        instances,
    })
}

impl Catalog {
    /// The rules that were last installed.
    pub(crate) fn retention(&self) -> Result<Retention, CatalogError> {
        let Some(sealed) = self.meta(RULES)? else {
            return Ok(Retention::default());
        };
        let opened = self.sealer.open(RULES, &sealed);
        let plain = opened.map_err(|e| CatalogError(format!("the rules of retention: {e}")))?;
        Ok(decode(&plain)?)
    }

    /// Installs rules; durable on return.
    pub(crate) fn put_retention(&self, rules: &Retention) -> Result<(), CatalogError> {
        let sealed = self.sealer.seal(self.ids.as_ref(), RULES, &encode(rules));
        self.put_meta(RULES, &sealed)
    }
}
