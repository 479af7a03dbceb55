//! A member as a client library makes it: one request at a time, and what it does with the answer.

use std::collections::BTreeMap;

use coordinator::{
    Blob, Claim, GroupError, Heartbeat, Join, Joined, KnownMember, Leave, LeavingMember, MemberId,
    MissingGroup, NewOffset, OffsetCommit, OffsetFetch, Request, Response, SkipAssignment,
    Stability, Sync, Wanted, WantedTopic,
};
use types::TopicId;

use crate::simulation::chance::Chance;
use crate::support::{partition, protocols, topic};

pub(crate) const SESSION_MS: u64 = 10_000;
pub(crate) const REBALANCE_MS: u64 = 20_000;
/// How many partitions the topic of each group has.
pub(crate) const PARTITIONS: i32 = 5;

/// What a member is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// There is no process.
    Down,
    /// Joins the group.
    Joining,
    /// Asks for its assignment.
    Syncing,
    /// Asks from where to read.
    Fetching,
    /// Reads, commits, and says that it is alive.
    Reading,
    /// Another process has its name: it does nothing any more.
    Fenced,
}

/// One member, and its processes one after the other.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) group: usize,
    pub(crate) instance: Option<String>,
    pub(crate) stage: Stage,
    /// Whether another process has taken its place; it may not know yet.
    pub(crate) is_zombie: bool,
    /// Counts the processes.
    pub(crate) process: u64,
    /// Counts the requests, so that answers to earlier ones are known.
    pub(crate) asked: u64,
    pub(crate) is_waiting: bool,
    pub(crate) id: MemberId,
    pub(crate) generation: i32,
    /// The other members, if this one leads.
    members: Vec<MemberId>,
    pub(crate) assignment: Vec<u8>,
    positions: BTreeMap<i32, i64>,
}

impl Member {
    pub(crate) fn new(group: usize, instance: Option<String>) -> Self {
        Self {
            group,
            instance,
            stage: Stage::Down,
            is_zombie: false,
            process: 0,
            asked: 0,
            is_waiting: false,
            id: MemberId::default(),
            generation: -1,
            members: Vec::new(),
            assignment: Vec::new(),
            positions: BTreeMap::new(),
        }
    }

    /// Starts a process that remembers nothing.
    pub(crate) fn start(&mut self) {
        assert!(!self.is_zombie);
        let process = self.process + 1;
        let asked = self.asked;
        *self = Self::new(self.group, self.instance.clone());
        self.process = process;
        self.asked = asked;
        self.stage = Stage::Joining;
    }

    pub(crate) fn crash(&mut self) {
        self.stage = Stage::Down;
        self.process += 1;
        self.is_waiting = false;
    }

    /// Returns the present process, which goes on beside the one that takes its place.
    pub(crate) fn zombie(&self) -> Self {
        Self {
            instance: self.instance.clone(),
            id: self.id.clone(),
            members: self.members.clone(),
            assignment: self.assignment.clone(),
            positions: self.positions.clone(),
            is_waiting: false,
            is_zombie: true,
            ..*self
        }
    }

    pub(crate) fn claim(&self) -> Claim {
        Claim {
            member: self.id.clone(),
            instance: self.instance.as_ref().map(|name| name.parse().unwrap()),
            generation: self.generation,
        }
    }

    fn group_id(&self) -> coordinator::GroupId {
        format!("g{}", self.group).parse().unwrap()
    }

    /// Returns the next request of the member's own accord.
    pub(crate) fn next_request(&mut self, chance: &mut Chance, stamp: u64) -> Option<Request> {
        match self.stage {
            Stage::Down | Stage::Fenced => None,
            Stage::Joining => Some(self.join()),
            Stage::Syncing => Some(self.sync()),
            Stage::Fetching => Some(self.fetch()),
            Stage::Reading => Some(match chance.between(0, 99) {
                0..=1 => self.leave(),
                2..=3 => {
                    self.stage = Stage::Joining;
                    self.join()
                }
                4..=59 if !self.assignment.is_empty() => self.commit(chance, stamp),
                60..=69 if !self.assignment.is_empty() => self.fetch(),
                _ => Request::Heartbeat(Heartbeat {
                    group: self.group_id(),
                    claim: self.claim(),
                }),
            }),
        }
    }

    fn join(&self) -> Request {
        let name = self.instance.as_deref().unwrap_or("dynamic");
        Request::Join(Box::new(Join {
            group: self.group_id(),
            member: self.id.clone(),
            instance: self.claim().instance,
            client_id: name.parse().unwrap(),
            client_host: "/127.0.0.1".parse().unwrap(),
            session_timeout_ms: i32::try_from(SESSION_MS).unwrap(),
            rebalance_timeout_ms: i32::try_from(REBALANCE_MS).unwrap(),
            protocol_type: "consumer".parse().unwrap(),
            protocols: protocols(&["range"]),
            known_member: KnownMember::Required,
            skip_assignment: SkipAssignment::Supported,
            random: [0; 16],
        }))
    }

