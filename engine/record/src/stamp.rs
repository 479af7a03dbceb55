//! The only functions that change a batch: what a leader may write into it.
//!
//! | field | under the checksum | changed by |
//! |---|---|---|
//! | base offset, leader epoch | no | every append |
//! | timestamp type, max timestamp | yes, recomputed | log append time |
//! | max timestamp | yes, recomputed | a client that got it wrong |
//!
//! *Source*: docs/formats/record_batch.md; KIP-32 for log append time.

use types::{LeaderEpoch, Offset, TimestampMs};
use zerocopy::{FromBytes, IntoBytes};

use crate::header::{Attributes, BATCH_HEADER_SIZE, BatchHeader, CRC_COVER_START, MAGIC};
use crate::view::{Batch, crc_of};

/// What a leader stamps on a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Where the first record stands in the log.
    pub base_offset: Offset,
    /// The leader's epoch.
    pub leader_epoch: LeaderEpoch,
    /// The time of the append, for topics whose timestamps are that.
    pub log_append_time: Option<TimestampMs>,
}

/// Stamps one batch in place with its offset and the leader's epoch.
///
/// *Panics*: if `batch` does not start with a batch header of version 2.
pub fn stamp(batch: &mut [u8], base_offset: Offset, leader_epoch: LeaderEpoch) {
    let header = header_mut(batch);
    header.base_offset.set(base_offset.get());
    header.leader_epoch.set(leader_epoch.get());
}

/// Sets one batch's timestamps to the time of its append, in place.
///
/// *Panics*: if `batch` does not start with a batch header of version 2.
/// *Cost*: one pass for the checksum.
pub fn stamp_log_append_time(batch: &mut [u8], now: TimestampMs) {
    set_log_append_time(header_mut(batch), now);
    let crc = crc_of(batch);
    header_mut(batch).crc.set(crc);
}

/// Sets one batch's largest timestamp, in place.
///
/// *Panics*: if `batch` does not start with a batch header of version 2.
/// *Cost*: one pass for the checksum.
pub fn stamp_max_timestamp(batch: &mut [u8], max_timestamp: TimestampMs) {
    header_mut(batch).max_timestamp.set(max_timestamp.0);
    let crc = crc_of(batch);
    header_mut(batch).crc.set(crc);
}

/// Makes the header that goes in front of `batch`'s body in the log.
pub(crate) fn stamped_header(
    batch: &Batch<'_>,
    max_timestamp: TimestampMs,
    stamp: &Stamp,
) -> [u8; BATCH_HEADER_SIZE] {
    let mut header = *batch.header();
    header.base_offset.set(stamp.base_offset.get());
    header.leader_epoch.set(stamp.leader_epoch.get());
    match stamp.log_append_time {
        Some(now) => set_log_append_time(&mut header, now),
        None => header.max_timestamp.set(max_timestamp.0),
    }
    let covered_changed = header.max_timestamp != batch.header().max_timestamp
        || header.attributes != batch.header().attributes;
    if covered_changed {
        let covered = header.as_bytes().split_at(CRC_COVER_START).1;
        let crc = crc32c::crc32c_append(crc32c::crc32c(covered), batch.body());
        header.crc.set(crc);
    }
    zerocopy::transmute!(header)
}

fn set_log_append_time(header: &mut BatchHeader, now: TimestampMs) {
    let attributes = header.attributes.get() | Attributes::LOG_APPEND_TIME;
    header.attributes.set(attributes);
    header.max_timestamp.set(now.0);
}

fn header_mut(batch: &mut [u8]) -> &mut BatchHeader {
    let Ok((header, _)) = BatchHeader::mut_from_prefix(batch) else {
        unreachable!("a batch that is stamped holds its header");
    };
    assert_eq!(header.magic, MAGIC);
    header
}
