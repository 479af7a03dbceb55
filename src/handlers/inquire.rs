//! Asking many partitions at their owners: one crossing per owner, answers in the order asked.

use std::rc::Rc;

use types::{ErrorCode, TopicPartition};

use crate::crossing::{Answer, Ask};
use crate::handlers::by_owner::{ByOwner, Group};
use crate::handlers::failure;
use crate::partition::{Finding, Inquiry};
use crate::peer;
use crate::shard::Shard;

/// One inquiry, or why it cannot be made.
pub(super) type Planned = Result<(TopicPartition, Inquiry), ErrorCode>;

/// Makes every inquiry and returns the findings in the order asked.
pub(super) async fn inquire(
    shard: &Rc<Shard>,
    planned: Vec<Planned>,
) -> Vec<Result<Finding, ErrorCode>> {
    let mut sorted = ByOwner::new();
    let mut findings: Vec<Result<Finding, ErrorCode>> = Vec::with_capacity(planned.len());
    for (slot, planned) in planned.into_iter().enumerate() {
        // Overwritten below unless the plan itself failed, or the owner is stopping.
        findings.push(Err(ErrorCode::NotLeaderOrFollower));
        match planned {
            Ok((partition, inquiry)) => {
                sorted.push(shard.router.owner(partition), slot, (partition, inquiry));
            }
            Err(code) => findings[slot] = Err(code),
        }
    }
    let mut replies = Vec::new();
    for Group {
        owner,
        slots,
        parts,
    } in sorted.into_groups()
    {
        if owner == shard.id() {
            let results = peer::inquire_each(shard, &parts).await;
            fill(&mut findings, &slots, results);
        } else {
            replies.push((slots, shard.mesh.call(owner, Ask::Inquire(parts)).await));
        }
    }
    for (slots, reply) in replies {
        if let Ok(Answer::Found(results)) = reply.await {
            fill(&mut findings, &slots, results);
        }
    }
    findings
}

fn fill(
    findings: &mut [Result<Finding, ErrorCode>],
    slots: &[usize],
    results: Vec<Result<Finding, crate::partition::Trouble>>,
) {
    for (&slot, result) in slots.iter().zip(results) {
        findings[slot] = result.map_err(|trouble| failure::trouble_code(&trouble));
    }
}
