//! Audio that nobody needs any more, and that goes by itself.

use super::audio::{self, State};
use crate::app::App;
use crate::error::Fault;

/// Removes what was kept long enough.
pub(super) async fn forget(app: &App) -> Result<(), Fault> {
    let now_us = app.now().micros();
    let mut after = String::new();
    loop {
        let (step, next) = audio::all(app).step("", &after).await?;
        for one in step {
            let is_old = matches!(one.doc.state, State::Kept { until_us } if until_us <= now_us);
            if let Some((instance, id)) = audio::parse_id(&one.id).filter(|_| is_old) {
                audio::remove(app, &instance, id).await?;
            }
        }
        match next {
            Some(next) => after = next,
            None => return Ok(()),
        }
    }
}
