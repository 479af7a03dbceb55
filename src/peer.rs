//! Answers what other shards ask: the one task that takes this shard's end of the mesh.
//!
//! The loop itself never waits for a disk or a client: what takes time becomes a task of the shard.
//! Appends go through a queue of their own, so that one that waits for memory stops only those behind
//! it, in order, and no read.

use std::rc::Rc;

use coordinator::GroupError;
use runtime::{LocalQueue, Queue, Responder};
use types::{Offset, TimestampMs, TopicPartition};

use crate::crossing::{Answer, AppendAnswer, AppendPart, Ask};
use crate::drivers::controller::ControlError;
use crate::node::Node;
use crate::partition::{AppendRefused, Finding, Inquiry, Place, Placed, Trouble};
use crate::read_each::read_each;
use crate::shard::Shard;
use crate::waits::first_of;

/// Appends of other shards that wait for their turn.
const APPENDS_MAX: usize = 1_024;

struct QueuedAppend {
    parts: Vec<AppendPart>,
    answer: AppendAnswer,
    responder: Responder<Answer>,
}

/// Serves other shards until the mesh is closed.
pub async fn serve(node: Rc<Node>) {
    let shard = Rc::clone(&node.shard);
    let appends = Rc::new(LocalQueue::new(APPENDS_MAX));
    shard.tasks.spawn(
        Queue::Latency,
        append_in_order(Rc::clone(&shard), Rc::clone(&appends)),
    );
    while let Some((from, ask, responder)) = shard.mesh.incoming().await {
        match ask {
            Ask::Append { parts, answer } => {
                let queued = QueuedAppend {
                    parts,
                    answer,
                    responder,
                };
                if appends.push(queued).await.is_err() {
                    break;
                }
            }
            // A task of its own size: there may be many thousands.
            Ask::Adopt(arrival) => {
                let node = Rc::clone(&node);
                shard.tasks.spawn(Queue::Latency, async move {
                    node.serve_connection(arrival).await;
                    responder.respond(Answer::Done);
                });
            }
            Ask::Apply(records) => {
                shard.apply(&records);
                responder.respond(Answer::Done);
            }
            // Asked here, so that requests of one shard keep their order; the answer may take long.
            Ask::Coordinate { partition, request } => {
                match shard.coordinators.ask(partition, *request) {
                    Ok(answer) => shard.tasks.spawn(Queue::Latency, async move {
                        let answer = answer.await.map_err(|_| GroupError::NotCoordinator);
                        responder.respond(Answer::Coordinated(answer));
                    }),
                    Err(error) => responder.respond(Answer::Coordinated(Err(error))),
                }
            }
            Ask::Charge(charge) => {
                responder.respond(Answer::Charged(shard.usage.charge(charge)));
            }
            Ask::AwaitData { wait, parts } => {
                let ended = shard.waits.begin(from, wait);
                let waiting = Rc::clone(&shard);
                shard.tasks.spawn(Queue::Latency, async move {
                    let has_data = async {
                        waiting.ready().await;
                        any_has_data(&waiting, &parts).await;
                    };
                    waiting.waits.run(from, wait, ended, has_data).await;
                    responder.respond(Answer::Done);
                });
            }
            Ask::EndWait(wait) => {
                shard.waits.end(from, wait);
                responder.respond(Answer::Done);
            }
            ask => {
                let node = Rc::clone(&node);
                shard.tasks.spawn(queue(&ask), async move {
                    let answer = answer(&node, ask).await;
                    responder.respond(answer);
                });
            }
        }
    }
    appends.close();
}

/// Returns which share of the shard's time an answer takes: no client waits for what is measured.
fn queue(ask: &Ask) -> Queue {
    match ask {
        Ask::Committed | Ask::Timestamps(_) => Queue::Background,
        _ => Queue::Latency,
    }
}

/// Answers whatever may take time.
async fn answer(node: &Rc<Node>, ask: Ask) -> Answer {
    let shard = &node.shard;
    match ask {
        Ask::Read { parts, size_max } => Answer::Read(read_each(shard, &parts, size_max).await),
        Ask::Inquire(inquiries) => Answer::Found(inquire_each(shard, &inquiries).await),
        Ask::ListGroups(list) => Answer::Groups(shard.coordinators.list(&list).await),
        Ask::Control(request) => {
            shard.ready().await;
            let Some(controller) = shard.controller.get() else {
                return Answer::Controlled(Err(ControlError::Stopping));
            };
            Answer::Controlled(controller.carry_out(&request).await)
        }
        Ask::Replay {
            layout,
            journals,
            known,
        } => Answer::Replayed(storage::replay_journals(&layout, &journals, &known).await),
        Ask::Open(opening) => Answer::Opened(shard.open(opening).await),
        Ask::OutOfService(partitions) => {
            shard.note_out_of_service(&partitions);
            Answer::Done
        }
        Ask::Serve => {
            shard.serve();
            Answer::Done
        }
        Ask::Report => Answer::Report(Box::new(node.report())),
        Ask::Committed => Answer::Committed(shard.coordinators.committed().await),
        Ask::Timestamps(places) => Answer::Timestamps(timestamps(shard, &places).await),
        Ask::Stop => {
            let stopped = node.stop().await;
            shard.mesh.close();
            Answer::Stopped(stopped)
        }
        Ask::Append { .. }
        | Ask::AwaitData { .. }
        | Ask::Adopt(_)
        | Ask::Apply(_)
        | Ask::Charge(_)
        | Ask::Coordinate { .. }
        | Ask::EndWait(_) => {
            unreachable!("taken by the loop")
        }
    }
}

