//! The parts of one request, sorted by the shard that owns them: one crossing per owner.

use types::ShardId;

/// The parts that one shard owns.
#[derive(Debug)]
pub(super) struct Group<T> {
    /// The shard.
    pub owner: ShardId,
    /// For each part, its place among all parts of the request.
    pub slots: Vec<usize>,
    /// The parts, in the request's order.
    pub parts: Vec<T>,
}

/// Parts by owner, owners in the order of their first part.
#[derive(Debug)]
pub(super) struct ByOwner<T> {
    groups: Vec<Group<T>>,
}

impl<T> ByOwner<T> {
    /// Makes an empty sorting.
    pub(super) fn new() -> Self {
        Self { groups: Vec::new() }
    }

    /// Adds the part at a place of the request.
    pub(super) fn push(&mut self, owner: ShardId, slot: usize, part: T) {
        // A node has few shards, and a request mostly one owner or two.
        if let Some(group) = self.groups.iter_mut().find(|group| group.owner == owner) {
            group.slots.push(slot);
            group.parts.push(part);
        } else {
            self.groups.push(Group {
                owner,
                slots: vec![slot],
                parts: vec![part],
            });
        }
    }

    /// Returns the groups.
    pub(super) fn groups(&self) -> &[Group<T>] {
        &self.groups
    }

    /// Takes the groups.
    pub(super) fn into_groups(self) -> Vec<Group<T>> {
        self.groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_keep_their_places_and_order() {
        let mut sorted = ByOwner::new();
        for (slot, owner) in [1, 0, 1].into_iter().enumerate() {
            sorted.push(ShardId(owner), slot, slot * 10);
        }
        let groups = sorted.into_groups();
        assert_eq!(groups.len(), 2);
        assert_eq!(
            (groups[0].owner, &groups[0].slots),
            (ShardId(1), &vec![0, 2])
        );
        assert_eq!(groups[0].parts, [0, 20]);
        assert_eq!((groups[1].owner, &groups[1].parts), (ShardId(0), &vec![10]));
    }
}
