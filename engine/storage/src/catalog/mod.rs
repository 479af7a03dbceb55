//! The data directories: whose each is, its format, its lock, and which logs and journals it holds.
//!
//! Not here: what the logs hold. The files are described in docs/formats/data_directory.md.

mod data_dir;
mod data_dirs;
mod directories;
mod meta;

pub use data_dir::DataDir;
pub(crate) use data_dir::list_journals;
pub use data_dirs::DataDirs;
pub use meta::Identity;
