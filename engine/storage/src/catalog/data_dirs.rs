//! All data directories of a node: the first holds its metadata log, each of them logs.
//!
//! Directories share nothing: what is wrong with one that is not the first takes it out of service,
//! and the node runs with the others.
//!
//! Invariants:
//! 1. A directory is made only while every directory that the node has is there.
//! 2. A directory is written down in the first one before a log comes into it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use types::{Incarnation, NodeId};

use super::data_dir::{DataDir, Found, look};
use super::directories;
use super::meta::{Identity, Meta};
use crate::error::Error;
use crate::layout::Layout;
use crate::log_id::LogId;
use crate::recovery::Replayed;

/// The data directories of a node, in the order in which the configuration names them.
#[derive(Debug)]
pub struct DataDirs {
    first: DataDir,
    others: Vec<Beside>,
    missing: usize,
}

/// A directory beside the first.
#[derive(Debug)]
struct Beside {
    path: PathBuf,
    opened: Result<DataDir, Error>,
}

impl DataDirs {
    /// Opens the directory that is named first, or makes it, once nothing speaks against it.
    ///
    /// *Errors*: those of [`DataDir::open`]; [`Error::NoMetadata`] and [`Error::MetadataBeside`] for
    /// directories in another order, or without the first: a node that began anew there would take
    /// every log for a deleted one.
    pub async fn open_first(
        path: &Path,
        others: &[PathBuf],
        node: NodeId,
    ) -> Result<DataDir, Error> {
        // What cannot be looked at is told when it is opened.
        let has_metadata = holds_metadata(path).await;
        let mut is_known = has_metadata || DataDir::is_used(path).await;
        for other in others {
            if holds_metadata(other).await {
                let path = other.clone();
                return Err(Error::MetadataBeside { path });
            }
            is_known |= matches!(look(other).await, Ok(Found::Ours));
        }
        if is_known && !has_metadata {
            return Err(Error::NoMetadata { path: path.into() });
        }
        DataDir::open(path, node).await
    }

    /// Opens the directories beside the first, which has its metadata log by now.
    ///
    /// *Errors*: those of the list in the first directory. What is wrong with another one takes it
    /// out of service; the log says so.
    pub async fn open(first: DataDir, others: &[PathBuf]) -> Result<Self, Error> {
        let root = first.layout().path().to_path_buf();
        let listed = directories::read(&root).await?;
        let mut there: Vec<Option<Result<DataDir, Error>>> = Vec::new();
        for path in others {
            there.push(match look(path).await {
                Ok(Found::Ours) => Some(open_known(&first, path, listed.as_deref()).await),
                Ok(Found::Nothing) => None,
                Err(error) => Some(Err(error)),
            });
        }
        let mut ids = listed.clone().unwrap_or_default();
        let opened = |dirs: &[Option<Result<DataDir, Error>>]| -> Vec<Identity> {
            let opened = dirs.iter().flatten().flatten();
            opened.map(DataDir::directory_id).collect()
        };
        let opened_now = opened(&there);
        let missing = ids.iter().filter(|id| !opened_now.contains(id)).count();
        for (path, slot) in others.iter().zip(&mut there) {
            if slot.is_none() {
                *slot = Some(make(&first, path, missing).await); // invariant 1
            }
        }
        for id in opened(&there) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        if ids.len() > listed.map_or(0, |listed| listed.len()) {
            directories::write(&root, &ids).await?; // invariant 2
        }
        let paths = others.iter().cloned();
        let beside = paths.zip(there.into_iter().flatten());
        Ok(Self {
            first,
            others: beside
                .map(|(path, opened)| Beside { path, opened })
                .collect(),
            missing,
        })
    }

    /// Returns the first one.
    pub fn first(&self) -> &DataDir {
        &self.first
    }

    /// Returns where each one is, and the directory itself, or why it is out of service.
    pub fn all(&self) -> impl Iterator<Item = (&Path, Result<&DataDir, &Error>)> {
        let first = (self.first.layout().path(), Ok(&self.first));
        let others = self.others.iter();
        [first]
            .into_iter()
            .chain(others.map(|it| (it.path.as_path(), it.opened.as_ref())))
    }

