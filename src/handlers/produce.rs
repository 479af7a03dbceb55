//! Produce (0): checks what a request may do, puts every batch in its place, answers when it may.
//!
//! Stage one (`produce`) returns when every batch has its place or its error; stage two, the
//! [`Reply`], resolves when all of them may be acknowledged.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use server::{Answer as ServerAnswer, Outcome, Refusal, Reply, Request, Response, Session};
use types::limits::CLUSTER_PARTITIONS_MAX;
use types::{ByteCount, ErrorCode, PartitionIndex, ShardId, TopicPartition};
use wire::messages::produce::{PartitionResponse, RecordError, RequestView};

use crate::crossing::{Answer, AppendAnswer, AppendPart, Ask};
use crate::handlers::bounds::Allowance;
use crate::handlers::by_owner::{ByOwner, Group};
use crate::handlers::resolve::resolve;
use crate::handlers::{failure, home};
use crate::internal_topics::is_internal;
use crate::partition::{AppendRefused, Placed};
use crate::peer;
use crate::quotas::{Meter, throttle_ms};
use crate::shard::Shard;

/// Produce below this version cannot carry zstd.
const ZSTD_VERSION: i16 = 7;

/// So many partitions of a request are not looked at for repetitions.
const FEW_PARTITIONS: usize = 16;

/// A group whose batches have their places.
enum Placing {
    Here {
        group: Vec<TopicPartition>,
        placed: Vec<Result<Placed, AppendRefused>>,
    },
    There(runtime::Reply<Answer>),
}

/// Serves one request.
pub(super) async fn produce(
    shard: &Rc<Shard>,
    session: &Session,
    meter: &Meter,
    request: Request,
) -> Reply {
    let size = ByteCount::of(&request.body);
    let view = match RequestView::parse(request.body, request.version) {
        Ok(view) => view,
        Err(malformed) => return Reply::Close(Refusal::Malformed(malformed)),
    };
    let (mut outcomes, sorted) = match plan(shard, &view) {
        Ok(planned) => planned,
        Err(refusal) => return Reply::Close(refusal),
    };
    home::note(
        shard,
        session,
        sorted.groups().iter().map(|group| group.owner),
    );
    let answer = match view.acks() {
        0 => AppendAnswer::Placed,
        _ => AppendAnswer::Acknowledged,
    };
    let mut placings = Vec::with_capacity(sorted.groups().len());
    for Group {
        owner,
        slots,
        parts,
    } in sorted.into_groups()
    {
        placings.push((slots, place(shard, owner, parts, answer).await));
    }
    // Here and not with the answer: the next request is not read before it is known to be allowed.
    let wait = meter.produced(size).await;
    let (shard, meter) = (Rc::clone(shard), meter.clone());
    Reply::later(async move {
        let mut texts = Allowance::for_texts();
        for (slots, placing) in placings {
            let results = finish(&shard, placing, answer).await;
            settle(&mut outcomes, &slots, results, &mut texts);
        }
        match answer {
            AppendAnswer::Acknowledged => {
                let wait = wait.max(meter.time().await);
                ServerAnswer::Response(respond(&view, &outcomes, wait))
            }
            AppendAnswer::Placed => unanswered(&outcomes),
        }
    })
}

/// Sorts the request's partitions by owner; those that cannot be served get their error here.
///
/// *Errors*: more partitions than a cluster has.
fn plan(
    shard: &Shard,
    view: &RequestView,
) -> Result<(Vec<PartitionResponse>, ByOwner<AppendPart>), Refusal> {
    let refused = refusal_of_all(view);
    let mut outcomes = Vec::new();
    let mut sorted = ByOwner::new();
    let image = shard.image();
    let mut repeats = Allowance::for_repeats();
    let mut seen = BTreeSet::new();
    for topic in view.topics() {
        let resolved = resolve(&image, topic.topic).and_then(|topic| {
            if is_internal(topic.name.as_str()) {
                // The broker alone writes there.
                Err(ErrorCode::InvalidTopic)
            } else {
                Ok(topic)
            }
        });
        for partition in topic.partitions {
            let slot = outcomes.len();
            if slot == CLUSTER_PARTITIONS_MAX {
                return Err(Refusal::Unanswerable(ErrorCode::InvalidRequest));
            }
            outcomes.push(PartitionResponse {
                index: partition.index,
                base_offset: -1,
                ..PartitionResponse::default()
            });
            let outcome = &mut outcomes[slot];
            if let Some(code) = refused {
                outcome.error_code = code.code();
                continue;
            }
            let known = match &resolved {
                Ok(topic) => PartitionIndex::new(partition.index)
                    .filter(|&index| topic.partition(index).is_some())
                    .map(|index| TopicPartition {
                        topic: topic.id,
                        partition: index,
                    })
                    .ok_or(ErrorCode::UnknownTopicOrPartition),
                Err(code) => Err(*code),
            };
            // Each is remembered with what was wrong with it, until all are answered.
            let known = known.and_then(|id| {
                if slot >= FEW_PARTITIONS && !seen.insert(id) && !repeats.take() {
                    return Err(ErrorCode::InvalidRequest);
                }
                Ok(id)
            });
            match known
                .and_then(|id| Ok((id, checked_records(shard, view, id, partition.records)?)))
            {
                Ok((partition, records)) => {
                    let part = AppendPart { partition, records };
                    sorted.push(shard.router.owner(partition), slot, part);
                }
                Err(code) => outcome.error_code = code.code(),
            }
        }
    }
    Ok((outcomes, sorted))
}

