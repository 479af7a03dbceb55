//! One data directory: its lock, its runs, its journals and logs.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use runtime::{DirLock, LockError};
use types::{ByteCount, Incarnation, NodeId, ShardId};

use super::meta::{self, Identity, Meta};
use crate::error::Error;
use crate::layout::Layout;
use crate::log_id::LogId;
use crate::recovery::{self, Replayed};

/// A locked data directory; the first shard holds it.
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
        Self::open_of(path, node, None).await
    }

    /// The same for a directory of a cluster that is known: another cluster's is
    /// [`Error::ForeignCluster`].
    pub(super) async fn open_of(
        path: &Path,
        node: NodeId,
        cluster: Option<Identity>,
    ) -> Result<Self, Error> {
        let found = look(path).await?;
        if found == Found::Nothing {
            runtime::create_dir_all(path)
                .await
                .map_err(Error::io("creation", path))?;
            sync_names_above(path).await?;
        }
        let lock = lock(path).await?;
        let meta = match found {
            Found::Ours => Meta::read(path, node).await?,
            Found::Nothing => Meta::new(node, cluster),
        };
        if let Some(cluster) = cluster.filter(|cluster| *cluster != meta.cluster) {
            return Err(Error::ForeignCluster {
                path: path.into(),
                found: meta.cluster,
                expected: cluster,
            });
        }
        let meta = Meta {
            generation: meta.generation + 1,
            ..meta
        };
        let shutdown = take_clean_marker(path, meta.generation - 1).await?;
        meta.write(path).await?;
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

    /// Returns whose the data is.
    pub fn node(&self) -> NodeId {
        self.meta.node
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

    /// Returns whether a run got as far as its journals in the directory at a path.
    pub(super) async fn is_used(path: &Path) -> bool {
        let layout = Layout::new(path.to_path_buf(), 0);
        let journals = list_journals(&layout).await;
        journals.is_ok_and(|journals| !journals.is_empty())
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
        recovery::write_ends(&self.layout, replayed.all().collect()).await
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

    /// Both: what earlier runs left.
    pub(super) async fn tidy(
        &self,
        shards: u16,
        known: &BTreeMap<Incarnation, LogId>,
    ) -> Result<(), Error> {
        self.retire_journals(shards).await?;
        self.remove_unknown_logs(known).await
    }

    /// Notes that everything was closed in order.
    pub async fn close_clean(self) -> Result<(), Error> {
        let marker = clean_marker(self.meta.generation);
        write(&self.layout.path().join("clean"), &marker).await
    }
}

/// What stands at a path that is to be a data directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A data directory.
    Ours,
    /// An empty directory, or none.
    Nothing,
}

/// Looks what stands at a path; writes nothing.
///
/// *Errors*: [`Error::NotADataDirectory`], [`Error::Io`].
pub(super) async fn look(path: &Path) -> Result<Found, Error> {
    let listed = match runtime::list_dir(path).await {
        Ok(listed) => listed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(Error::io("listing", path)(error)),
    };
    if listed.iter().any(|entry| entry.name == meta::FILE_NAME) {
        return Ok(Found::Ours);
    }
    // What a first start that was cut short may have left, and what a formatted disk brings.
    let starting = ["LOCK", "meta.new", "lost+found"];
    if listed
        .iter()
        .all(|entry| starting.contains(&entry.name.as_str()))
    {
        Ok(Found::Nothing)
    } else {
        Err(Error::NotADataDirectory { path: path.into() })
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
