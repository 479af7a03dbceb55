//! Tests of the crate through its public names.

mod draft;
mod golden;
mod properties;
mod stamping;
mod validation;
