//! Brokers whose coordinators serve.

use std::time::{Duration, Instant};

use types::ErrorCode;
use wire::messages::{find_coordinator, list_groups, offset_commit};

use super::Caller;

/// Has the groups' topic made, and returns when every coordinator has read its log.
pub(crate) fn await_coordinators(caller: &mut Caller) {
    // The first who looks for a coordinator has the topic made.
    let find = find_coordinator::Request {
        key: "any".to_owned(),
        ..find_coordinator::Request::default()
    };
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let mut code = caller.call(&find, 2).error_code;
        if code == 0 {
            // A list is of all coordinators, or there is none.
            code = caller.call(&list_groups::Request::default(), 4).error_code;
        }
        match ErrorCode::from_wire(code) {
            Some(ErrorCode::None) => return,
            Some(ErrorCode::CoordinatorLoadInProgress | ErrorCode::CoordinatorNotAvailable) => {}
            other => panic!("{other:?}"),
        }
        assert!(Instant::now() < until, "the coordinators do not get ready");
    }
}

/// Commits an offset as a consumer without a group does.
pub(crate) fn commit(caller: &mut Caller, group: &str, topic: &str, partition: i32, offset: i64) {
    let request = offset_commit::Request {
        group_id: group.to_owned(),
        generation_id_or_member_epoch: -1,
        topics: vec![offset_commit::Topic {
            name: topic.to_owned(),
            partitions: vec![offset_commit::Partition {
                partition_index: partition,
                committed_offset: offset,
                ..offset_commit::Partition::default()
            }],
            ..offset_commit::Topic::default()
        }],
        ..offset_commit::Request::default()
    };
    let answer = caller.call(&request, 7);
    assert_eq!(answer.topics[0].partitions[0].error_code, 0);
}
