//! Options of `compare`.

use std::path::PathBuf;

use clap::Args;

/// Options of `compare`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Compare {
    /// Results of the side to judge, one JSON line for each run
    pub(crate) a: PathBuf,
    /// Results of the side to judge it by, in the same order
    pub(crate) b: PathBuf,
    /// The figure: a place in the result, like /broker/cpu_s_per_gib
    #[arg(long, value_name = "POINTER")]
    pub(crate) field: String,
    /// What the figure is called
    #[arg(long)]
    pub(crate) title: Option<String>,
    /// Tell the comparison as one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
}
