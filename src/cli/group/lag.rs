//! `riverrun group lag`: how far a group has read, and what is left.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use client::admin::{Committed, GroupMember, Place};
use client::blocking::{Admin, Cluster};
use serde_json::json;
use types::{Offset, OffsetRange};

use super::ages::ages;
use super::standing::{Standing, no_such_group};
use crate::cli::answer::Answer;
use crate::cli::duration;
use crate::cli::failure::Failure;
use crate::cli::offsets::all_log_ends;
use crate::cli::table::{Side, Table, or_dash};

/// What is known of one partition; `None` as far as it is not.
#[derive(Debug, Default)]
struct Row {
    committed: Option<Offset>,
    log: Option<OffsetRange>,
    member: Option<GroupMember>,
    age: Option<Duration>,
}

impl Row {
    /// Returns the first offset that the group has not read and the log still has.
    fn unread(&self) -> Option<Offset> {
        Some(self.committed?.max(self.log?.start))
    }

    /// Returns how many offsets are left to read: none of a log that has none, wherever the group is.
    fn lag(&self) -> Option<u64> {
        let log = self.log?;
        if log.start == log.end {
            return Some(0);
        }
        Some(log.end.since(self.unread()?).unwrap_or(0))
    }
}

/// Tells the lag of one group.
pub(super) fn lag(mut cluster: Cluster, name: &str) -> Result<Answer, Failure> {
    let standing = Standing::of(&mut cluster, name)?;
    standing.check_commits(name)?;
    let committed = Admin::new(&mut cluster).committed_offsets(name)?;
    if matches!(standing, Standing::Absent) && committed.is_empty() {
        return Err(no_such_group(name));
    }
    let mut rows: BTreeMap<Place, Row> = BTreeMap::new();
    for (place, result) in committed {
        let refused = |refusal| format!("{} partition {}: {refusal}", place.0, place.1);
        let Committed { offset, .. } = result.map_err(refused)?;
        rows.entry(place).or_default().committed = Some(offset);
    }
    for member in standing.members() {
        for place in member.partitions() {
            rows.entry(place).or_default().member = Some(member.clone());
        }
    }
    let places: Vec<Place> = rows.keys().cloned().collect();
    for (place, range) in all_log_ends(&mut cluster, &places)? {
        // A partition that is gone, or has no leader now, has no lag.
        rows.entry(place).or_default().log = range.ok();
    }
    let unread = rows.iter().filter(|(_, row)| row.lag() > Some(0));
    let unread = unread.filter_map(|(place, row)| Some((place.clone(), row.unread()?)));
    for (place, age) in ages(cluster, &unread.collect())? {
        rows.entry(place).or_default().age = Some(age);
    }
    Ok(answer(name, &standing, &rows)?)
}

fn answer(
    name: &str,
    standing: &Standing,
    rows: &BTreeMap<Place, Row>,
) -> Result<Answer, std::fmt::Error> {
    let state = standing.state();
    // Members whose parts are not told may read anything.
    let is_told = !rows.is_empty() || standing.is_idle();
    let total: Option<u64> = rows.values().map(Row::lag).sum();
    let total = total.filter(|_| is_told);
    let waiting = rows.values().map(seconds).collect::<Option<Vec<f64>>>();
    let waiting = waiting.filter(|_| is_told);
    let mut text = format!("{name}: {state}, {}", to_read(total, rows));
    let oldest = rows.values().filter_map(|row| row.age).max();
    if let Some(oldest) = oldest.filter(|_| waiting.is_some()) {
        write!(text, ", the oldest waits for {}", duration::written(oldest))?;
    }
    text.push('\n');
    let mut table = Table::new([
        ("topic", Side::Left),
        ("partition", Side::Right),
        ("committed", Side::Right),
        ("next offset", Side::Right),
        ("lag", Side::Right),
        ("waits for", Side::Right),
        ("client id", Side::Left),
    ]);
    let mut partitions = Vec::new();
    for ((topic, partition), row) in rows {
        let (start, end) = (row.log.map(|it| it.start), row.log.map(|it| it.end));
        let member = row.member.as_ref();
        partitions.push(json!({
            "topic": topic,
            "partition": partition,
            "committed": row.committed.map(Offset::get),
            "first_offset": start.map(Offset::get),
            "next_offset": end.map(Offset::get),
            "lag": row.lag(),
            "lag_seconds": seconds(row),
            "client_id": member.map(|member| &member.client_id),
            "member_id": member.map(|member| &member.id),
        }));
        table.row([
            topic.clone(),
            partition.to_string(),
            or_dash(row.committed),
            or_dash(end),
            or_dash(row.lag()),
            or_dash(row.age.map(duration::written)),
            or_dash(member.map(|member| &member.client_id)),
        ]);
    }
    if !rows.is_empty() {
        write!(text, "\n{table}")?;
    }
    let json = json!({
        "group": name,
        "state": state,
        "lag": total,
        "lag_seconds": waiting.and_then(|all| all.into_iter().reduce(f64::max)),
        "partitions": partitions,
    });
    Ok(Answer { text, json })
}

