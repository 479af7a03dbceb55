//! JoinGroup (11), Heartbeat (12), LeaveGroup (13), SyncGroup (14): who is in a group.

use std::rc::Rc;

use bytes::Bytes;
use coordinator::{
    Claim, GroupError, GroupId, Heartbeat, Join, JoinRefusal, Joined, KnownMember, Leave,
    LeavingMember, Protocol, Request as Ask, Response as Told, SkipAssignment, Sync, Synced, Text,
};
use server::{Reply, Request, Session};
use types::ErrorCode;
use wire::messages::{heartbeat, join_group, leave_group, sync_group};

use crate::drivers::coordinator::{Asked, ask};
use crate::handlers::home::{self, Asker};
use crate::handlers::message::{answer, answer_later, decode, outcome};
use crate::shard::Shard;

use super::words::{code, code_of, parse, parse_optional};

/// From this version on a client without a member id is given one to join with (KIP-394).
const KNOWN_MEMBER_VERSION: i16 = 4;
/// From this version on an answer without a protocol says null for it.
const NULL_PROTOCOL_VERSION: i16 = 7;
/// From this version on a leader can be told not to assign (KIP-814).
const SKIP_ASSIGNMENT_VERSION: i16 = 9;
/// From this version on a member that asks for its part says of which kind and protocol (KIP-559).
const PROTOCOL_SAID_VERSION: i16 = 5;
/// From this version on a request names many members that leave.
const LEAVE_MANY_VERSION: i16 = 3;

/// Lets a client join its group; answered when the group is complete.
pub(in crate::handlers) async fn join_group(
    shard: &Rc<Shard>,
    session: &Rc<Session>,
    request: &Request,
) -> Reply {
    let body: join_group::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let version = request.version;
    let join = match join(&body, session, request) {
        Ok(join) => join,
        Err(code) => {
            let refused = refused_join(body.member_id, code.code(), version);
            return answer(&refused, version, outcome([code.code()]));
        }
    };
    let group = join.group.clone();
    let asked = ask(shard, &group, Ask::Join(Box::new(join))).await;
    Reply::later(async move {
        let response = match asked.answer().await {
            Ok(Told::Join(Ok(joined))) => joined_response(joined),
            Ok(Told::Join(Err(JoinRefusal { member, error }))) => {
                refused_join(member.as_str().to_owned(), code(error), version)
            }
            Ok(_) => refused_join(
                body.member_id,
                ErrorCode::UnknownServerError.code(),
                version,
            ),
            Err(error) => refused_join(body.member_id, code(error), version),
        };
        answer_later(&response, version, outcome([response.error_code]))
    })
}

fn join(
    body: &join_group::Request,
    session: &Session,
    request: &Request,
) -> Result<Join, ErrorCode> {
    let version = request.version;
    let protocol = |protocol: &join_group::Protocol| {
        Ok(Protocol {
            name: parse(&protocol.name)?,
            metadata: protocol.metadata.as_ref().into(),
        })
    };
    let host = format!("/{}", session.peer().ip().to_canonical());
    Ok(Join {
        group: parse(&body.group_id)?,
        member: parse(&body.member_id)?,
        instance: parse_optional(body.group_instance_id.as_deref())?,
        client_id: parse(request.client_id.as_str())?,
        client_host: parse(&host)?,
        session_timeout_ms: body.session_timeout_ms,
        rebalance_timeout_ms: if version == 0 {
            body.session_timeout_ms
        } else {
            body.rebalance_timeout_ms
        },
        protocol_type: parse(&body.protocol_type)?,
        protocols: body
            .protocols
            .iter()
            .map(protocol)
            .collect::<Result<_, ErrorCode>>()?,
        known_member: if version >= KNOWN_MEMBER_VERSION {
            KnownMember::Required
        } else {
            KnownMember::Optional
        },
        skip_assignment: if version >= SKIP_ASSIGNMENT_VERSION {
            SkipAssignment::Supported
        } else {
            SkipAssignment::Unsupported
        },
        random: runtime::random_bytes(),
    })
}

