//! Topics, partitions and configs stay as they were acknowledged, until something else is asked for.

use std::collections::{BTreeMap, BTreeSet};

use types::TopicId;

use crate::history::{Event, History, Mark};

/// What is known of one topic.
#[derive(Debug, Default)]
struct Topic {
    created: Option<Mark>,
    deletion_asked: bool,
    deleted: Option<Mark>,
    /// Acknowledged partition counts, in order, and the largest that was asked for.
    partitions: Vec<(Mark, i32)>,
    partitions_asked: i32,
    configs: BTreeMap<&'static str, Config>,
}

/// The values of one config, in the order in which they were set by its one owner.
#[derive(Debug, Default)]
struct Config {
    acknowledged: Vec<(Mark, String)>,
    /// Every value that was asked for.
    asked: Vec<(Mark, String)>,
}

pub(super) fn check(history: &History) -> Vec<String> {
    let mut topics: BTreeMap<TopicId, Topic> = BTreeMap::new();
    let mut violations = Vec::new();
    for (now, event) in history.events() {
        match event {
            Event::TopicsSeen {
                asked,
                topics: seen,
            } => violations.extend(judge_topics(&topics, *asked, seen)),
            Event::ConfigSeen {
                topic,
                asked,
                key,
                value,
            } => {
                let config = topics.get(topic).and_then(|topic| topic.configs.get(key));
                if let Some(problem) = config.and_then(|it| it.judge(*asked, value.as_deref())) {
                    violations.push(format!("config {key} of topic {topic}: {problem}"));
                }
            }
            _ => learn(&mut topics, now, event),
        }
    }
    violations
}

/// Takes note of what was asked for and acknowledged.
fn learn(topics: &mut BTreeMap<TopicId, Topic>, now: Mark, event: &Event) {
    match event {
        Event::TopicCreated {
            topic, partitions, ..
        } => {
            let entry = topics.entry(*topic).or_default();
            entry.created.get_or_insert(now);
            entry.partitions.push((now, *partitions));
            entry.partitions_asked = entry.partitions_asked.max(*partitions);
        }
        Event::PartitionsAsked { topic, count } => {
            let entry = topics.entry(*topic).or_default();
            entry.partitions_asked = entry.partitions_asked.max(*count);
        }
        Event::PartitionsGrown { topic, count } => {
            topics
                .entry(*topic)
                .or_default()
                .partitions
                .push((now, *count));
        }
        Event::TopicDeletionAsked { topic } => {
            topics.entry(*topic).or_default().deletion_asked = true;
        }
        Event::TopicDeleted { topic } => {
            topics.entry(*topic).or_default().deleted.get_or_insert(now);
        }
        Event::ConfigAsked { topic, key, value } => {
            let configs = &mut topics.entry(*topic).or_default().configs;
            configs
                .entry(key)
                .or_default()
                .asked
                .push((now, value.clone()));
        }
        Event::ConfigChanged { topic, key, value } => {
            let configs = &mut topics.entry(*topic).or_default().configs;
            configs
                .entry(key)
                .or_default()
                .acknowledged
                .push((now, value.clone()));
        }
        _ => {}
    }
}

fn judge_topics(
    topics: &BTreeMap<TopicId, Topic>,
    asked: Mark,
    seen: &[(TopicId, i32)],
) -> Vec<String> {
    let mut violations = Vec::new();
    let present: BTreeSet<TopicId> = seen.iter().map(|(topic, _)| *topic).collect();
    for (id, topic) in topics {
        let is_due = topic.created.is_some_and(|at| at < asked) && !topic.deletion_asked;
        if is_due && !present.contains(id) {
            violations.push(format!("topic {id} is gone"));
        }
        if topic.deleted.is_some_and(|at| at < asked) && present.contains(id) {
            violations.push(format!("topic {id} is back after its deletion"));
        }
    }
    for (id, count) in seen {
        let Some(topic) = topics.get(id) else {
            continue;
        };
        let before = topic.partitions.iter().filter(|(at, _)| *at < asked);
        let least = before.map(|(_, count)| *count).max().unwrap_or(0);
        if *count < least || *count > topic.partitions_asked {
            violations.push(format!(
                "topic {id} has {count} partitions, {least} were promised"
            ));
        }
    }
    violations
}

