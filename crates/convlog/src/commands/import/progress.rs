//! What a person sees while an import runs: how much is done, how fast, how long it will take.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::sender::Counts;
use crate::out;

/// A bar on a terminal, nothing elsewhere.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    n_bytes_read: Arc<AtomicU64>,
}

impl Progress {
    /// A bar over so many bytes; without a number it only shows that something happens.
    pub(super) fn new(n_bytes: Option<u64>) -> Self {
        let bar = match n_bytes {
            Some(n_bytes) => ProgressBar::new(n_bytes),
            None => ProgressBar::new_spinner(),
        };
        let template = match n_bytes {
            Some(_) => "{bar:30} {bytes}/{total_bytes}, {eta} left, {msg}",
            None => "{spinner} {elapsed}, {msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        if out::is_stderr_terminal() {
            bar.enable_steady_tick(Duration::from_millis(200));
        } else {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        Progress {
            bar,
            n_bytes_read: Arc::default(),
        }
    }

    /// Where the reader counts.
    pub(super) fn n_bytes(&self) -> &Arc<AtomicU64> {
        &self.n_bytes_read
    }

    /// Shows how far it is.
    pub(super) fn show(&self, counts: &Counts) {
        self.bar
            .set_position(self.n_bytes_read.load(Ordering::Relaxed));
        let rate = counts.n_done() as f64 / self.bar.elapsed().as_secs_f64().max(0.001);
        let n_records = out::grouped(counts.n_done());
        self.bar
            .set_message(format!("{n_records} records, {rate:.0} a second"));
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
