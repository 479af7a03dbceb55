//! The data directory: whose it is, its format, its lock, and which logs and journals it holds.
//!
//! Not here: what the logs hold. The `meta` file and the marker of a clean shutdown are described in
//! docs/formats/data_directory.md.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use runtime::{DirLock, LockError};
use types::{ByteCount, Incarnation, NodeId, ShardId, TopicId};
use zerocopy::little_endian::{I32, U32};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::error::Error;
use crate::layout::Layout;
use crate::log_id::LogId;
use crate::recovery::{self, Replayed};

/// The version of the data directory's format.
pub(crate) const DATA_VERSION: u32 = 1;

const MAGIC: [u8; 8] = *b"rrdata\n\0";
const META_SIZE: usize = size_of::<RawMeta>();

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct RawMeta {
    magic: [u8; 8],
    version: U32,
    node: I32,
    cluster: [u8; 16],
    directory: [u8; 16],
    generation: U32,
    reserved: [u8; 8],
    crc: U32,
}

/// A random identity of 16 bytes, shown as a topic id is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity(pub [u8; 16]);

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        TopicId(self.0).fmt(f)
    }
}

/// What the `meta` file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Meta {
    node: NodeId,
    cluster: Identity,
    directory: Identity,
    generation: u32,
}

/// A locked data directory; the first shard's.
#[derive(Debug)]
pub struct DataDir {
    layout: Layout,
    meta: Meta,
    shutdown: Shutdown,
    _lock: DirLock,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shutdown {
    Clean,
    Unclean,
}

impl DataDir {
    /// Opens a data directory, or makes one in an empty or missing directory, and starts a new run.
    ///
    /// The marker of a clean shutdown is removed, durably, before this returns.
    ///
    /// *Errors*: [`Error::Locked`], [`Error::NewerFormat`], [`Error::ForeignNode`],
    /// [`Error::NotADataDirectory`], [`Error::Damaged`], [`Error::Io`].
    pub async fn open(path: &Path, node: NodeId) -> Result<Self, Error> {
        runtime::create_dir_all(path)
            .await
            .map_err(Error::io("creation", path))?;
        let listed = runtime::list_dir(path)
            .await
            .map_err(Error::io("listing", path))?;
        let has = |name: &str| listed.iter().any(|entry| entry.name == name);
        let is_ours = has("meta");
        // What a first start that was cut short may have left, and what a formatted disk brings.
        let starting = ["LOCK", "meta.new", "lost+found"];
        if !is_ours
            && listed
                .iter()
                .any(|entry| !starting.contains(&entry.name.as_str()))
        {
            return Err(Error::NotADataDirectory { path: path.into() });
        }
        if !is_ours {
            sync_names_above(path).await?;
        }
        let lock = lock(path).await?;
        let meta = if is_ours {
            read_meta(path, node).await?
        } else {
            Meta {
                node,
                cluster: random_identity(),
                directory: random_identity(),
                generation: 0,
            }
        };
        let meta = Meta {
            generation: meta.generation + 1,
            ..meta
        };
        let shutdown = take_clean_marker(path, meta.generation - 1).await?;
        write(&path.join("meta"), meta_bytes(&meta).as_bytes()).await?;
        let layout = Layout::new(path.to_path_buf(), meta.generation);
        let logs = layout.logs();
        runtime::create_dir_all(&logs)
            .await
            .map_err(Error::io("creation", &logs))?;
        // A run that was killed may have left names that are not durable yet.
        runtime::sync_dir(&logs)
            .await
            .map_err(Error::io("sync", logs))?;
        Ok(Self {
            layout,
            meta,
            shutdown,
            _lock: lock,
        })
    }

    /// Returns the paths, for every shard.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Returns whose cluster the data is; made up when the directory was.
    pub fn cluster_id(&self) -> Identity {
        self.meta.cluster
    }

    /// Returns the directory's own identity, another one after it was replaced.
    pub fn directory_id(&self) -> Identity {
        self.meta.directory
    }

    /// Returns whether the last run ended with [`DataDir::close_clean`].
    pub fn was_clean_shutdown(&self) -> bool {
        self.shutdown == Shutdown::Clean
    }

    /// Lists the shards that left a journal, each to be replayed before any log is opened.
    pub async fn journals(&self) -> Result<Vec<ShardId>, Error> {
        list_journals(&self.layout).await
    }

