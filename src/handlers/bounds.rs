//! Bounds of answers: by what there is, not by how often it is asked for.

use std::collections::{BTreeMap, BTreeSet};

/// How often one request may name something again and is answered again, as by Kafka. No client does.
const REPEATS_MAX: usize = 16;

/// How many texts one answer has about what it refuses; codes have all of them.
const TEXTS_MAX: usize = 1_000;

/// Drops what has the key of something before it.
pub(super) fn distinct<T, K: Ord>(mut named: Vec<T>, key: impl Fn(&T) -> K) -> Vec<T> {
    let mut seen = BTreeSet::new();
    named.retain(|one| seen.insert(key(one)));
    named
}

/// Drops what has the key of something before it, but for a few.
pub(super) fn seldom_repeated<T, K: Ord>(mut named: Vec<T>, key: impl Fn(&T) -> K) -> Vec<T> {
    let mut repeats = Allowance::for_repeats();
    let mut seen = BTreeSet::new();
    named.retain(|one| seen.insert(key(one)) || repeats.take());
    named
}

/// Drops partitions that a topic has above, in the same list or in another of that topic, but for a few.
pub(super) fn drop_repeated<'a, K: Ord>(
    topics: impl Iterator<Item = (K, &'a mut Vec<i32>)>,
    repeats: &mut Allowance,
) {
    let mut seen: BTreeMap<K, BTreeSet<i32>> = BTreeMap::new();
    for (topic, partitions) in topics {
        let seen = seen.entry(topic).or_default();
        partitions.retain(|&partition| seen.insert(partition) || repeats.take());
    }
}

/// What a request may still have of something.
pub(super) struct Allowance(usize);

impl Allowance {
    /// The repetitions that one request has.
    pub(super) fn for_repeats() -> Self {
        Self(REPEATS_MAX)
    }

    /// The texts that one answer has.
    pub(super) fn for_texts() -> Self {
        Self(TEXTS_MAX)
    }

    /// Takes one, if there is one left.
    pub(super) fn take(&mut self) -> bool {
        let left = self.0.checked_sub(1);
        self.0 = left.unwrap_or(0);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_those_with_one_key_stays() {
        let named = vec![(2, 'a'), (1, 'b'), (2, 'c'), (1, 'd'), (3, 'e')];
        let left = distinct(named, |&(key, _)| key);
        assert_eq!(left, [(2, 'a'), (1, 'b'), (3, 'e')]);
    }

    #[test]
    fn few_repetitions_stay() {
        let named = vec![7; 1_000];
        assert_eq!(seldom_repeated(named, |&key| key).len(), 1 + REPEATS_MAX);
        let named: Vec<i32> = (0..1_000).collect();
        assert_eq!(seldom_repeated(named.clone(), |&key| key), named);
    }

    #[test]
    fn few_repeated_partitions_stay() {
        let mut topics = [("a", vec![0; 1_000]), ("b", vec![0, 1]), ("a", vec![0, 1])];
        let lists = topics.iter_mut().map(|(topic, list)| (*topic, list));
        drop_repeated(lists, &mut Allowance::for_repeats());
        let [first, second, third] = topics.map(|(_, list)| list);
        assert_eq!(first.len(), 1 + REPEATS_MAX);
        assert_eq!((second, third), (vec![0, 1], vec![1]));
    }
}
