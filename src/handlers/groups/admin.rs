//! DescribeGroups (15), ListGroups (16), DeleteGroups (42): groups as an administrator sees them.

use std::collections::BTreeSet;
use std::rc::Rc;

use bytes::Bytes;
use coordinator::{
    Described, DescribedMember, GroupError, GroupId, List, Request as Ask, Response as Told,
};
use server::{Reply, Request};
use types::ErrorCode;
use wire::messages::{delete_groups, describe_groups, list_groups};

use crate::drivers::coordinator::{Asked, ask, list};
use crate::handlers::bounds::seldom_repeated;
use crate::handlers::message::{answer, answer_later, decode, outcome};
use crate::shard::Shard;

use super::words::{code, parse};

/// The state of a group that is not there.
const DEAD: &str = "Dead";

/// The type of every group: the protocol in which members assign.
const CLASSIC: &str = "classic";

/// From this version on a group that is not there is an error (KIP-1043).
const NOT_FOUND_VERSION: i16 = 6;

/// What a client may do to a group when nobody forbids anything: a bit per operation.
///
/// *Source*: Kafka's `AclEntry.supportedOperations`: read, delete, describe, describe configs, alter
/// configs.
const GROUP_OPERATIONS: i32 = 1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 11;

/// Answers what groups are doing.
pub(in crate::handlers) async fn describe_groups(shard: &Rc<Shard>, request: &Request) -> Reply {
    let body: describe_groups::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let version = request.version;
    let groups = seldom_repeated(body.groups, String::clone);
    let mut asked = Vec::with_capacity(groups.len());
    for group in groups {
        let question = ask_about(shard, &group, Ask::Describe).await;
        asked.push((group, question));
    }
    let operations = if body.include_authorized_operations {
        GROUP_OPERATIONS
    } else {
        i32::MIN
    };
    Reply::later(async move {
        let mut groups = Vec::with_capacity(asked.len());
        for (group_id, question) in asked {
            let answer = match question {
                Ok(asked) => asked.answer().await,
                Err(code) => {
                    groups.push(undescribed(group_id, code.code()));
                    continue;
                }
            };
            let described = match answer {
                Ok(Told::Describe(Ok(group))) => described(group_id, group, operations),
                Ok(Told::Describe(Err(GroupError::GroupNotFound))) => {
                    absent(group_id, version, operations)
                }
                Ok(Told::Describe(Err(error))) | Err(error) => undescribed(group_id, code(error)),
                Ok(_) => undescribed(group_id, ErrorCode::UnknownServerError.code()),
            };
            groups.push(described);
        }
        let codes = outcome(groups.iter().map(|group| group.error_code));
        let response = describe_groups::Response {
            groups,
            ..Default::default()
        };
        answer_later(&response, version, codes)
    })
}

/// Asks the coordinator of a group something that only names the group.
async fn ask_about(
    shard: &Shard,
    group: &str,
    request: impl Fn(GroupId) -> Ask,
) -> Result<Asked, ErrorCode> {
    let group: GroupId = parse(group)?;
    let request = request(group.clone());
    Ok(ask(shard, &group, request).await)
}

fn described(group_id: String, group: Described, operations: i32) -> describe_groups::Group {
    let member = |member: DescribedMember| describe_groups::Member {
        member_id: member.member.as_str().to_owned(),
        group_instance_id: member.instance.map(|instance| instance.as_str().to_owned()),
        client_id: member.client_id.as_str().to_owned(),
        client_host: member.client_host.as_str().to_owned(),
        member_metadata: Bytes::copy_from_slice(&member.metadata),
        member_assignment: Bytes::copy_from_slice(&member.assignment),
    };
    describe_groups::Group {
        group_id,
        group_state: group.state.name().to_owned(),
        protocol_type: group.protocol_type.as_str().to_owned(),
        protocol_data: group.protocol.as_str().to_owned(),
        members: group.members.into_iter().map(member).collect(),
        authorized_operations: operations,
        ..Default::default()
    }
}

fn absent(group_id: String, version: i16, operations: i32) -> describe_groups::Group {
    let dead = describe_groups::Group {
        group_state: DEAD.to_owned(),
        ..Default::default()
    };
    if version < NOT_FOUND_VERSION {
        return describe_groups::Group {
            group_id,
            authorized_operations: operations,
            ..dead
        };
    }
    describe_groups::Group {
        error_code: ErrorCode::GroupIdNotFound.code(),
        error_message: Some(format!("Group {group_id} not found.")),
        group_id,
        ..dead
    }
}

fn undescribed(group_id: String, error_code: i16) -> describe_groups::Group {
    describe_groups::Group {
        error_code,
        group_id,
        ..Default::default()
    }
}

/// Answers which groups there are.
pub(in crate::handlers) async fn list_groups(shard: &Rc<Shard>, request: &Request) -> Reply {
    let body: list_groups::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let filters = List {
        states: body.states_filter,
        types: body.types_filter,
    };
    let mut response = list_groups::Response::default();
    match list(shard, filters).await {
        Ok(listed) => {
            let group = |listed: coordinator::Listed| list_groups::Group {
                group_id: listed.group.as_str().to_owned(),
                protocol_type: listed.protocol_type.as_str().to_owned(),
                group_state: listed.state.name().to_owned(),
                group_type: CLASSIC.to_owned(),
            };
            response.groups = listed.into_iter().map(group).collect();
        }
        Err(error) => response.error_code = code(error),
    }
    let codes = outcome([response.error_code]);
    answer(&response, request.version, codes)
}

/// Deletes groups that have no members.
pub(in crate::handlers) async fn delete_groups(shard: &Rc<Shard>, request: &Request) -> Reply {
    let body: delete_groups::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let version = request.version;
    // Who names a group twice means it once.
    let names: BTreeSet<String> = body.groups_names.into_iter().collect();
    let mut asked = Vec::with_capacity(names.len());
    for group in names {
        let question = ask_about(shard, &group, Ask::DeleteGroup).await;
        asked.push((group, question));
    }
    Reply::later(async move {
        let mut results = Vec::with_capacity(asked.len());
        for (group_id, question) in asked {
            let error_code = match question {
                Err(code) => code.code(),
                Ok(asked) => match asked.answer().await {
                    Ok(Told::DeleteGroup(Ok(()))) => 0,
                    Ok(Told::DeleteGroup(Err(error))) | Err(error) => code(error),
                    Ok(_) => ErrorCode::UnknownServerError.code(),
                },
            };
            results.push(delete_groups::GroupResult {
                group_id,
                error_code,
            });
        }
        let codes = outcome(results.iter().map(|result| result.error_code));
        let response = delete_groups::Response {
            results,
            ..Default::default()
        };
        answer_later(&response, version, codes)
    })
}
