//! Access rules, passwords and quotas.

use bytes::Bytes;
use wire::api::ApiKey;

use super::maker::{Generator, NAMES, name};
use crate::tree::{Tree, body};

/// The keys of quotas, some of which are none, with values. None of them slows a script down.
const QUOTAS: [(&str, f64); 10] = [
    ("producer_byte_rate", 1_048_576.0),
    ("consumer_byte_rate", 2_097_152.0),
    ("request_percentage", 200.0),
    ("controller_mutation_rate", 5_000.0),
    ("connection_creation_rate", 5_000.0),
    ("connection_creation_rate", 1.5),
    ("producer_byte_rate", -1.0),
    ("producer_byte_rate", 0.0),
    ("consumer_byte_rate", 1.5),
    ("no_such_quota", 1.0),
];

/// An address that nobody connects from.
const ADDRESS: &str = "192.0.2.1";

/// The keys of quotas that clients and users have, and those that addresses have.
const CLIENT_QUOTAS: &[&str] = &[
    "producer_byte_rate",
    "consumer_byte_rate",
    "request_percentage",
    "controller_mutation_rate",
];
const ADDRESS_QUOTAS: &[&str] = &["connection_creation_rate"];

impl Generator {
    /// One step of the walk through security and quotas.
    pub(super) fn security_step(&mut self) {
        match self.chance.below(10) {
            0 => self.describe_acls(),
            1 => self.create_acls(),
            2 => self.delete_acls(),
            3 | 4 => self.describe_passwords(),
            5 | 6 => self.alter_passwords(),
            7 => self.describe_quotas(),
            _ => self.alter_quotas(),
        }
    }

    /// Takes away what may be left, passwords and quotas, so that the next script finds none.
    pub(super) fn forget_security(&mut self) {
        for mechanism in [1_i8, 2] {
            let deletions: Vec<Tree> = (0..NAMES)
                .map(|number| body! { name: name(number), mechanism: mechanism })
                .collect();
            self.ask(
                ApiKey::AlterUserScramCredentials,
                body! { deletions: deletions },
            );
        }
        let addresses = [None, Some(ADDRESS)].map(|address| vec![part("ip", address)]);
        let addresses = addresses.map(|address| removal(address, ADDRESS_QUOTAS));
        let clients = clients().into_iter();
        let clients = clients.map(|client| removal(client, CLIENT_QUOTAS));
        let entries: Vec<Tree> = clients.chain(addresses).collect();
        self.ask(ApiKey::AlterClientQuotas, body! { entries: entries });
        self.ask(ApiKey::DescribeClientQuotas, body! {});
    }

    fn acl_filter(&mut self) -> Tree {
        body! {
            resource_type_filter: self.chance.of(&[1_i8, 2, 3, 4]),
            resource_name_filter: self.chance.of(&[None, Some("name")]),
            pattern_type_filter: self.chance.of(&[1_i8, 2, 3, 4]),
            principal_filter: self.chance.of(&[None, Some("User:name")]),
            host_filter: self.chance.of(&[None, Some("*")]),
            operation: self.chance.of(&[1_i8, 2, 3]),
            permission_type: self.chance.of(&[1_i8, 2, 3]),
        }
    }

    fn describe_acls(&mut self) {
        let filter = self.acl_filter();
        self.ask(ApiKey::DescribeAcls, filter);
    }

    fn create_acls(&mut self) {
        let count = self.chance.of(&[0, 1, 2]);
        let creation = |generator: &mut Self| {
            body! {
                resource_type: generator.chance.of(&[2_i8, 3]),
                resource_name: "name",
                resource_pattern_type: generator.chance.of(&[3_i8, 4]),
                principal: generator.chance.of(&["User:name", "nonsense", ""]),
                host: "*",
                operation: generator.chance.of(&[3_i8, 4]),
                permission_type: generator.chance.of(&[2_i8, 3]),
            }
        };
        let creations: Vec<Tree> = (0..count).map(|_| creation(self)).collect();
        self.ask(ApiKey::CreateAcls, body! { creations: creations });
    }

    fn delete_acls(&mut self) {
        let count = self.chance.of(&[0, 1, 2]);
        let filters: Vec<Tree> = (0..count).map(|_| self.acl_filter()).collect();
        self.ask(ApiKey::DeleteAcls, body! { filters: filters });
    }

    fn describe_passwords(&mut self) {
        let count = self.chance.of(&[1, 1, 2]);
        // Never all of them: other runs may have left some.
        let users: Vec<Tree> = (0..count)
            .map(|_| body! { name: self.any_name() })
            .collect();
        self.ask(ApiKey::DescribeUserScramCredentials, body! { users: users });
    }

