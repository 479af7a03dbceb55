//! Changing and finding quotas, case by case as Kafka 4.3 answers.

use controller::quota::{
    EntityName, FilterComponent, FilterRefusal, QuotaEntity, QuotaFilter, QuotaKind, QuotaValue,
};
use controller::request::{Mode, QuotaAlteration};
use controller::{DecideError, Reply, Request, Settings};

use crate::support::{Machine, NOW};

type Part<'a> = (&'a str, Option<&'a str>);
type Change<'a> = (&'a str, Option<f64>);

const PRODUCE: &str = "producer_byte_rate";
const REQUEST: &str = "request_percentage";

fn alteration(entity: &[Part<'_>], changes: &[Change<'_>]) -> QuotaAlteration {
    let part = |&(kind, name): &Part<'_>| (kind.to_owned(), name.map(str::to_owned));
    let change = |&(name, value): &Change<'_>| (name.to_owned(), value);
    QuotaAlteration {
        entity: entity.iter().map(part).collect(),
        changes: changes.iter().map(change).collect(),
    }
}

fn alter_all(
    machine: &mut Machine,
    alterations: Vec<QuotaAlteration>,
) -> Vec<Result<(), DecideError>> {
    let mode = Mode::Commit;
    match machine.commit(&Request::AlterQuotas { alterations, mode }) {
        Ok(Reply::AlterQuotas(results)) => results,
        other => unreachable!("{other:?}"),
    }
}

