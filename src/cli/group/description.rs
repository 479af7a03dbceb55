//! `riverrun group describe`: a group's state, and its members with their parts.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use client::admin::{GroupMember, Place};
use client::blocking::Cluster;
use serde_json::json;

use super::standing::{Standing, host, no_such_group};
use crate::cli::answer::Answer;
use crate::cli::failure::Failure;
use crate::cli::table::{Side, Table, or_dash};

/// Describes one group.
pub(super) fn describe(cluster: &mut Cluster, name: &str) -> Result<Answer, Failure> {
    let group = match Standing::of(cluster, name)? {
        Standing::Absent => return Err(no_such_group(name)),
        Standing::Other { state, kind } => {
            return Ok(Answer {
                text: format!("{name}: {state}, of type {kind}, which does not tell its members\n"),
                json: json!({ "group": name, "state": state, "type": kind, "members": null }),
            });
        }
        Standing::Classic(group) => group,
    };
    let count = group.members.len();
    let plural = if count == 1 { "" } else { "s" };
    let mut text = format!("{name}: {}, {count} member{plural}", group.state);
    if !group.protocol.is_empty() {
        write!(text, ", protocol {}", group.protocol)?;
    }
    text.push('\n');
    let mut members: Vec<&GroupMember> = group.members.iter().collect();
    members.sort_by_key(|member| (&member.client_id, &member.id));
    if !members.is_empty() {
        write!(text, "\n{}", table(&members))?;
    }
    let member = |member: &&GroupMember| {
        let place = |(topic, partition)| json!({ "topic": topic, "partition": partition });
        json!({
            "id": member.id,
            "instance_id": member.instance_id,
            "client_id": member.client_id,
            "host": host(member),
            "partitions": member.partitions().into_iter().map(place).collect::<Vec<_>>(),
        })
    };
    let json = json!({
        "group": name,
        "state": group.state,
        "type": "classic",
        "protocol_type": group.protocol_type,
        "protocol": group.protocol,
        "members": members.iter().map(member).collect::<Vec<_>>(),
    });
    Ok(Answer { text, json })
}

fn table(members: &[&GroupMember]) -> Table<5> {
    let mut table = Table::new([
        ("client id", Side::Left),
        ("host", Side::Left),
        ("static name", Side::Left),
        ("member id", Side::Left),
        ("reads", Side::Left),
    ]);
    for member in members {
        let parts = listed(member.partitions());
        table.row([
            member.client_id.clone(),
            host(member).to_owned(),
            or_dash(member.instance_id.as_ref()),
            member.id.clone(),
            or_dash(Some(parts).filter(|parts| !parts.is_empty())),
        ]);
    }
    table
}

/// Writes partitions by topic, neighbours as a range: `t:0-2,5 u:1`.
fn listed(places: Vec<Place>) -> String {
    let mut topics: BTreeMap<String, Vec<i32>> = BTreeMap::new();
    for (topic, partition) in places {
        topics.entry(topic).or_default().push(partition);
    }
    let topic = |(topic, mut partitions): (String, Vec<i32>)| {
        partitions.sort_unstable();
        let runs = partitions.chunk_by(|one, next| next.checked_sub(*one) == Some(1));
        let run = |run: &[i32]| match run {
            [first, .., last] => format!("{first}-{last}"),
            one => one.iter().map(ToString::to_string).collect(),
        };
        format!("{topic}:{}", runs.map(run).collect::<Vec<_>>().join(","))
    };
    topics.into_iter().map(topic).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_listed_by_topic_and_in_ranges() {
        let places = [("u", 1), ("t", 5), ("t", 2), ("t", 0), ("t", 1)];
        let places = places.map(|(topic, partition)| (topic.to_owned(), partition));
        assert_eq!(listed(places.to_vec()), "t:0-2,5 u:1");
        assert_eq!(listed(Vec::new()), "");
    }
}