    /// Writes down where every log ends, so that the journals of earlier runs mean nothing any more.
    ///
    /// Call it when all of them were replayed and the results merged, before any store of this run
    /// opens: a log may have moved to another shard, and stores begin their journals one by one.
    ///
    /// *Errors*: [`Error::Io`].
    pub async fn note_replayed(&self, replayed: &Replayed) -> Result<(), Error> {
        recovery::write_ends(&self.layout, replayed).await
    }

    /// Removes journals of shards from `shards` on.
    ///
    /// Call it when every store of this run is open: their journals know all logs then.
    pub async fn retire_journals(&self, shards: u16) -> Result<(), Error> {
        let all = self.journals().await?;
        for shard in all.into_iter().filter(|shard| shard.0 >= shards) {
            remove_dir(&self.layout.journal(shard), self.layout.path()).await?;
        }
        Ok(())
    }

    /// Removes the directories of logs that the metadata does not know: their deletion was cut short.
    pub async fn remove_unknown_logs(
        &self,
        known: &BTreeMap<Incarnation, LogId>,
    ) -> Result<(), Error> {
        let logs = self.layout.logs();
        let listed = runtime::list_dir(&logs)
            .await
            .map_err(Error::io("listing", &logs))?;
        for entry in listed {
            let Some(id) = LogId::from_directory_name(&entry.name) else {
                tracing::warn!(name = entry.name, "unknown entry among the logs stays");
                continue;
            };
            if known.get(&id.incarnation) != Some(&id) {
                tracing::info!(log = %id, "removing a deleted log");
                remove_dir(&logs.join(&entry.name), &logs).await?;
            }
        }
        Ok(())
    }

