//! The one place where xtask writes to the terminal.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "xtask is a command-line program and this is its mouth"
)]

use std::time::Duration;

/// One line as it is.
pub(crate) fn line(text: &str) {
    println!("{text}");
}

/// A heading that stands out between the output of other programs.
pub(crate) fn heading(text: &str) {
    println!("\n=== {text}");
}

/// Why the command failed.
pub(crate) fn failure(text: &str) {
    eprintln!("error: {text}");
}

/// `1m 04.2s`, or `4.2s` under a minute.
pub(crate) fn duration(time: Duration) -> String {
    let tenths = time.as_millis() / 100;
    let (minutes, tenths) = (tenths / 600, tenths % 600);
    let (seconds, tenth) = (tenths / 10, tenths % 10);
    if minutes == 0 {
        format!("{seconds}.{tenth}s")
    } else {
        format!("{minutes}m {seconds:02}.{tenth}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_short_and_readable() {
        assert_eq!(duration(Duration::from_millis(4_260)), "4.2s");
        assert_eq!(duration(Duration::from_millis(64_200)), "1m 04.2s");
    }
}
