//! Ctrl-C at a client command: the first asks it to end, the second ends it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// What is added to a signal's number for the exit code of a process that it ended.
const EXIT_CODE_BASE: u8 = 128;

/// Whether somebody asked the process to end.
#[derive(Debug)]
pub(super) struct Interrupt {
    /// The latest signal; 0 before the first.
    signal: Arc<AtomicUsize>,
}

/// A signal ended a command before it was done.
#[derive(Debug, thiserror::Error)]
#[error("{told}")]
pub(super) struct Interrupted {
    told: String,
    signal: u8,
}

impl Interrupted {
    /// Returns the exit code that a shell gives to a process ended by the signal.
    pub(super) fn exit_code(&self) -> u8 {
        EXIT_CODE_BASE.saturating_add(self.signal)
    }
}

impl Interrupt {
    /// Listens for SIGINT and SIGTERM from here on; a second one ends the process at once, with
    /// the exit code that a shell gives to a process ended by that signal.
    pub(super) fn listen() -> io::Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        let latest = Arc::new(AtomicUsize::new(0));
        for signal in [SIGINT, SIGTERM] {
            // In this order: the first signal finds the flag down, then raises it.
            let exit_code = i32::from(EXIT_CODE_BASE) + signal;
            flag::register_conditional_shutdown(signal, exit_code, Arc::clone(&asked))?;
            flag::register(signal, Arc::clone(&asked))?;
            let number = usize::try_from(signal).map_err(io::Error::other)?;
            flag::register_usize(signal, Arc::clone(&latest), number)?;
        }
        Ok(Self { signal: latest })
    }

    /// Returns whether a signal came.
    pub(super) fn is_asked(&self) -> bool {
        self.signal.load(Ordering::Relaxed) != 0
    }

    /// Says what was left undone when a signal came.
    pub(super) fn ended(&self, told: String) -> Interrupted {
        let signal = u8::try_from(self.signal.load(Ordering::Relaxed)).unwrap_or(0);
        Interrupted { told, signal }
    }
}
