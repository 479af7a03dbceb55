//! Fetch (1): plans which partitions and how many bytes, gathers chunks from their owners, waits for
//! data if there is too little.
//!
//! ```text
//! request ─► session ─► plan ─► read at every owner ─► enough, an error, or time is up? ─► answer
//!                                  ▲                        │ no
//!                                  └── wait for any owner ◄─┘
//! ```
//!
//! No record passes through here: what crosses cores is shared memory and ranges of files.

mod gather;
pub mod session;
mod wait;

use std::rc::Rc;
use std::time::Duration;

use runtime::Chunk;
use server::{Answer, Outcome, Refusal, Reply, Request, Response};
use types::{ByteCount, ErrorCode, Monotonic};
use wire::frame::Part;
use wire::messages::fetch::{PartitionHead, RequestView, ResponseHead, ResponseWriter};
use wire::messages::topic::TopicRef as WireTopicRef;

use crate::quotas::{Meter, throttle_ms};
use crate::shard::Shard;

use gather::{Gathered, Reading};
pub use session::Sessions;
use session::{Opening, PartitionRef, Plan, Told, TopicRef, Want};

/// From this version on topics are named by id.
const TOPIC_ID_VERSION: i16 = 13;

/// The most that one answer carries, whatever a client asks for.
const RESPONSE_SIZE_MAX: ByteCount = ByteCount::mib(64);

/// How long a fetch that wants more than one byte lets them gather: each look reads all that is there, and
/// records may come one by one.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);

/// Serves one request.
pub fn fetch(shard: &Rc<Shard>, meter: &Meter, request: Request) -> Reply {
    let view = match RequestView::parse(request.body, request.version) {
        Ok(view) => view,
        Err(malformed) => return Reply::Close(Refusal::Malformed(malformed)),
    };
    let opening = opening(&view);
    let bytes = runtime::random_bytes::<4>();
    let candidate = i32::from_be_bytes(bytes) & i32::MAX;
    let now = runtime::now();
    let plan = shard
        .fetch_sessions
        .borrow_mut()
        .open(opening, candidate, now);
    let plan = match plan {
        Ok(plan) => plan,
        Err(code) => return Reply::Now(session_error(view.version(), code)),
    };
    let (shard, meter) = (Rc::clone(shard), meter.clone());
    let deadline = deadline(&view, request.received);
    Reply::later(
        async move { Answer::Response(serve(&shard, &meter, &view, plan, deadline).await) },
    )
}

fn opening(view: &RequestView) -> Opening {
    let owned = |topic: WireTopicRef<'_>| match topic {
        WireTopicRef::Name(name) => TopicRef::Name(name.to_owned()),
        WireTopicRef::Id(id) => TopicRef::Id(id),
    };
    let mut wants = Vec::new();
    for topic in view.topics() {
        for partition in topic.partitions {
            let named = PartitionRef {
                topic: owned(topic.topic),
                partition: partition.partition,
            };
            let want = Want {
                fetch_offset: partition.fetch_offset,
                bytes_max: partition.partition_max_bytes,
                current_leader_epoch: partition.current_leader_epoch,
                last_fetched_epoch: partition.last_fetched_epoch,
            };
            wants.push((named, want));
        }
    }
    let mut forgotten = Vec::new();
    for topic in view.forgotten() {
        for partition in topic.partitions {
            forgotten.push(PartitionRef {
                topic: owned(topic.topic),
                partition,
            });
        }
    }
    Opening {
        id: view.session_id(),
        epoch: view.session_epoch(),
        uses_ids: view.version() >= TOPIC_ID_VERSION,
        wants,
        forgotten,
    }
}

fn deadline(view: &RequestView, received: Monotonic) -> Monotonic {
    let wait_ms = u64::try_from(view.max_wait_ms()).unwrap_or(0);
    received.after(Duration::from_millis(wait_ms))
}

/// Reads until there is enough, something failed, or time is up.
async fn serve(
    shard: &Rc<Shard>,
    meter: &Meter,
    view: &RequestView,
    plan: Plan,
    deadline: Monotonic,
) -> Response {
    let allowed = meter.fetch_size_max().unwrap_or(RESPONSE_SIZE_MAX);
    let size_max = u64::try_from(view.max_bytes())
        .unwrap_or(0)
        .min(RESPONSE_SIZE_MAX.min(allowed).0);
    let size_min = u64::try_from(view.min_bytes()).unwrap_or(0).min(size_max);
    let reading = Reading::plan(shard, view.version(), &plan.wants, ByteCount(size_max));
    loop {
        let gathered = reading.gather(shard).await;
        let enough = gathered.size.0 >= size_min || gathered.has_error;
        if enough || runtime::now() >= deadline {
            let wait = meter.fetched(gathered.size).await;
            let wait = wait.max(meter.time().await);
            return answer(shard, view, &plan, gathered, wait);
        }
        let positions = reading.positions(&gathered);
        drop(gathered);
        let looked = runtime::now();
        wait::for_data(shard, positions, deadline).await;
        if size_min > 1 {
            let next = looked.after(LOOK_INTERVAL);
            runtime::sleep_until(next.min(deadline)).await;
        }
    }
}

