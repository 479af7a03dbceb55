//! Logs on standard error: for people by default, JSON on request.

use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, NodeConfig};

/// Starts logging, once a process.
pub(super) fn start(config: &NodeConfig) {
    let filter = EnvFilter::try_new(config.log_level).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Human => builder.with_target(false).init(),
        LogFormat::Json => builder.json().init(),
    }
}