impl Config {
    /// The value is the last one that was acknowledged, or one that was asked for since.
    fn judge(&self, asked: Mark, value: Option<&str>) -> Option<String> {
        let (at, settled) = self.acknowledged.iter().rfind(|(at, _)| *at < asked)?;
        // The change that was acknowledged was asked for before; what came later may count too.
        let later = self.asked.iter().filter(|(when, _)| when > at);
        let mut allowed = later.map(|(_, value)| value).chain([settled]);
        (!allowed.any(|allowed| Some(allowed.as_str()) == value))
            .then(|| format!("{value:?} where {settled:?} was acknowledged"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::*;
    use super::*;
    use crate::history::Durability;

    fn topics_seen(asked: usize, topics: &[(TopicId, i32)]) -> Event {
        Event::TopicsSeen {
            asked: Mark(asked),
            topics: topics.to_vec(),
        }
    }

    fn set(value: &str) -> [Event; 2] {
        let (topic, key) = (TOPIC, "retention.ms");
        let (asked, changed) = (value.to_owned(), value.to_owned());
        [
            Event::ConfigAsked {
                topic,
                key,
                value: asked,
            },
            Event::ConfigChanged {
                topic,
                key,
                value: changed,
            },
        ]
    }

    fn config_seen(asked: usize, value: Option<&str>) -> Event {
        Event::ConfigSeen {
            topic: TOPIC,
            asked: Mark(asked),
            key: "retention.ms",
            value: value.map(str::to_owned),
        }
    }

    #[test]
    fn a_topic_that_is_gone_is_found() {
        let events = vec![created(Durability::Group), topics_seen(1, &[])];
        assert_eq!(check(&events.into()).len(), 1);
        let events = vec![created(Durability::Group), topics_seen(0, &[])];
        assert_eq!(check(&events.into()), [] as [String; 0], "asked before");
    }

    #[test]
    fn a_deleted_topic_that_is_back_is_found() {
        let mut events = vec![
            created(Durability::Group),
            Event::TopicDeletionAsked { topic: TOPIC },
            topics_seen(2, &[(TOPIC, 1)]),
            Event::TopicDeleted { topic: TOPIC },
            topics_seen(4, &[]),
        ];
        assert_eq!(check(&events.clone().into()), [] as [String; 0]);
        events.push(topics_seen(5, &[(TOPIC, 1)]));
        assert_eq!(check(&events.into()).len(), 1);
    }

    #[test]
    fn partitions_that_are_gone_are_found() {
        let mut events = vec![
            created(Durability::Group),
            Event::PartitionsAsked {
                topic: TOPIC,
                count: 3,
            },
            topics_seen(2, &[(TOPIC, 1)]),
            topics_seen(2, &[(TOPIC, 3)]),
            Event::PartitionsGrown {
                topic: TOPIC,
                count: 3,
            },
        ];
        assert_eq!(check(&events.clone().into()), [] as [String; 0]);
        events.push(topics_seen(5, &[(TOPIC, 1)]));
        events.push(topics_seen(5, &[(TOPIC, 4)]));
        assert_eq!(check(&events.into()).len(), 2);
    }

    #[test]
    fn a_config_that_falls_back_is_found() {
        let mut events = vec![created(Durability::Group)];
        events.extend(set("1"));
        events.extend(set("2"));
        events.push(config_seen(5, Some("2")));
        assert_eq!(check(&events.clone().into()), [] as [String; 0]);
        events.push(config_seen(5, Some("1")));
        events.push(config_seen(5, None));
        assert_eq!(check(&events.into()).len(), 2);
    }

    #[test]
    fn a_config_that_was_asked_for_and_not_answered_may_be_either() {
        let mut events = vec![created(Durability::Group)];
        events.extend(set("1"));
        let [asked, _] = set("2");
        events.extend([asked, config_seen(4, Some("1")), config_seen(4, Some("2"))]);
        assert_eq!(check(&events.into()), [] as [String; 0]);
    }
}