/// Takes queued appends one by one: their places are fixed in the order in which they were sent.
async fn append_in_order(shard: Rc<Shard>, appends: Rc<LocalQueue<QueuedAppend>>) {
    while let Some(QueuedAppend {
        parts,
        answer,
        responder,
    }) = appends.pop().await
    {
        let placed = append_each(&shard, &parts).await;
        match answer {
            AppendAnswer::Placed => responder.respond(Answer::Appended(placed)),
            AppendAnswer::Acknowledged => {
                let partitions: Vec<TopicPartition> =
                    parts.iter().map(|part| part.partition).collect();
                let waiting = Rc::clone(&shard);
                shard.tasks.spawn(Queue::Latency, async move {
                    let outcomes = acknowledge_each(&waiting, &partitions, placed).await;
                    responder.respond(Answer::Appended(outcomes));
                });
            }
        }
    }
}

/// Puts each batch in its place, in order.
pub async fn append_each(
    shard: &Shard,
    parts: &[AppendPart],
) -> Vec<Result<Placed, AppendRefused>> {
    shard.ready().await;
    let now = runtime::wall_clock();
    let mut outcomes = Vec::with_capacity(parts.len());
    for part in parts {
        outcomes.push(match shard.partition(part.partition) {
            Some(partition) => partition.append(&part.records, now).await,
            None => Err(AppendRefused::Gone),
        });
        runtime::yield_if_due().await;
    }
    outcomes
}

/// Waits until each batch in its place may be acknowledged.
pub async fn acknowledge_each(
    shard: &Shard,
    partitions: &[TopicPartition],
    placed: Vec<Result<Placed, AppendRefused>>,
) -> Vec<Result<Placed, AppendRefused>> {
    let mut outcomes = Vec::with_capacity(placed.len());
    for (partition, placed) in partitions.iter().zip(placed) {
        outcomes.push(match (placed, shard.partition(*partition)) {
            (Ok(placed), Some(partition)) => partition.acknowledged(placed).await,
            (Ok(_), None) => Err(AppendRefused::Gone),
            (Err(refused), _) => Err(refused),
        });
    }
    outcomes
}

/// Waits until one of the partitions has more than the offset beside it, or is gone.
pub async fn any_has_data(shard: &Shard, parts: &[(TopicPartition, Offset)]) {
    let mut waits: Vec<std::pin::Pin<Box<dyn Future<Output = ()>>>> =
        Vec::with_capacity(parts.len());
    for &(partition, from) in parts {
        let Some(partition) = shard.partition(partition) else {
            return;
        };
        waits.push(Box::pin(async move { partition.has_data(from).await }));
    }
    first_of(waits).await;
}

/// Answers each inquiry.
pub async fn inquire_each(
    shard: &Shard,
    inquiries: &[(TopicPartition, Inquiry)],
) -> Vec<Result<Finding, Trouble>> {
    shard.ready().await;
    let mut findings = Vec::with_capacity(inquiries.len());
    for &(partition, inquiry) in inquiries {
        findings.push(match shard.partition(partition) {
            Some(partition) => partition.inquire(inquiry).await,
            None => Err(Trouble::Gone),
        });
        runtime::yield_if_due().await;
    }
    findings
}

/// Finds the timestamp of the first record at or behind each place; a place where it cannot be read
/// is left out.
async fn timestamps(shard: &Shard, places: &[Place]) -> Vec<(Place, TimestampMs)> {
    let mut all = Vec::with_capacity(places.len());
    for run in places.chunk_by(|(of, from), (next_of, next)| of == next_of && from <= next) {
        let Some(partition) = run.first().and_then(|&(of, _)| shard.partition(of)) else {
            continue;
        };
        let offsets: Vec<Offset> = run.iter().map(|&(_, from)| from).collect();
        if let Ok(found) = partition.timestamps(&offsets).await {
            let of = partition.id();
            all.extend(found.into_iter().map(|(from, time)| ((of, from), time)));
        }
    }
    all
}
