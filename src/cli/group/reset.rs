//! `riverrun group reset`: what a group has committed is moved, or shown as it would be.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use client::admin::{Committed, OffsetQuery, Place, PlaceResults};
use client::blocking::{Admin, Cluster, wall_clock};
use serde_json::json;
use types::{Offset, TimestampMs};

use super::plan::{Lie, Move, Target};
use super::standing::Standing;
use crate::cli::answer::Answer;
use crate::cli::args::{Reset, ResetTarget, TopicPart};
use crate::cli::connect::missing;
use crate::cli::failure::Failure;
use crate::cli::offsets::{all_log_ends, offsets, places_of, unknown};
use crate::cli::table::{Side, Table, or_dash};

/// Resets one group, if that is asked for; says what changes in any case.
pub(super) fn reset(cluster: &mut Cluster, args: &Reset) -> Result<Answer, Failure> {
    let name = args.name.as_str();
    let standing = Standing::of(cluster, name)?;
    standing.check_commits(name)?;
    standing.check_idle(name)?;
    let committed = Admin::new(cluster).committed_offsets(name)?;
    let places = if args.scope.all_topics {
        committed.keys().cloned().collect()
    } else {
        places(cluster, &args.scope.topics)?
    };
    if places.is_empty() {
        let text = format!("{name} has committed nothing; name topics: --topic TOPIC");
        return Err(text.into());
    }
    let target = target(&args.target);
    let lies = lies(cluster, &places, &committed, target)?;
    let mut moves = BTreeMap::new();
    for (place, lie) in lies {
        let (topic, partition) = &place;
        let planned = Move::new(target, lie).ok_or_else(|| {
            format!("{name} has committed nothing for {topic} partition {partition}, which cannot be shifted")
        })?;
        moves.insert(place, planned);
    }
    if args.execute {
        execute(cluster, name, &moves)?;
    }
    answer(args, &moves)
}

/// Finds the partitions that were typed.
fn places(cluster: &mut Cluster, parts: &[TopicPart]) -> Result<Vec<Place>, Failure> {
    let mut places = Vec::new();
    for TopicPart { topic, partitions } in parts {
        let found = cluster.await_topic(topic, false);
        found.map_err(|error| missing(topic, error))?;
        let all = places_of(cluster, topic);
        let Some(wanted) = partitions else {
            places.extend(all);
            continue;
        };
        for &partition in wanted {
            let place = (topic.clone(), partition);
            if !all.contains(&place) {
                let count = all.len();
                let text =
                    format!("{topic} has no partition {partition}, it has {count}, counted from 0");
                return Err(text.into());
            }
            places.push(place);
        }
    }
    Ok(places)
}

/// Reads what was typed; one of these is given.
fn target(typed: &ResetTarget) -> Target {
    let ago = |duration: std::time::Duration| {
        let milliseconds = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        TimestampMs(wall_clock().0.saturating_sub(milliseconds).max(0))
    };
    let since = typed.to_datetime.or(typed.to_timestamp);
    let since = since.or_else(|| typed.by_duration.map(ago));
    let named = typed.to_offset.map(Target::At);
    let named = named.or_else(|| since.map(Target::Since));
    let named = named.or_else(|| typed.shift_by.map(Target::Shift));
    let end = if typed.to_earliest {
        Target::Earliest
    } else {
        Target::Latest
    };
    named.unwrap_or(end)
}

/// Asks how partitions lie.
fn lies(
    cluster: &mut Cluster,
    places: &[Place],
    committed: &PlaceResults<Committed>,
    target: Target,
) -> Result<BTreeMap<Place, Lie>, Failure> {
    let mut since = match target {
        Target::Since(time) => offsets(cluster, places, OffsetQuery::Since(time))?,
        _ => PlaceResults::new(),
    };
    let mut lies = BTreeMap::new();
    for (place, log) in all_log_ends(cluster, places)? {
        let refused = |refusal| unknown(place.clone(), refusal);
        let log = log.map_err(refused)?;
        let since = since.remove(&place).transpose().map_err(refused)?.flatten();
        let committed = committed.get(&place).cloned().transpose();
        let committed = committed.map_err(refused)?.map(|it| it.offset);
        lies.insert(
            place,
            Lie {
                committed,
                log,
                since,
            },
        );
    }
    Ok(lies)
}

fn execute(
    cluster: &mut Cluster,
    name: &str,
    moves: &BTreeMap<Place, Move>,
) -> Result<(), Failure> {
    let commit = |(place, planned): (&Place, &Move)| (place.clone(), Committed::at(planned.to));
    let commits = moves.iter().map(commit).collect();
    let results = Admin::new(cluster).commit_offsets(name, &commits)?;
    let refused = results.into_iter().find_map(|(place, result)| {
        let refusal = result.err()?;
        Some((place, refusal))
    });
    let Some(((topic, partition), refusal)) = refused else {
        return Ok(());
    };
    // Somebody may have joined since it was idle.
    Standing::of(cluster, name)?.check_idle(name)?;
    Err(format!("{name} is not reset, {topic} partition {partition}: {refusal}").into())
}

fn answer(args: &Reset, moves: &BTreeMap<Place, Move>) -> Result<Answer, Failure> {
    let name = &args.name;
    let mut table = Table::new([
        ("topic", Side::Left),
        ("partition", Side::Right),
        ("from", Side::Right),
        ("to", Side::Right),
        ("change", Side::Right),
        ("", Side::Left),
    ]);
    let mut partitions = Vec::new();
    for ((topic, partition), planned) in moves {
        let note = if planned.is_bounded {
            "as far as the log goes"
        } else {
            ""
        };
        table.row([
            topic.clone(),
            partition.to_string(),
            or_dash(planned.from),
            planned.to.to_string(),
            or_dash(planned.distance().map(|it| format!("{it:+}"))),
            note.to_owned(),
        ]);
        partitions.push(json!({
            "topic": topic,
            "partition": partition,
            "from": planned.from.map(Offset::get),
            "to": planned.to.get(),
            "bounded": planned.is_bounded,
        }));
    }
    let count = moves.len();
    let plural = if count == 1 { "" } else { "s" };
    let mut text = table.to_string();
    if args.execute {
        writeln!(text, "\nreset {count} partition{plural} of {name}")?;
    } else {
        writeln!(text, "\nnothing is changed yet; to do it, add --execute")?;
    }
    let json = json!({ "group": name, "executed": args.execute, "partitions": partitions });
    Ok(Answer { text, json })
}
