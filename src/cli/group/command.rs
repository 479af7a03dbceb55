//! The command: which action, and the two that are short.

use client::blocking::{Admin, Cluster};
use serde_json::json;
use types::ErrorCode;

use super::standing::{Standing, no_such_group};
use super::{description, lag, reset};
use crate::cli::answer::Answer;
use crate::cli::args::{Group, GroupAction};
use crate::cli::connect::connect;
use crate::cli::failure::Failure;
use crate::cli::table::{Side, Table, or_dash};

/// Carries out one action.
pub(in crate::cli) fn run(command: &Group) -> Result<(), Failure> {
    let mut cluster = connect(&command.bootstrap)?;
    let answer = match &command.action {
        GroupAction::List => list(&mut cluster)?,
        GroupAction::Describe { name } => description::describe(&mut cluster, name)?,
        GroupAction::Lag { name } => lag::lag(cluster, name)?,
        GroupAction::Reset(args) => reset::reset(&mut cluster, args)?,
        GroupAction::Delete { name } => delete(&mut cluster, name)?,
    };
    Ok(answer.print(command.output)?)
}

fn list(cluster: &mut Cluster) -> Result<Answer, Failure> {
    let groups = Admin::new(cluster).list_groups()?;
    let mut table = Table::new([
        ("group", Side::Left),
        ("state", Side::Left),
        ("type", Side::Left),
        ("protocol", Side::Left),
    ]);
    let mut rows = Vec::new();
    for group in &groups {
        // Older brokers do not tell all of it.
        let told = |text: &String| Some(text).filter(|text| !text.is_empty()).cloned();
        let (state, kind) = (told(&group.state), told(&group.group_type));
        let protocol = told(&group.protocol_type);
        rows.push(json!({
            "group": group.id,
            "state": state,
            "type": kind,
            "protocol_type": protocol,
        }));
        table.row([
            group.id.clone(),
            or_dash(state),
            or_dash(kind),
            or_dash(protocol),
        ]);
    }
    let text = if groups.is_empty() {
        "no groups; join one: riverrun consume TOPIC --group NAME\n".to_owned()
    } else {
        table.to_string()
    };
    Ok(Answer {
        text,
        json: rows.into(),
    })
}

fn delete(cluster: &mut Cluster, name: &str) -> Result<Answer, Failure> {
    if let Err(error) = Admin::new(cluster).delete_group(name) {
        let refusal = match &error {
            client::Error::Refused { refusal, .. } => refusal.known(),
            _ => None,
        };
        match refusal {
            Some(ErrorCode::GroupIdNotFound) => return Err(no_such_group(name)),
            Some(ErrorCode::NonEmptyGroup) => Standing::of(cluster, name)?.check_idle(name)?,
            _ => {}
        }
        return Err(error.into());
    }
    Ok(Answer {
        text: format!("deleted {name}\n"),
        json: json!({ "group": name }),
    })
}
