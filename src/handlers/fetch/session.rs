//! Fetch sessions: a client names its partitions once, then only what changed.
//!
//! Pure state, one cache per shard. A session lives on the shard that its connection landed on; a
//! client that reconnects to another shard gets "not found" and begins a new one, as it would after
//! a restart of the broker.
//!
//! *Source*: KIP-227; KIP-516 for topic ids.
//!
//! Invariants:
//! 1. A session's epoch counts up by one with every answered fetch, from 1, and wraps to 1.
//! 2. A session is used with names or with ids, never with both.
//! 3. The cache holds at most its configured count; a full cache answers without a session.

use std::collections::BTreeMap;

use types::{ErrorCode, Monotonic, TopicId};

/// The epoch that asks for a new session.
pub const EPOCH_INITIAL: i32 = 0;
/// The epoch that ends a session, or asks for none.
pub const EPOCH_FINAL: i32 = -1;
/// The session id of an answer without a session.
pub const NO_SESSION: i32 = 0;

/// A session that was used within this time is not evicted for a new one.
const EVICTABLE_AFTER: std::time::Duration = std::time::Duration::from_mins(2);

/// A topic as the client named it: by name up to version 12, by id from version 13.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TopicRef {
    /// By name.
    Name(String),
    /// By id.
    Id(TopicId),
}

/// One partition of one topic as the client named it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PartitionRef {
    /// The topic.
    pub topic: TopicRef,
    /// The partition's index as sent; not checked yet.
    pub partition: i32,
}

/// What a client wants of one partition; numbers as on the wire, not checked yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Want {
    /// The first offset wanted.
    pub fetch_offset: i64,
    /// How many bytes at most.
    pub bytes_max: i32,
    /// The leader epoch that the client knows, or -1.
    pub current_leader_epoch: i32,
    /// The epoch of the last record that the client has, or -1.
    pub last_fetched_epoch: i32,
}

/// What the client was told last of a partition; an unchanged partition is left out of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The high watermark, -1 at first.
    pub high_watermark: i64,
    /// The log start, -1 at first.
    pub log_start: i64,
}

#[derive(Debug)]
struct Slot {
    want: Want,
    told: Option<Told>,
    turn: u64,
}

#[derive(Debug)]
struct Session {
    epoch: i32,
    uses_ids: bool,
    used: Monotonic,
    partitions: BTreeMap<PartitionRef, Slot>,
    /// Partitions in the order in which they are served; one that gave data goes to the end, so
    /// that a response limit starves none.
    turns: BTreeMap<u64, PartitionRef>,
    turn_next: u64,
}

impl Session {
    fn set(&mut self, partition: PartitionRef, want: Want) {
        if let Some(slot) = self.partitions.get_mut(&partition) {
            slot.want = want;
            return;
        }
        let turn = self.turn_next;
        self.turn_next += 1;
        self.turns.insert(turn, partition.clone());
        self.partitions.insert(
            partition,
            Slot {
                want,
                told: None,
                turn,
            },
        );
    }

    fn forget(&mut self, partition: &PartitionRef) {
        if let Some(slot) = self.partitions.remove(partition) {
            self.turns.remove(&slot.turn);
        }
    }
}

/// What a fetch request says about its session.
#[derive(Debug)]
pub struct Opening {
    /// The session's id, 0 for none.
    pub id: i32,
    /// The session's epoch as the client counts it.
    pub epoch: i32,
    /// Whether the request names topics by id.
    pub uses_ids: bool,
    /// Partitions named in this request.
    pub wants: Vec<(PartitionRef, Want)>,
    /// Partitions to leave out from now on.
    pub forgotten: Vec<PartitionRef>,
}

/// How one fetch is to be served.
#[derive(Debug)]
pub struct Plan {
    /// The session id of the answer.
    pub id: i32,
    /// Whether unchanged partitions are left out of the answer.
    pub incremental: bool,
    /// The partitions to read, in their order.
    pub wants: Vec<(PartitionRef, Want)>,
}

/// The sessions of one shard.
#[derive(Debug)]
pub struct Sessions {
    sessions: BTreeMap<i32, Session>,
    count_max: usize,
}

impl Sessions {
    /// Makes an empty cache for at most `count_max` sessions.
    pub fn new(count_max: usize) -> Self {
        Self {
            sessions: BTreeMap::new(),
            count_max,
        }
    }

