//! The machine against the answers of a coordinator, written out.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use types::{Monotonic, NodeId, Offset};
use wire::consumer_protocol::{Assignment, Subscription, TopicPartitions};
use wire::messages::{
    find_coordinator, heartbeat, join_group, leave_group, metadata, offset_commit, offset_fetch,
    sync_group,
};
use wire::{Call, Message};

use super::*;
use crate::admin::{Committed, Place};
use crate::connection::Answer;
use crate::metadata::Metadata;

/// A member, the metadata it is shown, and its time.
struct Play {
    member: Member,
    metadata: Metadata,
    now: Monotonic,
}

fn play(instance_id: Option<&str>) -> Play {
    let mut metadata = Metadata::default();
    let partition = |partition_index| metadata::Partition {
        partition_index,
        ..Default::default()
    };
    metadata.update(metadata::Response {
        topics: vec![metadata::Topic {
            name: Some("t".into()),
            partitions: (0..2).map(partition).collect(),
            ..Default::default()
        }],
        ..Default::default()
    });
    let options = MemberOptions {
        instance_id: instance_id.map(str::to_owned),
        ..MemberOptions::new("g", &["t"])
    };
    Play {
        member: Member::new(options),
        metadata,
        now: Monotonic::ZERO,
    }
}

fn place(partition: i32) -> Place {
    ("t".to_owned(), partition)
}

fn part(partitions: &[i32]) -> Bytes {
    let assignment = Assignment {
        assigned_partitions: vec![TopicPartitions {
            topic: "t".into(),
            partitions: partitions.into(),
        }],
        user_data: None,
    };
    assignment.encode(0).unwrap()
}

fn joined(member_id: &str, leader: &str, error_code: i16) -> join_group::Response {
    let subscription = Subscription {
        topics: vec!["t".into()],
        ..Default::default()
    };
    let member = |id: &str| join_group::Member {
        member_id: id.into(),
        metadata: subscription.encode(0).unwrap(),
        ..Default::default()
    };
    let leads = member_id == leader;
    join_group::Response {
        error_code,
        generation_id: 7,
        protocol_name: Some("range".into()),
        leader: leader.into(),
        member_id: member_id.into(),
        members: if leads {
            vec![member("a"), member("b")]
        } else {
            Vec::new()
        },
        ..Default::default()
    }
}

fn synced(partitions: &[i32]) -> sync_group::Response {
    sync_group::Response {
        assignment: part(partitions),
        ..Default::default()
    }
}

fn beaten(error_code: i16) -> heartbeat::Response {
    heartbeat::Response {
        error_code,
        ..Default::default()
    }
}

fn committed(error_code: i16) -> offset_commit::Response {
    offset_commit::Response {
        topics: vec![offset_commit::TopicResult {
            name: "t".into(),
            partitions: vec![offset_commit::PartitionResult {
                partition_index: 0,
                error_code,
            }],
            ..Default::default()
        }],
        ..Default::default()
    }
}

impl Play {
    fn poll(&mut self) -> Option<Order> {
        self.member.poll(self.now, &self.metadata)
    }

    fn pass(&mut self, seconds: u64) {
        self.now = self.now.after(Duration::from_secs(seconds));
    }

    /// Takes the order that is due, and answers it.
    fn answer<C: Call>(&mut self, response: &C::Response) -> OrderRequest {
        self.pass(1); // Longer than any pause.
        let order = self.poll().unwrap();
        let version = order.version_max.min(C::KEY.api().served.max);
        let answer = Answer {
            correlation_id: 0,
            key: C::KEY,
            version,
            body: response.encode(version).unwrap().into_bytes(),
        };
        self.member.answered(self.now, order.id, &answer).unwrap();
        order.request
    }

    fn find(&mut self) {
        let found = find_coordinator::Response {
            node_id: 3,
            ..Default::default()
        };
        self.answer::<find_coordinator::Request>(&found);
    }

    /// Joins as a follower that gets partition 0, of which 5 records are committed.
    fn read(&mut self) {
        self.answer::<join_group::Request>(&joined("a", "b", 0));
        self.answer::<sync_group::Request>(&synced(&[0]));
        let told = offset_fetch::Response {
            topics: vec![offset_fetch::TopicResult {
                name: "t".into(),
                partitions: vec![offset_fetch::PartitionResult {
                    committed_offset: 5,
                    ..Default::default()
                }],
            }],
            ..Default::default()
        };
        self.answer::<offset_fetch::Request>(&told);
        let Some(GroupEvent::Assigned(places)) = self.member.next_event() else {
            panic!("a part is assigned")
        };
        let five = Committed::at(Offset::new(5).unwrap());
        assert_eq!(places, [(place(0), Some(five))]);
    }

    fn heartbeat(&mut self, error_code: i16) {
        self.pass(3);
        self.answer::<heartbeat::Request>(&beaten(error_code));
    }

    fn commit(&mut self) {
        let offset = Committed::at(Offset::new(9).unwrap());
        self.member.commit(BTreeMap::from([(place(0), offset)]));
    }
}