    fn alter_passwords(&mut self) {
        let deletion = |generator: &mut Self| {
            body! { name: generator.any_name(), mechanism: generator.chance.of(&[1_i8, 2, 0, 9]) }
        };
        let upsertion = |generator: &mut Self| {
            body! {
                name: generator.any_name(),
                mechanism: generator.chance.of(&[1_i8, 2, 1, 2, 0, 9]),
                iterations: generator.chance.of(&[4096, 8192, 4095, 16_385, 0, -1]),
                salt: Bytes::from_static(b"salt"),
                salted_password: Bytes::from_static(b"0123456789abcdef0123456789abcdef"),
            }
        };
        let deletions: Vec<Tree> = (0..self.chance.of(&[0, 1, 1, 2]))
            .map(|_| deletion(self))
            .collect();
        let upsertions: Vec<Tree> = (0..self.chance.of(&[0, 1, 1, 2]))
            .map(|_| upsertion(self))
            .collect();
        let body = body! { deletions: deletions, upsertions: upsertions };
        self.ask(ApiKey::AlterUserScramCredentials, body);
    }

    /// The name of someone who may have a quota.
    fn any_quota_name(&mut self, kind: &str) -> String {
        if kind == "ip" && !self.chance.once_in(4) {
            return ADDRESS.to_owned();
        }
        self.any_name()
    }

    fn describe_quotas(&mut self) {
        let component = |generator: &mut Self| {
            let kind =
                generator
                    .chance
                    .of(&["client-id", "client-id", "user", "ip", "nonsense", ""]);
            let name = generator.any_quota_name(kind);
            let how = generator.chance.of(&[0_i8, 0, 1, 2, 3]);
            let name = if how == 0 || generator.chance.once_in(8) {
                Tree::from(name)
            } else {
                Tree::Null
            };
            body! { entity_type: kind, match_type: how, match_: name }
        };
        let count = self.chance.of(&[0, 1, 1, 2]);
        let components: Vec<Tree> = (0..count).map(|_| component(self)).collect();
        let body = body! { components: components, strict: self.chance.once_in(2) };
        self.ask(ApiKey::DescribeClientQuotas, body);
    }

    fn alter_quotas(&mut self) {
        let entry = |generator: &mut Self| {
            let kinds: [&[&str]; 9] = [
                &["client-id"],
                &["client-id"],
                &["user"],
                &["user", "client-id"],
                &["ip"],
                &["ip", "user"],
                &["nonsense"],
                &[""],
                &[],
            ];
            let kinds = generator.chance.of(&kinds);
            let part = |generator: &mut Self, kind: &str| {
                let name = generator.any_quota_name(kind);
                let name = (!generator.chance.once_in(4)).then_some(name);
                body! { entity_type: kind, entity_name: name }
            };
            let entity: Vec<Tree> = kinds.iter().map(|kind| part(generator, kind)).collect();
            let count = generator.chance.of(&[0, 1, 1, 2]);
            let op = |generator: &mut Self| {
                let (key, value) = generator.chance.of(&QUOTAS);
                body! { key: key, value: value, remove: generator.chance.once_in(3) }
            };
            let ops: Vec<Tree> = (0..count).map(|_| op(generator)).collect();
            body! { entity: entity, ops: ops }
        };
        let count = self.chance.of(&[0, 1, 1, 2]);
        let entries: Vec<Tree> = (0..count).map(|_| entry(self)).collect();
        let only_checked = self.chance.once_in(3);
        self.ask(
            ApiKey::AlterClientQuotas,
            body! { entries: entries, validate_only: only_checked },
        );
    }
}

/// Part of who has a quota; without a name, all that have none of their own.
fn part(kind: &str, name: Option<&str>) -> Tree {
    body! { entity_type: kind, entity_name: name }
}

/// Everyone who may have quotas of clients and users.
fn clients() -> Vec<Vec<Tree>> {
    let names: Vec<String> = (0..NAMES).map(name).collect();
    let named = names.iter().map(|name| Some(name.as_str()));
    let names: Vec<Option<&str>> = named.chain([None]).collect();
    let mut clients = Vec::new();
    for &client in &names {
        clients.push(vec![part("client-id", client)]);
        clients.push(vec![part("user", client)]);
        for &user in &names {
            clients.push(vec![part("client-id", client), part("user", user)]);
        }
    }
    clients
}

/// Takes away all quotas with these keys.
fn removal(entity: Vec<Tree>, keys: &[&str]) -> Tree {
    let ops = keys.iter().map(|key| body! { key: *key, remove: true });
    body! { entity: entity, ops: ops.collect::<Vec<Tree>>() }
}
