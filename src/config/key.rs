//! A row of the table of keys, and finding the row that somebody meant.

use controller::ConfigRefusal;

use super::kind::{Kind, Unit, Value};

/// One configuration key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name, words joined by dots.
    pub name: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// What its number counts.
    pub unit: Unit,
    /// Its value if nobody sets it; `None`: it has no value then.
    pub default: Option<&'static str>,
    /// What it does, in sentences.
    pub doc: &'static str,
}

/// No key has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no configuration key {name:?}{}", did_you_mean(*.nearest))]
pub struct UnknownKey {
    /// What was asked for.
    pub name: String,
    /// The key that is spelt most alike, if one is close.
    pub nearest: Option<&'static str>,
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean {name}?"))
}

impl Key {
    /// Checks a value for this key.
    pub fn parse(&self, text: &str) -> Result<Value, ConfigRefusal> {
        self.kind.parse(text)
    }

    /// Returns the checked default.
    ///
    /// *Panics*: if the table's default is not one of its own kind, which a test rules out.
    pub(crate) fn default_value(&self) -> Option<Value> {
        let value = |text| self.parse(text).expect("a default is of its key's kind");
        self.default.map(value)
    }
}

/// Returns the name that is spelt most like `wanted`: at most a third of it differs.
pub(crate) fn nearest(
    wanted: &str,
    names: impl Iterator<Item = &'static str>,
) -> Option<&'static str> {
    /// Longer texts are not names, and comparing costs the product of the lengths.
    const LENGTH_MAX: usize = 64;
    if wanted.len() > LENGTH_MAX {
        return None;
    }
    let close = (wanted.len() / 3).max(2);
    names
        .map(|name| (distance(wanted, name), name))
        .filter(|&(distance, _)| distance <= close)
        .min()
        .map(|(_, name)| name)
}

/// Counts the letters to insert, remove or replace to get from one text to the other.
///
/// *Source*: Levenshtein's distance, by rows.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, a) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, &b) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_letters() {
        for (left, right, want) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("listen", "listen", 0),
        ] {
            assert_eq!(distance(left, right), want);
            assert_eq!(distance(right, left), want);
        }
    }

    #[test]
    fn the_nearest_name_is_near() {
        let names = || ["listen", "log.retention.ms", "log.retention.bytes"].into_iter();
        assert_eq!(nearest("listne", names()), Some("listen"));
        assert_eq!(nearest("listeners", names()), Some("listen"));
        assert_eq!(nearest("log.retention", names()), Some("log.retention.ms"));
        assert_eq!(nearest("zookeeper.connect", names()), None);
        assert_eq!(nearest(&"l".repeat(65), names()), None);
    }
}
