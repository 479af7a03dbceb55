//! A progress bar on standard error, when a person watches and the work takes long.

use std::fmt;
use std::io::{self, IsTerminal as _};
use std::time::Duration;

use indicatif::{HumanFloatCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use types::Monotonic;

use super::failure::complain;

/// Work that is done sooner shows no bar.
const QUIET_TIME: Duration = Duration::from_millis(500);

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Bytes.
    Bytes,
    /// Records.
    Records,
}

/// How far long work has come. Dropping it wipes the bar.
#[derive(Debug)]
pub(super) struct Progress {
    started: Monotonic,
    done: u64,
    /// Counts from the start, so that its rates are right, and is shown later.
    bar: ProgressBar,
    is_shown: bool,
    is_watched: bool,
}

impl Progress {
    /// Starts to count, towards a total if it is known; silent unless standard error is a terminal.
    pub(super) fn start(unit: Unit, total: Option<u64>, now: Monotonic) -> Self {
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
        bar.set_style(style(unit, total));
        Self {
            started: now,
            done: 0,
            bar,
            is_shown: false,
            is_watched: io::stderr().is_terminal(),
        }
    }

    /// Shows nothing, whoever watches.
    pub(super) fn silent(now: Monotonic) -> Self {
        let mut progress = Self::start(Unit::Records, None, now);
        progress.is_watched = false;
        progress
    }

    /// Counts further work.
    pub(super) fn advance(&mut self, now: Monotonic, count: u64) {
        self.done += count;
        if !self.is_watched {
            return;
        }
        self.bar.set_position(self.done);
        if !self.is_shown && now.since(self.started) >= QUIET_TIME {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.is_shown = true;
        }
    }

    /// Says something on standard error, above the bar if there is one.
    pub(super) fn note(&self, text: &str) {
        self.bar.suspend(|| complain(text));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn style(unit: Unit, total: Option<u64>) -> ProgressStyle {
    let template = match (unit, total) {
        (Unit::Bytes, Some(_)) => "{wide_bar} {bytes}/{total_bytes}  {bytes_per_sec}  {eta}",
        (Unit::Bytes, None) => "{spinner} {bytes}  {bytes_per_sec}",
        (Unit::Records, Some(_)) => "{wide_bar} {human_pos}/{human_len}  {rate}  {eta}",
        (Unit::Records, None) => "{spinner} {human_pos}  {rate}",
    };
    let style = ProgressStyle::with_template(template);
    let style = style.expect("the templates above are well formed");
    style.with_key(
        "rate",
        |state: &ProgressState, text: &mut dyn fmt::Write| {
            // What does not fit is not shown; a bar has no other way to fail.
            let _cut_off = write!(text, "{:.0}/s", HumanFloatCount(state.per_sec()));
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watched(unit: Unit, total: Option<u64>) -> Progress {
        let mut progress = Progress::start(unit, total, Monotonic::ZERO);
        progress.is_watched = true;
        progress
    }

    #[test]
    fn long_work_shows_a_bar_of_every_kind() {
        for unit in [Unit::Bytes, Unit::Records] {
            for total in [None, Some(10)] {
                let mut progress = watched(unit, total);
                progress.advance(Monotonic::ZERO.after(QUIET_TIME / 2), 4);
                assert!(!progress.is_shown);
                progress.advance(Monotonic::ZERO.after(QUIET_TIME), 2);
                assert!(progress.is_shown);
                assert_eq!(progress.bar.position(), 6);
            }
        }
    }

    #[test]
    fn work_that_nobody_watches_shows_no_bar() {
        let mut silent = Progress::silent(Monotonic::ZERO);
        silent.advance(Monotonic::ZERO.after(QUIET_TIME * 2), 1);
        assert!(!silent.is_shown);
    }
}
