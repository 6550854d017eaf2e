//! Gauges of what erasures and retention do to the bytes.

use convlog_model::store::Upkeep;
use prometheus::{IntGauge, Registry};

/// One gauge for each figure.
#[derive(Debug)]
pub(super) struct UpkeepGauges {
    erasures_pending: IntGauge,
    chunks_pending: IntGauge,
    bytes_overwritten: IntGauge,
    rows_erased: IntGauge,
    rows_expired: IntGauge,
    chunks_dropped: IntGauge,
    last_pass: IntGauge,
    is_held: IntGauge,
}

impl UpkeepGauges {
    pub(super) fn new() -> prometheus::Result<Self> {
        let gauge = |name: &str, help: &str| {
            IntGauge::new(format!("convlog_maintenance_{name}"), help.to_owned())
        };
        Ok(UpkeepGauges {
            erasures_pending: gauge("erasures_pending", "Erasures that are not done.")?,
            chunks_pending: gauge(
                "chunks_pending",
                "Chunks that the pass of retention under way has yet to look at.",
            )?,
            bytes_overwritten: gauge("bytes_overwritten", "Bytes overwritten since the start.")?,
            rows_erased: gauge("rows_erased", "Rows that erasures removed since the start.")?,
            rows_expired: gauge(
                "rows_expired",
                "Rows that retention removed since the start.",
            )?,
            chunks_dropped: gauge(
                "chunks_dropped",
                "Chunks removed as a whole since the start.",
            )?,
            last_pass: gauge(
                "last_pass_seconds",
                "When a pass of retention last ended, in seconds since 1970; 0 for never.",
            )?,
            is_held: gauge(
                "held",
                "Whether retention removes nothing because the clock looked wrong.",
            )?,
        })
    }

    pub(super) fn register(&self, registry: &Registry) -> prometheus::Result<()> {
        for gauge in [
            &self.erasures_pending,
            &self.chunks_pending,
            &self.bytes_overwritten,
            &self.rows_erased,
            &self.rows_expired,
            &self.chunks_dropped,
            &self.last_pass,
            &self.is_held,
        ] {
            registry.register(Box::new(gauge.clone()))?;
        }
        Ok(())
    }

    pub(super) fn set(&self, upkeep: &Upkeep) {
        let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        self.erasures_pending.set(count(upkeep.erasures_pending));
        self.chunks_pending.set(count(upkeep.chunks_pending));
        self.bytes_overwritten.set(count(upkeep.bytes_overwritten));
        self.rows_erased.set(count(upkeep.rows_erased));
        self.rows_expired.set(count(upkeep.rows_expired));
        self.chunks_dropped.set(count(upkeep.chunks_dropped));
        let last = upkeep
            .last_pass
            .map_or(0, |at| at.millis().div_euclid(1000));
        self.last_pass.set(last);
        self.is_held.set(i64::from(upkeep.held.is_some()));
    }
}
