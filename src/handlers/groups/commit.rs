//! OffsetCommit (8), OffsetDelete (47): how far a group has read, and that it does not count any more.

use std::rc::Rc;

use controller::Image;
use coordinator::{
    Claim, GroupError, GroupId, MissingGroup, NewOffset, OffsetCommit, OffsetDelete,
    Request as Ask, Response as Told,
};
use server::{Reply, Request, Session};
use types::{ErrorCode, LeaderEpoch, PartitionIndex, TopicName};
use wire::messages::topic::TopicRef;
use wire::messages::{offset_commit, offset_delete};

use crate::drivers::coordinator::ask;
use crate::handlers::home::{self, Asker};
use crate::handlers::message::{answer, answer_later, decode, outcome};
use crate::handlers::resolve::resolve;
use crate::shard::Shard;

use super::words::{code, code_of, parse, parse_optional};

/// From this version on topics are named by id.
const TOPIC_ID_VERSION: i16 = 10;
/// From this version on a member of a group that is not there is told so.
const MISSING_GROUP_VERSION: i16 = 9;

/// What becomes of one partition of a request: it goes to the coordinator, or its code is known.
type Verdict = Result<(), ErrorCode>;

/// Commits offsets.
pub(in crate::handlers) async fn offset_commit(
    shard: &Rc<Shard>,
    session: &Session,
    request: &Request,
) -> Reply {
    let body: offset_commit::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let version = request.version;
    let (verdicts, offsets) = judge(&shard.image(), &body, version);
    if offsets.is_empty() {
        let response = committed(body.topics, verdicts, Ok(Vec::new()));
        return answer(&response, version, codes_of(&response));
    }
    let commit = match commit(&body, offsets, version) {
        Ok(commit) => commit,
        Err(code) => {
            let refused = vec![Err(code); verdicts.len()];
            let response = committed(body.topics, refused, Ok(Vec::new()));
            return answer(&response, version, codes_of(&response));
        }
    };
    let group = commit.group.clone();
    let asked = ask(shard, &group, Ask::OffsetCommit(commit)).await;
    home::note_group(shard, session, request, asker(&body), &asked);
    Reply::later(async move {
        let result = match asked.answer().await {
            Ok(Told::OffsetCommit(result)) => result,
            Ok(_) => Err(GroupError::NotAvailable),
            Err(error) => Err(error),
        };
        let response = committed(body.topics, verdicts, result);
        answer_later(&response, version, codes_of(&response))
    })
}

/// A commit without a generation is of a tool, or of a consumer that is in no group.
fn asker(body: &offset_commit::Request) -> Asker {
    if body.generation_id_or_member_epoch >= 0 {
        Asker::Member
    } else {
        Asker::Other
    }
}

fn commit(
    body: &offset_commit::Request,
    offsets: Vec<NewOffset>,
    version: i16,
) -> Result<OffsetCommit, ErrorCode> {
    Ok(OffsetCommit {
        group: parse(&body.group_id)?,
        claim: Claim {
            member: parse(&body.member_id)?,
            instance: parse_optional(body.group_instance_id.as_deref())?,
            generation: body.generation_id_or_member_epoch,
        },
        missing_group: if version >= MISSING_GROUP_VERSION {
            MissingGroup::NotFound
        } else {
            MissingGroup::IllegalGeneration
        },
        retention_ms: (body.retention_time_ms != offset_commit::RETENTION_DEFAULT)
            .then_some(body.retention_time_ms),
        offsets,
    })
}

/// Finds the topics and partitions of a commit; those that are not there never reach the coordinator.
fn judge(
    image: &Image,
    body: &offset_commit::Request,
    version: i16,
) -> (Vec<Verdict>, Vec<NewOffset>) {
    let mut verdicts = Vec::new();
    let mut offsets = Vec::new();
    for topic in &body.topics {
        let by_id = version >= TOPIC_ID_VERSION;
        let named = if by_id {
            TopicRef::Id(topic.topic_id)
        } else {
            TopicRef::Name(&topic.name)
        };
        let known = resolve(image, named);
        for partition in &topic.partitions {
            let offset = known.and_then(|known| {
                let index = existing(known, partition.partition_index)?;
                let metadata = partition.committed_metadata.as_deref().unwrap_or_default();
                Ok(NewOffset {
                    topic: known.name.clone(),
                    topic_id: known.id,
                    partition: index,
                    offset: partition.committed_offset,
                    leader_epoch: LeaderEpoch::new(partition.committed_leader_epoch),
                    metadata: (metadata.parse()).map_err(|_| ErrorCode::OffsetMetadataTooLarge)?,
                })
            });
            verdicts.push(offset.map(|offset| offsets.push(offset)));
        }
    }
    (verdicts, offsets)
}

