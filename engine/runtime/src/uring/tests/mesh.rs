//! The mesh between shards.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use types::ShardId;

use super::super::mesh::LANE_REQUESTS_MAX;
use super::support::on_shards;
use crate::{LaunchError, Mesh, PeerGone, Queue, spawn};

/// Something that has happened on one shard, for another to wait for, whatever the mesh does.
#[derive(Clone, Default)]
struct Happened(Arc<AtomicBool>);

impl Happened {
    fn tell(&self) {
        self.0.store(true, Ordering::Release);
    }

    async fn wait(&self) {
        while !self.0.load(Ordering::Acquire) {
            crate::sleep(Duration::from_millis(1)).await;
        }
    }
}

#[test]
fn requests_of_one_shard_arrive_in_order_and_answers_may_come_in_any() {
    on_shards(2, |mesh: Mesh<u64, u64>| async move {
        const COUNT: u64 = 2_000;
        if mesh.id() == ShardId(1) {
            let mut held = Vec::new();
            for want in 0..COUNT {
                let (from, request, responder) = mesh.incoming().await.unwrap();
                assert_eq!((from, request), (ShardId(0), want));
                held.push((request, responder));
                if held.len() == 7 {
                    for (request, responder) in held.drain(..).rev() {
                        responder.respond(request * 2);
                    }
                }
            }
            for (request, responder) in held {
                responder.respond(request * 2);
            }
            return;
        }
        let mut replies = Vec::new();
        for request in 0..COUNT {
            replies.push((request, mesh.call(ShardId(1), request).await));
        }
        for (request, reply) in replies {
            assert_eq!(reply.await, Ok(request * 2));
        }
    })
    .unwrap();
}

#[test]
fn a_full_queue_stops_the_caller_until_there_is_room() {
    let refusal = Happened::default();
    on_shards(2, move |mesh: Mesh<usize, ()>| {
        let refusal = refusal.clone();
        async move {
            if mesh.id() == ShardId(1) {
                refusal.wait().await;
                for want in 0..LANE_REQUESTS_MAX * 2 {
                    let (_, request, responder) = mesh.incoming().await.unwrap();
                    assert_eq!(request, want);
                    responder.respond(());
                }
                return;
            }
            let mut replies = Vec::new();
            for request in 0..LANE_REQUESTS_MAX {
                replies.push(mesh.call(ShardId(1), request).await);
            }
            let full = mesh.call(ShardId(1), usize::MAX);
            let refused = crate::timeout(Duration::from_millis(10), full).await;
            refusal.tell();
            assert!(refused.is_err(), "nobody takes requests yet");
            for request in LANE_REQUESTS_MAX..LANE_REQUESTS_MAX * 2 {
                replies.push(mesh.call(ShardId(1), request).await);
            }
            for reply in replies {
                assert_eq!(reply.await, Ok(()));
            }
        }
    })
    .unwrap();
}

#[test]
fn a_shard_can_call_itself() {
    on_shards(1, |mesh: Mesh<u32, u32>| async move {
        let serving = spawn(Queue::Latency, {
            let mesh = mesh.clone();
            async move {
                while let Some((from, request, responder)) = mesh.incoming().await {
                    assert_eq!(from, ShardId(0));
                    responder.respond(request + 1);
                }
            }
        });
        let mut replies = Vec::new();
        for request in 0..1_000 {
            replies.push((request, mesh.call(ShardId(0), request).await));
        }
        for (request, reply) in replies {
            assert_eq!(reply.await, Ok(request + 1));
        }
        mesh.close();
        serving.await;
    })
    .unwrap();
}

#[test]
fn callers_of_a_closed_or_ended_shard_are_told() {
    let (closed, refused) = (Happened::default(), Happened::default());
    on_shards(2, move |mesh: Mesh<u8, u8>| {
        let (closed, refused) = (closed.clone(), refused.clone());
        async move {
            if mesh.id() == ShardId(1) {
                let (_, one, responder) = mesh.incoming().await.unwrap();
                drop(responder);
                let (_, two, held) = mesh.incoming().await.unwrap();
                assert_eq!((one, two), (1, 2));
                mesh.close();
                assert!(mesh.incoming().await.is_none());
                closed.tell();
                refused.wait().await;
                // Ends without an answer to what it holds.
                drop(held);
                return;
            }
            assert_eq!(mesh.call(ShardId(1), 1).await.await, Err(PeerGone));
            let open = mesh.call(ShardId(1), 2).await;
            closed.wait().await;
            assert_eq!(mesh.call(ShardId(1), 3).await.await, Err(PeerGone));
            refused.tell();
            assert_eq!(open.await, Err(PeerGone));
            crate::sleep(Duration::from_millis(50)).await;
            assert_eq!(mesh.call(ShardId(1), 4).await.await, Err(PeerGone));
        }
    })
    .unwrap();
}

#[test]
fn a_panicking_shard_leaves_no_caller_waiting() {
    let told = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&told);
    let result = on_shards(2, move |mesh: Mesh<(), ()>| {
        let told = Arc::clone(&told);
        async move {
            if mesh.id() == ShardId(1) {
                let _held = mesh.incoming().await;
                panic!("gone");
            }
            let reply = mesh.call(ShardId(1), ()).await.await;
            told.store(u64::from(reply == Err(PeerGone)), Ordering::Release);
        }
    });
    assert!(matches!(result, Err(LaunchError::Panicked { .. })));
    let patience = std::time::Instant::now() + Duration::from_secs(5);
    while seen.load(Ordering::Acquire) == 0 {
        assert!(
            std::time::Instant::now() < patience,
            "the caller still waits"
        );
        std::thread::yield_now();
    }
}

/// How many calls may take as long as the watchdog's look because the machine stalls: wake-ups that
/// can be lost are lost again and again.
const SLOW_MAX: usize = 2;

/// Both shards call and serve at once, with pauses that let them fall asleep at every moment: a lost
/// wake-up would leave a call waiting until the watchdog's look.
#[test]
fn no_wake_up_is_lost_between_busy_and_sleepy_shards() {
    let done = [Happened::default(), Happened::default()];
    on_shards(2, move |mesh: Mesh<u64, u64>| {
        let done = done.clone();
        async move {
            let other = ShardId(1 - mesh.id().0);
            let serving = spawn(Queue::Latency, {
                let mesh = mesh.clone();
                async move {
                    while let Some((_, request, responder)) = mesh.incoming().await {
                        responder.respond(!request);
                    }
                }
            });
            let mut slow = Vec::new();
            for round in 0..3_000_u64 {
                let started = crate::now();
                assert_eq!(mesh.call(other, round).await.await, Ok(!round));
                let waited = crate::now().since(started);
                if waited >= Duration::from_millis(900) {
                    slow.push((round, waited));
                }
                assert!(slow.len() <= SLOW_MAX, "{slow:?}");
                if round % 64 == 0 {
                    crate::sleep(Duration::from_micros(round % 300)).await;
                }
            }
            // The other may still call: it is served until both have said that they are done.
            done[mesh.id().index()].tell();
            done[other.index()].wait().await;
            mesh.close();
            serving.await;
        }
    })
    .unwrap();
}
