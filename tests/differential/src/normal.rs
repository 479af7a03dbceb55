//! What an answer says once everything is taken out that two right brokers may say differently.
//!
//! The table [`allowed::ALLOWED`] is the whole list. Besides, ids of the server's own making (topic ids, and
//! the UUIDs within member ids) are renamed by the place of their first appearance, so what matters
//! stays: which of them are the same.

use std::collections::BTreeMap;

use wire::api::ApiKey;

use crate::allowed::{self, Rule};
use crate::script::{NOBODYS_ID, RUN};
use crate::tree::{Tree, replace_bytes};

/// No time that a script gives to a record is later, and no clock is this slow.
const CLOCK_MIN_MS: i64 = 1_750_000_000_000;

/// The configs of topics and brokers that both brokers have.
const SHARED_CONFIGS: &[&str] = &[
    "cleanup.policy",
    "compression.type",
    "index.interval.bytes",
    "log.index.interval.bytes",
    "log.message.timestamp.type",
    "log.retention.bytes",
    "log.segment.bytes",
    "max.message.bytes",
    "message.max.bytes",
    "message.timestamp.after.max.ms",
    "message.timestamp.before.max.ms",
    "message.timestamp.type",
    "min.insync.replicas",
    "num.partitions",
    "retention.bytes",
    "retention.ms",
    "segment.bytes",
    "segment.ms",
];

/// The features that both brokers have.
const SHARED_FEATURES: &[&str] = &["metadata.version"];

/// Brings the answers of one run into the form in which they are compared.
#[derive(Debug)]
pub(crate) struct Normaliser {
    run: String,
    names: BTreeMap<String, String>,
    /// The step whose answer is being read, and how many names it gave.
    step: usize,
    named: usize,
}

impl Normaliser {
    /// Starts for the answers of a run with that name.
    pub(crate) fn new(run: &str) -> Self {
        Self {
            run: run.to_owned(),
            names: BTreeMap::new(),
            step: 0,
            named: 0,
        }
    }

    /// Returns what is to be compared. Called in the order of the steps: names are given here.
    pub(crate) fn normal(&mut self, step: usize, key: ApiKey, answer: &Tree) -> Tree {
        (self.step, self.named) = (step, 0);
        let unnamed = self.ruled(key, answer, "");
        unnamed.map(&mut |leaf| self.named(leaf))
    }

    /// Applies the rules; what is to be named still has the server's own value.
    fn ruled(&self, key: ApiKey, tree: &Tree, path: &str) -> Tree {
        let tree = match tree {
            Tree::Fields(fields) => {
                let fields = fields.iter().map(|(name, value)| {
                    let path = if path.is_empty() {
                        (*name).to_owned()
                    } else {
                        format!("{path}.{name}")
                    };
                    (*name, self.ruled(key, value, &path))
                });
                Tree::Fields(fields.collect())
            }
            Tree::List(elements) => Tree::List(
                elements
                    .iter()
                    .map(|element| self.ruled(key, element, path))
                    .collect(),
            ),
            Tree::Text(text) => Tree::Text(text.replace(&self.run, RUN)),
            Tree::Bytes(bytes) => Tree::Bytes(replace_bytes(bytes, &self.run, RUN)),
            leaf => leaf.clone(),
        };
        match allowed::rule(key, path) {
            None | Some(Rule::Instead(..)) => tree,
            Some(Rule::Ignored) => Tree::Symbol("any".to_owned()),
            Some(Rule::AnyText) => match tree {
                Tree::Text(_) => Tree::Symbol("text".to_owned()),
                other => other,
            },
            Some(Rule::Clock) => match tree {
                Tree::Int(time) if time > CLOCK_MIN_MS => Tree::Symbol("now".to_owned()),
                other => other,
            },
            Some(Rule::Named) => match tree {
                Tree::Int(-1) | Tree::Null => tree,
                Tree::Text(text) if text.is_empty() => Tree::Text(text),
                other => Tree::Symbol(format!("{} {other}", last_word(path))),
            },
            Some(Rule::AnyOrder) => self.sorted(tree, |_| true),
            Some(Rule::Ours) => self.sorted(tree, is_ours),
            Some(Rule::Shared) => self.sorted(tree, is_shared),
            Some(Rule::Without(names)) => without(tree, names),
        }
    }

    /// Sorts a list by what is known of its elements: names that they do not have yet do not count.
    fn sorted(&self, list: Tree, keep: impl Fn(&Tree) -> bool) -> Tree {
        let Tree::List(mut elements) = list else {
            return list;
        };
        elements.retain(keep);
        elements.sort_by_cached_key(|element| element.map(&mut |leaf| self.known(leaf)));
        Tree::List(elements)
    }

    fn known(&self, leaf: &Tree) -> Tree {
        match leaf {
            Tree::Uuid(id) if is_made(id) => self.known_name(&hex(id)),
            Tree::Symbol(own) => self.known_name(own),
            Tree::Text(text) => Tree::Text(replace_uuids(text, |uuid| {
                self.names.get(uuid).cloned().unwrap_or_default()
            })),
            other => other.clone(),
        }
    }

    fn known_name(&self, own: &str) -> Tree {
        Tree::Symbol(self.names.get(own).cloned().unwrap_or_default())
    }