/// The error that the whole request deserves, if it does.
fn refusal_of_all(view: &RequestView) -> Option<ErrorCode> {
    if !matches!(view.acks(), -1..=1) {
        return Some(ErrorCode::InvalidRequiredAcks);
    }
    // Transactions are not served: nothing is in one.
    view.transactional_id().map(|_| ErrorCode::InvalidTxnState)
}

/// Checks what the partition's metadata and the batch's header alone decide.
fn checked_records(
    shard: &Shard,
    view: &RequestView,
    id: TopicPartition,
    records: Option<bytes::Bytes>,
) -> Result<bytes::Bytes, ErrorCode> {
    let records = records
        .filter(|records| !records.is_empty())
        .ok_or(ErrorCode::InvalidRecord)?;
    if let Ok(batch) = record::Batch::parse(&records) {
        let attributes = batch.header().attributes();
        if view.version() < ZSTD_VERSION
            && attributes.compression() == Ok(record::Compression::Zstd)
        {
            return Err(ErrorCode::UnsupportedCompressionType);
        }
        if attributes.is_transactional() {
            return Err(ErrorCode::InvalidTxnState);
        }
    }
    if view.acks() == -1 && !enough_in_sync(shard, id) {
        return Err(ErrorCode::NotEnoughReplicas);
    }
    Ok(records)
}

/// Returns whether as many replicas are in sync as `min.insync.replicas` asks for, or all of them.
///
/// *Source*: `Partition.effectiveMinIsr`: no more can be asked for than there are replicas.
fn enough_in_sync(shard: &Shard, id: TopicPartition) -> bool {
    let image = shard.image();
    let Some(entry) = image.partition(id) else {
        return false;
    };
    let wanted = shard
        .topic_config(id.topic)
        .map_or(1, |config| config.min_insync_replicas());
    entry.isr.len() >= wanted.min(entry.replicas.len())
}

/// Puts the batches of one owner in their places.
async fn place(
    shard: &Shard,
    owner: ShardId,
    parts: Vec<AppendPart>,
    answer: AppendAnswer,
) -> Placing {
    if owner == shard.id() {
        let placed = peer::append_each(shard, &parts).await;
        return Placing::Here {
            group: parts.iter().map(|part| part.partition).collect(),
            placed,
        };
    }
    Placing::There(shard.mesh.call(owner, Ask::Append { parts, answer }).await)
}

/// Waits for what `answer` asks for; `None` if the owner is gone.
async fn finish(
    shard: &Shard,
    placing: Placing,
    answer: AppendAnswer,
) -> Option<Vec<Result<Placed, AppendRefused>>> {
    match placing {
        Placing::Here { group, placed } => Some(match answer {
            AppendAnswer::Placed => placed,
            AppendAnswer::Acknowledged => peer::acknowledge_each(shard, &group, placed).await,
        }),
        Placing::There(reply) => match reply.await {
            Ok(Answer::Appended(results)) => Some(results),
            Ok(_) | Err(_) => None,
        },
    }
}

/// Writes the results of one owner to their slots; an owner that is gone is stopping.
fn settle(
    outcomes: &mut [PartitionResponse],
    slots: &[usize],
    results: Option<Vec<Result<Placed, AppendRefused>>>,
    texts: &mut Allowance,
) {
    let Some(results) = results else {
        for &slot in slots {
            outcomes[slot].error_code = ErrorCode::NotLeaderOrFollower.code();
        }
        return;
    };
    for (&slot, result) in slots.iter().zip(results) {
        let outcome = &mut outcomes[slot];
        match result {
            Ok(placed) => {
                outcome.base_offset = placed.first.get();
                outcome.log_append_time_ms = placed.log_append_time.map_or(-1, |time| time.0);
                outcome.log_start_offset = placed.log_start.get();
            }
            Err(refused) => refuse(outcome, &refused, texts),
        }
    }
}

fn refuse(outcome: &mut PartitionResponse, refused: &AppendRefused, texts: &mut Allowance) {
    outcome.error_code = failure::append_code(refused).code();
    outcome.error_message = texts.take().then(|| failure::text(refused));
    if let Some(errors) = failure::record_errors(refused) {
        outcome.record_errors = errors
            .errors
            .iter()
            .take_while(|_| texts.take())
            .map(|error| RecordError {
                batch_index: i32::try_from(error.batch_index).unwrap_or(i32::MAX),
                batch_index_error_message: Some(error.rejection.to_string()),
            })
            .collect();
    }
}

fn respond(view: &RequestView, outcomes: &[PartitionResponse], wait: Duration) -> Response {
    let failed = outcomes.iter().any(|outcome| outcome.error_code != 0);
    let body = view.answer(outcomes, throttle_ms(wait), &[]);
    let body = body
        .expect("error texts are cut to what the protocol can say")
        .into_bytes();
    Response::from(body).with_outcome(if failed {
        Outcome::Failed
    } else {
        Outcome::Served
    })
}

/// Ends a request with acks=0: nothing is said, and a failure closes the connection.
fn unanswered(outcomes: &[PartitionResponse]) -> ServerAnswer {
    let failed = outcomes.iter().find(|outcome| outcome.error_code != 0);
    match failed.and_then(|outcome| ErrorCode::from_wire(outcome.error_code)) {
        Some(code) => ServerAnswer::Close(Refusal::Unanswerable(code)),
        None => ServerAnswer::None,
    }
}
