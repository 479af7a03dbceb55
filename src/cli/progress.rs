//! A progress bar on standard error, when a person watches and the work takes long.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
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
    unit: Unit,
    total: Option<u64>,
    done: u64,
    started: Monotonic,
    is_watched: bool,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Starts to count, towards a total if it is known; silent unless standard error is a terminal.
    pub(super) fn start(unit: Unit, total: Option<u64>, now: Monotonic) -> Self {
        Self {
            unit,
            total,
            done: 0,
            started: now,
            is_watched: io::stderr().is_terminal(),
            bar: None,
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
        if let Some(bar) = &self.bar {
            bar.set_position(self.done);
        } else if now.since(self.started) >= QUIET_TIME {
            self.bar = Some(self.draw());
        }
    }

    /// Says something on standard error, above the bar if there is one.
    pub(super) fn note(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| complain(text)),
            None => complain(text),
        }
    }

    fn draw(&self) -> ProgressBar {
        let target = ProgressDrawTarget::stderr();
        let bar = ProgressBar::with_draw_target(self.total, target);
        let template = match (self.unit, self.total) {
            (Unit::Bytes, Some(_)) => "{wide_bar} {bytes}/{total_bytes}  {bytes_per_sec}  {eta}",
            (Unit::Bytes, None) => "{spinner} {bytes}  {bytes_per_sec}",
            (Unit::Records, Some(_)) => "{wide_bar} {human_pos}/{human_len}  {per_sec}  {eta}",
            (Unit::Records, None) => "{spinner} {human_pos}  {per_sec}",
        };
        let style = ProgressStyle::with_template(template);
        bar.set_style(style.expect("the templates above are well formed"));
        bar.set_position(self.done);
        bar
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_well_formed() {
        for unit in [Unit::Bytes, Unit::Records] {
            for total in [None, Some(10)] {
                let mut progress = Progress::start(unit, total, Monotonic::ZERO);
                progress.is_watched = true;
                progress.advance(Monotonic::ZERO.after(QUIET_TIME), 4);
                let bar = progress.bar.as_ref().expect("half a second has passed");
                assert_eq!(bar.position(), 4);
                progress.advance(Monotonic::ZERO.after(QUIET_TIME), 2);
                assert_eq!(progress.bar.as_ref().map(ProgressBar::position), Some(6));
            }
        }
    }

    #[test]
    fn short_work_and_work_that_nobody_watches_show_no_bar() {
        let mut progress = Progress::start(Unit::Bytes, None, Monotonic::ZERO);
        progress.is_watched = true;
        progress.advance(Monotonic::ZERO.after(QUIET_TIME / 2), 1);
        assert!(progress.bar.is_none());
        let mut silent = Progress::silent(Monotonic::ZERO);
        silent.advance(Monotonic::ZERO.after(QUIET_TIME * 2), 1);
        assert!(silent.bar.is_none());
    }
}
