//! One group as its members see it: what each asks next. No input or output.
//!
//! ```text
//!            79: an id                       0: in a generation            0: of all members
//! apart ──► naming ──► joining ──────────────► syncing ──────────────────────► settled
//!                        ▲  ▲                    │  │ 0: somebody is missing
//!                        │  └──── 27: again ─────┘  ▼
//!                        └─────── 27 ──────────── partial ◄──► asking (Heartbeat)
//! ```
//!
//! A member of a generation that lacks somebody learns by a heartbeat that it must join again. Ours
//! send one as soon as there is a reason, when another member has joined since, and again after a
//! short pause until they are told so: with the 3 s that real consumers pause, the pause would be
//! measured, and without any the broker would answer heartbeats instead of forming the group.
//!
//! *Source*: KIP-394 (an id is required), Kafka's consumer for the order of requests.

use std::time::Duration;

use bytes::Bytes;
use types::ErrorCode;
use wire::api::ApiKey;
use wire::consumer_protocol::{Assignment, PROTOCOL_TYPE, Subscription, TopicPartitions};
use wire::messages::{heartbeat, join_group, leave_group, sync_group};

use crate::error::Error;

/// How long a member lives without a heartbeat: as long as a run, so that none but the needed are sent.
pub(crate) const SESSION_TIMEOUT: Duration = Duration::from_mins(10);

/// How long a member may take to join again.
const REBALANCE_TIMEOUT: Duration = Duration::from_mins(1);

/// The pause before a heartbeat that comes after one that brought no news.
const HEARTBEAT_PAUSE: Duration = Duration::from_millis(5);

/// What every member wants to read, and the leader assigns; no broker looks whether it exists.
const TOPIC: &str = "bench-groups";

/// The one protocol of every member.
const ASSIGNOR: &str = "range";

/// The version of the consumer protocol that is spoken.
const CONSUMER_PROTOCOL_VERSION: i16 = 0;

/// A request of a member.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Request {
    /// Enters the group, or answers a call to rebalance.
    Join(join_group::Request),
    /// Asks for its part, the leader with everybody's.
    Sync(sync_group::Request),
    /// Asks whether the group rebalances.
    Heartbeat(heartbeat::Request),
    /// Leaves the group.
    Leave(leave_group::Request),
}

/// An answer to a member.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// To a JoinGroup.
    Join(join_group::Response),
    /// To a SyncGroup.
    Sync(sync_group::Response),
    /// To a Heartbeat.
    Heartbeat(heartbeat::Response),
    /// To a LeaveGroup.
    Leave(leave_group::Response),
}

/// What is to be sent next.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Turn {
    /// The member whose request it is.
    pub(crate) member: usize,
    /// The request.
    pub(crate) request: Request,
    /// How long to wait before.
    pub(crate) pause: Duration,
}

impl Turn {
    /// Makes a turn that is to be sent at once.
    fn now(member: usize, request: Request) -> Self {
        Self {
            member,
            request,
            pause: Duration::ZERO,
        }
    }
}

/// A group and its members, numbered from 0.
#[derive(Debug)]
pub(crate) struct Group {
    id: String,
    members: Vec<Member>,
    /// The generation that has all of the members, once its leader was told so.
    whole: Option<i32>,
}

#[derive(Clone, Debug)]
struct Member {
    /// Empty until the coordinator gave it one.
    id: String,
    generation: i32,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Apart,
    Naming,
    Joining,
    Syncing,
    Partial,
    Asking,
    Settled,
    Leaving,
}

impl Member {
    const NEW: Self = Self {
        id: String::new(),
        generation: -1,
        state: State::Apart,
    };
}

impl Group {
    /// Makes a group whose members have not joined.
    pub(crate) fn new(id: String, size: usize) -> Self {
        Self {
            id,
            members: vec![Member::NEW; size],
            whole: None,
        }
    }

    /// Returns the group's id.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Returns the id and the generation of a member.
    pub(crate) fn membership(&self, index: usize) -> Option<(&str, i32)> {
        let member = self.members.get(index)?;
        Some((&member.id, member.generation))
    }

    /// Returns whether a member has its part in a generation of all members.
    pub(crate) fn is_settled(&self, index: usize) -> bool {
        let member = self.members.get(index);
        member.is_some_and(|member| member.state == State::Settled)
    }

    /// Returns whether every member has.
    pub(crate) fn is_stable(&self) -> bool {
        self.members.iter().all(|it| it.state == State::Settled)
    }

