//! For whom a quota is set.

use std::collections::BTreeMap;
use std::net::IpAddr;

use types::limits::QUOTA_NAME_LENGTH_MAX;

/// What kind of thing a part of an entity names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntityKind {
    /// What a client calls itself.
    ClientId,
    /// A user; without security everybody is the same one.
    User,
    /// An address.
    Ip,
}

impl EntityKind {
    const ALL: [Self; 3] = [Self::ClientId, Self::User, Self::Ip];

    /// Returns the name that the protocol uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::ClientId => "client-id",
            Self::Ip => "ip",
        }
    }

    /// Finds a kind by the protocol's name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Whom a part of an entity names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntityName {
    /// Everyone without a quota under a name of their own.
    Default,
    /// One.
    Named(String),
}

impl EntityName {
    /// Returns the name; `None` for the default.
    pub fn as_named(&self) -> Option<&str> {
        match self {
            Self::Default => None,
            Self::Named(name) => Some(name),
        }
    }
}

impl From<Option<String>> for EntityName {
    /// Turns the protocol's nullable name into ours.
    fn from(name: Option<String>) -> Self {
        name.map_or(Self::Default, Self::Named)
    }
}

/// Kinds and names of an entity's parts as the protocol has them; no name is the default.
pub type EntityParts = BTreeMap<String, Option<String>>;

/// For whom quotas are set: every combination that Kafka knows, and no other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum QuotaEntity {
    /// All clients of a user together.
    User(EntityName),
    /// All clients that call themselves so, together.
    ClientId(EntityName),
    /// Those clients of a user that call themselves so, together.
    UserClientId {
        /// The user.
        user: EntityName,
        /// What its clients call themselves.
        client_id: EntityName,
    },
    /// Connections from an address.
    Ip(EntityName),
}

/// Why parts do not make an entity; the text is Kafka's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntityRefusal {
    /// There is no part.
    #[error("Invalid empty client quota entity")]
    Empty,
    /// The request names the same entity, or the same quota of it, more than once.
    #[error("Ignoring duplicate entity ClientQuotaEntity(entries={{{}}})", listed(.parts))]
    Duplicate {
        /// The parts.
        parts: EntityParts,
    },
    /// A kind that does not exist.
    #[error("Unhandled client quota entity type: {kind}")]
    UnknownKind {
        /// What was sent.
        kind: String,
    },
    /// A name without a character.
    #[error("Empty {} not supported", .kind.name())]
    NameEmpty {
        /// Whose name.
        kind: EntityKind,
    },
    /// A name longer than any is kept.
    #[error("{} has {length} bytes, at most {QUOTA_NAME_LENGTH_MAX} are kept", .kind.name())]
    NameTooLong {
        /// Whose name.
        kind: EntityKind,
        /// Its length in bytes.
        length: usize,
    },
    /// An address beside a user or a client id; Kafka's words lack a space.
    #[error(
        "Invalid quota entity combination, IP entity shouldnot be combined with User or ClientId"
    )]
    IpCombined,
    /// Not the text of an address.
    #[error("{name} is not a valid IP or resolvable host.")]
    NotAnIp {
        /// What was sent.
        name: String,
    },
}

fn listed(parts: &EntityParts) -> String {
    let part = |(kind, name): (&String, &Option<String>)| {
        format!("{kind}={}", name.as_deref().unwrap_or("null"))
    };
    parts.iter().map(part).collect::<Vec<_>>().join(", ")
}

impl QuotaEntity {
    /// Makes an entity of its parts.
    ///
    /// *Errors*: the first part that does not fit, then the combination.
    pub fn parse(parts: &EntityParts) -> Result<Self, EntityRefusal> {
        let (mut user, mut client_id, mut ip) = (None, None, None);
        for (kind, name) in parts {
            let Some(kind) = EntityKind::named(kind) else {
                let kind = kind.clone();
                return Err(EntityRefusal::UnknownKind { kind });
            };
            let part = match kind {
                EntityKind::User => &mut user,
                EntityKind::ClientId => &mut client_id,
                EntityKind::Ip => &mut ip,
            };
            *part = Some(check_name(kind, name.as_deref())?);
        }
        match (user, client_id, ip) {
            (Some(user), None, None) => Ok(Self::User(user)),
            (None, Some(client_id), None) => Ok(Self::ClientId(client_id)),
            (Some(user), Some(client_id), None) => Ok(Self::UserClientId { user, client_id }),
            (None, None, Some(ip)) => check_ip(ip).map(Self::Ip),
            (None, None, None) => Err(EntityRefusal::Empty),
            (_, _, Some(_)) => Err(EntityRefusal::IpCombined),
        }
    }

    /// Returns its parts, in order of their kinds.
    pub fn parts(&self) -> impl Iterator<Item = (EntityKind, &EntityName)> {
        let (first, second) = match self {
            Self::User(name) => ((EntityKind::User, name), None),
            Self::ClientId(name) => ((EntityKind::ClientId, name), None),
            Self::UserClientId { user, client_id } => (
                (EntityKind::ClientId, client_id),
                Some((EntityKind::User, user)),
            ),
            Self::Ip(name) => ((EntityKind::Ip, name), None),
        };
        std::iter::once(first).chain(second)
    }

    /// Returns the name of the part of a kind, if it has such a part.
    pub fn part(&self, kind: EntityKind) -> Option<&EntityName> {
        self.parts()
            .find_map(|(own, name)| (own == kind).then_some(name))
    }
}

fn check_name(kind: EntityKind, name: Option<&str>) -> Result<EntityName, EntityRefusal> {
    match name {
        None => Ok(EntityName::Default),
        Some("") => Err(EntityRefusal::NameEmpty { kind }),
        Some(name) if name.len() > QUOTA_NAME_LENGTH_MAX => {
            let length = name.len();
            Err(EntityRefusal::NameTooLong { kind, length })
        }
        Some(name) => Ok(EntityName::Named(name.to_owned())),
    }
}

/// Host names are not taken, unlike Kafka: finding their addresses is I/O.
fn check_ip(name: EntityName) -> Result<EntityName, EntityRefusal> {
    match &name {
        EntityName::Named(text) if text.parse::<IpAddr>().is_err() => {
            let name = text.clone();
            Err(EntityRefusal::NotAnIp { name })
        }
        _ => Ok(name),
    }
}