fn joined_response(joined: Joined) -> join_group::Response {
    let member = |member: coordinator::JoinedMember| join_group::Member {
        member_id: member.member.as_str().to_owned(),
        group_instance_id: member.instance.map(|instance| instance.as_str().to_owned()),
        metadata: Bytes::copy_from_slice(&member.metadata),
    };
    join_group::Response {
        generation_id: joined.generation,
        protocol_type: joined.protocol_type.as_ref().map(text),
        protocol_name: Some(joined.protocol.as_ref().map(text).unwrap_or_default()),
        leader: joined
            .leader
            .map(|leader| leader.as_str().to_owned())
            .unwrap_or_default(),
        skip_assignment: joined.skip_assignment,
        member_id: joined.member.as_str().to_owned(),
        members: joined.members.into_iter().map(member).collect(),
        ..Default::default()
    }
}

fn refused_join(member_id: String, error_code: i16, version: i16) -> join_group::Response {
    join_group::Response {
        error_code,
        member_id,
        generation_id: -1,
        protocol_name: (version < NULL_PROTOCOL_VERSION).then(String::new),
        ..Default::default()
    }
}

fn text(text: &Text) -> String {
    text.as_str().to_owned()
}

/// Reads who a member says it is.
fn claim(member: &str, instance: Option<&str>, generation: i32) -> Result<Claim, ErrorCode> {
    Ok(Claim {
        member: parse(member)?,
        instance: parse_optional(instance)?,
        generation,
    })
}

/// Gives a member its assignment; answered when the leader has brought it.
pub(in crate::handlers) async fn sync_group(shard: &Rc<Shard>, request: &Request) -> Reply {
    let body: sync_group::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let version = request.version;
    let sync = match complete(&body, version).and_then(|()| sync(&body)) {
        Ok(sync) => sync,
        Err(code) => return answer(&refused_sync(code.code()), version, outcome([code.code()])),
    };
    let group = sync.group.clone();
    let asked = ask(shard, &group, Ask::Sync(sync)).await;
    Reply::later(async move {
        let response = match asked.answer().await {
            Ok(Told::Sync(Ok(synced))) => synced_response(&synced),
            Ok(Told::Sync(Err(error))) | Err(error) => refused_sync(code(error)),
            Ok(_) => refused_sync(ErrorCode::UnknownServerError.code()),
        };
        answer_later(&response, version, outcome([response.error_code]))
    })
}

/// Checks that a request says all that its version is to say.
fn complete(body: &sync_group::Request, version: i16) -> Result<(), ErrorCode> {
    if version >= PROTOCOL_SAID_VERSION
        && (body.protocol_type.is_none() || body.protocol_name.is_none())
    {
        return Err(ErrorCode::InconsistentGroupProtocol);
    }
    Ok(())
}

fn sync(body: &sync_group::Request) -> Result<Sync, ErrorCode> {
    let assignment = |assignment: &sync_group::Assignment| {
        let member = parse(&assignment.member_id)?;
        Ok((member, assignment.assignment.as_ref().into()))
    };
    Ok(Sync {
        group: parse(&body.group_id)?,
        claim: claim(
            &body.member_id,
            body.group_instance_id.as_deref(),
            body.generation_id,
        )?,
        protocol_type: parse_optional(body.protocol_type.as_deref())?,
        protocol: parse_optional(body.protocol_name.as_deref())?,
        assignments: body
            .assignments
            .iter()
            .map(assignment)
            .collect::<Result<_, ErrorCode>>()?,
    })
}

fn synced_response(synced: &Synced) -> sync_group::Response {
    sync_group::Response {
        protocol_type: synced.protocol_type.as_ref().map(text),
        protocol_name: synced.protocol.as_ref().map(text),
        assignment: Bytes::copy_from_slice(&synced.assignment),
        ..Default::default()
    }
}

fn refused_sync(error_code: i16) -> sync_group::Response {
    sync_group::Response {
        error_code,
        ..Default::default()
    }
}

