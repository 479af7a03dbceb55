//! What the coordinator promises, checked against all that clients and the log saw.
//!
//! 1. A token is answered once.
//! 2. An acknowledged offset is not lost, and does not give way to an older one.
//! 3. Within a generation a partition has one owner.
//! 4. Generations do not go back.
//! 5. Commits of an earlier generation are refused, and requests of a fenced member.
//! 6. Offsets of a group whose members are there stay.
//!
//! A group that was deleted and made anew counts as another one.

use std::collections::BTreeMap;

use coordinator::{Claim, GroupError, Record, Synced};

use crate::simulation::life::RETENTION_MS;

/// One commit of one partition.
#[derive(Clone, Debug)]
pub(crate) struct Commit {
    group: usize,
    partition: i32,
    /// Which commit it is; a duplicate has its original's.
    stamp: u64,
    sent_at: u64,
    answered: Option<(u64, bool)>,
    /// Whether its offset has expired since.
    expired: bool,
}

/// What is known of one group.
#[derive(Default)]
struct Seen {
    /// Counts deletions.
    life: u64,
    /// Whoever owns a partition in a generation.
    owners: BTreeMap<(u64, i32, i32), String>,
    /// The highest generation that was given out, and when.
    generations: Vec<(u64, i32)>,
    /// Which member had a static name last, and since when.
    holders: BTreeMap<String, Vec<(u64, String)>>,
    /// When a member was last told that all is well.
    active_at: Option<u64>,
    /// How many requests are under way that delete something.
    deletions: usize,
}

/// Everything that was seen so far.
pub(crate) struct Promises {
    groups: Vec<Seen>,
    commits: Vec<Commit>,
    synced_count: usize,
}

impl Promises {
    pub(crate) fn new(groups: usize) -> Self {
        let mut promises = Self {
            groups: Vec::new(),
            commits: Vec::new(),
            synced_count: 0,
        };
        promises.groups.resize_with(groups, Seen::default);
        promises
    }

    pub(crate) fn synced_count(&self) -> usize {
        self.synced_count
    }

    /// A commit was sent; returns its number.
    pub(crate) fn committing(
        &mut self,
        now: u64,
        group: usize,
        partition: i32,
        stamp: u64,
    ) -> usize {
        self.commits.push(Commit {
            group,
            partition,
            stamp,
            sent_at: now,
            answered: None,
            expired: false,
        });
        self.commits.len() - 1
    }

    /// A commit was answered.
    pub(crate) fn committed(
        &mut self,
        now: u64,
        number: usize,
        claim: &Claim,
        result: Result<(), GroupError>,
    ) {
        let commit = &mut self.commits[number];
        commit.answered = Some((now, result.is_ok()));
        if result.is_err() {
            return;
        }
        let (group, sent_at) = (commit.group, commit.sent_at);
        self.well(now, group, claim, sent_at);
        let newer = self.groups[group]
            .generations
            .iter()
            .any(|&(at, generation)| at < sent_at && generation > claim.generation);
        assert!(
            !newer,
            "a commit of generation {} was taken",
            claim.generation
        ); // promise 5
    }

    /// A member was told that all is well.
    pub(crate) fn well(&mut self, now: u64, group: usize, claim: &Claim, sent_at: u64) {
        let seen = &mut self.groups[group];
        seen.active_at = Some(now);
        if let Some(instance) = &claim.instance {
            let holders = seen.holders.get(instance.as_str());
            let before = holders.into_iter().flatten().rfind(|(at, _)| *at < sent_at);
            let is_fenced = before.is_some_and(|(_, holder)| holder != claim.member.as_str());
            assert!(!is_fenced, "{claim:?} is fenced and was served"); // promise 5
        }
    }

    /// A member got its assignment.
    pub(crate) fn synced(
        &mut self,
        now: u64,
        group: usize,
        claim: &Claim,
        sent_at: u64,
        synced: &Synced,
    ) {
        self.synced_count += 1;
        let seen = &mut self.groups[group];
        seen.active_at = Some(now);
        let name = claim
            .instance
            .as_ref()
            .map_or(claim.member.as_str(), |name| name.as_str());
        for &partition in synced.assignment.iter() {
            let place = (seen.life, claim.generation, i32::from(partition));
            let owner = seen.owners.entry(place).or_insert_with(|| name.to_owned());
            assert_eq!(owner, name, "{place:?} is owned twice"); // promise 3
        }
        let later = seen.generations.iter().filter(|(at, _)| *at < sent_at);
        let highest = later.map(|(_, generation)| *generation).max();
        assert!(
            highest.unwrap_or(0) <= claim.generation,
            "a generation went back"
        ); // promise 4
        seen.generations.push((now, claim.generation));
        if let Some(instance) = &claim.instance {
            let holders = seen
                .holders
                .entry(instance.as_str().to_owned())
                .or_default();
            if holders
                .last()
                .is_none_or(|(_, holder)| holder != claim.member.as_str())
            {
                holders.push((now, claim.member.as_str().to_owned()));
            }
        }
    }

    /// An offset was read that a fetch asked for at `sent_at`; `None`: there is none.
    pub(crate) fn fetched(&self, sent_at: u64, group: usize, partition: i32, stamp: Option<u64>) {
        let here = |commit: &&Commit| commit.group == group && commit.partition == partition;
        let read: Vec<&Commit> = self
            .commits
            .iter()
            .filter(here)
            .filter(|commit| Some(commit.stamp) == stamp)
            .collect();
        // Until when one of the commits that were read may have come to the log.
        let read_until = read
            .iter()
            .map(|commit| commit.answered.map_or(u64::MAX, |(at, _)| at))
            .max();
        let lost = self.commits.iter().filter(here).find(|commit| {
            let is_known = matches!(commit.answered, Some((at, true)) if at < sent_at);
            is_known && !commit.expired && read_until.is_none_or(|until| until < commit.sent_at)
        });
        assert!(lost.is_none(), "{lost:?} is lost, {read:?} is there"); // promise 2
        let refused = read.iter().all(|c| matches!(c.answered, Some((_, false))));
        assert!(read.is_empty() || !refused, "{read:?} was refused"); // promise 2
    }

    /// Somebody asks for something to be deleted.
    pub(crate) fn deletion_begins(&mut self, group: usize) {
        self.groups[group].deletions += 1;
    }

    pub(crate) fn deletion_ends(&mut self, group: usize) {
        self.groups[group].deletions -= 1;
    }

    /// The coordinator has crashed, and with it whatever was asked.
    pub(crate) fn deletions_end(&mut self) {
        self.groups.iter_mut().for_each(|group| group.deletions = 0);
    }

    /// A record became durable.
    pub(crate) fn logged(&mut self, now: u64, group: usize, record: &Record) {
        let seen = &mut self.groups[group];
        match record {
            Record::Group { value: None, .. } => {
                seen.life += 1;
                seen.generations.clear();
                seen.holders.clear();
            }
            Record::Offset {
                partition,
                value: None,
                ..
            } => {
                let idle_for = seen.active_at.map_or(u64::MAX, |at| now - at);
                let is_due = idle_for >= RETENTION_MS || seen.deletions > 0;
                assert!(is_due, "an offset in use expired"); // promise 6
                let expired = partition.get();
                let commits = self.commits.iter_mut();
                let here = |c: &&mut Commit| c.group == group && c.partition == expired;
                commits
                    .filter(here)
                    .for_each(|commit| commit.expired = true);
            }
            Record::Group { .. } | Record::Offset { .. } => {}
        }
    }
}
