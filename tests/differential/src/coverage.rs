//! Which versions of which APIs were compared: how often, and how often with a refusal.

use std::collections::BTreeMap;
use std::fmt;

use wire::api::{self, Api, ApiKey};

use crate::messages::Form;
use crate::tree::Tree;

/// What no script asks for: what a fetch answers depends on when it is asked.
const NEVER_ASKED: &[ApiKey] = &[ApiKey::Fetch];

/// How many answers were compared.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    answers: usize,
    /// How many of them told an error of anything.
    refusals: usize,
}

/// How many answers were compared, by API and version. Shown as a table with a line for each API.
#[derive(Debug, Default)]
pub(crate) struct Coverage {
    counts: BTreeMap<(ApiKey, i16), Count>,
}

impl Coverage {
    /// Counts an answer.
    pub(crate) fn add(&mut self, form: Form, answer: &Tree) {
        let count = self.counts.entry((form.key, form.version)).or_default();
        count.answers += 1;
        count.refusals += usize::from(tells_error(answer));
    }

    /// Returns what riverrun serves and was never compared.
    pub(crate) fn missing(&self) -> Vec<Form> {
        let served = asked().flat_map(|api| {
            versions(api).map(|version| Form {
                key: api.key,
                version,
            })
        });
        served
            .filter(|form| !self.counts.contains_key(&(form.key, form.version)))
            .collect()
    }

    fn of(&self, key: ApiKey, version: i16) -> Count {
        let count = self.counts.get(&(key, version));
        count.copied().unwrap_or_default()
    }
}

/// The APIs that scripts ask for.
pub(crate) fn asked() -> impl Iterator<Item = &'static Api> {
    api::table()
        .iter()
        .filter(|api| !NEVER_ASKED.contains(&api.key))
}

fn versions(api: &Api) -> impl Iterator<Item = i16> + use<> {
    api.served.min..=api.served.max
}

/// Returns whether an answer tells an error of anything.
fn tells_error(answer: &Tree) -> bool {
    match answer {
        Tree::Fields(fields) => fields.iter().any(|(name, value)| match value {
            Tree::Int(error) => *name == "error_code" && *error != 0,
            below => tells_error(below),
        }),
        Tree::List(elements) => elements.iter().any(tells_error),
        _ => false,
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [api, answers, refusals] = ["API", "answers", "refusals"];
        write!(
            f,
            "{api:<28} versions {answers:>8} {refusals:>8}  least often"
        )?;
        for api in asked() {
            let counts: Vec<(i16, Count)> = versions(api)
                .map(|version| (version, self.of(api.key, version)))
                .collect();
            let answers: usize = counts.iter().map(|(_, count)| count.answers).sum();
            let refusals: usize = counts.iter().map(|(_, count)| count.refusals).sum();
            let range = format!("{}..={}", api.served.min, api.served.max);
            write!(
                f,
                "\n{:<28} {range:<8} {answers:>8} {refusals:>8}",
                api.name
            )?;
            let least = counts.iter().min_by_key(|(_, count)| count.answers);
            if let Some((version, count)) = least {
                write!(f, "  {version}, {} times", count.answers)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::body;

    const HEARTBEAT: Form = Form {
        key: ApiKey::Heartbeat,
        version: 4,
    };

    #[test]
    fn what_was_compared_is_not_missing_and_all_else_is() {
        let mut coverage = Coverage::default();
        let all = coverage.missing();
        assert!(all.contains(&HEARTBEAT));
        coverage.add(HEARTBEAT, &body! { error_code: 0 });
        let left = coverage.missing();
        assert_eq!(left.len(), all.len() - 1);
        assert!(!left.contains(&HEARTBEAT));
    }

    #[test]
    fn refusals_are_counted_wherever_the_error_is_told() {
        let mut coverage = Coverage::default();
        coverage.add(HEARTBEAT, &body! { error_code: 0 });
        let member = body! { members: vec![body! { error_code: 25 }] };
        coverage.add(HEARTBEAT, &member);
        let table = coverage.to_string();
        let line = table.lines().find(|line| line.starts_with("Heartbeat"));
        let words: Vec<&str> = line.unwrap().split_whitespace().collect();
        assert_eq!(words, ["Heartbeat", "0..=4", "2", "1", "0,", "0", "times"]);
    }
}
