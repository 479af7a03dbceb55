//! The lives that failed once: `seeds.txt`, which every campaign lives first.

use crate::life::Life;

const SEEDS: &str = include_str!("../seeds.txt");

/// Returns the lives of the file.
///
/// *Panics*: if a line is not `kind seed`, with an optional comment behind `#`.
pub(crate) fn failed_once() -> Vec<Life> {
    SEEDS.lines().filter_map(parse).collect()
}

fn parse(text: &str) -> Option<Life> {
    let text = text.split('#').next().unwrap_or_default().trim();
    if text.is_empty() {
        return None;
    }
    let life = text.split_once(' ').and_then(|(kind, seed)| {
        Some(Life {
            kind: kind.parse().ok()?,
            seed: seed.trim().parse().ok()?,
        })
    });
    Some(life.expect("a line of seeds.txt is `node SEED` or `storage SEED`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::life::Kind;

    #[test]
    fn the_file_can_be_read() {
        for life in failed_once() {
            assert!(Kind::ALL.contains(&life.kind));
        }
    }

    #[test]
    fn a_line_names_a_life_and_may_say_why() {
        let life = parse("storage 17 # what it was").unwrap();
        assert_eq!(life.to_string(), "storage 17");
        assert_eq!(parse("# a comment"), None);
    }
}