    /// Notes that everything was closed in order.
    pub async fn close_clean(self) -> Result<(), Error> {
        let marker = clean_marker(self.meta.generation);
        write(&self.layout.path().join("clean"), &marker).await
    }
}

/// Lists the shards that have a journal directory.
pub(crate) async fn list_journals(layout: &Layout) -> Result<Vec<ShardId>, Error> {
    let listed = runtime::list_dir(layout.path())
        .await
        .map_err(Error::io("listing", layout.path()))?;
    let shard = |entry: runtime::DirEntry| {
        let digits = entry.name.strip_prefix("shard-")?;
        digits.parse().ok().map(ShardId)
    };
    Ok(listed.into_iter().filter_map(shard).collect())
}

/// Makes the names that lead to a new directory durable.
///
/// A first run that was killed may have made them, and then no later run sees that they are new.
/// Directories that this process may not open are not of its making.
async fn sync_names_above(path: &Path) -> Result<(), Error> {
    for above in path.ancestors().skip(1) {
        let here = Path::new(".");
        let above = if above.as_os_str().is_empty() {
            here
        } else {
            above
        };
        match runtime::sync_dir(above).await {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(()),
            other => other.map_err(Error::io("sync", above))?,
        }
    }
    Ok(())
}

async fn lock(path: &Path) -> Result<DirLock, Error> {
    let file = path.join("LOCK");
    match runtime::lock_file(&file).await {
        Ok(lock) => Ok(lock),
        Err(LockError::HeldBy { pid }) => Err(Error::Locked {
            path: path.into(),
            pid,
        }),
        Err(LockError::Io(source)) => Err(Error::io("locking", file)(source)),
    }
}

async fn write(path: &Path, content: &[u8]) -> Result<(), Error> {
    runtime::write_file_durably(path, content)
        .await
        .map_err(Error::io("write", path))
}

async fn remove_dir(path: &Path, parent: &Path) -> Result<(), Error> {
    runtime::remove_dir_all(path)
        .await
        .map_err(Error::io("removal", path))?;
    runtime::sync_dir(parent)
        .await
        .map_err(Error::io("sync", parent))
}

fn random_identity() -> Identity {
    loop {
        if let Some(id) = TopicId::from_random(runtime::random_bytes()) {
            return Identity(id.0);
        }
    }
}

fn meta_bytes(meta: &Meta) -> RawMeta {
    let mut raw = RawMeta::new_zeroed();
    raw.magic = MAGIC;
    raw.version = DATA_VERSION.into();
    raw.node = meta.node.0.into();
    raw.cluster = meta.cluster.0;
    raw.directory = meta.directory.0;
    raw.generation = meta.generation.into();
    raw.crc = meta_crc(&raw).into();
    raw
}

fn meta_crc(raw: &RawMeta) -> u32 {
    let (covered, _) = raw
        .as_bytes()
        .split_at_checked(META_SIZE - size_of::<U32>())
        .expect("the checksum is the last field");
    crc32c::crc32c(covered)
}

/// The version stands at the same place in every version of the file, and is looked at first.
fn parse_meta(bytes: &[u8], path: PathBuf) -> Result<Meta, Error> {
    let damaged = |position| Error::Damaged {
        path: path.clone(),
        position,
    };
    let prefix = bytes.first_chunk::<12>().ok_or_else(|| damaged(0))?;
    let (magic, version) = prefix.split_at_checked(8).ok_or_else(|| damaged(0))?;
    let version = U32::read_from_bytes(version).map_err(|_| damaged(8))?.get();
    if magic != MAGIC {
        return Err(damaged(0));
    }
    if version > DATA_VERSION {
        return Err(Error::NewerFormat {
            path,
            found: version,
            supported: DATA_VERSION,
        });
    }
    let raw = RawMeta::read_from_bytes(bytes).map_err(|_| damaged(12))?;
    if raw.crc.get() != meta_crc(&raw) {
        return Err(damaged(12));
    }
    Ok(Meta {
        node: NodeId(raw.node.get()),
        cluster: Identity(raw.cluster),
        directory: Identity(raw.directory),
        generation: raw.generation.get(),
    })
}

async fn read_meta(root: &Path, node: NodeId) -> Result<Meta, Error> {
    let path = root.join("meta");
    let bytes = runtime::read_file(&path, ByteCount::kib(4))
        .await
        .map_err(Error::io("read", &path))?;
    let meta = parse_meta(&bytes, path)?;
    if meta.node != node {
        return Err(Error::ForeignNode {
            path: root.into(),
            found: meta.node,
            expected: node,
        });
    }
    Ok(meta)
}

/// The marker names the run that ended, so that one that came back after a crash says nothing.
fn clean_marker(generation: u32) -> Vec<u8> {
    format!("clean {generation}\n").into_bytes()
}

async fn take_clean_marker(root: &Path, generation: u32) -> Result<Shutdown, Error> {
    let path = root.join("clean");
    let exists = runtime::exists(&path)
        .await
        .map_err(Error::io("lookup", &path))?;
    if !exists {
        return Ok(Shutdown::Unclean);
    }
    let content = runtime::read_file(&path, ByteCount::kib(4))
        .await
        .map_err(Error::io("read", &path))?;
    runtime::remove_file(&path)
        .await
        .map_err(Error::io("removal", &path))?;
    runtime::sync_dir(root)
        .await
        .map_err(Error::io("sync", root))?;
    Ok(if content == clean_marker(generation) {
        Shutdown::Clean
    } else {
        Shutdown::Unclean
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta() -> Meta {
        Meta {
            node: NodeId(3),
            cluster: Identity([1; 16]),
            directory: Identity([2; 16]),
            generation: 9,
        }
    }

    #[test]
    fn meta_is_read_back_and_every_flipped_bit_is_refused() {
        let mut bytes = meta_bytes(&meta()).as_bytes().to_vec();
        assert_eq!(parse_meta(&bytes, PathBuf::new()).unwrap(), meta());
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(parse_meta(&bytes, PathBuf::new()).is_err(), "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        for length in 0..bytes.len() {
            assert!(parse_meta(&bytes[..length], PathBuf::new()).is_err());
        }
    }

    #[test]
    fn the_golden_meta_file_is_read() {
        let written = meta_bytes(&meta()).as_bytes().to_vec();
        let then = crate::golden::golden("data_directory_v1.bin", &written);
        assert_eq!(parse_meta(&then, PathBuf::new()).unwrap(), meta());
    }

    #[test]
    fn a_newer_format_is_named_before_anything_else_is_read() {
        let mut bytes = meta_bytes(&meta()).as_bytes()[..12].to_vec();
        bytes[8] = 2;
        let found = parse_meta(&bytes, PathBuf::new());
        assert!(matches!(
            found,
            Err(Error::NewerFormat {
                found: 2,
                supported: 1,
                ..
            })
        ));
    }
}
