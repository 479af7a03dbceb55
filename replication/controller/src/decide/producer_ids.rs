//! Giving out producer ids, a block at a time.

use types::NodeId;
use types::limits::PRODUCER_ID_BLOCK_LENGTH;

use crate::decide::configs::check_broker;
use crate::decide::draft::{Context, Draft};
use crate::error::DecideError;
use crate::record::{ProducerIdsAllocated, Record};
use crate::request::{Decision, Mode, ProducerIdBlock, Reply};

/// Takes the next block. Its record is durable before the broker learns of it, so a block is lost in
/// a crash but never given out twice.
pub(crate) fn allocate(context: &Context<'_>, node: NodeId) -> Result<Decision, DecideError> {
    check_broker(context.image, node)?;
    let first = context.image.next_producer_id();
    let count = PRODUCER_ID_BLOCK_LENGTH;
    if first.0.checked_add(i64::from(count)).is_none() {
        return Err(DecideError::ProducerIdsExhausted { next: first });
    }
    let mut draft = Draft::new(context);
    draft.push(Record::ProducerIdsAllocated(ProducerIdsAllocated {
        node,
        first,
        count,
    }));
    let block = ProducerIdBlock { first, count };
    Ok(draft.finish(Mode::Commit, Reply::AllocateProducerIds(block)))
}
