//! One member as it runs.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::record::MemberMetadata;
use crate::request::{Join, Protocol, Token};
use crate::response::JoinedMember;
use crate::text::{Blob, InstanceId, MemberId, Text};

/// What a member and each of its protocols take beside their texts and bytes.
const OVERHEAD: usize = 64;

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) instance: Option<InstanceId>,
    pub(crate) client_id: Text,
    pub(crate) client_host: Text,
    pub(crate) session_timeout_ms: i32,
    pub(crate) rebalance_timeout_ms: i32,
    pub(crate) protocols: Vec<Protocol>,
    pub(crate) assignment: Blob,
    /// Its JoinGroup, which waits for the others.
    pub(crate) joining: Option<Token>,
    /// Its SyncGroup, which waits for the leader's.
    pub(crate) syncing: Option<Token>,
    /// Whether it waits to become part of its first generation.
    pub(crate) is_new: bool,
}

impl Member {
    pub(crate) fn new(join: &Join) -> Self {
        Self {
            instance: join.instance.clone(),
            client_id: join.client_id.clone(),
            client_host: join.client_host.clone(),
            session_timeout_ms: join.session_timeout_ms,
            rebalance_timeout_ms: join.rebalance_timeout_ms,
            protocols: distinct(&join.protocols),
            assignment: Blob::default(),
            joining: None,
            syncing: None,
            is_new: true,
        }
    }

    /// Makes a member of a generation that was logged; `protocol` is the one that was chosen.
    pub(crate) fn logged(stored: &MemberMetadata, protocol: &Text) -> Self {
        Self {
            instance: stored.instance.clone(),
            client_id: stored.client_id.clone(),
            client_host: stored.client_host.clone(),
            session_timeout_ms: stored.session_timeout_ms,
            rebalance_timeout_ms: stored.rebalance_timeout_ms,
            protocols: vec![Protocol {
                name: protocol.clone(),
                metadata: stored.subscription.clone(),
            }],
            assignment: stored.assignment.clone(),
            joining: None,
            syncing: None,
            is_new: false,
        }
    }

    /// Takes over what a member says in joining again.
    pub(crate) fn update(&mut self, join: &Join) {
        self.protocols = distinct(&join.protocols);
        self.rebalance_timeout_ms = join.rebalance_timeout_ms;
        self.session_timeout_ms = join.session_timeout_ms;
    }

    /// Returns whether a member that joins again says what it said before.
    pub(crate) fn says_the_same(&self, join: &Join) -> bool {
        self.protocols == distinct(&join.protocols)
    }

    /// Returns whether the member need not send heartbeats now.
    pub(crate) fn is_parked(&self) -> bool {
        // A new member can expire while it waits: it may have gone, and does not know its id yet.
        !self.is_new && (self.joining.is_some() || self.syncing.is_some())
    }

    /// Returns what the member says to a protocol; nothing if it does not support it.
    pub(crate) fn metadata(&self, protocol: &Text) -> Blob {
        let found = self.protocols.iter().find(|known| known.name == *protocol);
        found
            .map(|found| found.metadata.clone())
            .unwrap_or_default()
    }

    /// Returns the member as its leader sees it.
    pub(crate) fn as_joined(&self, id: &MemberId, protocol: &Text) -> JoinedMember {
        JoinedMember {
            member: id.clone(),
            instance: self.instance.clone(),
            metadata: self.metadata(protocol),
        }
    }

    /// Returns how much memory the member takes, roughly, but for its assignment.
    pub(crate) fn size_bytes(&self, id: &MemberId) -> usize {
        let instance = self.instance.as_ref().map_or("", InstanceId::as_str);
        let texts = [
            id.as_str(),
            instance,
            self.client_id.as_str(),
            self.client_host.as_str(),
        ];
        let protocols = self.protocols.iter();
        let said = protocols.map(|p| OVERHEAD + p.name.as_str().len() + p.metadata.len());
        OVERHEAD + texts.map(str::len).iter().sum::<usize>() + said.sum::<usize>()
    }
}

/// Keeps the first protocol of each name.
fn distinct(protocols: &[Protocol]) -> Vec<Protocol> {
    let mut names = BTreeSet::new();
    let first = protocols.iter().filter(|p| names.insert(&p.name));
    first.cloned().collect()
}

/// Returns how much memory somebody takes that was given an id, roughly.
pub(crate) fn pending_size_bytes(id: &MemberId) -> usize {
    OVERHEAD + id.as_str().len()
}

/// Turns a client's timeout into a duration; a negative one is none.
pub(crate) fn milliseconds(timeout_ms: i32) -> Duration {
    Duration::from_millis(u64::try_from(timeout_ms).unwrap_or(0))
}
