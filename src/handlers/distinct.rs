//! What a request names twice is answered once: an answer is bounded by what there is, not by how often
//! it is asked for.

use std::collections::BTreeSet;

/// Drops what has the key of something before it.
pub(super) fn distinct<T, K: Ord>(mut named: Vec<T>, key: impl Fn(&T) -> K) -> Vec<T> {
    let mut seen = BTreeSet::new();
    named.retain(|one| seen.insert(key(one)));
    named
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
}
