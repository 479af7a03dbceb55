//! Histories for the tests of the checkers: a sound one, and pieces to break it with.

use std::time::Duration;

use types::TopicId;

use crate::history::{
    CommitNumber, Delivery, Durability, Event, Fault, Fingerprint, FoundOffset, GroupEvent,
    GroupNumber, LogName, Mark, RecordId, Seen, StreamId,
};

pub(super) const TOPIC: TopicId = TopicId([1; 16]);
pub(super) const LOG: LogName = LogName {
    topic: TOPIC,
    partition: 0,
};
pub(super) const STREAM: StreamId = StreamId(1);

pub(super) fn fingerprint(number: u32) -> Fingerprint {
    Fingerprint(1000 + u64::from(number))
}

pub(super) fn created(durability: Durability) -> Event {
    Event::TopicCreated {
        topic: TOPIC,
        partitions: 1,
        durability,
    }
}

pub(super) fn opened(delivery: Delivery) -> Event {
    Event::StreamOpened {
        stream: STREAM,
        log: LOG,
        delivery,
    }
}

pub(super) fn sent(first: u32, count: u32) -> Event {
    Event::Sent {
        stream: STREAM,
        first,
        fingerprints: (first..first + count).map(fingerprint).collect(),
    }
}

pub(super) fn acknowledged(first: u32, base_offset: i64) -> Event {
    Event::Acknowledged {
        stream: STREAM,
        first,
        base_offset,
    }
}

/// The record `number` of the stream at an offset.
pub(super) fn seen(offset: i64, number: u32) -> Seen {
    Seen {
        offset,
        record: Some(RecordId {
            stream: STREAM,
            number,
        }),
        fingerprint: fingerprint(number),
    }
}

/// A read of everything from the first record on, asked for after `asked` events.
pub(super) fn read(asked: usize, high_watermark: i64, records: &[Seen]) -> Event {
    let from = records.first().map_or(high_watermark, |seen| seen.offset);
    Event::Read {
        log: LOG,
        asked: Mark(asked),
        from,
        log_start: 0,
        high_watermark,
        records: records.to_vec(),
    }
}

pub(super) fn ends(asked: usize, log_start: i64, high_watermark: i64) -> Event {
    Event::Ends {
        log: LOG,
        asked: Mark(asked),
        log_start,
        high_watermark,
    }
}

fn group(event: GroupEvent) -> Event {
    Event::Group(GroupNumber(1), event)
}

pub(super) fn group_opened() -> Event {
    group(GroupEvent::Opened { topic: TOPIC })
}

pub(super) fn joined(asked: usize, generation: i32) -> Event {
    group(GroupEvent::Joined {
        asked: Mark(asked),
        generation,
    })
}

pub(super) fn synced(asked: usize, generation: i32, owner: &str, partitions: &[i32]) -> Event {
    group(GroupEvent::Synced {
        asked: Mark(asked),
        generation,
        owner: owner.to_owned(),
        partitions: partitions.to_vec(),
    })
}

/// A commit of an offset of partition 0.
pub(super) fn commit_sent(commit: u32, offset: i64) -> Event {
    group(GroupEvent::CommitSent {
        commit: CommitNumber(commit),
        offsets: vec![(0, offset)],
    })
}

pub(super) fn commit_acknowledged(commit: u32) -> Event {
    group(GroupEvent::CommitAcknowledged {
        commit: CommitNumber(commit),
        partition: 0,
    })
}

/// A look at what is committed for partition 0, asked for after `asked` events.
pub(super) fn offsets_seen(asked: usize, found: Option<FoundOffset>) -> Event {
    group(GroupEvent::OffsetsSeen {
        asked: Mark(asked),
        offsets: vec![(0, found)],
    })
}

pub(super) fn settled(took_ms: u64, allowed_ms: u64) -> Event {
    group(GroupEvent::Settled {
        took: Duration::from_millis(took_ms),
        allowed: Duration::from_millis(allowed_ms),
    })
}

/// One stream, two batches, a crash, an audit.
pub(super) fn sound() -> Vec<Event> {
    vec![
        created(Durability::Group),
        opened(Delivery::Idempotent),
        sent(0, 2),
        acknowledged(0, 0),
        read(4, 2, &[seen(0, 0), seen(1, 1)]),
        sent(2, 1),
        acknowledged(2, 2),
        Event::Failed(Fault::PowerFailure),
        Event::AuditBegan,
        ends(9, 0, 3),
        read(10, 3, &[seen(0, 0), seen(1, 1), seen(2, 2)]),
        Event::TopicsSeen {
            asked: Mark(11),
            topics: vec![(TOPIC, 1)],
        },
    ]
}

/// A group of one member, which commits once.
pub(super) fn sound_group() -> Vec<Event> {
    vec![
        created(Durability::Group),
        group_opened(),
        joined(2, 1),
        synced(3, 1, "a", &[0]),
        commit_sent(1, 2),
        commit_acknowledged(1),
        settled(100, 500),
    ]
}
