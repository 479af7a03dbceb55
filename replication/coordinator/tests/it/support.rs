//! A coordinator, its clock, and a log that becomes durable when a test says so.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use coordinator::{
    Action, AppendFailure, Blob, Claim, Coordinator, GroupError, GroupId, Heartbeat, InstanceId,
    Join, JoinRefusal, Joined, KnownMember, Leave, LeavingMember, MemberId, MissingGroup,
    NewOffset, Now, OffsetCommit, OffsetFetch, Protocol, Record, RecordBytes, Request, Response,
    Settings, SkipAssignment, Stability, Sync, Synced, Ticket, Token, TopicDeleted, Wanted,
    WantedTopic,
};
use types::{Monotonic, Offset, PartitionIndex, TimestampMs, TopicId, TopicName};

pub(crate) const GROUP: &str = "g";
pub(crate) const DELAY_MS: u64 = 3_000;
/// How long those that were given an id are waited for when the delay is over.
pub(crate) const PENDING_GRACE_MS: u64 = 100;
pub(crate) const SESSION_MS: i32 = 10_000;
pub(crate) const REBALANCE_MS: i32 = 60_000;
const WALL_START_MS: i64 = 1_700_000_000_000;

/// What a driver does, without a disk.
pub(crate) struct Machine {
    pub(crate) coordinator: Coordinator,
    pub(crate) settings: Settings,
    pub(crate) log: Vec<RecordBytes>,
    pub(crate) appends: VecDeque<(Ticket, Vec<RecordBytes>)>,
    pub(crate) answers: BTreeMap<Token, Response>,
    elapsed: Duration,
    tokens: u64,
}