/// Notes that a member is alive.
pub(in crate::handlers) async fn heartbeat(
    shard: &Rc<Shard>,
    session: &Session,
    request: &Request,
) -> Reply {
    let body: heartbeat::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let version = request.version;
    let asked = match alive(&body) {
        Ok(alive) => {
            let group = alive.group.clone();
            ask(shard, &group, Ask::Heartbeat(alive)).await
        }
        Err(code) => return heartbeat_answer(code.code(), version),
    };
    home::note_group(shard, session, request, Asker::Member, &asked);
    // Mostly the answer is there: one task less on its way.
    if let Asked::Refused(error) = asked {
        return heartbeat_answer(heartbeat_code(Err(error)), version);
    }
    Reply::later(async move {
        let error_code = match asked.answer().await {
            Ok(Told::Heartbeat(result)) => heartbeat_code(result),
            Ok(_) => ErrorCode::UnknownServerError.code(),
            Err(error) => heartbeat_code(Err(error)),
        };
        let response = heartbeat::Response {
            error_code,
            ..Default::default()
        };
        answer_later(&response, version, outcome([error_code]))
    })
}

fn alive(body: &heartbeat::Request) -> Result<Heartbeat, ErrorCode> {
    Ok(Heartbeat {
        group: parse(&body.group_id)?,
        claim: claim(
            &body.member_id,
            body.group_instance_id.as_deref(),
            body.generation_id,
        )?,
    })
}

/// A coordinator that is still reading its log takes every member to be alive, as Kafka's does.
fn heartbeat_code(result: Result<(), GroupError>) -> i16 {
    match result {
        Err(GroupError::Loading) => 0,
        result => code_of(&result),
    }
}

fn heartbeat_answer(error_code: i16, version: i16) -> Reply {
    let response = heartbeat::Response {
        error_code,
        ..Default::default()
    };
    answer(&response, version, outcome([error_code]))
}

/// Lets members leave.
pub(in crate::handlers) async fn leave_group(shard: &Rc<Shard>, request: &Request) -> Reply {
    let body: leave_group::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let version = request.version;
    let members = if version >= LEAVE_MANY_VERSION {
        body.members
    } else {
        vec![leave_group::Member {
            member_id: body.member_id,
            ..Default::default()
        }]
    };
    let leaving = match leaving(&members) {
        Ok(leaving) => leaving,
        Err(code) => {
            return answer(
                &left(code.code(), Vec::new()),
                version,
                outcome([code.code()]),
            );
        }
    };
    let group: GroupId = match parse(&body.group_id) {
        Ok(group) => group,
        Err(code) => {
            return answer(
                &left(code.code(), Vec::new()),
                version,
                outcome([code.code()]),
            );
        }
    };
    let leave = Leave {
        group: group.clone(),
        members: leaving,
    };
    let asked = ask(shard, &group, Ask::Leave(leave)).await;
    Reply::later(async move {
        let result = match asked.answer().await {
            Ok(Told::Leave(result)) => result,
            Ok(_) => Err(GroupError::NotAvailable),
            Err(error) => Err(error),
        };
        let response = left_response(members, result, version);
        answer_later(&response, version, outcome([response.error_code]))
    })
}

fn leaving(members: &[leave_group::Member]) -> Result<Vec<LeavingMember>, ErrorCode> {
    let leaving = |member: &leave_group::Member| {
        Ok(LeavingMember {
            member: parse(&member.member_id)?,
            instance: parse_optional(member.group_instance_id.as_deref())?,
        })
    };
    members.iter().map(leaving).collect()
}

fn left(error_code: i16, members: Vec<leave_group::MemberResult>) -> leave_group::Response {
    leave_group::Response {
        error_code,
        members,
        ..Default::default()
    }
}

fn left_response(
    members: Vec<leave_group::Member>,
    result: Result<Vec<Result<(), GroupError>>, GroupError>,
    version: i16,
) -> leave_group::Response {
    let results = match result {
        Ok(results) => results,
        Err(error) => return left(code(error), Vec::new()),
    };
    if version < LEAVE_MANY_VERSION {
        return left(results.first().map_or(0, code_of), Vec::new());
    }
    let members = members.into_iter().zip(results);
    let members = members.map(|(member, result)| leave_group::MemberResult {
        member_id: member.member_id,
        group_instance_id: member.group_instance_id,
        error_code: code_of(&result),
    });
    left(0, members.collect())
}