    /// Writes down where every log of the directory at a path ends ([`DataDir::note_replayed`]), and
    /// returns that; `None` if it is out of service, as it is after an error in its replay or here.
    ///
    /// *Errors*: those of the first directory, without which there is no node.
    pub async fn note_replayed(
        &mut self,
        path: &Path,
        replayed: Result<Replayed, Error>,
    ) -> Result<Option<Replayed>, Error> {
        let Some(beside) = self.others.iter_mut().find(|it| it.path == path) else {
            let replayed = replayed?;
            self.first.note_replayed(&replayed).await?;
            return Ok(Some(replayed));
        };
        let Ok(dir) = &beside.opened else {
            return Ok(None);
        };
        let noted = match replayed {
            Ok(replayed) => dir.note_replayed(&replayed).await.map(|()| replayed),
            Err(error) => Err(error),
        };
        match noted {
            Ok(replayed) => Ok(Some(replayed)),
            Err(error) => {
                beside.opened = Err(error);
                Ok(None)
            }
        }
    }

    /// Removes what earlier runs left in every directory: journals of shards that are no more, logs
    /// that were deleted. Call it when every store of this run is open.
    ///
    /// *Errors*: those of the first directory; in another one the rest stays until the next start.
    pub async fn tidy(
        &self,
        shards: u16,
        known: &BTreeMap<Incarnation, LogId>,
    ) -> Result<(), Error> {
        self.first.tidy(shards, known).await?;
        for beside in &self.others {
            if let Ok(dir) = &beside.opened
                && let Err(error) = dir.tidy(shards, known).await
            {
                let path = beside.path.display();
                tracing::warn!(directory = %path, %error, "what earlier runs left stays behind");
            }
        }
        Ok(())
    }

    /// Notes that everything was closed in order, in the directories of which that is true.
    ///
    /// *Errors*: those of the first directory; another one counts as not closed in order.
    pub async fn close_clean(self, is_clean: &[bool]) -> Result<(), Error> {
        let mut is_clean = is_clean.iter().copied();
        if is_clean.next() == Some(true) {
            self.first.close_clean().await?;
        }
        for (beside, is_clean) in self.others.into_iter().zip(is_clean) {
            if is_clean
                && let Ok(dir) = beside.opened
                && let Err(error) = dir.close_clean().await
            {
                let path = beside.path.display();
                tracing::warn!(directory = %path, %error, "the directory was not closed in order");
            }
        }
        Ok(())
    }

    /// Returns whether every directory of the node is there and in service: a log that none of them
    /// knows is empty then.
    pub fn is_complete(&self) -> bool {
        self.missing == 0 && self.others.iter().all(|it| it.opened.is_ok())
    }
}

/// Opens a directory that was made before.
async fn open_known(
    first: &DataDir,
    path: &Path,
    listed: Option<&[Identity]>,
) -> Result<DataDir, Error> {
    let meta = Meta::read(path, first.node()).await?;
    let is_listed = listed.is_none_or(|listed| listed.contains(&meta.directory));
    // A start that was cut short may have made it and not written it down; no log came into it.
    if !is_listed && DataDir::is_used(path).await {
        return Err(Error::DirectoryGivenUp { path: path.into() });
    }
    DataDir::open_of(path, first.node(), Some(first.cluster_id())).await
}

/// Makes a directory where there is none, unless it may be the place of one that is missing.
async fn make(first: &DataDir, path: &Path, missing: usize) -> Result<DataDir, Error> {
    if missing > 0 {
        return Err(Error::DirectoryMissing {
            path: path.into(),
            missing,
        });
    }
    DataDir::open_of(path, first.node(), Some(first.cluster_id())).await
}

async fn holds_metadata(path: &Path) -> bool {
    let metadata = Layout::new(path.to_path_buf(), 0).metadata();
    runtime::exists(&metadata).await.unwrap_or(false)
}
