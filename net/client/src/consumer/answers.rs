//! What the brokers answered.

use std::collections::BTreeMap;

use types::{ErrorCode, Monotonic};
use wire::messages::{fetch, list_offsets};

use super::fetched::Fetched;
use super::machine::{Consumer, Wanted, length};
use super::options::OutOfRange;
use super::order::{OrderId, Place};
use crate::error::{BrokerError, Error, RecordsFault};
use crate::metadata::Metadata;

impl Consumer {
    /// Takes the answer to an order for offsets.
    pub fn offsets_answered(
        &mut self,
        now: Monotonic,
        id: OrderId,
        response: &list_offsets::Response,
    ) {
        let mut told = BTreeMap::new();
        for topic in &response.topics {
            for partition in &topic.partitions {
                told.insert((topic.name.as_str(), partition.partition_index), partition);
            }
        }
        for place in self.answered_places(id) {
            let Some(partition) = told.get(&(&*place.0, place.1)) else {
                self.pause(&place, now);
                continue;
            };
            if let Some(refusal) = BrokerError::of(partition.error_code, None) {
                self.refused(now, &place, refusal);
            } else if let Some(assigned) = self.partitions.get_mut(&place) {
                assigned.place = match partition.offset {
                    // No record is that young: what comes next will be.
                    ..0 => Wanted::Offset {
                        timestamp: list_offsets::LATEST,
                    },
                    from => Wanted::Records { from },
                };
            }
        }
    }

    /// Takes the answer to an order for records.
    pub fn records_answered(
        &mut self,
        now: Monotonic,
        id: OrderId,
        response: fetch::Response,
        metadata: &Metadata,
    ) {
        let whole = BrokerError::of(response.error_code, None);
        let mut told = BTreeMap::new();
        for topic in response.responses {
            let name = if topic.topic_id.is_zero() {
                topic.topic
            } else {
                metadata
                    .name_of(topic.topic_id)
                    .unwrap_or_default()
                    .to_owned()
            };
            for partition in topic.partitions {
                told.insert((name.clone(), partition.partition_index), partition);
            }
        }
        for place in self.answered_places(id) {
            let key = (place.0.to_string(), place.1);
            match (&whole, told.remove(&key)) {
                (Some(refusal), _) => self.refused(now, &place, refusal.clone()),
                (None, Some(partition)) => self.take(now, &place, partition),
                // Nothing new of this one.
                (None, None) => {}
            }
        }
    }

    /// Says that no answer to an order will come: the connection broke or was never made.
    pub fn failed(&mut self, now: Monotonic, id: OrderId) {
        self.metadata_is_stale = true;
        for place in self.answered_places(id) {
            self.pause(&place, now);
        }
    }

    /// Ends an order; returns its partitions as far as they are still assigned as they were then.
    fn answered_places(&mut self, id: OrderId) -> Vec<Place> {
        let places = self.orders.remove(&id).map(|order| order.places);
        let mut places = places.unwrap_or_default();
        places.retain(|(place, assignment)| {
            let assigned = self.partitions.get(place);
            assigned.is_some_and(|assigned| assigned.assignment == *assignment)
        });
        places.into_iter().map(|(place, _)| place).collect()
    }

    fn take(&mut self, now: Monotonic, place: &Place, answer: fetch::PartitionResponse) {
        if let Some(refusal) = BrokerError::of(answer.error_code, None) {
            self.refused(now, place, refusal);
            return;
        }
        let Some(partition) = self.partitions.get_mut(place) else {
            return;
        };
        let Wanted::Records { from } = partition.place else {
            return;
        };
        partition.high_watermark = Some(answer.high_watermark);
        let bytes = answer.records.unwrap_or_default();
        let end = match Fetched::end(&bytes) {
            Ok(end) => end,
            Err(fault) => {
                self.damaged(place, from, fault);
                return;
            }
        };
        // Nothing, or a batch cut short that comes whole when it is first in an answer.
        let Some(end) = end else { return };
        if end <= from {
            self.damaged(place, from, RecordsFault::NoProgress { end });
            return;
        }
        partition.place = Wanted::Records { from: end };
        self.held += length(&bytes);
        self.fetched.push_back(Fetched {
            topic: place.0.clone(),
            partition: place.1,
            from,
            assignment: partition.assignment,
            bytes,
        });
    }

    fn damaged(&mut self, place: &Place, offset: i64, fault: RecordsFault) {
        let error = Error::Records {
            topic: place.0.to_string(),
            partition: place.1,
            offset,
            fault,
        };
        self.give_up(place, error);
    }

    fn refused(&mut self, now: Monotonic, place: &Place, refusal: BrokerError) {
        let out_of_range = refusal.known() == Some(ErrorCode::OffsetOutOfRange);
        let again = match self.options.out_of_range {
            OutOfRange::Beginning => Some(list_offsets::EARLIEST),
            OutOfRange::End => Some(list_offsets::LATEST),
            OutOfRange::Fail => None,
        };
        if refusal.is_retriable() {
            self.pause(place, now);
        } else if let (true, Some(timestamp), Some(partition)) =
            (out_of_range, again, self.partitions.get_mut(place))
        {
            partition.place = Wanted::Offset { timestamp };
        } else {
            let subject = format!("{} partition {}", place.0, place.1);
            self.give_up(place, Error::refused(subject, refusal));
        }
    }
}
