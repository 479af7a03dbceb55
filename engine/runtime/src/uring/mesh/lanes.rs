//! The queues between shards, made all at once and handed out by port.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};

use types::ShardId;

use super::calls::CallId;
use super::doorbell::{Departure, Doorbell};
use crate::uring::load::Load;

/// Requests from one shard to one other that are put and not yet taken.
pub(in crate::uring) const LANE_REQUESTS_MAX: usize = 256;

/// The four ends that one shard holds of its two lanes with one other.
pub(super) struct Ends<Q, R> {
    pub(super) requests_out: SyncSender<(CallId, Q)>,
    pub(super) requests_in: Receiver<(CallId, Q)>,
    pub(super) answers_out: Sender<(CallId, Option<R>)>,
    pub(super) answers_in: Receiver<(CallId, Option<R>)>,
    /// This shard waits for room in `requests_out`.
    pub(super) wanted_out: Arc<AtomicBool>,
    /// The other waits for room in `requests_in`.
    pub(super) wanted_in: Arc<AtomicBool>,
}

/// One shard's end of the mesh on its way to the shard's thread.
pub(in crate::uring) struct Port<Q, R> {
    pub(super) id: ShardId,
    pub(super) doorbells: Arc<[Doorbell]>,
    pub(super) ends: Vec<Ends<Q, R>>,
}

/// Makes the mesh of a node: one port per shard, in order, and the doorbells.
#[expect(clippy::type_complexity, reason = "read once, by the launcher")]
pub(in crate::uring) fn fabric<Q, R>(
    shards: usize,
) -> io::Result<(Vec<Port<Q, R>>, Arc<[Doorbell]>)> {
    let doorbells: Arc<[Doorbell]> = (0..shards)
        .map(|_| Doorbell::new())
        .collect::<io::Result<Vec<_>>>()?
        .into();
    // Of the lane from a to b: a keeps the sending ends, b takes the receiving ones.
    let mut sending: Vec<VecDeque<_>> = Vec::new();
    let mut receiving: Vec<VecDeque<_>> = (0..shards).map(|_| VecDeque::new()).collect();
    for _ in 0..shards {
        let mut row = VecDeque::new();
        for column in &mut receiving {
            let (requests_out, requests_in) = mpsc::sync_channel(LANE_REQUESTS_MAX);
            let (answers_out, answers_in) = mpsc::channel();
            let wanted = Arc::new(AtomicBool::new(false));
            row.push_back((requests_out, answers_in, Arc::clone(&wanted)));
            column.push_back((requests_in, answers_out, wanted));
        }
        sending.push(row);
    }
    let ports = (0..).map(ShardId).zip(sending.into_iter().zip(receiving));
    let ports = ports.map(|(id, (row, column))| {
        let ends = row.into_iter().zip(column).map(|(to, from)| {
            let (requests_out, answers_in, wanted_out) = to;
            let (requests_in, answers_out, wanted_in) = from;
            Ends {
                requests_out,
                requests_in,
                answers_out,
                answers_in,
                wanted_out,
                wanted_in,
            }
        });
        Port {
            id,
            doorbells: Arc::clone(&doorbells),
            ends: ends.collect(),
        }
    });
    Ok((ports.collect(), Arc::clone(&doorbells)))
}

impl<Q, R> Port<Q, R> {
    /// Returns where this shard tells how busy it is.
    pub(in crate::uring) fn load(&self) -> Arc<Load> {
        let own = self.doorbells.get(self.id.index());
        Arc::clone(&own.expect("every shard has its doorbell").load)
    }

    /// Returns what tells the others of this shard's end.
    pub(in crate::uring) fn departure(&self) -> Departure {
        Departure {
            id: self.id,
            doorbells: Arc::clone(&self.doorbells),
        }
    }
}
