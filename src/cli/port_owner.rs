//! Who listens on a port of this machine, as far as this user may see.
//!
//! *Source*: proc(5): `/proc/net/tcp` gives the socket's inode, `/proc/<pid>/fd` who holds it.

use std::fs;

/// A process that holds a port.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Owner {
    /// Its id.
    pub(super) pid: u32,
    /// What it is called.
    pub(super) command: String,
}

/// Finds the process that listens on `port`.
pub(super) fn of(port: u16) -> Option<Owner> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let inode = tables
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .find_map(|table| listening_inode(&table, port))?;
    let socket = format!("socket:[{inode}]");
    let processes = fs::read_dir("/proc").ok()?;
    for process in processes.filter_map(Result::ok) {
        let name = process.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let Ok(descriptors) = fs::read_dir(process.path().join("fd")) else {
            continue;
        };
        let holds = descriptors
            .filter_map(Result::ok)
            .filter_map(|descriptor| fs::read_link(descriptor.path()).ok())
            .any(|target| target.as_os_str() == socket.as_str());
        if holds {
            let command = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some(Owner {
                pid,
                command: command.trim().to_owned(),
            });
        }
    }
    None
}

/// Finds the inode of the socket that listens on `port` in one of the kernel's tables.
fn listening_inode(table: &str, port: u16) -> Option<u64> {
    const LISTEN: &str = "0A";
    let wanted = format!("{port:04X}");
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let local_port = fields.get(1)?.rsplit(':').next()?;
        let listens = *fields.get(3)? == LISTEN && local_port == wanted;
        listens.then(|| fields.get(9)?.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_of_a_port_is_found() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(of(port).map(|owner| owner.pid), Some(std::process::id()));
    }
}
