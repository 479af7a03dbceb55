//! Waiting for data at any owner, until a deadline.

use std::pin::Pin;
use std::rc::Rc;

use types::{Monotonic, Offset, ShardId, TopicPartition};

use crate::crossing::Ask;
use crate::peer;
use crate::shard::Shard;
use crate::waits::first_of;

/// Returns when one of the partitions has more than up to the offset beside it, or at the deadline.
pub(super) async fn for_data(
    shard: &Rc<Shard>,
    positions: Vec<(ShardId, Vec<(TopicPartition, Offset)>)>,
    deadline: Monotonic,
) {
    let mut waits: Vec<Pin<Box<dyn Future<Output = ()> + '_>>> = Vec::new();
    for (owner, parts) in positions {
        if owner == shard.id() {
            waits.push(Box::pin(
                async move { peer::any_has_data(shard, &parts).await },
            ));
        } else {
            waits.push(Box::pin(there(Rc::clone(shard), owner, parts)));
        }
    }
    waits.push(Box::pin(runtime::sleep_until(deadline)));
    first_of(waits).await;
}

/// Waits at another shard; whoever drops this future ends the wait there.
async fn there(shard: Rc<Shard>, owner: ShardId, parts: Vec<(TopicPartition, Offset)>) {
    let wait = shard.waits.number();
    let mut ended = EndOnDrop {
        shard,
        owner,
        wait,
        over: false,
    };
    let reply = ended
        .shard
        .mesh
        .call(owner, Ask::AwaitData { wait, parts })
        .await;
    // An owner that is gone is stopping: the read that follows says so.
    let _answered_or_gone = reply.await;
    ended.over = true;
}

struct EndOnDrop {
    shard: Rc<Shard>,
    owner: ShardId,
    wait: u64,
    over: bool,
}

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        let (mesh, owner, wait) = (self.shard.mesh.clone(), self.owner, self.wait);
        self.shard.tasks.spawn(runtime::Queue::Latency, async move {
            let _answered_or_gone = mesh.call(owner, Ask::EndWait(wait)).await.await;
        });
    }
}
