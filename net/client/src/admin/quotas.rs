//! How much clients may ask of a broker.

use std::collections::BTreeMap;

use wire::messages::{alter_client_quotas, describe_client_quotas};
use wire::primitive::Float64;

use crate::error::BrokerError;

/// Whom quotas are for: each type of its parts (`user`, `client-id`, `ip`) with the name, `None`
/// for all that have no quotas of their own.
pub type QuotaEntity = BTreeMap<String, Option<String>>;

/// The quotas of an entity: how much by what they are about (`producer_byte_rate`, …).
pub type Quotas = BTreeMap<String, f64>;

/// What a part of an entity must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntityFilter {
    /// The one of this name.
    Name(String),
    /// The default.
    Default,
    /// Any, the default too.
    Any,
}

/// A change of one quota.
#[derive(Clone, Debug, PartialEq)]
pub struct QuotaChange {
    /// What it is about.
    pub key: String,
    /// How much; `None` takes the quota away.
    pub value: Option<f64>,
}

/// Asks for quotas of the entities whose parts are as each filter says; without filters for all.
pub fn describe_quotas(
    filters: &BTreeMap<String, EntityFilter>,
) -> describe_client_quotas::Request {
    let component = |(entity_type, filter): (&String, &EntityFilter)| {
        let (match_type, match_) = match filter {
            EntityFilter::Name(name) => (describe_client_quotas::MATCH_NAME, Some(name.clone())),
            EntityFilter::Default => (describe_client_quotas::MATCH_DEFAULT, None),
            EntityFilter::Any => (describe_client_quotas::MATCH_ANY, None),
        };
        describe_client_quotas::Component {
            entity_type: entity_type.clone(),
            match_type,
            match_,
        }
    };
    describe_client_quotas::Request {
        components: filters.iter().map(component).collect(),
        strict: false,
    }
}

/// Reads entities and their quotas.
///
/// *Errors*: why they are not told.
pub fn quotas(
    response: describe_client_quotas::Response,
) -> Result<Vec<(QuotaEntity, Quotas)>, BrokerError> {
    BrokerError::check(response.error_code, response.error_message)?;
    let entry = |entry: describe_client_quotas::Entry| {
        let parts = entry.entity.into_iter();
        let values = entry.values.into_iter();
        (
            parts.map(|it| (it.entity_type, it.entity_name)).collect(),
            values.map(|it| (it.key, it.value.0)).collect(),
        )
    };
    let entries = response.entries.unwrap_or_default();
    Ok(entries.into_iter().map(entry).collect())
}

/// Asks for quotas of an entity to be changed.
pub fn alter_quotas(entity: &QuotaEntity, changes: &[QuotaChange]) -> alter_client_quotas::Request {
    let part =
        |(entity_type, entity_name): (&String, &Option<String>)| alter_client_quotas::EntityPart {
            entity_type: entity_type.clone(),
            entity_name: entity_name.clone(),
        };
    let change = |change: &QuotaChange| alter_client_quotas::Change {
        key: change.key.clone(),
        value: Float64(change.value.unwrap_or_default()),
        remove: change.value.is_none(),
    };
    alter_client_quotas::Request {
        entries: vec![alter_client_quotas::Entry {
            entity: entity.iter().map(part).collect(),
            ops: changes.iter().map(change).collect(),
        }],
        validate_only: false,
    }
}

/// Reads whether the quotas were changed.
///
/// *Errors*: why not.
pub fn quotas_altered(response: alter_client_quotas::Response) -> Result<(), BrokerError> {
    let mut entries = response.entries.into_iter();
    entries.try_for_each(|entry| BrokerError::check(entry.error_code, entry.error_message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::tests::in_all;

    #[test]
    fn requests_can_be_said_in_every_version_that_is_served() {
        let filters = [
            ("user".to_owned(), EntityFilter::Name("u".into())),
            ("client-id".to_owned(), EntityFilter::Default),
            ("ip".to_owned(), EntityFilter::Any),
        ];
        in_all(&describe_quotas(&BTreeMap::from(filters)));
        let entity = QuotaEntity::from([("client-id".into(), None)]);
        let change = |value| QuotaChange {
            key: "producer_byte_rate".into(),
            value,
        };
        in_all(&alter_quotas(&entity, &[change(Some(1.5)), change(None)]));
    }

    #[test]
    fn quotas_are_read_by_entity() {
        let response = describe_client_quotas::Response {
            entries: Some(vec![describe_client_quotas::Entry {
                entity: vec![describe_client_quotas::EntityPart {
                    entity_type: "client-id".into(),
                    entity_name: None,
                }],
                values: vec![describe_client_quotas::Quota {
                    key: "producer_byte_rate".into(),
                    value: Float64(1.5),
                }],
            }]),
            ..Default::default()
        };
        let want = (
            QuotaEntity::from([("client-id".into(), None)]),
            Quotas::from([("producer_byte_rate".into(), 1.5)]),
        );
        assert_eq!(quotas(response), Ok(vec![want]));
        let refused = describe_client_quotas::Response {
            error_code: 42,
            ..Default::default()
        };
        assert_eq!(quotas(refused).unwrap_err().code, 42);
    }
}