    /// Returns whether every member has left.
    pub(crate) fn is_empty(&self) -> bool {
        self.members.iter().all(|it| it.state == State::Apart)
    }

    /// Lets all members join.
    pub(crate) fn join(&mut self) -> Vec<Turn> {
        let members = 0..self.members.len();
        members.map(|index| self.name(index)).collect()
    }

    /// Lets one more member join; the others learn of it once it has an id.
    pub(crate) fn join_one_more(&mut self) -> Vec<Turn> {
        self.whole = None;
        for member in &mut self.members {
            member.state = State::Partial;
        }
        self.members.push(Member::NEW);
        vec![self.name(self.members.len() - 1)]
    }

    /// Lets all members leave.
    pub(crate) fn leave(&mut self) -> Vec<Turn> {
        self.whole = None;
        let leaving = self.members.iter_mut().enumerate().map(|(index, member)| {
            member.state = State::Leaving;
            let request = leave_group::Request {
                group_id: self.id.clone(),
                members: vec![leave_group::Member {
                    member_id: member.id.clone(),
                    ..Default::default()
                }],
                ..Default::default()
            };
            Turn::now(index, Request::Leave(request))
        });
        leaving.collect()
    }

    /// Takes the answer to a member's request, and returns what is asked next, by it and by others.
    ///
    /// *Errors*: [`Error::Refused`] for any code that does not belong to a group's forming.
    pub(crate) fn answered(&mut self, index: usize, answer: Answer) -> Result<Vec<Turn>, Error> {
        match answer {
            Answer::Join(answer) => self.joined(index, &answer),
            Answer::Sync(answer) => self.told(index, ApiKey::SyncGroup, answer.error_code),
            Answer::Heartbeat(answer) => self.told(index, ApiKey::Heartbeat, answer.error_code),
            Answer::Leave(answer) => {
                let codes = answer.members.iter().map(|member| member.error_code);
                for code in std::iter::once(answer.error_code).chain(codes) {
                    Error::check(ApiKey::LeaveGroup, code)?;
                }
                *self.member(index) = Member::NEW;
                Ok(Vec::new())
            }
        }
    }

    fn joined(&mut self, index: usize, answer: &join_group::Response) -> Result<Vec<Turn>, Error> {
        let size = self.members.len();
        let member = self.member(index);
        match ErrorCode::from_wire(answer.error_code) {
            Some(ErrorCode::MemberIdRequired) => {
                member.id.clone_from(&answer.member_id);
                let mut turns = vec![self.enter(index)];
                let partial = self.in_state(State::Partial);
                turns.extend(partial.into_iter().map(|index| self.ask(index)));
                return Ok(turns);
            }
            Some(ErrorCode::RebalanceInProgress) => return Ok(vec![self.enter(index)]),
            _ => Error::check(ApiKey::JoinGroup, answer.error_code)?,
        }
        member.id.clone_from(&answer.member_id);
        member.generation = answer.generation_id;
        member.state = State::Syncing;
        let mut assignments = Vec::new();
        if answer.leader == answer.member_id {
            assignments = assign(&answer.members)?;
            if assignments.len() == size {
                self.whole = Some(answer.generation_id);
            }
        }
        let request = sync_group::Request {
            group_id: self.id.clone(),
            generation_id: answer.generation_id,
            member_id: answer.member_id.clone(),
            group_instance_id: None,
            protocol_type: Some(PROTOCOL_TYPE.to_owned()),
            protocol_name: Some(ASSIGNOR.to_owned()),
            assignments,
        };
        Ok(vec![Turn::now(index, Request::Sync(request))])
    }

    /// Goes on after a SyncGroup or a Heartbeat: whether the generation still is, and has everybody.
    fn told(&mut self, index: usize, key: ApiKey, code: i16) -> Result<Vec<Turn>, Error> {
        if ErrorCode::from_wire(code) == Some(ErrorCode::RebalanceInProgress) {
            return Ok(vec![self.enter(index)]);
        }
        Error::check(key, code)?;
        let whole = self.whole;
        let somebody_joins = !self.in_state(State::Joining).is_empty();
        let member = self.member(index);
        if whole == Some(member.generation) {
            member.state = State::Settled;
            return Ok(Vec::new());
        }
        if !somebody_joins {
            member.state = State::Partial;
            return Ok(Vec::new());
        }
        let pause = match key {
            ApiKey::Heartbeat => HEARTBEAT_PAUSE,
            _ => Duration::ZERO,
        };
        Ok(vec![Turn {
            pause,
            ..self.ask(index)
        }])
    }