fn existing(topic: &controller::image::Topic, partition: i32) -> Result<PartitionIndex, ErrorCode> {
    PartitionIndex::new(partition)
        .filter(|&index| topic.partition(index).is_some())
        .ok_or(ErrorCode::UnknownTopicOrPartition)
}

/// Puts what the coordinator said beside what was known before, partition by partition.
fn committed(
    topics: Vec<offset_commit::Topic>,
    verdicts: Vec<Verdict>,
    result: Result<Vec<Result<(), GroupError>>, GroupError>,
) -> offset_commit::Response {
    let mut codes = codes(verdicts, result).into_iter();
    let topics = topics.into_iter().map(|topic| offset_commit::TopicResult {
        name: topic.name,
        topic_id: topic.topic_id,
        partitions: topic
            .partitions
            .iter()
            .map(|partition| offset_commit::PartitionResult {
                partition_index: partition.partition_index,
                error_code: codes.next().expect("one code per partition"),
            })
            .collect(),
    });
    offset_commit::Response {
        topics: topics.collect(),
        ..Default::default()
    }
}

fn codes(
    verdicts: Vec<Verdict>,
    result: Result<Vec<Result<(), GroupError>>, GroupError>,
) -> Vec<i16> {
    let (whole, each) = match result {
        Ok(each) => (0, each),
        Err(error) => (code(error), Vec::new()),
    };
    let mut each = each.into_iter();
    let mut code = |verdict: Verdict| match verdict {
        Ok(()) => each.next().map_or(whole, |result| code_of(&result)),
        Err(code) => code.code(),
    };
    verdicts.into_iter().map(&mut code).collect()
}

fn codes_of(response: &offset_commit::Response) -> server::Outcome {
    let partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
    outcome(partitions.map(|partition| partition.error_code))
}

/// Deletes offsets.
pub(in crate::handlers) async fn offset_delete(shard: &Rc<Shard>, request: &Request) -> Reply {
    let body: offset_delete::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let version = request.version;
    let group: GroupId = match parse(&body.group_id) {
        Ok(group) => group,
        Err(code) => return answer(&undeleted(code.code()), version, outcome([code.code()])),
    };
    let (verdicts, partitions) = judge_deletion(&shard.image(), &body);
    let delete = OffsetDelete {
        group: group.clone(),
        partitions,
    };
    let asked = ask(shard, &group, Ask::OffsetDelete(delete)).await;
    Reply::later(async move {
        let response = match asked.answer().await {
            Ok(Told::OffsetDelete(Ok(each))) => deleted(body.topics, verdicts, each),
            Ok(Told::OffsetDelete(Err(error))) | Err(error) => undeleted(code(error)),
            Ok(_) => undeleted(ErrorCode::UnknownServerError.code()),
        };
        answer_later(&response, version, outcome([response.error_code]))
    })
}

fn judge_deletion(
    image: &Image,
    body: &offset_delete::Request,
) -> (Vec<Verdict>, Vec<(TopicName, PartitionIndex)>) {
    let mut verdicts = Vec::new();
    let mut partitions = Vec::new();
    for topic in &body.topics {
        let known = resolve(image, TopicRef::Name(&topic.name));
        for partition in &topic.partitions {
            let found = known.and_then(|known| {
                let index = existing(known, partition.partition_index)?;
                Ok((known.name.clone(), index))
            });
            verdicts.push(found.map(|found| partitions.push(found)));
        }
    }
    (verdicts, partitions)
}

fn undeleted(error_code: i16) -> offset_delete::Response {
    offset_delete::Response {
        error_code,
        ..Default::default()
    }
}

fn deleted(
    topics: Vec<offset_delete::Topic>,
    verdicts: Vec<Verdict>,
    each: Vec<Result<(), GroupError>>,
) -> offset_delete::Response {
    let mut codes = codes(verdicts, Ok(each)).into_iter();
    let topics = topics.into_iter().map(|topic| offset_delete::TopicResult {
        partitions: topic
            .partitions
            .iter()
            .map(|partition| offset_delete::PartitionResult {
                partition_index: partition.partition_index,
                error_code: codes.next().expect("one code per partition"),
            })
            .collect(),
        name: topic.name,
    });
    offset_delete::Response {
        topics: topics.collect(),
        ..Default::default()
    }
}