    /// Returns how many sessions there are.
    pub fn count(&self) -> usize {
        self.sessions.len()
    }

    /// Finds out what a fetch asks for.
    ///
    /// `id_candidate` is a random positive number: an id that another client cannot guess.
    /// *Errors*: the session-level code of the answer: 70 unknown session, 71 wrong epoch, 106 names
    /// and ids mixed.
    pub fn open(
        &mut self,
        opening: Opening,
        id_candidate: i32,
        now: Monotonic,
    ) -> Result<Plan, ErrorCode> {
        match opening.epoch {
            EPOCH_FINAL => {
                self.sessions.remove(&opening.id);
                Ok(Plan {
                    id: NO_SESSION,
                    incremental: false,
                    wants: opening.wants,
                })
            }
            EPOCH_INITIAL => {
                self.sessions.remove(&opening.id);
                let id = self.create(&opening, id_candidate, now);
                Ok(Plan {
                    id,
                    incremental: false,
                    wants: opening.wants,
                })
            }
            _ => self.go_on(opening, now),
        }
    }

    /// Takes note of what is answered for one partition; `false` if it may be left out.
    pub fn tell(&mut self, id: i32, partition: &PartitionRef, told: Told, has_news: bool) -> bool {
        let Some(session) = self.sessions.get_mut(&id) else {
            return true;
        };
        let Some(slot) = session.partitions.get_mut(partition) else {
            return true;
        };
        let changed = slot.told != Some(told);
        slot.told = Some(told);
        if has_news {
            session.turns.remove(&slot.turn);
            slot.turn = session.turn_next;
            session.turn_next += 1;
            session.turns.insert(slot.turn, partition.clone());
        }
        changed || has_news
    }

    /// Takes note that a partition was answered with an error: it is told anew when it is well.
    pub fn tell_error(&mut self, id: i32, partition: &PartitionRef) {
        let slot = self
            .sessions
            .get_mut(&id)
            .and_then(|s| s.partitions.get_mut(partition));
        if let Some(slot) = slot {
            slot.told = None;
        }
    }

    fn create(&mut self, opening: &Opening, id_candidate: i32, now: Monotonic) -> i32 {
        if id_candidate <= 0 || self.sessions.contains_key(&id_candidate) || !self.make_room(now) {
            return NO_SESSION;
        }
        let mut session = Session {
            epoch: 1,
            uses_ids: opening.uses_ids,
            used: now,
            partitions: BTreeMap::new(),
            turns: BTreeMap::new(),
            turn_next: 0,
        };
        for (partition, want) in &opening.wants {
            session.set(partition.clone(), *want);
        }
        self.sessions.insert(id_candidate, session);
        assert!(self.sessions.len() <= self.count_max, "invariant 3");
        id_candidate
    }

    fn make_room(&mut self, now: Monotonic) -> bool {
        if self.sessions.len() < self.count_max {
            return true;
        }
        let oldest = self.sessions.iter().min_by_key(|(_, session)| session.used);
        match oldest.map(|(&id, session)| (id, session.used)) {
            Some((id, used)) if now.since(used) >= EVICTABLE_AFTER => {
                self.sessions.remove(&id);
                true
            }
            _ => false,
        }
    }

