//! A group as a script knows it while it is made.

use crate::script::ADMIN_LINE;
use crate::tree::{Earlier, Tree};

/// A timeout that no run outlasts.
pub(super) const TIMEOUT_MS: i32 = 600_000;

/// A group as it should be between two steps of the walk: stable, or without members.
pub(super) struct Group {
    pub(super) name: String,
    /// All groups of a kind share it: consumers, or others, whose metadata nobody reads.
    pub(super) protocol_type: &'static str,
    pub(super) members: Vec<Member>,
    /// The leader's place among the members.
    pub(super) leader: usize,
}

/// A member.
#[derive(Clone)]
pub(super) struct Member {
    pub(super) line: usize,
    /// The step whose answer told its id and generation.
    pub(super) joined: usize,
    pub(super) instance: Option<String>,
    /// Makes its metadata its own.
    pub(super) number: usize,
}

impl Member {
    pub(super) fn id(&self) -> Tree {
        self.told("member_id")
    }

    pub(super) fn generation(&self) -> Tree {
        self.told("generation_id")
    }

    pub(super) fn told(&self, field: &str) -> Tree {
        Earlier {
            step: self.joined,
            path: field.to_owned(),
        }
        .into()
    }

    /// The lowest of the versions that can say the member's name of its own.
    pub(super) fn version_min(&self, with_instance: i16) -> i16 {
        if self.instance.is_some() {
            with_instance
        } else {
            0
        }
    }
}

impl Group {
    pub(super) fn new(index: usize, name: String) -> Self {
        Self {
            name,
            protocol_type: if index % 3 == 2 {
                "connect"
            } else {
                "consumer"
            },
            members: Vec::new(),
            leader: 0,
        }
    }

    /// A line on which no member of the group sits.
    pub(super) fn free_line(&self) -> Option<usize> {
        (0..ADMIN_LINE).find(|line| self.members.iter().all(|member| member.line != *line))
    }
}