    fn named(&mut self, leaf: &Tree) -> Tree {
        match leaf {
            Tree::Uuid(id) if is_made(id) => Tree::Symbol(self.name("id", &hex(id))),
            Tree::Symbol(own) if own.contains(' ') => {
                let kind = own.split(' ').next().unwrap_or_default();
                Tree::Symbol(self.name(kind, own))
            }
            Tree::Text(text) => Tree::Text(replace_uuids(text, |uuid| {
                let name = self.name("uuid", uuid);
                format!("<{name}>")
            })),
            other => other.clone(),
        }
    }

    /// Names a value for the step that told it first, so that one difference makes no others.
    fn name(&mut self, kind: &str, own: &str) -> String {
        if let Some(name) = self.names.get(own) {
            return name.clone();
        }
        self.named += 1;
        let name = format!("{kind} {} of step {}", self.named, self.step);
        self.names.insert(own.to_owned(), name.clone());
        name
    }
}

fn last_word(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or_default()
}

/// Leaves out what has one of these names.
fn without(list: Tree, names: &[&str]) -> Tree {
    let Tree::List(mut elements) = list else {
        return list;
    };
    let is_named = |element: &Tree| matches!(element.at("name"), Some(Tree::Text(name)) if names.contains(&name.as_str()));
    elements.retain(|element| !is_named(element));
    Tree::List(elements)
}

/// Whether one of an element's own fields has the run's name in it; an element with an error is
/// there because it was asked for.
fn is_ours(element: &Tree) -> bool {
    if element.int_at("error_code").is_some_and(|error| error != 0) {
        return true;
    }
    let Tree::Fields(fields) = element else {
        return true;
    };
    fields
        .iter()
        .any(|(_, value)| matches!(value, Tree::Text(text) if text.contains(RUN)))
}

/// Whether an element is a config, a feature or an API that riverrun has too.
fn is_shared(element: &Tree) -> bool {
    match (element.at("name"), element.int_at("api_key")) {
        (Some(Tree::Text(name)), _) => [SHARED_CONFIGS, SHARED_FEATURES]
            .iter()
            .any(|shared| shared.contains(&name.as_str())),
        (_, Some(key)) => i16::try_from(key).is_ok_and(|key| ApiKey::from_wire(key).is_some()),
        _ => true,
    }
}

/// Whether a broker made an id: it is not zero, nor one that a script invented.
fn is_made(id: &[u8; 16]) -> bool {
    *id != [0; 16] && id.get(2..) != NOBODYS_ID.get(2..)
}

fn hex(id: &[u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(*id))
}

/// Replaces every UUID in its text form, with dashes.
fn replace_uuids(text: &str, mut change: impl FnMut(&str) -> String) -> String {
    const LENGTH: usize = 36;
    let mut out = String::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let uuid = rest.get(..LENGTH).filter(|candidate| is_uuid(candidate));
        let length = if let Some(uuid) = uuid {
            out.push_str(&change(uuid));
            LENGTH
        } else {
            out.push(character);
            character.len_utf8()
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    out
}

fn is_uuid(text: &str) -> bool {
    text.bytes().enumerate().all(|(index, byte)| match index {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::body;

    fn joined(leader: &str, members: &[&str]) -> Tree {
        let members: Vec<Tree> = members.iter().map(|id| body! { member_id: *id }).collect();
        body! { throttle_time_ms: 3, leader: leader, members: members }
    }

    const A: &str = "c-11111111-2222-3333-4444-555555555555";
    const B: &str = "d-66666666-7777-8888-9999-aaaaaaaaaaaa";

    #[test]
    fn ids_are_named_by_their_first_appearance_whatever_they_are() {
        let (mut left, mut right) = (Normaliser::new("r00000"), Normaliser::new("r11111"));
        let one = left.normal(0, ApiKey::JoinGroup, &joined(A, &[A, B]));
        let x = "c-99999999-2222-3333-4444-555555555555";
        let other = right.normal(0, ApiKey::JoinGroup, &joined(x, &[B, x]));
        assert_eq!(one, other);
        // Another member leads: that is a difference.
        let third = Normaliser::new("r2").normal(0, ApiKey::JoinGroup, &joined(B, &[A, B]));
        assert_ne!(one, third);
    }

    #[test]
    fn the_name_of_the_run_is_the_same_for_all() {
        let answer = |run: &str| body! { groups: vec![body! { group_id: format!("{run}-g") }, body! { group_id: "other" }] };
        let left = Normaliser::new("r00000").normal(0, ApiKey::ListGroups, &answer("r00000"));
        let right = Normaliser::new("rfffff").normal(0, ApiKey::ListGroups, &answer("rfffff"));
        assert_eq!(left, right);
        assert_eq!(
            left,
            body! { groups: vec![body! { group_id: format!("{RUN}-g") }] }
        );
    }

    #[test]
    fn of_some_texts_only_their_presence_is_compared() {
        let normal = |message: Option<&str>| {
            Normaliser::new("r00000").normal(
                0,
                ApiKey::CreateAcls,
                &body! { documentation: message },
            )
        };
        assert_eq!(normal(Some("one")), normal(Some("two")));
        assert_ne!(normal(Some("one")), normal(None));
    }
}