impl Machine {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let mut machine = Self {
            coordinator: Coordinator::new(settings.clone()),
            settings,
            log: Vec::new(),
            appends: VecDeque::new(),
            answers: BTreeMap::new(),
            elapsed: Duration::ZERO,
            tokens: 0,
        };
        let actions = machine.coordinator.loaded(machine.now());
        machine.carry_out(actions);
        machine
    }

    pub(crate) fn now(&self) -> Now {
        let ms = i64::try_from(self.elapsed.as_millis()).unwrap();
        Now {
            monotonic: Monotonic::from_start(self.elapsed),
            wall: TimestampMs(WALL_START_MS + ms),
        }
    }

    fn carry_out(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Append { ticket, records } => self.appends.push_back((ticket, records)),
                Action::Reply { token, response } => {
                    let earlier = self.answers.insert(token, response);
                    assert_eq!(earlier, None, "a token is answered once");
                }
            }
        }
    }

    /// Sends a request; the answer may come later.
    pub(crate) fn send(&mut self, request: Request) -> Token {
        self.tokens += 1;
        let token = Token(self.tokens);
        let actions = self.coordinator.request(self.now(), token, request);
        self.carry_out(actions);
        token
    }

    /// Makes one append durable; `false` if none is on its way.
    pub(crate) fn sync_one(&mut self) -> bool {
        let Some((ticket, records)) = self.appends.pop_front() else {
            return false;
        };
        self.log.extend(records);
        let actions = self.coordinator.committed(self.now(), ticket);
        self.carry_out(actions);
        true
    }

    /// Makes all that is on its way durable, and what follows from it.
    pub(crate) fn sync_log(&mut self) {
        while self.sync_one() {}
    }

    pub(crate) fn fail_one(&mut self, failure: AppendFailure) {
        let (ticket, _) = self.appends.pop_front().unwrap();
        let actions = self.coordinator.failed(self.now(), ticket, failure);
        self.carry_out(actions);
    }

    /// Sends a request whose answer waits for nothing but the log.
    pub(crate) fn call(&mut self, request: Request) -> Response {
        let token = self.send(request);
        self.sync_log();
        self.answer(token)
    }

    pub(crate) fn answer(&mut self, token: Token) -> Response {
        let answer = self.answers.remove(&token);
        answer.unwrap_or_else(|| panic!("{token:?} has no answer"))
    }

    pub(crate) fn waits(&self, token: Token) -> bool {
        !self.answers.contains_key(&token)
    }

    /// Lets time pass, the log keeping up.
    pub(crate) fn pass(&mut self, ms: u64) {
        let end = self.elapsed + Duration::from_millis(ms);
        while let Some(deadline) = self.coordinator.deadline() {
            if deadline.since_start() > end {
                break;
            }
            self.elapsed = self.elapsed.max(deadline.since_start());
            let actions = self.coordinator.expire(self.now());
            self.carry_out(actions);
            self.sync_log();
        }
        self.elapsed = end;
    }

    /// Starts anew from the log's bytes.
    pub(crate) fn restart(&mut self) {
        let mut coordinator = Coordinator::new(self.settings.clone());
        replay(&mut coordinator, &self.log);
        self.begin(coordinator);
    }

    /// Starts anew from a snapshot of what is durable now.
    pub(crate) fn restart_from_snapshot(&mut self) {
        let end = Offset::new(i64::try_from(self.log.len()).unwrap()).unwrap();
        let bytes = self.coordinator.snapshot(end);
        let (coordinator, from) =
            Coordinator::from_snapshot(self.settings.clone(), &bytes).unwrap();
        assert_eq!(from, end);
        self.begin(coordinator);
    }

    fn begin(&mut self, coordinator: Coordinator) {
        self.appends.clear();
        self.answers.clear();
        self.coordinator = coordinator;
        let actions = self.coordinator.loaded(self.now());
        self.carry_out(actions);
    }

    /// Sends a join, and lets the time pass that a new group waits.
    pub(crate) fn join_alone(&mut self, join: Join) -> Joined {
        let token = self.send(Request::Join(Box::new(join)));
        self.sync_log();
        self.pass(DELAY_MS);
        self.joined(token)
    }

    pub(crate) fn send_join(&mut self, join: Join) -> Token {
        let token = self.send(Request::Join(Box::new(join)));
        self.sync_log();
        token
    }

    pub(crate) fn join(&mut self, join: Join) -> Result<Joined, JoinRefusal> {
        let token = self.send_join(join);
        self.join_answer(token)
    }

    pub(crate) fn join_answer(&mut self, token: Token) -> Result<Joined, JoinRefusal> {
        match self.answer(token) {
            Response::Join(answer) => answer,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn joined(&mut self, token: Token) -> Joined {
        self.join_answer(token).unwrap()
    }

    pub(crate) fn refused(&mut self, join: Join) -> GroupError {
        self.join(join).unwrap_err().error
    }

    pub(crate) fn sync_answer(&mut self, token: Token) -> Result<Synced, GroupError> {
        match self.answer(token) {
            Response::Sync(answer) => answer,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn sync(&mut self, sync: Sync) -> Result<Synced, GroupError> {
        let token = self.send(Request::Sync(sync));
        self.sync_log();
        self.sync_answer(token)
    }

    pub(crate) fn heartbeat(&mut self, claim: Claim) -> Result<(), GroupError> {
        let group = group();
        match self.call(Request::Heartbeat(Heartbeat { group, claim })) {
            Response::Heartbeat(answer) => answer,
            other => panic!("{other:?}"),
        }
    }

    /// Sends a heartbeat, whatever comes of it.
    pub(crate) fn touch(&mut self, claim: &Claim) {
        let group = group();
        let claim = claim.clone();
        self.call(Request::Heartbeat(Heartbeat { group, claim }));
    }

    pub(crate) fn leave(
        &mut self,
        members: &[(&str, Option<&str>)],
    ) -> Vec<Result<(), GroupError>> {
        match self.call(leave(members)) {
            Response::Leave(answer) => answer.unwrap(),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn commit(&mut self, commit: OffsetCommit) -> Result<(), GroupError> {
        match self.call(Request::OffsetCommit(commit)) {
            Response::OffsetCommit(answer) => {
                answer.map(|each| each.into_iter().for_each(|one| one.unwrap()))
            }
            other => panic!("{other:?}"),
        }
    }

    /// Reads one durable offset.
    pub(crate) fn offset(&mut self, topic: &str, partition: i32) -> Option<i64> {
        match self.call(fetch(topic, partition, Stability::Optional)) {
            Response::OffsetFetch(Ok(topics)) => {
                let (_, committed) = topics[0].partitions[0].clone();
                committed.map(|committed| committed.offset)
            }
            other => panic!("{other:?}"),
        }
    }

    /// Returns the state's name, as DescribeGroups has it.
    pub(crate) fn state(&mut self) -> &'static str {
        match self.call(Request::Describe(group())) {
            Response::Describe(Ok(described)) => described.state.name(),
            Response::Describe(Err(GroupError::GroupNotFound)) => "Dead",
            other => panic!("{other:?}"),
        }
    }

    /// A group of members with these client ids, stable, the first one leading.
    pub(crate) fn stable(&mut self, clients: &[&str]) -> Vec<Claim> {
        let tokens: Vec<Token> = clients
            .iter()
            .map(|client| self.send_join(unnamed(client)))
            .collect();
        self.pass(DELAY_MS * 2);
        let joined: Vec<Joined> = tokens.iter().map(|&token| self.joined(token)).collect();
        let leader = joined
            .iter()
            .position(|j| j.leader.as_ref() == Some(&j.member));
        let mut claims: Vec<Claim> = joined.iter().map(claim).collect();
        claims.swap(0, leader.unwrap());
        for claim in &claims {
            self.sync(sync(claim, &claims)).unwrap();
        }
        assert_eq!(self.state(), "Stable");
        claims
    }
}

pub(crate) fn replay(coordinator: &mut Coordinator, log: &[RecordBytes]) {
    for bytes in log {
        let record = Record::decode(Some(&bytes.key), bytes.value.as_deref()).unwrap();
        coordinator.apply(record.unwrap());
    }
}

pub(crate) fn group() -> GroupId {
    GROUP.parse().unwrap()
}

pub(crate) fn blob(text: &str) -> Blob {
    Blob::from(text.as_bytes())
}

/// What a consumer says in joining: the topics that it reads.
pub(crate) fn subscription(topics: &[&str]) -> Blob {
    let mut bytes = vec![0, 0];
    bytes.extend_from_slice(&i32::try_from(topics.len()).unwrap().to_be_bytes());
    for topic in topics {
        bytes.extend_from_slice(&i16::try_from(topic.len()).unwrap().to_be_bytes());
        bytes.extend_from_slice(topic.as_bytes());
    }
    bytes.extend_from_slice(&[0xff; 4]);
    Blob::from(bytes)
}

pub(crate) fn protocols(names: &[&str]) -> Vec<Protocol> {
    let protocol = |name: &&str| Protocol {
        name: name.parse().unwrap(),
        metadata: subscription(&["t"]),
    };
    names.iter().map(protocol).collect()
}

/// A join of a client that has no id and needs none; tests change what they are about.
pub(crate) fn unnamed(client: &str) -> Join {
    let mut random = [7; 16];
    let bytes = client.as_bytes();
    random[..bytes.len().min(16)].copy_from_slice(&bytes[..bytes.len().min(16)]);
    Join {
        group: group(),
        member: MemberId::default(),
        instance: None,
        client_id: client.parse().unwrap(),
        client_host: "/127.0.0.1".parse().unwrap(),
        session_timeout_ms: SESSION_MS,
        rebalance_timeout_ms: REBALANCE_MS,
        protocol_type: "consumer".parse().unwrap(),
        protocols: protocols(&["range"]),
        known_member: KnownMember::Optional,
        skip_assignment: SkipAssignment::Unsupported,
        random,
    }
}

/// A join of a client whose version makes it ask for an id first.
pub(crate) fn modern(client: &str) -> Join {
    Join {
        known_member: KnownMember::Required,
        ..unnamed(client)
    }
}

/// A join of a static member's new process.
pub(crate) fn named(instance: &str, life: u8) -> Join {
    Join {
        instance: Some(instance.parse().unwrap()),
        random: [life; 16],
        ..modern(instance)
    }
}

/// A join of somebody who is a member.
pub(crate) fn again(claim: &Claim) -> Join {
    Join {
        member: claim.member.clone(),
        instance: claim.instance.clone(),
        ..modern("again")
    }
}

pub(crate) fn claim(joined: &Joined) -> Claim {
    Claim {
        member: joined.member.clone(),
        instance: None,
        generation: joined.generation,
    }
}

pub(crate) fn nobody() -> Claim {
    Claim {
        member: MemberId::default(),
        instance: None,
        generation: -1,
    }
}

pub(crate) fn member(id: &str) -> MemberId {
    id.parse().unwrap()
}

pub(crate) fn instance(id: &str) -> InstanceId {
    id.parse().unwrap()
}

/// A sync that assigns to each member its own id.
pub(crate) fn sync(claim: &Claim, members: &[Claim]) -> Sync {
    let assign = |claim: &Claim| (claim.member.clone(), blob(claim.member.as_str()));
    Sync {
        group: group(),
        claim: claim.clone(),
        protocol_type: None,
        protocol: None,
        assignments: members.iter().map(assign).collect(),
    }
}

/// The news that a topic is gone.
pub(crate) fn deleted(name: &str, id: TopicId, is_replaced: bool) -> Request {
    let deleted = TopicDeleted {
        topic: topic(name),
        topic_id: id,
        is_replaced,
    };
    Request::TopicsDeleted([deleted].into_iter().collect())
}

pub(crate) fn leave(members: &[(&str, Option<&str>)]) -> Request {
    let leaving = |(id, name): &(&str, Option<&str>)| LeavingMember {
        member: member(id),
        instance: name.map(instance),
    };
    Request::Leave(Leave {
        group: group(),
        members: members.iter().map(leaving).collect(),
    })
}

pub(crate) fn topic(name: &str) -> TopicName {
    name.parse().unwrap()
}

pub(crate) fn partition(index: i32) -> PartitionIndex {
    PartitionIndex::new(index).unwrap()
}

/// A commit of one offset; tests change what they are about.
pub(crate) fn commit(claim: Claim, name: &str, index: i32, offset: i64) -> OffsetCommit {
    OffsetCommit {
        group: group(),
        claim,
        missing_group: MissingGroup::NotFound,
        retention_ms: None,
        offsets: vec![NewOffset {
            topic: topic(name),
            topic_id: TopicId::ZERO,
            partition: partition(index),
            offset,
            leader_epoch: None,
            metadata: "".parse().unwrap(),
        }],
    }
}

pub(crate) fn fetch(name: &str, index: i32, stability: Stability) -> Request {
    Request::OffsetFetch(OffsetFetch {
        group: group(),
        wanted: Wanted::Topics(vec![WantedTopic {
            topic: topic(name),
            topic_id: TopicId::ZERO,
            partitions: vec![partition(index)],
        }]),
        stability,
    })
}
