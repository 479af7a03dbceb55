//! Which entities somebody asks about.

use std::collections::BTreeMap;

use crate::quota::entity::{EntityKind, EntityName, QuotaEntity};

/// One condition as the protocol has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterComponent {
    /// The kind of the part it is about.
    pub kind: String,
    /// 0: the part has this name; 1: the part is the default; 2: there is such a part.
    pub match_type: i8,
    /// The name, for match type 0.
    pub name: Option<String>,
}

/// What the part of one kind must be.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Want {
    This(EntityName),
    Any,
}

/// Conditions on entities, at most one for each kind of part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaFilter {
    wants: BTreeMap<EntityKind, Want>,
    /// Whether an entity must have no part that is not asked for.
    strict: bool,
}

/// Why conditions make no filter; the text is Kafka's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterRefusal {
    /// A kind without a character.
    #[error("Invalid empty entity type.")]
    KindEmpty,
    /// Two conditions on one kind.
    #[error("Entity type {} cannot appear more than once in the filter.", .kind.name())]
    Duplicate {
        /// The kind.
        kind: EntityKind,
    },
    /// A kind that does not exist.
    #[error("Unsupported entity type {kind}")]
    UnknownKind {
        /// What was sent.
        kind: String,
    },
    /// An exact match with nothing.
    #[error("Request specified MATCH_TYPE_EXACT, but set match string to null.")]
    NameMissing,
    /// A name for the default.
    #[error("Request specified MATCH_TYPE_DEFAULT, but also specified a match string.")]
    NameBesideDefault,
    /// A name for any.
    #[error("Request specified MATCH_TYPE_SPECIFIED, but also specified a match string.")]
    NameBesideAny,
    /// A match type that does not exist.
    #[error("Unknown match type {match_type}")]
    UnknownMatchType {
        /// What was sent.
        match_type: i8,
    },
    /// An address beside a user or a client id.
    #[error(
        "Invalid entity filter component combination. IP filter component should not be used with \
         user or clientId filter component."
    )]
    IpCombined,
}

impl QuotaFilter {
    /// Makes a filter of conditions as the protocol has them.
    ///
    /// *Source*: Kafka's `ClientQuotasImage.describe`.
    pub fn parse(components: &[FilterComponent], strict: bool) -> Result<Self, FilterRefusal> {
        let mut wants = BTreeMap::new();
        for component in components {
            if component.kind.is_empty() {
                return Err(FilterRefusal::KindEmpty);
            }
            let Some(kind) = EntityKind::named(&component.kind) else {
                let kind = component.kind.clone();
                return Err(FilterRefusal::UnknownKind { kind });
            };
            if wants.contains_key(&kind) {
                return Err(FilterRefusal::Duplicate { kind });
            }
            wants.insert(kind, want(component)?);
        }
        if wants.contains_key(&EntityKind::Ip) && wants.len() > 1 {
            return Err(FilterRefusal::IpCombined);
        }
        Ok(Self { wants, strict })
    }

    /// Returns whether an entity meets all conditions.
    pub fn matches(&self, entity: &QuotaEntity) -> bool {
        let met = |(&kind, want): (&EntityKind, &Want)| match (want, entity.part(kind)) {
            (_, None) => false,
            (Want::Any, Some(_)) => true,
            (Want::This(wanted), Some(name)) => wanted == name,
        };
        let no_more_parts = !self.strict || entity.parts().count() == self.wants.len();
        no_more_parts && self.wants.iter().all(met)
    }
}

fn want(component: &FilterComponent) -> Result<Want, FilterRefusal> {
    match (component.match_type, &component.name) {
        (0, Some(name)) => Ok(Want::This(EntityName::Named(name.clone()))),
        (0, None) => Err(FilterRefusal::NameMissing),
        (1, None) => Ok(Want::This(EntityName::Default)),
        (1, Some(_)) => Err(FilterRefusal::NameBesideDefault),
        (2, None) => Ok(Want::Any),
        (2, Some(_)) => Err(FilterRefusal::NameBesideAny),
        (match_type, _) => Err(FilterRefusal::UnknownMatchType { match_type }),
    }
}
