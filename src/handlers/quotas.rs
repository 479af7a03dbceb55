//! DescribeClientQuotas (48), AlterClientQuotas (49): the image tells, the controller decides.

use std::collections::BTreeMap;
use std::rc::Rc;

use controller::quota::{EntityParts, FilterComponent, FilterRefusal, QuotaEntity, QuotaFilter};
use controller::request::{Mode, QuotaAlteration};
use controller::{Reply as Controlled, Request as Control};
use server::{Outcome, Reply, Request};
use types::ErrorCode;
use wire::messages::{alter_client_quotas, describe_client_quotas};
use wire::primitive::Float64;

use crate::drivers::controller::control;
use crate::handlers::failure;
use crate::handlers::message::{answer, decode, outcome};
use crate::shard::Shard;

/// Tells the quotas of the entities that are asked for.
pub(super) fn describe_client_quotas(shard: &Rc<Shard>, request: &Request) -> Reply {
    let body: describe_client_quotas::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let components = body.components.into_iter();
    let components: Vec<_> = components
        .map(|component| FilterComponent {
            kind: component.entity_type,
            match_type: component.match_type,
            name: component.match_,
        })
        .collect();
    let (response, outcome) = match QuotaFilter::parse(&components, body.strict) {
        Ok(filter) => (described(shard, &filter), Outcome::Served),
        Err(refusal) => (filter_refused(&refusal), Outcome::Failed),
    };
    answer(&response, request.version, outcome)
}

fn described(shard: &Shard, filter: &QuotaFilter) -> describe_client_quotas::Response {
    let image = shard.image();
    let matching = image.quotas().iter();
    let entries = matching
        .filter(|(entity, _)| filter.matches(entity))
        .map(|(entity, quotas)| describe_client_quotas::Entry {
            entity: parts(entity).collect(),
            values: quotas
                .iter()
                .map(|(kind, value)| describe_client_quotas::Quota {
                    key: kind.name().to_owned(),
                    value: Float64(value.get()),
                })
                .collect(),
        });
    describe_client_quotas::Response {
        entries: Some(entries.collect()),
        ..Default::default()
    }
}

fn parts(entity: &QuotaEntity) -> impl Iterator<Item = describe_client_quotas::EntityPart> {
    entity
        .parts()
        .map(|(kind, name)| describe_client_quotas::EntityPart {
            entity_type: kind.name().to_owned(),
            entity_name: name.as_named().map(str::to_owned),
        })
}

fn filter_refused(refusal: &FilterRefusal) -> describe_client_quotas::Response {
    describe_client_quotas::Response {
        error_code: failure::filter_code(refusal).code(),
        error_message: Some(failure::text(refusal)),
        ..Default::default()
    }
}

/// Changes quotas. As in Kafka, an entity that occurs again is answered once, with its last result,
/// and of two parts of one kind the later counts.
pub(super) async fn alter_client_quotas(shard: &Rc<Shard>, request: &Request) -> Reply {
    let body: alter_client_quotas::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let alterations: Vec<QuotaAlteration> = body.entries.into_iter().map(alteration).collect();
    let entities: Vec<EntityParts> = alterations
        .iter()
        .map(|alteration| alteration.entity.clone())
        .collect();
    let mode = if body.validate_only {
        Mode::ValidateOnly
    } else {
        Mode::Commit
    };
    let control_request = Control::AlterQuotas { alterations, mode };
    let results: Vec<Refused> = match control(&shard.mesh, control_request).await {
        Ok(Controlled::AlterQuotas(results)) => results
            .into_iter()
            .map(|result| result.err().map(|error| refused(&error)))
            .collect(),
        Ok(_) => vec![Some((ErrorCode::UnknownServerError, String::new())); entities.len()],
        Err(error) => {
            let refused = (failure::control_code(&error), failure::text(&error));
            vec![Some(refused); entities.len()]
        }
    };
    let results: BTreeMap<EntityParts, Refused> = entities.into_iter().zip(results).collect();
    let entries: Vec<_> = results.into_iter().map(entry_result).collect();
    let codes = outcome(entries.iter().map(|entry| entry.error_code));
    let response = alter_client_quotas::Response {
        entries,
        ..Default::default()
    };
    answer(&response, request.version, codes)
}

/// Why an entity's quotas were not changed, if so.
type Refused = Option<(ErrorCode, String)>;

fn refused(error: &controller::DecideError) -> (ErrorCode, String) {
    (failure::decide_code(error), failure::text(error))
}

fn alteration(entry: alter_client_quotas::Entry) -> QuotaAlteration {
    let parts = entry.entity.into_iter();
    let changes = entry.ops.into_iter();
    QuotaAlteration {
        entity: parts
            .map(|part| (part.entity_type, part.entity_name))
            .collect(),
        changes: changes
            .map(|change| (change.key, (!change.remove).then_some(change.value.0)))
            .collect(),
    }
}

fn entry_result(result: (EntityParts, Refused)) -> alter_client_quotas::EntryResult {
    let (parts, refused) = result;
    let (code, message) = refused.map_or((ErrorCode::None, None), |(code, text)| {
        (code, Some(text).filter(|text| !text.is_empty()))
    });
    let part = |(entity_type, entity_name)| alter_client_quotas::EntityPart {
        entity_type,
        entity_name,
    };
    alter_client_quotas::EntryResult {
        error_code: code.code(),
        error_message: message,
        entity: parts.into_iter().map(part).collect(),
    }
}
