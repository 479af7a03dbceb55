//! Signals that ask the process to end.

/// A request to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM: a service manager asks.
    Terminate,
    /// SIGINT: a person at the terminal asks.
    Interrupt,
}

/// Waits for the next signal. For the first shard alone: a signal is told once.
pub async fn next_signal() -> Signal {
    ambient!(next_signal().await)
}