/// Says how much is left to read, and of how many partitions that is not known.
fn to_read(total: Option<u64>, rows: &BTreeMap<Place, Row>) -> String {
    let unknown = rows.values().filter(|row| row.lag().is_none()).count();
    match (total, unknown) {
        (Some(1), _) => "1 record to read".to_owned(),
        (Some(total), _) => format!("{total} records to read"),
        (None, 0) => "- records to read: which partitions it reads is not known".to_owned(),
        (None, _) => format!(
            "- records to read: the lag of {unknown} of {} partitions is not known",
            rows.len()
        ),
    }
}

/// Returns how long the first unread record waits; nothing to read waits for no time.
fn seconds(row: &Row) -> Option<f64> {
    match row.lag() {
        Some(0) => Some(0.0),
        _ => row.age.map(|age| age.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(offset: i64) -> Offset {
        Offset::new(offset).unwrap()
    }

    fn row(committed: i64, start: i64, end: i64) -> Row {
        Row {
            committed: Offset::new(committed),
            log: Some(OffsetRange {
                start: at(start),
                end: at(end),
            }),
            ..Row::default()
        }
    }

    #[test]
    fn lag_counts_what_the_log_still_has() {
        assert_eq!(row(15, 10, 20).lag(), Some(5));
        assert_eq!(row(20, 10, 20).lag(), Some(0));
        assert_eq!(row(3, 10, 20).lag(), Some(10), "the log begins behind it");
        assert_eq!(row(25, 10, 20).lag(), Some(0), "the log was cut short");
        assert_eq!(row(-1, 10, 20).lag(), None, "nothing is committed");
        assert_eq!(row(-1, 10, 10).lag(), Some(0), "there is nothing to read");
        let gone = Row {
            committed: Some(at(5)),
            ..Row::default()
        };
        assert_eq!(gone.lag(), None);
    }

    fn standing(state: &str) -> Standing {
        Standing::Other {
            state: state.into(),
            kind: "consumer".into(),
        }
    }

    #[test]
    fn a_total_is_told_only_if_all_of_it_is_known() {
        let place = |partition| ("t".to_owned(), partition);
        let waiting = Row {
            age: Some(Duration::from_secs(90)),
            ..row(15, 10, 20)
        };
        let rows = BTreeMap::from([(place(0), waiting), (place(1), row(-1, 0, 100))]);
        let told = answer("g", &standing("Stable"), &rows).unwrap();
        let want = "g: Stable, - records to read: the lag of 1 of 2 partitions is not known\n";
        assert!(told.text.starts_with(want), "{}", told.text);
        assert!(told.json["lag"].is_null() && told.json["lag_seconds"].is_null());
        assert_eq!(told.json["partitions"][0]["lag"], 5);
        assert!(told.json["partitions"][1]["lag"].is_null());

        let nothing = BTreeMap::new();
        let told = answer("g", &standing("Stable"), &nothing).unwrap();
        assert!(told.text.contains("which partitions"), "{}", told.text);
        assert!(told.json["lag"].is_null());
        let told = answer("g", &standing("Empty"), &nothing).unwrap();
        assert_eq!(told.json["lag"], 0);
    }

    #[test]
    fn the_group_waits_as_long_as_its_oldest_record() {
        let place = |partition| ("t".to_owned(), partition);
        let waiting = Row {
            age: Some(Duration::from_millis(90_500)),
            ..row(15, 10, 20)
        };
        let rows = BTreeMap::from([(place(0), waiting), (place(1), row(20, 0, 20))]);
        let told = answer("g", &standing("Empty"), &rows).unwrap();
        assert!(
            told.text
                .starts_with("g: Empty, 5 records to read, the oldest waits for 1m 30s\n"),
            "{}",
            told.text
        );
        assert_eq!(told.json["lag"], 5);
        assert_eq!(told.json["lag_seconds"], 90.5);
        assert_eq!(told.json["partitions"][1]["lag_seconds"], 0.0);
    }
}
