//! Histories for the tests of the checkers: a sound one, and pieces to break it with.

use types::TopicId;

use crate::history::{
    Delivery, Durability, Event, Fault, Fingerprint, LogName, Mark, RecordId, Seen, StreamId,
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