    /// A leader deals the partitions out in turn.
    fn sync(&self) -> Request {
        let count = i32::try_from(self.members.len()).unwrap();
        let assign = |(index, id): (usize, &MemberId)| {
            let first = i32::try_from(index).unwrap();
            let mine = (0..PARTITIONS).filter(|partition| partition % count == first);
            let bytes: Vec<u8> = mine
                .map(|partition| u8::try_from(partition).unwrap())
                .collect();
            (id.clone(), Blob::from(bytes))
        };
        let assignments: Vec<(MemberId, Blob)> =
            self.members.iter().enumerate().map(assign).collect();
        Request::Sync(Sync {
            group: self.group_id(),
            claim: self.claim(),
            protocol_type: None,
            protocol: None,
            assignments,
        })
    }

    fn fetch(&self) -> Request {
        let indexes = self.assignment.iter();
        let partitions = indexes.map(|&index| partition(i32::from(index))).collect();
        Request::OffsetFetch(OffsetFetch {
            group: self.group_id(),
            wanted: Wanted::Topics(vec![WantedTopic {
                topic: topic("t"),
                topic_id: TopicId::ZERO,
                partitions,
            }]),
            stability: Stability::Required,
        })
    }

    fn commit(&mut self, chance: &mut Chance, stamp: u64) -> Request {
        let index = i32::from(self.assignment[chance.index(self.assignment.len())]);
        let position = self.positions.entry(index).or_insert(0);
        *position += 1;
        let offset = NewOffset {
            topic: topic("t"),
            topic_id: TopicId::ZERO,
            partition: partition(index),
            offset: *position,
            leader_epoch: None,
            metadata: stamp.to_string().parse().unwrap(),
        };
        let mut claim = self.claim();
        if chance.permille(10) {
            claim.generation -= 1; // begun before the last rebalance
        }
        Request::OffsetCommit(OffsetCommit {
            group: self.group_id(),
            claim,
            missing_group: MissingGroup::NotFound,
            retention_ms: None,
            offsets: vec![offset],
        })
    }

    fn leave(&self) -> Request {
        Request::Leave(Leave {
            group: self.group_id(),
            members: vec![LeavingMember {
                member: self.id.clone(),
                instance: self.claim().instance,
            }],
        })
    }

    /// Goes on as the answer says.
    pub(crate) fn take(&mut self, response: Response) {
        self.is_waiting = false;
        match response {
            Response::Join(Ok(joined)) => self.joined(joined),
            Response::Join(Err(refusal)) => {
                if refusal.error == GroupError::MemberIdRequired {
                    self.id = refusal.member;
                } else {
                    self.refused(refusal.error);
                }
            }
            Response::Sync(Ok(synced)) => {
                self.assignment = synced.assignment.to_vec();
                self.positions.clear();
                self.stage = match self.assignment.len() {
                    0 => Stage::Reading,
                    _ => Stage::Fetching,
                };
            }
            Response::OffsetFetch(Ok(topics)) => {
                for (partition, committed) in &topics[0].partitions {
                    let position = committed.as_ref().map_or(0, |committed| committed.offset);
                    self.positions.insert(partition.get(), position);
                }
                self.stage = Stage::Reading;
            }
            Response::OffsetCommit(Ok(results)) => {
                assert!(results.iter().all(Result::is_ok), "{results:?}");
            }
            Response::Leave(_) if self.is_zombie => self.stage = Stage::Fenced,
            Response::Leave(_) => self.start(),
            Response::Sync(Err(error))
            | Response::OffsetFetch(Err(error))
            | Response::OffsetCommit(Err(error))
            | Response::Heartbeat(Err(error)) => self.refused(error),
            _ => {}
        }
    }

    fn joined(&mut self, joined: Joined) {
        self.id = joined.member;
        self.generation = joined.generation;
        let members = joined.members.into_iter().map(|member| member.member);
        self.members = if joined.skip_assignment {
            Vec::new()
        } else {
            members.collect()
        };
        self.stage = Stage::Syncing;
    }

    fn refused(&mut self, error: GroupError) {
        match error {
            GroupError::FencedInstance => self.stage = Stage::Fenced,
            // It would take the name back.
            GroupError::UnknownMember if self.is_zombie => self.stage = Stage::Fenced,
            GroupError::UnknownMember => {
                self.id = MemberId::default();
                self.stage = Stage::Joining;
            }
            GroupError::RebalanceInProgress
            | GroupError::IllegalGeneration
            | GroupError::GroupNotFound => self.stage = Stage::Joining,
            // Asked again later.
            GroupError::NotAvailable | GroupError::Loading | GroupError::NotCoordinator => {}
            other => panic!("a member was told {other:?}"),
        }
    }
}
