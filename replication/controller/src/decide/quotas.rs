//! Changing quotas. All changes of one entity are made or none is; what stays as it is writes nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::decide::draft::{Context, Draft, duplicates};
use crate::error::DecideError;
use crate::image::Image;
use crate::quota::{
    EntityKind, EntityParts, EntityRefusal, QuotaEntity, QuotaKind, QuotaValue, ValueRefusal,
};
use crate::record::{QuotasChanged, Record};
use crate::request::{Decision, Mode, QuotaAlteration, Reply};

pub(crate) fn alter(
    context: &Context<'_>,
    alterations: &[QuotaAlteration],
    mode: Mode,
) -> Decision {
    let mut seen: BTreeSet<&EntityParts> = BTreeSet::new();
    let mut draft = Draft::new(context);
    let mut results = Vec::with_capacity(alterations.len());
    for alteration in alterations {
        let result = if seen.insert(&alteration.entity) {
            alter_one(context, draft.image(), alteration)
        } else {
            Err(duplicate(&alteration.entity))
        };
        results.push(result.map(|record| {
            if !record.changes.is_empty() {
                draft.push(Record::QuotasChanged(record));
            }
        }));
    }
    draft.finish(mode, Reply::AlterQuotas(results))
}

fn duplicate(parts: &EntityParts) -> DecideError {
    let parts = parts.clone();
    EntityRefusal::Duplicate { parts }.into()
}

fn alter_one(
    context: &Context<'_>,
    image: &Image,
    alteration: &QuotaAlteration,
) -> Result<QuotasChanged, DecideError> {
    if !duplicates(alteration.changes.iter().map(|(name, _)| name)).is_empty() {
        return Err(duplicate(&alteration.entity));
    }
    let entity = QuotaEntity::parse(&alteration.entity)?;
    let present = image.quotas_of(&entity);
    let is_address = entity.part(EntityKind::Ip).is_some();
    let mut changes = BTreeMap::new();
    for (name, number) in &alteration.changes {
        let kind = QuotaKind::named(name).filter(|kind| kind.is_of_addresses() == is_address);
        let Some(kind) = kind else {
            if number.is_none() {
                continue; // whatever it is, it is not set
            }
            let name = name.clone();
            return Err(ValueRefusal::UnknownKind { name }.into());
        };
        let value = number.map(|number| QuotaValue::new(kind, number));
        let value = value.transpose()?;
        if present.and_then(|quotas| quotas.get(&kind)).copied() != value {
            changes.insert(kind, value);
        }
    }
    // Nothing is removed from an entity without quotas, so every change of one adds it.
    let max = context.settings.quota_entities_max;
    if present.is_none() && !changes.is_empty() && image.quotas().len() >= max {
        return Err(DecideError::TooManyQuotaEntities { max });
    }
    Ok(QuotasChanged {
        entity,
        changes: changes.into_iter().collect(),
    })
}
