//! Tests that need more than one file of the configuration.

mod precedence;
mod reading;
