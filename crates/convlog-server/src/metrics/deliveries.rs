//! Figures of what is delivered outside: counters under the names that Lex gave them, and what
//! waits.

use convlog_model::ids::InstanceId;
use prometheus::{IntCounterVec, IntGauge, Opts, Registry};

use crate::deliveries::{Deliveries, Owner};

const LABELS: &[&str] = &["instance", "bot", "alias", "version"];

/// One counter for each kind and outcome, and the gauges.
#[derive(Debug)]
pub(super) struct DeliveryFigures {
    text_success: IntCounterVec,
    text_failure: IntCounterVec,
    audio_success: IntCounterVec,
    audio_failure: IntCounterVec,
    waiting_bytes: IntGauge,
    dead_letters: IntGauge,
}

impl DeliveryFigures {
    pub(super) fn new() -> prometheus::Result<Self> {
        let counter = |name: &str, help: &str| {
            let name = format!("ConversationLogs{name}");
            IntCounterVec::new(Opts::new(name, help), LABELS)
        };
        let gauge = |name: &str, help: &str| {
            IntGauge::new(format!("convlog_deliveries_{name}"), help.to_owned())
        };
        Ok(DeliveryFigures {
            text_success: counter("TextDeliverySuccess", "Entries that a log group has taken.")?,
            text_failure: counter("TextDeliveryFailure", "Entries that were given up.")?,
            audio_success: counter("AudioDeliverySuccess", "Objects that a bucket has taken.")?,
            audio_failure: counter("AudioDeliveryFailure", "Objects that were given up.")?,
            waiting_bytes: gauge("waiting_bytes", "Bytes that wait for delivery.")?,
            dead_letters: gauge(
                "dead_letters",
                "Deliveries that were given up and are kept.",
            )?,
        })
    }

    /// Series by bot are for those who may read.
    pub(super) fn register(
        &self,
        (open, by_bot): (&Registry, &Registry),
    ) -> prometheus::Result<()> {
        for counter in [
            &self.text_success,
            &self.text_failure,
            &self.audio_success,
            &self.audio_failure,
        ] {
            by_bot.register(Box::new(counter.clone()))?;
        }
        open.register(Box::new(self.waiting_bytes.clone()))?;
        open.register(Box::new(self.dead_letters.clone()))
    }

    pub(super) fn count(
        &self,
        (instance, bot): (&InstanceId, &str),
        owner: &Owner,
        (kind, is_ok): (&str, bool),
    ) {
        let counter = match (kind, is_ok) {
            ("Text", true) => &self.text_success,
            ("Text", false) => &self.text_failure,
            (_, true) => &self.audio_success,
            (_, false) => &self.audio_failure,
        };
        // A bot beyond the bound has no name, and neither have its alias and version.
        let of_bot = |name: &'static str| match bot.is_empty() {
            true => "",
            false if name == "alias" => owner.alias.as_str(),
            false => owner.version.as_str(),
        };
        let labels = [instance.as_str(), bot, of_bot("alias"), of_bot("version")];
        counter.with_label_values(&labels).inc();
    }

    pub(super) fn set(&self, deliveries: &Deliveries) {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.waiting_bytes.set(number(deliveries.waiting_bytes()));
        self.dead_letters.set(number(deliveries.n_dead()));
    }
}
