//! What `riverrun dev` says when clients can connect: as little as a developer needs.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;

/// What is said.
#[derive(Debug)]
pub(super) struct Greeting {
    /// How many shards there are.
    pub(super) shards: usize,
    /// Where the data is.
    pub(super) data: Vec<PathBuf>,
    /// The durability of topics that have none of their own.
    pub(super) durability: String,
}

impl Greeting {
    /// Says it on standard output. The address comes last: who waits for it may stop reading.
    ///
    /// *Errors*: nobody reads.
    pub(super) fn say(&self, address: SocketAddr, admin: Option<SocketAddr>) -> io::Result<()> {
        let promise = match self.durability.as_str() {
            "os" => "written, and on disk within 50 ms",
            _ => "on disk",
        };
        let shards = match self.shards {
            1 => "1 shard".to_owned(),
            count => format!("{count} shards"),
        };
        let version = env!("CARGO_PKG_VERSION");
        let data = self.data.iter().map(|path| path.display().to_string());
        let data = data.collect::<Vec<_>>().join(", ");
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "riverrun {version}, {shards}, data in {data}")?;
        let durability = &self.durability;
        writeln!(
            stdout,
            "durability {durability}: an acknowledged record is {promise}"
        )?;
        if let Some(admin) = admin {
            writeln!(stdout, "admin http://{admin}")?;
        }
        writeln!(
            stdout,
            "produce: echo hello | riverrun produce greetings -b {address}"
        )?;
        writeln!(
            stdout,
            "         echo hello | kcat -P -b {address} -t greetings"
        )?;
        writeln!(stdout, "consume: riverrun consume greetings -b {address}")?;
        writeln!(stdout, "         kcat -C -b {address} -t greetings")?;
        writeln!(stdout, "ctrl-c stops it")?;
        writeln!(stdout, "listening on {address}")
    }
}
