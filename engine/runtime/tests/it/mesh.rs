//! Calls between shards.

use std::cell::Cell;
use std::future::Future;
use std::rc::Rc;

use runtime::{Mesh, PeerGone, Queue, TaskGroup, spawn, yield_if_due};
use types::ShardId;

const SHARDS: u16 = 3;

/// Runs `main` on every shard of a node, on every arm.
macro_rules! on_shards {
    ($name:ident, $main:path) => {
        mod $name {
            #[cfg(feature = "sim")]
            #[test]
            fn sim() {
                for seed in 0..8 {
                    let simulation = runtime::sim::Simulation::new(seed);
                    let node = simulation.spawn_node("node", super::SHARDS, $main);
                    simulation.join(&node);
                }
            }

            #[cfg(feature = "uring")]
            #[test]
            fn uring() {
                let options = runtime::LaunchOptions {
                    cpus: vec![0; usize::from(super::SHARDS)],
                    ..runtime::LaunchOptions::default()
                };
                runtime::launch(&options, $main).unwrap();
            }
        }
    };
}

fn shards() -> impl Iterator<Item = ShardId> {
    (0..SHARDS).map(ShardId)
}

/// Serves requests with `serve` until the mesh is closed.
fn serving<F>(mesh: &Mesh<u64, u64>, serve: F) -> impl Future<Output = ()> + use<F>
where
    F: AsyncFn(ShardId, u64) -> u64,
{
    let mesh = mesh.clone();
    async move {
        while let Some((from, request, responder)) = mesh.incoming().await {
            responder.respond(serve(from, request).await);
        }
    }
}

/// Tells every other shard that this one is done, and waits until all have told.
struct Barrier(Rc<Cell<u16>>);

impl Barrier {
    const DONE: u64 = u64::MAX;

    async fn pass(&self, mesh: &Mesh<u64, u64>) {
        for shard in shards() {
            let told = mesh.call(shard, Self::DONE).await.await;
            told.expect("nobody closes before all are done");
        }
        while self.0.get() < SHARDS {
            runtime::sleep(std::time::Duration::from_millis(1)).await;
        }
    }
}

async fn every_shard_answers(mesh: Mesh<u64, u64>) {
    assert_eq!(mesh.shards(), SHARDS);
    let own = u64::from(mesh.id().0);
    let barrier = Barrier(Rc::new(Cell::new(0)));
    let done = Rc::clone(&barrier.0);
    let serve = serving(&mesh, async move |from, request| {
        if request == Barrier::DONE {
            done.set(done.get() + 1);
            return 0;
        }
        request * 100 + own * 10 + u64::from(from.0)
    });
    let server = spawn(Queue::Latency, serve);
    for shard in shards() {
        let answer = mesh.call(shard, 7).await.await;
        assert_eq!(answer, Ok(700 + u64::from(shard.0) * 10 + own));
    }
    barrier.pass(&mesh).await;
    mesh.close();
    server.await;
}

on_shards!(
    calls_reach_every_shard_and_its_own,
    super::every_shard_answers
);

async fn order_is_kept(mesh: Mesh<u64, u64>) {
    const CALLS: u64 = 200;
    let barrier = Barrier(Rc::new(Cell::new(0)));
    let done = Rc::clone(&barrier.0);
    let expected: Rc<[Cell<u64>]> = shards().map(|_| Cell::new(0)).collect();
    let serve = serving(&mesh, async move |from, request| {
        if request == Barrier::DONE {
            done.set(done.get() + 1);
            return 0;
        }
        let next = &expected[from.index()];
        assert_eq!(request, next.get(), "from {from}");
        next.set(request + 1);
        yield_if_due().await;
        request
    });
    let server = spawn(Queue::Latency, serve);
    let group = TaskGroup::new();
    for shard in shards() {
        let mesh = mesh.clone();
        group.spawn(Queue::Latency, async move {
            // Far more than the queue holds are asked before the first answer is looked at.
            let mut replies = Vec::new();
            for number in 0..CALLS {
                replies.push(mesh.call(shard, number).await);
            }
            for (number, reply) in (0..).zip(replies) {
                assert_eq!(reply.await, Ok(number));
            }
        });
    }
    group.join_all().await;
    barrier.pass(&mesh).await;
    mesh.close();
    server.await;
}

on_shards!(requests_of_one_sender_arrive_in_order, super::order_is_kept);

async fn answers_may_overtake(mesh: Mesh<u64, u64>) {
    let (first, second) = (mesh.call(mesh.id(), 1).await, mesh.call(mesh.id(), 2).await);
    let (_, one, answer_one) = mesh.incoming().await.expect("it was asked");
    let (_, two, answer_two) = mesh.incoming().await.expect("it was asked");
    assert_eq!((one, two), (1, 2));
    answer_two.respond(20);
    assert_eq!(second.await, Ok(20));
    answer_one.respond(10);
    assert_eq!(first.await, Ok(10));

    let unanswered = mesh.call(mesh.id(), 3).await;
    let (_, _, responder) = mesh.incoming().await.expect("it was asked");
    drop(responder);
    assert_eq!(unanswered.await, Err(PeerGone));

    // A caller that does not wait for its answer harms nobody.
    drop(mesh.call(mesh.id(), 4).await);
    let (_, _, responder) = mesh.incoming().await.expect("it was asked");
    responder.respond(0);

    mesh.close();
    assert_eq!(mesh.call(mesh.id(), 5).await.await, Err(PeerGone));
    assert!(mesh.incoming().await.is_none());
}

on_shards!(
    answers_come_in_any_order_or_not_at_all,
    super::answers_may_overtake
);

async fn a_shard_ends_early(mesh: Mesh<u64, u64>) {
    if mesh.id() == ShardId(0) {
        return;
    }
    // Whether it was still there to take the request or not, the caller is told.
    let asked = mesh.call(ShardId(0), 1).await.await;
    assert_eq!(asked, Err(PeerGone));
}

on_shards!(
    a_shard_that_ended_answers_no_call,
    super::a_shard_ends_early
);