/// Writes the answer; an incremental one leaves out what the client knows already.
fn answer(
    shard: &Shard,
    view: &RequestView,
    plan: &Plan,
    gathered: Gathered,
    wait: Duration,
) -> Response {
    let read_committed = view.isolation_level() == 1;
    let mut failed = false;
    let mut told = Vec::with_capacity(gathered.portions.len());
    let mut sessions = shard.fetch_sessions.borrow_mut();
    for ((partition, _), outcome) in plan.wants.iter().zip(gathered.portions) {
        let (head, chunks) = head(partition, outcome, read_committed);
        let news = if head.error_code != 0 {
            failed = true;
            sessions.tell_error(plan.id, partition);
            true
        } else {
            let marks = Told {
                high_watermark: head.high_watermark,
                log_start: head.log_start_offset,
            };
            sessions.tell(plan.id, partition, marks, !chunks.is_empty())
        };
        if news || !plan.incremental {
            told.push((&partition.topic, head, chunks));
        }
    }
    let head = ResponseHead {
        throttle_time_ms: throttle_ms(wait),
        session_id: plan.id,
        ..ResponseHead::default()
    };
    let chunks = write(view.version(), head, told).expect("the view's version is served");
    let outcome = if failed {
        Outcome::Failed
    } else {
        Outcome::Served
    };
    Response::new(chunks).with_outcome(outcome)
}

fn head(
    partition: &PartitionRef,
    outcome: Result<crate::partition::Portion, ErrorCode>,
    read_committed: bool,
) -> (PartitionHead, Vec<Chunk>) {
    let index = partition.partition;
    match outcome {
        Ok(portion) => {
            let high_watermark = portion.high_watermark.get();
            let head = PartitionHead {
                index,
                high_watermark,
                // Without transactions everything below the high watermark is stable.
                last_stable_offset: high_watermark,
                log_start_offset: portion.log_start.get(),
                aborted_transactions: read_committed.then(Vec::new),
                ..PartitionHead::default()
            };
            (head, portion.chunks)
        }
        Err(code) => {
            let head = PartitionHead {
                index,
                error_code: code.code(),
                ..PartitionHead::default()
            };
            (head, Vec::new())
        }
    }
}

type Told3<'a> = (&'a TopicRef, PartitionHead, Vec<Chunk>);

/// Writes topics as runs of neighbouring partitions.
fn write(
    version: i16,
    head: ResponseHead,
    told: Vec<Told3<'_>>,
) -> Result<Vec<Chunk>, wire::Unencodable> {
    let topic_count = told.chunk_by(|one, next| one.0 == next.0).count();
    let sizes: Vec<usize> = told
        .chunk_by(|one, next| one.0 == next.0)
        .map(<[Told3<'_>]>::len)
        .collect();
    let mut writer = ResponseWriter::new(version, head, topic_count)?;
    let mut rest = told.into_iter();
    for count in sizes {
        let mut run = rest.by_ref().take(count).peekable();
        let Some((topic, ..)) = run.peek() else {
            continue;
        };
        let topic = match topic {
            TopicRef::Name(name) => WireTopicRef::Name(name),
            TopicRef::Id(id) => WireTopicRef::Id(*id),
        };
        writer.topic(topic, count)?;
        for (_, head, chunks) in run {
            let payloads = chunks.into_iter().map(|chunk| {
                let size = chunk.size().as_usize();
                (chunk, size)
            });
            writer.partition(&head, payloads.collect())?;
        }
    }
    let parts = writer.finish(&[])?;
    Ok(parts
        .into_iter()
        .map(|part| match part {
            Part::Bytes(bytes) => Chunk::Memory(bytes),
            Part::Payload(chunk, _) => chunk,
        })
        .collect())
}

fn session_error(version: i16, code: ErrorCode) -> Response {
    let head = ResponseHead {
        error_code: code.code(),
        ..ResponseHead::default()
    };
    let chunks = write(version, head, Vec::new()).expect("the view's version is served");
    Response::new(chunks).with_outcome(Outcome::Failed)
}
