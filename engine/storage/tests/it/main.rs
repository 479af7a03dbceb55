//! The tests of storage through its public interface, on every arm there is.

mod append_and_read;
#[cfg(feature = "sim")]
mod crash;
mod directory;
#[cfg(feature = "sim")]
mod faults;
mod history;
mod producers;
mod support;