fn alter(
    machine: &mut Machine,
    entity: &[Part<'_>],
    changes: &[Change<'_>],
) -> Result<(), DecideError> {
    alter_all(machine, vec![alteration(entity, changes)])
        .pop()
        .unwrap()
}

fn refusal(entity: &[Part<'_>], changes: &[Change<'_>]) -> String {
    let mut machine = Machine::new();
    let refused = alter(&mut machine, entity, changes).unwrap_err();
    assert!(machine.image().quotas().is_empty());
    refused.to_string()
}

fn value(machine: &Machine, entity: &QuotaEntity, kind: QuotaKind) -> Option<f64> {
    let quotas = machine.image().quotas_of(entity)?;
    quotas.get(&kind).map(|value| value.get())
}

fn client(name: &str) -> QuotaEntity {
    QuotaEntity::ClientId(EntityName::Named(name.to_owned()))
}

#[test]
fn quotas_are_set_changed_and_removed_one_by_one() {
    let mut machine = Machine::new();
    let entity = [("client-id", Some("a"))];
    alter(
        &mut machine,
        &entity,
        &[(PRODUCE, Some(1024.0)), (REQUEST, Some(0.5))],
    )
    .unwrap();
    alter(&mut machine, &entity, &[(PRODUCE, Some(2048.0))]).unwrap();
    let a = client("a");
    assert_eq!(
        value(&machine, &a, QuotaKind::ProducerByteRate),
        Some(2048.0)
    );
    assert_eq!(value(&machine, &a, QuotaKind::RequestPercentage), Some(0.5));
    alter(&mut machine, &entity, &[(PRODUCE, None)]).unwrap();
    assert_eq!(value(&machine, &a, QuotaKind::ProducerByteRate), None);
    alter(&mut machine, &entity, &[(REQUEST, None)]).unwrap();
    assert!(
        machine.image().quotas().is_empty(),
        "no entity without a quota"
    );
}

#[test]
fn changes_that_change_nothing_write_nothing() {
    let mut machine = Machine::new();
    let entity = [("user", None)];
    alter(&mut machine, &entity, &[(PRODUCE, Some(1.0))]).unwrap();
    let written = machine.log.len();
    for changes in [
        &[(PRODUCE, Some(1.0))][..],
        &[(REQUEST, None)],
        &[("no_such_quota", None)],
        &[],
    ] {
        alter(&mut machine, &entity, changes).unwrap();
    }
    assert_eq!(machine.log.len(), written);
}

#[test]
fn an_entity_that_occurs_again_is_refused_there() {
    let mut machine = Machine::new();
    let entity = [("client-id", Some("a")), ("user", None)];
    let results = alter_all(
        &mut machine,
        vec![
            alteration(&entity, &[(PRODUCE, Some(1.0))]),
            alteration(&entity, &[(PRODUCE, None), (REQUEST, Some(3.0))]),
        ],
    );
    assert_eq!(results[0], Ok(()));
    let refused = results[1].as_ref().unwrap_err().to_string();
    let want = "Ignoring duplicate entity ClientQuotaEntity(entries={client-id=a, user=null})";
    assert_eq!(refused, want);
    let quotas = machine.image().quotas().values().next().unwrap();
    assert_eq!(
        quotas.keys().collect::<Vec<_>>(),
        [&QuotaKind::ProducerByteRate]
    );
    assert_eq!(
        refusal(&entity, &[(PRODUCE, Some(1.0)), (PRODUCE, Some(2.0))]),
        want,
        "so is a quota that occurs again"
    );
}

#[test]
fn entities_that_do_not_exist_are_refused_in_kafkas_words() {
    let set = [(PRODUCE, Some(1.0))];
    let cases: [(&[Part<'_>], &str); 6] = [
        (&[], "Invalid empty client quota entity"),
        (
            &[("group", Some("a"))],
            "Unhandled client quota entity type: group",
        ),
        (&[("user", Some(""))], "Empty user not supported"),
        (
            &[("ip", Some("127.0.0.1")), ("user", None)],
            "Invalid quota entity combination, IP entity shouldnot be combined with User or ClientId",
        ),
        (
            &[("ip", Some("no.such.host.invalid"))],
            "no.such.host.invalid is not a valid IP or resolvable host.",
        ),
        (
            &[("client-id", Some(&"x".repeat(1025)))],
            "client-id has 1025 bytes, at most 1024 are kept",
        ),
    ];
    for (entity, want) in cases {
        assert_eq!(refusal(entity, &set), want);
    }
}

#[test]
fn values_that_cannot_be_are_refused_in_kafkas_words() {
    let client = [("client-id", Some("a"))];
    let cases: [(&[Part<'_>], Change<'_>, &str); 8] = [
        (
            &client,
            ("no_such_rate", Some(1.0)),
            "Invalid configuration key no_such_rate",
        ),
        (
            &client,
            ("connection_creation_rate", Some(1.0)),
            "Invalid configuration key connection_creation_rate",
        ),
        (
            &[("ip", None)],
            (PRODUCE, Some(1.0)),
            "Invalid configuration key producer_byte_rate",
        ),
        (
            &client,
            (PRODUCE, Some(0.0)),
            "Quota producer_byte_rate must be greater than 0",
        ),
        (
            &client,
            (REQUEST, Some(f64::NAN)),
            "Quota request_percentage must be greater than 0",
        ),
        (
            &client,
            (PRODUCE, Some(1.5)),
            "producer_byte_rate cannot be a fractional value.",
        ),
        (
            &client,
            (PRODUCE, Some(1e19)),
            "Proposed value for producer_byte_rate is too large for a LONG.",
        ),
        (
            &[("ip", None)],
            ("connection_creation_rate", Some(3e9)),
            "Proposed value for connection_creation_rate is too large for an INT.",
        ),
    ];
    for (entity, change, want) in cases {
        assert_eq!(refusal(entity, &[change]), want);
    }
}

#[test]
fn all_changes_of_an_entity_are_made_or_none_and_others_are_not_held_up() {
    let mut machine = Machine::new();
    let results = alter_all(
        &mut machine,
        vec![
            alteration(
                &[("client-id", Some("a"))],
                &[(PRODUCE, Some(1.0)), (REQUEST, Some(-1.0))],
            ),
            alteration(&[("client-id", Some("b"))], &[(PRODUCE, Some(1.0))]),
        ],
    );
    assert!(results[0].is_err() && results[1].is_ok());
    assert_eq!(
        machine.image().quotas().keys().collect::<Vec<_>>(),
        [&client("b")]
    );
}

#[test]
fn the_number_of_entities_is_bounded() {
    let settings = Settings {
        quota_entities_max: 2,
        ..Settings::default()
    };
    let mut machine = Machine::with_brokers(settings, &[1]);
    let set = |name| alteration(&[("client-id", Some(name))], &[(PRODUCE, Some(1.0))]);
    let results = alter_all(&mut machine, vec![set("a"), set("b"), set("c")]);
    let full = DecideError::TooManyQuotaEntities { max: 2 };
    assert_eq!(results, [Ok(()), Ok(()), Err(full)]);
    let change = [(PRODUCE, None), (REQUEST, Some(1.0))];
    let changed = alter(&mut machine, &[("client-id", Some("a"))], &change);
    assert_eq!(changed, Ok(()), "one that is there may change");
    alter(
        &mut machine,
        &[("client-id", Some("a"))],
        &[(REQUEST, None)],
    )
    .unwrap();
    assert_eq!(alter_all(&mut machine, vec![set("c")]), [Ok(())]);
}

#[test]
fn validating_writes_nothing_and_answers_the_same() {
    let machine = Machine::new();
    let request = Request::AlterQuotas {
        alterations: vec![
            alteration(&[("user", None)], &[(PRODUCE, Some(1.0))]),
            alteration(&[], &[]),
        ],
        mode: Mode::ValidateOnly,
    };
    let decision = machine.controller.decide(NOW, &request).unwrap();
    assert_eq!(decision.records, []);
    let Reply::AlterQuotas(results) = decision.reply else {
        unreachable!()
    };
    assert!(results[0].is_ok() && results[1].is_err());
}

#[test]
fn the_most_particular_quota_is_in_force_and_says_who_shares_it() {
    let named = |name: &str| EntityName::Named(name.to_owned());
    let pair = || QuotaEntity::UserClientId {
        user: named("u"),
        client_id: named("c"),
    };
    let user = || QuotaEntity::User(named("u"));
    // In order of precedence; set from the last to the first, each must take over.
    let levels: [(&[Part<'_>], QuotaEntity); 8] = [
        (&[("user", Some("u")), ("client-id", Some("c"))], pair()),
        (&[("user", Some("u")), ("client-id", None)], pair()),
        (&[("user", Some("u"))], user()),
        (&[("user", None), ("client-id", Some("c"))], pair()),
        (&[("user", None), ("client-id", None)], pair()),
        (&[("user", None)], user()),
        (&[("client-id", Some("c"))], client("c")),
        (&[("client-id", None)], client("c")),
    ];
    let mut machine = Machine::new();
    let kind = QuotaKind::ProducerByteRate;
    assert_eq!(machine.image().allowance("u", "c", kind), None);
    for (index, (entity, holder)) in levels.iter().enumerate().rev() {
        let number = f64::from(u32::try_from(index).unwrap() + 1);
        alter(&mut machine, entity, &[(PRODUCE, Some(number))]).unwrap();
        let found = machine.image().allowance("u", "c", kind).unwrap();
        assert_eq!((&found.holder, found.value.get()), (holder, number));
    }
    let image = machine.image();
    assert_eq!(
        image.allowance("u", "c", QuotaKind::ConsumerByteRate),
        None,
        "kinds do not mix"
    );
    let other = image.allowance("v", "d", kind).unwrap();
    let fifth = QuotaValue::new(kind, 5.0).unwrap();
    assert_eq!(other.value, fifth);
    let holder = QuotaEntity::UserClientId {
        user: named("v"),
        client_id: named("d"),
    };
    assert_eq!(other.holder, holder);
}

fn component(kind: &str, match_type: i8, name: Option<&str>) -> FilterComponent {
    let (kind, name) = (kind.to_owned(), name.map(str::to_owned));
    FilterComponent {
        kind,
        match_type,
        name,
    }
}

#[test]
fn filters_match_exactly_by_default_or_any() {
    let named = |name: &str| EntityName::Named(name.to_owned());
    let entities = [
        QuotaEntity::User(named("u")),
        QuotaEntity::ClientId(EntityName::Default),
        client("c"),
        QuotaEntity::UserClientId {
            user: named("u"),
            client_id: named("c"),
        },
        QuotaEntity::Ip(EntityName::Default),
    ];
    let matched = |components: &[FilterComponent], strict| {
        let filter = QuotaFilter::parse(components, strict).unwrap();
        let indices = (0..entities.len()).filter(|&index| filter.matches(&entities[index]));
        indices.collect::<Vec<_>>()
    };
    let any_client = || component("client-id", 2, None);
    assert_eq!(matched(&[], false), [0, 1, 2, 3, 4]);
    assert_eq!(matched(&[], true), [0_usize; 0]);
    assert_eq!(
        matched(&[component("client-id", 0, Some("c"))], false),
        [2, 3]
    );
    assert_eq!(matched(&[component("client-id", 0, Some("c"))], true), [2]);
    assert_eq!(matched(&[component("client-id", 1, None)], false), [1]);
    assert_eq!(matched(&[any_client()], false), [1, 2, 3]);
    assert_eq!(
        matched(&[any_client(), component("user", 2, None)], true),
        [3]
    );
    assert_eq!(matched(&[component("ip", 2, None)], false), [4]);
}

#[test]
fn filters_that_cannot_be_are_refused() {
    let refused =
        |components: &[FilterComponent]| QuotaFilter::parse(components, false).unwrap_err();
    let user = || component("user", 2, None);
    assert_eq!(refused(&[component("", 2, None)]), FilterRefusal::KindEmpty);
    assert_eq!(
        refused(&[component("group", 2, None)]),
        FilterRefusal::UnknownKind {
            kind: "group".to_owned()
        }
    );
    assert!(matches!(
        refused(&[user(), user()]),
        FilterRefusal::Duplicate { .. }
    ));
    assert_eq!(
        refused(&[component("user", 0, None)]),
        FilterRefusal::NameMissing
    );
    assert_eq!(
        refused(&[component("user", 1, Some("a"))]),
        FilterRefusal::NameBesideDefault
    );
    assert_eq!(
        refused(&[component("user", 2, Some("a"))]),
        FilterRefusal::NameBesideAny
    );
    assert_eq!(
        refused(&[component("user", 3, None)]),
        FilterRefusal::UnknownMatchType { match_type: 3 }
    );
    assert_eq!(
        refused(&[user(), component("ip", 2, None)]),
        FilterRefusal::IpCombined
    );
}