#[test]
fn a_follower_joins_reads_and_beats() {
    let mut play = play(None);
    play.find();
    // The first answer gives the id to join with.
    play.answer::<join_group::Request>(&joined("a", "", 79));
    let request = play.answer::<join_group::Request>(&joined("a", "b", 0));
    let OrderRequest::Join(request) = request else {
        panic!("{request:?}")
    };
    assert_eq!(request.member_id, "a");
    let request = play.answer::<sync_group::Request>(&synced(&[]));
    let OrderRequest::Sync(request) = request else {
        panic!("{request:?}")
    };
    assert_eq!((request.generation_id, request.assignments.len()), (7, 0));
    // Nothing was assigned: no offsets are asked for, and the next order is a heartbeat.
    assert!(play.member.has_part());
    assert!(play.poll().is_none());
    play.heartbeat(0);
    assert!(play.poll().is_none());
    play.pass(3);
    assert_eq!(play.poll().unwrap().node, Some(NodeId(3)));
}

#[test]
fn a_leader_shares_out_what_the_metadata_tells() {
    let mut play = play(None);
    play.find();
    play.answer::<join_group::Request>(&joined("b", "b", 0));
    assert_eq!(play.member.topics_wanted(), ["t"]);
    let request = play.answer::<sync_group::Request>(&synced(&[1]));
    let OrderRequest::Sync(request) = request else {
        panic!("{request:?}")
    };
    let parts = request.assignments.iter();
    let parts: Vec<_> = parts
        .map(|it| (it.member_id.as_str(), crate::admin::places(&it.assignment)))
        .collect();
    assert_eq!(parts, [("a", vec![place(0)]), ("b", vec![place(1)])]);
}

#[test]
fn what_is_revoked_is_committed_before_the_member_joins_again() {
    let mut play = play(None);
    play.find();
    play.read();
    assert!(play.member.has_part());
    play.heartbeat(27);
    assert!(!play.member.has_part());
    play.pass(1);
    assert!(play.poll().is_none(), "the event is not taken yet");
    let event = play.member.next_event();
    assert!(matches!(event, Some(GroupEvent::Revoked(places)) if places == [place(0)]));
    play.commit();
    let request = play.answer::<offset_commit::Request>(&committed(0));
    let OrderRequest::Commit(request) = request else {
        panic!("{request:?}")
    };
    assert_eq!(request.generation_id_or_member_epoch, 7);
    assert!(matches!(
        play.member.next_event(),
        Some(GroupEvent::Committed(_))
    ));
    play.read();
}

#[test]
fn what_is_lost_cannot_be_committed() {
    for (error_code, id) in [(22, "a"), (25, "")] {
        let mut play = play(None);
        play.find();
        play.read();
        play.heartbeat(error_code);
        let event = play.member.next_event();
        assert!(matches!(event, Some(GroupEvent::Lost(places)) if places == [place(0)]));
        play.commit();
        assert!(!play.member.is_committing());
        let request = play.answer::<join_group::Request>(&joined("c", "b", 0));
        let OrderRequest::Join(request) = request else {
            panic!("{request:?}")
        };
        assert_eq!(request.member_id, id);
    }
}

#[test]
fn a_commit_that_comes_too_late_is_not_sent_in_the_next_generation() {
    let mut play = play(None);
    play.find();
    play.read();
    play.heartbeat(27);
    play.member.next_event();
    play.pass(1);
    let order = play.poll().unwrap();
    assert!(matches!(order.request, OrderRequest::Join(_)));
    play.commit();
    let body = joined("a", "b", 0).encode(9).unwrap().into_bytes();
    let answer = Answer {
        correlation_id: 0,
        key: join_group::Request::KEY,
        version: 9,
        body,
    };
    play.member.answered(play.now, order.id, &answer).unwrap();
    assert!(!play.member.is_committing());
}

#[test]
fn a_coordinator_that_moved_or_broke_is_looked_for_anew() {
    let mut play = play(None);
    play.find();
    play.read();
    play.heartbeat(16);
    play.find();
    play.pass(3);
    let order = play.poll().unwrap();
    play.member.failed(play.now, order.id);
    assert!(play.poll().is_none(), "it pauses first");
    play.find();
    play.heartbeat(0);
    assert_eq!(play.member.places(), [place(0)]);
}

#[test]
fn a_dynamic_member_says_that_it_leaves_and_a_static_one_does_not() {
    for instance_id in [None, Some("i")] {
        let mut play = play(instance_id);
        play.find();
        play.read();
        play.member.leave();
        assert!(matches!(
            play.member.next_event(),
            Some(GroupEvent::Revoked(_))
        ));
        play.commit();
        play.answer::<offset_commit::Request>(&committed(0));
        play.member.next_event();
        if instance_id.is_none() {
            play.answer::<leave_group::Request>(&leave_group::Response::default());
        }
        assert!(play.poll().is_none());
        assert!(play.member.is_out());
    }
}

#[test]
fn a_refusal_for_good_ends_the_member() {
    let mut play = play(None);
    play.find();
    play.answer::<join_group::Request>(&joined("", "", 24));
    let event = play.member.next_event();
    assert!(matches!(event, Some(GroupEvent::Failed(refusal)) if refusal.code == 24));
    play.pass(60);
    assert!(play.poll().is_none());
}
