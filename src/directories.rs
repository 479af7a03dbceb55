//! The node's data directories at its start, seen from the first shard.

use std::collections::BTreeMap;
use std::sync::Arc;

use runtime::{PeerGone, Reply};
use storage::{DataDir, DataDirs, LogId, Replayed};
use types::{Incarnation, ShardId};

use crate::causes::with_causes;
use crate::crossing::{Answer, Ask};
use crate::shard::Shard;
use crate::start_error::StartError;
use crate::stores::{Directories, Directory};

/// Every log that the metadata knows.
pub type KnownLogs = Arc<BTreeMap<Incarnation, LogId>>;

/// Replays all journals, each on one shard, side by side, and writes down what was found.
///
/// *Errors*: those of the first directory, or a shard that is gone. Another directory is out of service
/// instead.
pub async fn replay(
    shard: &Shard,
    data: &mut DataDirs,
    known: &KnownLogs,
) -> Result<Directories, StartError> {
    let mut asked = Vec::new();
    for (path, opened) in data.all() {
        if let Ok(dir) = opened {
            asked.push((path.to_path_buf(), ask(shard, dir, known).await));
        }
    }
    let mut found = BTreeMap::new();
    for (path, replies) in asked {
        let replayed = match replies {
            Ok(replies) => merge(replies).await?,
            Err(error) => Err(error),
        };
        if let Some(replayed) = data.note_replayed(&path, replayed).await? {
            found.insert(path, Arc::new(replayed));
        }
    }
    let list = data.all().map(|(path, opened)| Directory {
        path: path.to_path_buf(),
        found: match opened {
            Ok(dir) => {
                let replayed = found.remove(path).expect("what is in service was replayed");
                Ok((dir.layout().clone(), replayed))
            }
            Err(error) => Err(with_causes(error)),
        },
    });
    Ok(Directories {
        list: list.collect(),
        is_complete: data.is_complete(),
    })
}

/// Has the journals of one directory replayed, each by the shard whose turn it is.
async fn ask(
    shard: &Shard,
    dir: &DataDir,
    known: &KnownLogs,
) -> Result<Vec<Reply<Answer>>, storage::Error> {
    let all = dir.journals().await?;
    let mut replies = Vec::new();
    for peer in shard.router.all() {
        let turn = |journal: &ShardId| journal.0 % shard.router.shards() == peer.0;
        let journals: Vec<ShardId> = all.iter().copied().filter(turn).collect();
        if journals.is_empty() {
            continue;
        }
        let ask = Ask::Replay {
            layout: dir.layout().clone(),
            journals,
            known: Arc::clone(known),
        };
        replies.push(shard.mesh.call(peer, ask).await);
    }
    Ok(replies)
}

async fn merge(replies: Vec<Reply<Answer>>) -> Result<Result<Replayed, storage::Error>, PeerGone> {
    let mut merged = Ok(Replayed::default());
    for reply in replies {
        if let Answer::Replayed(part) = reply.await? {
            merged = merged.and_then(|mut merged| {
                merged.merge(part?);
                Ok(merged)
            });
        }
    }
    Ok(merged)
}
