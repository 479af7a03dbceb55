//! How far groups have read: committed, asked for, forgotten; by members and by those that are none.

use wire::api::ApiKey;

use super::group::Member;
use super::maker::{Generator, kept_topic};
use crate::script::ADMIN_LINE;
use crate::script::RUN;
use crate::tree::{Earlier, Tree, body};

/// An offset that is not refused. Who commits without a generation, whatever member it names, makes
/// the group; if every offset is refused, Kafka remembers that group until it restarts.
fn kept_offset() -> Tree {
    let path = "topics.0.topic_id".to_owned();
    let id = Earlier { step: 0, path };
    let partition = body! { partition_index: 0, committed_offset: 1 };
    body! { name: kept_topic(), topic_id: id, partitions: vec![partition] }
}

/// Who commits: generation, member, name of its own.
struct Committer {
    line: usize,
    group: String,
    generation: Tree,
    member: Tree,
    instance: Option<String>,
}

impl Generator {
    /// One step of the walk through offsets.
    pub(super) fn offset_step(&mut self) {
        match self.chance.below(8) {
            0..=2 => self.commit(),
            3..=5 => self.fetch_offsets(),
            6 => self.delete_offsets(),
            _ => {
                let index = self.chance.below(self.groups.len());
                if let Some(member) = self.speaker(index) {
                    self.commit_as(index, &member);
                }
            }
        }
    }

    /// A member commits, and says nothing wrong of itself.
    pub(super) fn commit_as(&mut self, index: usize, member: &Member) {
        let committer = Committer {
            line: member.line,
            group: self.groups[index].name.clone(),
            generation: member.generation(),
            member: member.id(),
            instance: member.instance.clone(),
        };
        self.commit_by(committer);
    }

    /// Someone commits who may be wrong about anything.
    fn commit(&mut self) {
        let index = self.chance.below(self.groups.len());
        let mut committer = Committer {
            line: ADMIN_LINE,
            group: self.groups[index].name.clone(),
            generation: Tree::Int(-1),
            member: "".into(),
            instance: None,
        };
        match self.chance.below(8) {
            0 => committer.group = self.any_group(),
            1 => committer.member = "nobody".into(),
            2 => committer.generation = self.chance.of(&[0, 1, 9999, -2]).into(),
            3 => committer.instance = Some(format!("{RUN}-no-instance")),
            4 => {
                if let Some(member) = self.speaker(index) {
                    committer.generation = self.chance.of(&[-1, 0, 9999]).into();
                    committer.member = member.id();
                }
            }
            5 => {
                if let Some(member) = self.speaker(index) {
                    committer.generation = member.generation();
                    committer.instance = member.instance;
                    committer.member = "nobody".into();
                }
            }
            _ => committer.group = format!("{RUN}-simple"),
        }
        self.commit_by(committer);
    }

    fn commit_by(&mut self, committer: Committer) {
        let versions = if committer.instance.is_some() {
            (7, 10)
        } else {
            (2, 10)
        };
        let mut topics = self.committed_topics();
        if matches!(committer.generation, Tree::Int(..0)) {
            topics.push(kept_offset());
        }
        let body = body! {
            group_id: committer.group,
            generation_id_or_member_epoch: committer.generation,
            member_id: committer.member,
            group_instance_id: committer.instance,
            topics: topics,
        };
        self.send_within(committer.line, ApiKey::OffsetCommit, versions, body);
    }

    fn committed_topics(&mut self) -> Vec<Tree> {
        let mut topics = Vec::new();
        for (name, indexes) in self.any_topics() {
            let id = self.id_of(&name);
            let partitions = indexes
                .into_iter()
                .map(|index| self.committed_partition(index));
            let partitions: Vec<Tree> = partitions.collect();
            topics.push(body! { name: name, topic_id: id, partitions: partitions });
        }
        topics
    }

    fn committed_partition(&mut self, index: i32) -> Tree {
        let offset = self.chance.of(&[0, 1, 5, 42, 42, i64::MAX, -1, -5]);
        let epoch = self.chance.of(&[-1, -1, 0, 3]);
        let metadata = match self.chance.below(8) {
            0 => Some("m".repeat(4096)),
            1 => Some("m".repeat(4097)),
            2 => None,
            3 => Some(String::new()),
            _ => Some(format!("note {}", self.fresh())),
        };
        body! {
            partition_index: index, committed_offset: offset, committed_leader_epoch: epoch,
            committed_metadata: metadata,
        }
    }

    /// A group to ask about, which may be one that has no members.
    fn asked_group(&mut self) -> String {
        if self.chance.once_in(4) {
            format!("{RUN}-simple")
        } else {
            self.any_group()
        }
    }

    fn fetch_offsets(&mut self) {
        let group = self.asked_group();
        let topics = self.asked_topics(false);
        let count = self.chance.of(&[0, 1, 1, 2, 3]);
        let asked = |generator: &mut Self| {
            let (group, topics) = (generator.asked_group(), generator.asked_topics(true));
            let member = generator.chance.of(&[None, None, Some("nobody"), Some("")]);
            let epoch = generator.chance.of(&[-1, -1, 0, 1]);
            body! { group_id: group, member_id: member, member_epoch: epoch, topics: topics }
        };
        let groups: Vec<Tree> = (0..count).map(|_| asked(self)).collect();
        let stable = self.chance.once_in(2);
        let body =
            body! { group_id: group, topics: topics, groups: groups, require_stable: stable };
        self.ask(ApiKey::OffsetFetch, body);
    }

    /// Topics whose offsets are asked for; null for all. In requests about many groups, topics also
    /// have ids.
    fn asked_topics(&mut self, with_ids: bool) -> Tree {
        if self.chance.once_in(3) {
            return Tree::Null;
        }
        let mut topics = Vec::new();
        for (name, partitions) in self.any_topics() {
            let id = self.id_of(&name);
            let mut topic = vec![
                ("name", name.into()),
                ("partition_indexes", partitions.into()),
            ];
            if with_ids {
                topic.push(("topic_id", id));
            }
            topics.push(Tree::Fields(topic));
        }
        Tree::List(topics)
    }

    fn delete_offsets(&mut self) {
        let group = self.asked_group();
        let topic = |(name, indexes): (String, Vec<i32>)| {
            let partition = |index: i32| body! { partition_index: index };
            let partitions: Vec<Tree> = indexes.into_iter().map(partition).collect();
            body! { name: name, partitions: partitions }
        };
        let topics: Vec<Tree> = self.any_topics().into_iter().map(topic).collect();
        self.ask(
            ApiKey::OffsetDelete,
            body! { group_id: group, topics: topics },
        );
    }
}
