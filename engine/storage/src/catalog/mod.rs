//! The data directory: whose it is, its format, its lock, and which logs and journals it holds.
//!
//! Not here: what the logs hold. The files are described in docs/formats/data_directory.md.

mod data_dir;
mod meta;

pub use data_dir::DataDir;
pub(crate) use data_dir::list_journals;
pub use meta::Identity;