    fn go_on(&mut self, opening: Opening, now: Monotonic) -> Result<Plan, ErrorCode> {
        let session = self
            .sessions
            .get_mut(&opening.id)
            .ok_or(ErrorCode::FetchSessionIdNotFound)?;
        if session.uses_ids != opening.uses_ids {
            return Err(ErrorCode::FetchSessionTopicIdError); // invariant 2
        }
        if session.epoch != opening.epoch {
            return Err(ErrorCode::InvalidFetchSessionEpoch);
        }
        session.epoch = session.epoch.checked_add(1).unwrap_or(1); // invariant 1
        session.used = now;
        for (partition, want) in opening.wants {
            session.set(partition, want);
        }
        for partition in &opening.forgotten {
            session.forget(partition);
        }
        let mut wants = Vec::with_capacity(session.turns.len());
        for partition in session.turns.values() {
            let slot = session
                .partitions
                .get(partition)
                .expect("a turn has its partition");
            wants.push((partition.clone(), slot.want));
        }
        Ok(Plan {
            id: opening.id,
            incremental: true,
            wants,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn want(fetch_offset: i64) -> Want {
        Want {
            fetch_offset,
            bytes_max: 1024,
            current_leader_epoch: -1,
            last_fetched_epoch: -1,
        }
    }

    fn named(partition: i32) -> PartitionRef {
        PartitionRef {
            topic: TopicRef::Name("t".to_owned()),
            partition,
        }
    }

    fn opening(id: i32, epoch: i32, wants: Vec<(PartitionRef, Want)>) -> Opening {
        Opening {
            id,
            epoch,
            uses_ids: false,
            wants,
            forgotten: Vec::new(),
        }
    }

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_start(Duration::from_secs(seconds))
    }

    #[test]
    fn a_session_remembers_and_leaves_out_what_did_not_change() {
        let mut sessions = Sessions::new(1);
        let wants = vec![(named(0), want(5)), (named(1), want(6))];
        let plan = sessions
            .open(opening(0, EPOCH_INITIAL, wants), 9, at(0))
            .unwrap();
        assert_eq!((plan.id, plan.incremental, plan.wants.len()), (9, false, 2));
        let told = Told {
            high_watermark: 5,
            log_start: 0,
        };
        assert!(
            sessions.tell(9, &named(0), told, false),
            "new to the client"
        );
        assert!(!sessions.tell(9, &named(0), told, false), "nothing changed");
        assert!(sessions.tell(9, &named(0), told, true), "records are news");
        sessions.tell_error(9, &named(0));
        assert!(
            sessions.tell(9, &named(0), told, false),
            "well again after an error"
        );

        let mut next = opening(9, 1, vec![(named(0), want(7))]);
        next.forgotten.push(named(1));
        let plan = sessions.open(next, 10, at(0)).unwrap();
        assert!(plan.incremental);
        assert_eq!(plan.wants, vec![(named(0), want(7))]);
    }

    #[test]
    fn a_partition_with_news_goes_to_the_end() {
        let mut sessions = Sessions::new(1);
        let wants = vec![(named(0), want(0)), (named(1), want(0))];
        sessions
            .open(opening(0, EPOCH_INITIAL, wants), 9, at(0))
            .unwrap();
        sessions.tell(9, &named(0), Told::default(), true);
        let plan = sessions.open(opening(9, 1, Vec::new()), 1, at(0)).unwrap();
        let order: Vec<i32> = plan.wants.iter().map(|(p, _)| p.partition).collect();
        assert_eq!(order, [1, 0]);
    }

    #[test]
    fn wrong_epochs_ids_and_names_are_refused() {
        let mut sessions = Sessions::new(1);
        sessions
            .open(opening(0, EPOCH_INITIAL, Vec::new()), 9, at(0))
            .unwrap();
        let error = |result: Result<Plan, ErrorCode>| result.unwrap_err();
        assert_eq!(
            error(sessions.open(opening(8, 1, Vec::new()), 1, at(0))),
            ErrorCode::FetchSessionIdNotFound
        );
        assert_eq!(
            error(sessions.open(opening(9, 2, Vec::new()), 1, at(0))),
            ErrorCode::InvalidFetchSessionEpoch
        );
        let by_id = Opening {
            uses_ids: true,
            ..opening(9, 1, Vec::new())
        };
        assert_eq!(
            error(sessions.open(by_id, 1, at(0))),
            ErrorCode::FetchSessionTopicIdError
        );
        assert!(
            sessions
                .open(opening(9, EPOCH_FINAL, Vec::new()), 1, at(0))
                .is_ok()
        );
        assert_eq!(sessions.count(), 0);
    }

    #[test]
    fn a_full_cache_answers_without_a_session_until_one_is_old() {
        let mut sessions = Sessions::new(1);
        let open = |sessions: &mut Sessions, candidate, time| {
            sessions
                .open(opening(0, EPOCH_INITIAL, Vec::new()), candidate, time)
                .unwrap()
                .id
        };
        assert_eq!(open(&mut sessions, 9, at(0)), 9);
        assert_eq!(open(&mut sessions, 10, at(1)), NO_SESSION);
        assert_eq!(open(&mut sessions, 10, at(200)), 10);
        assert_eq!(sessions.count(), 1);
    }
}