    /// Joins for the first time, without an id.
    fn name(&mut self, index: usize) -> Turn {
        let turn = self.enter(index);
        self.member(index).state = State::Naming;
        turn
    }

    fn enter(&mut self, index: usize) -> Turn {
        let member = self.member(index);
        member.state = State::Joining;
        let member_id = member.id.clone();
        let subscription = Subscription {
            topics: vec![TOPIC.to_owned()],
            ..Default::default()
        };
        let metadata = subscription.encode(CONSUMER_PROTOCOL_VERSION);
        let request = join_group::Request {
            group_id: self.id.clone(),
            session_timeout_ms: millis(SESSION_TIMEOUT),
            rebalance_timeout_ms: millis(REBALANCE_TIMEOUT),
            member_id,
            protocol_type: PROTOCOL_TYPE.to_owned(),
            protocols: vec![join_group::Protocol {
                name: ASSIGNOR.to_owned(),
                metadata: metadata.expect("one short topic name fits every version"),
            }],
            ..Default::default()
        };
        Turn::now(index, Request::Join(request))
    }

    fn ask(&mut self, index: usize) -> Turn {
        let group_id = self.id.clone();
        let member = self.member(index);
        member.state = State::Asking;
        let request = heartbeat::Request {
            group_id,
            generation_id: member.generation,
            member_id: member.id.clone(),
            group_instance_id: None,
        };
        Turn::now(index, Request::Heartbeat(request))
    }

    fn member(&mut self, index: usize) -> &mut Member {
        let member = self.members.get_mut(index);
        member.expect("answers come for members that asked")
    }

    fn in_state(&self, state: State) -> Vec<usize> {
        let members = self.members.iter().enumerate();
        let members = members.filter(|(_, member)| member.state == state);
        members.map(|(index, _)| index).collect()
    }
}

/// Gives every member one partition.
fn assign(members: &[join_group::Member]) -> Result<Vec<sync_group::Assignment>, Error> {
    let part = |(partition, member): (i32, &join_group::Member)| {
        let assignment = Assignment {
            assigned_partitions: vec![TopicPartitions {
                topic: TOPIC.to_owned(),
                partitions: vec![partition],
            }],
            user_data: None,
        };
        let assignment: Bytes = assignment.encode(CONSUMER_PROTOCOL_VERSION)?;
        Ok(sync_group::Assignment {
            member_id: member.member_id.clone(),
            assignment,
        })
    };
    (0..).zip(members).map(part).collect()
}

