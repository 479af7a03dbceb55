//! Makes a script that shows a difference shorter.

use std::collections::BTreeSet;

/// Drops steps as long as `differs` still holds of what is left.
///
/// Halves are tried first, then ever smaller pieces, from the end to the beginning: what comes late
/// is most often needless.
pub(crate) fn shrink<E>(
    steps: Vec<usize>,
    mut differs: impl FnMut(&BTreeSet<usize>) -> Result<bool, E>,
) -> Result<Vec<usize>, E> {
    let mut kept = steps;
    let mut piece = kept.len().div_ceil(2);
    while piece > 0 {
        let mut end = kept.len();
        while end > 0 {
            let start = end.saturating_sub(piece);
            let indexes = start..end;
            let rest = kept
                .iter()
                .enumerate()
                .filter(|(index, _)| !indexes.contains(index));
            let rest: Vec<usize> = rest.map(|(_, step)| *step).collect();
            if differs(&rest.iter().copied().collect())? {
                kept = rest;
            }
            end = start;
        }
        piece /= 2;
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_steps_that_matter_are_kept() {
        let needed = [3, 17, 40];
        let mut tried = 0;
        let kept = shrink((0..64).collect(), |steps| {
            tried += 1;
            Ok::<_, ()>(needed.iter().all(|step| steps.contains(step)))
        });
        assert_eq!(kept, Ok(needed.to_vec()));
        assert!(tried < 100, "{tried} tries");
    }
}
