//! Which of many quotas is in force for one client.
//!
//! | looked for | shared by |
//! |---|---|
//! | the user with the client id | these clients of the user |
//! | the user with any client id | the clients of the user that call themselves the same |
//! | the user | all clients of the user |
//! | any user with the client id | as the first |
//! | any user with any client id | as the first |
//! | any user | all clients of the user |
//! | the client id | all clients that call themselves so |
//! | any client id | all clients that call themselves the same |
//!
//! The first that has a quota of the kind counts.
//! *Source*: KIP-55; Kafka's `ClientQuotaManager.DefaultQuotaCallback`.

use crate::image::Image;
use crate::quota::entity::{EntityName, QuotaEntity};
use crate::quota::kind::{QuotaKind, QuotaValue};

/// What one client may use, and who uses it up together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Of what.
    pub kind: QuotaKind,
    /// Those who share it: each of its names is given.
    pub holder: QuotaEntity,
    /// How much it is.
    pub value: QuotaValue,
}

impl Image {
    /// Finds what a client may use of one kind; `None` is no bound.
    ///
    /// *Cost*: one comparison while no quota is set at all.
    pub fn allowance(&self, user: &str, client_id: &str, kind: QuotaKind) -> Option<Allowance> {
        if self.quotas.is_empty() {
            return None;
        }
        let users = [named(user), EntityName::Default];
        let of_users = users
            .iter()
            .find_map(|of| self.of_user(of, user, client_id, kind));
        of_users.or_else(|| self.of_client_id(client_id, kind))
    }

    /// Looks under one user, or under any: with the client id, with any, alone.
    fn of_user(
        &self,
        of: &EntityName,
        user: &str,
        client_id: &str,
        kind: QuotaKind,
    ) -> Option<Allowance> {
        let value = [named(client_id), EntityName::Default]
            .into_iter()
            .find_map(|client_id| {
                let user = of.clone();
                self.quota(&QuotaEntity::UserClientId { user, client_id }, kind)
            });
        if let Some(value) = value {
            let (user, client_id) = (named(user), named(client_id));
            let holder = QuotaEntity::UserClientId { user, client_id };
            return Some(Allowance {
                kind,
                holder,
                value,
            });
        }
        let value = self.quota(&QuotaEntity::User(of.clone()), kind)?;
        let holder = QuotaEntity::User(named(user));
        Some(Allowance {
            kind,
            holder,
            value,
        })
    }

    fn of_client_id(&self, client_id: &str, kind: QuotaKind) -> Option<Allowance> {
        let names = [named(client_id), EntityName::Default];
        let mut entities = names.into_iter().map(QuotaEntity::ClientId);
        let value = entities.find_map(|entity| self.quota(&entity, kind))?;
        let holder = QuotaEntity::ClientId(named(client_id));
        Some(Allowance {
            kind,
            holder,
            value,
        })
    }

    fn quota(&self, entity: &QuotaEntity, kind: QuotaKind) -> Option<QuotaValue> {
        self.quotas.get(entity)?.get(&kind).copied()
    }
}

fn named(name: &str) -> EntityName {
    EntityName::Named(name.to_owned())
}