fn millis(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer to JoinGroup for member `m{index}`; the leader's names the members.
    fn joined(code: i16, generation_id: i32, index: usize, members: &[usize]) -> Answer {
        let names = members.iter().map(|index| join_group::Member {
            member_id: format!("m{index}"),
            ..Default::default()
        });
        Answer::Join(join_group::Response {
            error_code: code,
            generation_id,
            leader: if members.is_empty() { "other" } else { "m0" }.to_owned(),
            member_id: format!("m{index}"),
            members: names.collect(),
            ..Default::default()
        })
    }

    fn synced(error_code: i16) -> Answer {
        Answer::Sync(sync_group::Response {
            error_code,
            ..Default::default()
        })
    }

    fn beaten(error_code: i16) -> Answer {
        Answer::Heartbeat(heartbeat::Response {
            error_code,
            ..Default::default()
        })
    }

    /// Turns in short: whose, what, and whether after a pause.
    fn short(turns: &[Turn]) -> Vec<String> {
        let turns = turns.iter().map(|turn| {
            let what = match &turn.request {
                Request::Join(join) => format!("join as {:?}", join.member_id),
                Request::Sync(sync) => format!("sync {} parts", sync.assignments.len()),
                Request::Heartbeat(beat) => format!("heartbeat in {}", beat.generation_id),
                Request::Leave(_) => "leave".to_owned(),
            };
            let later = if turn.pause.is_zero() { "" } else { " later" };
            format!("{}: {what}{later}", turn.member)
        });
        turns.collect()
    }

    /// A group with the answers that it got, each with the turns that must follow.
    fn play(group: &mut Group, answers: Vec<(usize, Answer, &[&str])>) {
        for (index, answer, want) in answers {
            let told = format!("{index}: {answer:?}");
            let turns = group.answered(index, answer).unwrap();
            assert_eq!(short(&turns), want, "{told}");
        }
    }

    #[test]
    fn members_that_join_at_once_settle_in_one_generation() {
        let mut group = Group::new("g".to_owned(), 2);
        let first = group.join();
        assert_eq!(short(&first), ["0: join as \"\"", "1: join as \"\""]);
        play(
            &mut group,
            vec![
                (0, joined(79, -1, 0, &[]), &["0: join as \"m0\""]),
                (1, joined(79, -1, 1, &[]), &["1: join as \"m1\""]),
                (0, joined(0, 1, 0, &[0, 1]), &["0: sync 2 parts"]),
                (1, joined(0, 1, 1, &[]), &["1: sync 0 parts"]),
                (0, synced(0), &[]),
            ],
        );
        assert!(group.is_settled(0) && !group.is_settled(1) && !group.is_stable());
        play(&mut group, vec![(1, synced(0), &[])]);
        assert!(group.is_stable());
        assert_eq!(group.membership(1), Some(("m1", 1)));
    }

    #[test]
    fn a_member_that_was_first_alone_asks_for_the_other_and_joins_again() {
        let mut group = Group::new("g".to_owned(), 2);
        group.join();
        play(
            &mut group,
            vec![
                (0, joined(79, -1, 0, &[]), &["0: join as \"m0\""]),
                (0, joined(0, 1, 0, &[0]), &["0: sync 1 parts"]),
                // Nobody else has an id yet: nothing to ask for.
                (0, synced(0), &[]),
                (
                    1,
                    joined(79, -1, 1, &[]),
                    &["1: join as \"m1\"", "0: heartbeat in 1"],
                ),
                (0, beaten(0), &["0: heartbeat in 1 later"]),
                (0, beaten(27), &["0: join as \"m0\""]),
                (0, joined(0, 2, 0, &[0, 1]), &["0: sync 2 parts"]),
                (1, joined(0, 2, 1, &[]), &["1: sync 0 parts"]),
                (1, synced(0), &[]),
                (0, synced(0), &[]),
            ],
        );
        assert!(group.is_stable());
    }

    #[test]
    fn a_rebalance_during_the_sync_sends_the_member_back() {
        let mut group = Group::new("g".to_owned(), 2);
        group.join();
        play(
            &mut group,
            vec![
                (0, joined(79, -1, 0, &[]), &["0: join as \"m0\""]),
                (0, joined(0, 1, 0, &[0]), &["0: sync 1 parts"]),
                (1, joined(79, -1, 1, &[]), &["1: join as \"m1\""]),
                (0, synced(27), &["0: join as \"m0\""]),
            ],
        );
        assert!(!group.is_settled(0));
    }

    #[test]
    fn one_more_member_unsettles_the_others_once_it_has_an_id() {
        let mut group = Group::new("g".to_owned(), 1);
        group.join();
        play(
            &mut group,
            vec![
                (0, joined(79, -1, 0, &[]), &["0: join as \"m0\""]),
                (0, joined(0, 1, 0, &[0]), &["0: sync 1 parts"]),
                (0, synced(0), &[]),
            ],
        );
        assert!(group.is_stable());
        assert_eq!(short(&group.join_one_more()), ["1: join as \"\""]);
        assert!(!group.is_settled(0));
        play(
            &mut group,
            vec![(
                1,
                joined(79, -1, 1, &[]),
                &["1: join as \"m1\"", "0: heartbeat in 1"],
            )],
        );
    }

    #[test]
    fn a_group_is_empty_when_all_have_left() {
        let mut group = Group::new("g".to_owned(), 2);
        assert_eq!(short(&group.leave()), ["0: leave", "1: leave"]);
        for index in 0..2 {
            assert!(!group.is_empty());
            let left = Answer::Leave(leave_group::Response::default());
            play(&mut group, vec![(index, left, &[])]);
        }
        assert!(group.is_empty());
    }

    #[test]
    fn a_refusal_ends_the_run() {
        let mut group = Group::new("g".to_owned(), 1);
        group.join();
        let refused = group.answered(0, joined(81, -1, 0, &[]));
        assert!(matches!(
            refused,
            Err(Error::Refused {
                key: ApiKey::JoinGroup,
                code: 81
            })
        ));
    }
}
