//! The coordinator of a run's groups: found ready before, its groups deleted afterwards.

use std::time::Duration;

use types::ErrorCode;
use wire::api::ApiKey;
use wire::messages::{delete_groups, describe_groups, find_coordinator};

use crate::clock;
use crate::connection::Connection;
use crate::error::Error;

/// How long the topic of the groups may take until all of it serves.
const READY_WAIT: Duration = Duration::from_mins(2);

/// The time between two looks at a coordinator that does not serve yet.
const READY_POLL: Duration = Duration::from_millis(50);

/// From this version on FindCoordinator is about many keys.
const BATCHED_VERSION: i16 = 4;

/// Names the groups of a run, so that no two runs share one.
pub(crate) fn names(work: &str, count: usize) -> Vec<String> {
    let run = clock::wall().0;
    let name = |index| format!("bench-{work}-{run}-{index}");
    (0..count).map(name).collect()
}

/// Waits until the broker serves the groups; a broker without any makes the topic for them now.
///
/// *Errors*: [`Error::Refused`] with the last code after two minutes.
pub(crate) fn wait_until_ready(
    connection: &mut Connection,
    groups: &[String],
) -> Result<(), Error> {
    let deadline = clock::now().after(READY_WAIT);
    loop {
        match ask(connection, groups) {
            Err(Error::Refused { code, .. }) if is_passing(code) && clock::now() < deadline => {
                clock::sleep(READY_POLL);
            }
            outcome => return outcome,
        }
    }
}

fn ask(connection: &mut Connection, groups: &[String]) -> Result<(), Error> {
    let mut request = find_coordinator::Request {
        key_type: find_coordinator::KEY_GROUP,
        ..Default::default()
    };
    if connection.version(ApiKey::FindCoordinator)? >= BATCHED_VERSION {
        request.coordinator_keys = groups.to_vec();
    } else {
        request.key = groups.first().cloned().unwrap_or_default();
    }
    let answer = connection.call(&request)?;
    let codes = answer.coordinators.iter().map(|it| it.error_code);
    for code in std::iter::once(answer.error_code).chain(codes) {
        Error::check(ApiKey::FindCoordinator, code)?;
    }
    let answer = connection.call(&describe_groups::Request {
        groups: groups.to_vec(),
        ..Default::default()
    })?;
    for group in &answer.groups {
        check(ApiKey::DescribeGroups, group.error_code)?;
    }
    Ok(())
}

/// Deletes groups that have no members.
pub(crate) fn delete(connection: &mut Connection, groups: &[String]) -> Result<(), Error> {
    let answer = connection.call(&delete_groups::Request {
        groups_names: groups.to_vec(),
    })?;
    for group in &answer.results {
        check(ApiKey::DeleteGroups, group.error_code)?;
    }
    Ok(())
}

/// A group that nobody knows is as good as an empty one.
fn check(key: ApiKey, code: i16) -> Result<(), Error> {
    match ErrorCode::from_wire(code) {
        Some(ErrorCode::GroupIdNotFound) => Ok(()),
        _ => Error::check(key, code),
    }
}

fn is_passing(code: i16) -> bool {
    matches!(
        ErrorCode::from_wire(code),
        Some(
            ErrorCode::CoordinatorLoadInProgress
                | ErrorCode::CoordinatorNotAvailable
                | ErrorCode::NotCoordinator
        )
    )
}
