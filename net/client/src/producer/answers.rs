//! What became of the orders, and so of the records.

use std::collections::BTreeMap;
use std::sync::Arc;

use record::BuildError;
use types::{ErrorCode, Monotonic};
use wire::messages::produce;

use super::batch::{Batch, RecordNumber};
use super::machine::{Identity, Producer};
use super::order::{OrderId, Place};
use super::outcome::Outcome;
use crate::error::BrokerError;
use crate::metadata::Metadata;

impl Producer {
    /// Takes the answer to an order.
    pub fn answered(
        &mut self,
        now: Monotonic,
        id: OrderId,
        response: &produce::Response,
        metadata: &Metadata,
    ) {
        let mut told = BTreeMap::new();
        for topic in &response.responses {
            let name = if topic.topic_id.is_zero() {
                Some(topic.name.as_str())
            } else {
                metadata.name_of(topic.topic_id)
            };
            for partition in &topic.partition_responses {
                told.insert((name, partition.index), partition);
            }
        }
        for (place, first) in self.orders.remove(&id).unwrap_or_default() {
            match told.get(&(Some(&*place.0), place.1)) {
                Some(partition) if partition.error_code == ErrorCode::None.code() => {
                    self.delivered(&place, first, Some(partition.base_offset));
                }
                Some(partition) => {
                    let message = partition.error_message.clone();
                    let refusal = BrokerError {
                        code: partition.error_code,
                        message,
                    };
                    self.refused(now, &place, first, refusal);
                }
                None => self.refused(now, &place, first, no_answer()),
            }
        }
    }

    /// Says that no answer to an order will come: the connection broke or was never made.
    pub fn failed(&mut self, now: Monotonic, id: OrderId) {
        self.metadata_is_stale = true;
        for (place, first) in self.orders.remove(&id).unwrap_or_default() {
            self.refused(now, &place, first, no_answer());
        }
    }

    pub(super) fn delivered(
        &mut self,
        place: &Place,
        first: RecordNumber,
        base_offset: Option<i64>,
    ) {
        let Some(queue) = self.queues.get_mut(place) else {
            return;
        };
        let Some((batch, _)) = queue.take(first) else {
            return;
        };
        // A broker appends a sequence only behind the one before it: what came back although it is
        // older has been appended as well.
        let implied = queue.take_returned_before(first);
        queue.settle();
        for batch in implied {
            self.deliver(place, batch, None);
        }
        self.deliver(place, batch, base_offset.filter(|&offset| offset >= 0));
    }

    fn deliver(&mut self, place: &Place, batch: Batch, base_offset: Option<i64>) {
        self.release(&batch);
        self.outcomes.push_back(Outcome::Delivered {
            topic: Arc::clone(&place.0),
            partition: place.1,
            base_offset,
            records: batch.numbers,
        });
    }

    fn refused(
        &mut self,
        now: Monotonic,
        place: &Place,
        first: RecordNumber,
        refusal: BrokerError,
    ) {
        let Some(queue) = self.queues.get_mut(place) else {
            return;
        };
        let Some((mut batch, older_remain)) = queue.take(first) else {
            return;
        };
        let known = refusal.known();
        if known == Some(ErrorCode::DuplicateSequenceNumber) {
            queue.under_way.push_front(batch);
            self.delivered(place, first, None);
            return;
        }
        // A gap is the echo of an older batch that came back, or was given up.
        let is_echo = known == Some(ErrorCode::OutOfOrderSequenceNumber)
            && (older_remain || self.identity == Identity::Spent);
        batch.ambiguous |= leaves_doubt(known);
        let expired = now.since(batch.since) > self.options.delivery_timeout;
        if (refusal.is_retriable() || is_echo) && !expired {
            batch.refusal = Some(refusal);
            queue.give_back(batch, now.after(self.options.retry_pause));
            queue.settle();
            self.metadata_is_stale |= !is_echo;
            return;
        }
        queue.settle();
        self.break_sequence();
        self.fail(place, batch, refusal);
    }

    fn fail(&mut self, place: &Place, batch: Batch, refusal: BrokerError) {
        self.release(&batch);
        self.outcomes.push_back(Outcome::Failed {
            topic: Arc::clone(&place.0),
            partition: place.1,
            refusal,
            records: batch.numbers,
        });
    }

    /// A batch with a sequence was given up: those behind it have a gap before them.
    fn break_sequence(&mut self) {
        if matches!(self.identity, Identity::Known(..)) {
            self.identity = Identity::Spent;
        }
    }

    pub(super) fn fail_front(&mut self, place: &Place, error: &BuildError) {
        let batch = self
            .queues
            .get_mut(place)
            .and_then(|queue| queue.ready.pop_front());
        if let Some(batch) = batch {
            let code = ErrorCode::InvalidRecord.code();
            let refusal = BrokerError {
                code,
                message: Some(error.to_string()),
            };
            self.fail(place, batch, refusal);
        }
    }

    fn release(&mut self, batch: &Batch) {
        self.held -= batch.body_size();
    }

    /// Gives up what has waited too long; what is under way is given up when it comes back.
    pub(super) fn expire(&mut self, now: Monotonic) {
        let timeout = self.options.delivery_timeout;
        let Some(oldest) = now
            .since_start()
            .checked_sub(timeout)
            .map(Monotonic::from_start)
        else {
            return;
        };
        let mut expired = Vec::new();
        for (place, queue) in &mut self.queues {
            expired.extend(
                queue
                    .expire(oldest)
                    .into_iter()
                    .map(|batch| (place.clone(), batch)),
            );
        }
        for (place, mut batch) in expired {
            if batch.written.is_some() {
                self.break_sequence();
            }
            let refusal = batch.refusal.take().unwrap_or_else(no_answer);
            self.fail(&place, batch, refusal);
        }
    }

    /// Begins every sequence anew. What may be in the log under the old id fails rather than being
    /// appended twice.
    pub(super) fn restart_sequences(&mut self) {
        let mut ambiguous = Vec::new();
        for (place, queue) in &mut self.queues {
            ambiguous.extend(
                queue
                    .restart()
                    .into_iter()
                    .map(|batch| (place.clone(), batch)),
            );
        }
        for (place, mut batch) in ambiguous {
            let refusal = batch.refusal.take().unwrap_or_else(no_answer);
            self.fail(&place, batch, refusal);
        }
    }
}

/// What an order without an answer counts as: it may be sent again.
fn no_answer() -> BrokerError {
    BrokerError {
        code: ErrorCode::Network.code(),
        message: None,
    }
}

/// Returns whether the records may have been appended in spite of such an answer.
fn leaves_doubt(code: Option<ErrorCode>) -> bool {
    matches!(
        code,
        None | Some(
            ErrorCode::Network
                | ErrorCode::RequestTimedOut
                | ErrorCode::NotEnoughReplicasAfterAppend
                | ErrorCode::KafkaStorageError
                | ErrorCode::UnknownServerError
        )
    )
}
