//! Quotas: a client beyond its own is answered at once, told how long to keep still, and not read
//! until then.
//!
//! A test waits for answers and for nothing else. Times are compared from one side only: an answer
//! may come late, and must not come while its connection is mute.

use std::time::{Duration, Instant};

use wire::messages::{alter_client_quotas, api_versions, describe_client_quotas, produce};
use wire::primitive::Float64;

use crate::admin::{get, sample};
use crate::support::requests::{create_topic, fetch_request, produce_request};
use crate::support::{Broker, Caller, Scratch};

const TOPIC: &str = "limited";

/// What one batch holds, and so a little less than what a request is charged.
const BATCH_SIZE: usize = 700 * 1024;

/// What a client does here, and how long the broker then wants silence.
trait Limited {
    fn produce(&mut self) -> (usize, Duration);
    fn fetch(&mut self) -> (usize, Duration);
    fn greet(&mut self);
    fn set(&mut self, client_id: Option<&str>, quota: &str, value: Option<f64>);
}

impl Limited for Caller {
    /// Produces a batch; returns the bytes sent, and how long the broker wants silence.
    fn produce(&mut self) -> (usize, Duration) {
        let sent = self.send(&produce_request(TOPIC, &vec![7; BATCH_SIZE]), 9);
        let answer = self.answer::<produce::Request>(9);
        assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
        (sent, wait(answer.throttle_time_ms))
    }

    /// Fetches a batch; returns the bytes found, and how long the broker wants silence.
    fn fetch(&mut self) -> (usize, Duration) {
        let request = fetch_request(TOPIC, 1 << 20);
        let answer = self.call(&request, 11);
        let records = answer.responses[0].partitions[0].records.as_ref();
        (records.unwrap().len(), wait(answer.throttle_time_ms))
    }

    /// Asks for what any request may ask at any time.
    fn greet(&mut self) {
        self.call(&api_versions::Request::default(), 0);
    }

    /// Changes one quota of a client id, or of all.
    fn set(&mut self, client_id: Option<&str>, quota: &str, value: Option<f64>) {
        let request = alter_client_quotas::Request {
            entries: vec![alter_client_quotas::Entry {
                entity: vec![alter_client_quotas::EntityPart {
                    entity_type: "client-id".to_owned(),
                    entity_name: client_id.map(str::to_owned),
                }],
                ops: vec![alter_client_quotas::Change {
                    key: quota.to_owned(),
                    value: Float64(value.unwrap_or_default()),
                    remove: value.is_none(),
                }],
            }],
            validate_only: false,
        };
        let answer = self.call(&request, 1);
        assert_eq!(answer.entries[0].error_code, 0, "{answer:?}");
    }
}

fn wait(throttle_time_ms: i32) -> Duration {
    Duration::from_millis(u64::try_from(throttle_time_ms).unwrap())
}

/// A broker with the topic, and whoever sets quotas.
fn start(scratch: &Scratch) -> (Broker, Caller) {
    let arguments = ["--admin", "127.0.0.1:0", "--cores", "2"];
    let broker = Broker::start_with(scratch.path(), &arguments);
    let mut boss = Caller::new(broker.address(), "boss");
    create_topic(&mut boss, TOPIC, 1);
    (broker, boss)
}

/// Asserts that a wait is what the bucket owes: the bytes beyond ten seconds of the rate, less what
/// ran out since `begun`.
fn assert_owed(wait: Duration, used: usize, rate: u32, begun: Instant) {
    let used = f64::from(u32::try_from(used).unwrap());
    let rate = f64::from(rate);
    let most = used / rate - 10.0;
    let least = most - begun.elapsed().as_secs_f64();
    let told = wait.as_secs_f64();
    assert!(
        told <= most + 0.002 && told >= least - 0.002,
        "{least} {told} {most}"
    );
}

#[test]
fn a_producer_beyond_its_rate_is_told_to_wait_and_then_not_read() {
    const RATE: u32 = 256 * 1024;
    let scratch = Scratch::new("quota-produce");
    let (broker, mut boss) = start(&scratch);
    boss.set(Some("eager"), "producer_byte_rate", Some(RATE.into()));

    let mut eager = Caller::new(broker.address(), "eager");
    let begun = Instant::now();
    let mut used = 0;
    let (last, wait) = loop {
        let last = Instant::now();
        let (sent, wait) = eager.produce();
        used += sent;
        if wait > Duration::ZERO {
            break (last, wait);
        }
        assert!(used < 100 * BATCH_SIZE, "it never ends");
    };
    let free = 10 * usize::try_from(RATE).unwrap();
    assert!(used > free, "ten seconds of the rate are free");
    assert_owed(wait, used, RATE, begun);

    // The answer came at once, the next request is left alone; another client's is not.
    let mut other = Caller::new(broker.address(), "other");
    other.greet();
    assert_eq!(other.produce().1, Duration::ZERO);
    eager.greet();
    assert!(last.elapsed() >= wait, "it was mute");

    // The rate is the client's, over all its connections and shards.
    for _ in 0..4 {
        let (sent, wait) = Caller::new(broker.address(), "eager").produce();
        used += sent;
        assert_owed(wait, used, RATE, begun);
    }
    let (_, page) = get(broker.admin(), "/metrics");
    let count = "riverrun_quota_throttle_seconds_count{quota=\"producer_byte_rate\"}";
    assert!(sample(&page, count) >= 5.0);

    boss.set(Some("eager"), "producer_byte_rate", None);
    assert_eq!(
        Caller::new(broker.address(), "eager").produce().1,
        Duration::ZERO
    );
}

#[test]
fn a_consumer_beyond_its_rate_is_told_to_wait_and_then_not_read() {
    const RATE: u32 = 64 * 1024;
    let scratch = Scratch::new("quota-fetch");
    let (broker, mut boss) = start(&scratch);
    boss.produce();
    boss.set(Some("eager"), "consumer_byte_rate", Some(RATE.into()));
    let mut eager = Caller::new(broker.address(), "eager");
    let begun = Instant::now();
    let (found, wait) = eager.fetch();
    assert!(found > BATCH_SIZE, "a batch is whole");
    assert!(wait > Duration::ZERO);
    assert_owed(wait, found, RATE, begun);
    eager.greet();
    assert!(begun.elapsed() >= wait, "it was mute");
    assert_eq!(
        Caller::new(broker.address(), "other").fetch().1,
        Duration::ZERO
    );
    boss.set(Some("eager"), "consumer_byte_rate", None);
    assert_eq!(
        Caller::new(broker.address(), "eager").fetch().1,
        Duration::ZERO
    );
}

#[test]
fn the_default_holds_each_client_id_by_itself_until_it_has_a_quota_of_its_own() {
    let scratch = Scratch::new("quota-default");
    let (broker, mut boss) = start(&scratch);
    boss.set(None, "producer_byte_rate", Some(100_000.0));
    let (_, first) = Caller::new(broker.address(), "first").produce();
    assert_eq!(first, Duration::ZERO, "700 KiB are below a megabyte");
    let (_, first) = Caller::new(broker.address(), "first").produce();
    assert!(first > Duration::ZERO);
    let (_, second) = Caller::new(broker.address(), "second").produce();
    assert_eq!(
        second,
        Duration::ZERO,
        "what the first used is not the second's"
    );
    boss.set(Some("first"), "producer_byte_rate", Some(1e9));
    assert_eq!(
        Caller::new(broker.address(), "first").produce().1,
        Duration::ZERO
    );
    boss.set(Some("first"), "producer_byte_rate", None);
    // At that rate everything has run out since.
    Caller::new(broker.address(), "first").produce();
    assert!(Caller::new(broker.address(), "first").produce().1 > Duration::ZERO);
}

#[test]
fn the_time_of_the_broker_has_a_quota_too() {
    let scratch = Scratch::new("quota-time");
    let (broker, mut boss) = start(&scratch);
    // A ten millionth of a core: what any request takes is beyond ten seconds of it.
    boss.set(Some("busy"), "request_percentage", Some(1e-5));
    let (_, wait) = Caller::new(broker.address(), "busy").produce();
    assert!(wait > Duration::ZERO);
    assert_eq!(
        Caller::new(broker.address(), "idle").produce().1,
        Duration::ZERO
    );
    let any = describe_client_quotas::Request::default();
    let told = |name| {
        Caller::new(broker.address(), name)
            .call(&any, 1)
            .throttle_time_ms
    };
    assert!(told("busy") > 0, "whatever it asks for");
    assert_eq!(told("idle"), 0);
    boss.set(Some("busy"), "request_percentage", None);
    assert_eq!(
        Caller::new(broker.address(), "busy").produce().1,
        Duration::ZERO
    );
}

#[test]
fn quotas_outlive_the_broker() {
    let scratch = Scratch::new("quota-restart");
    let (broker, mut boss) = start(&scratch);
    boss.set(None, "producer_byte_rate", Some(1e6));
    boss.set(Some("a"), "request_percentage", Some(12.5));
    boss.set(Some("b"), "consumer_byte_rate", Some(1e6));
    boss.set(Some("b"), "consumer_byte_rate", None);
    broker.kill();
    let broker = Broker::start(scratch.path());
    let all = describe_client_quotas::Request::default();
    let answer = Caller::new(broker.address(), "boss").call(&all, 1);
    let told: Vec<_> = answer
        .entries
        .unwrap()
        .into_iter()
        .map(|mut entry| {
            let (part, quota) = (entry.entity.remove(0), entry.values.remove(0));
            (part.entity_name, quota.key, quota.value)
        })
        .collect();
    let want = [
        (None, "producer_byte_rate".to_owned(), Float64(1e6)),
        (
            Some("a".to_owned()),
            "request_percentage".to_owned(),
            Float64(12.5),
        ),
    ];
    assert_eq!(told, want);
}

#[test]
fn what_cannot_be_is_refused_in_kafkas_words() {
    let scratch = Scratch::new("quota-refused");
    let (_broker, mut boss) = start(&scratch);
    let component = describe_client_quotas::Component {
        entity_type: "group".to_owned(),
        match_type: describe_client_quotas::MATCH_ANY,
        match_: None,
    };
    let request = describe_client_quotas::Request {
        components: vec![component],
        strict: false,
    };
    let answer = boss.call(&request, 1);
    assert_eq!(
        (
            answer.error_code,
            answer.error_message.as_deref(),
            answer.entries
        ),
        (35, Some("Unsupported entity type group"), None)
    );
    let part = |name: &str| alter_client_quotas::EntityPart {
        entity_type: "client-id".to_owned(),
        entity_name: Some(name.to_owned()),
    };
    let entry = |parts, value| alter_client_quotas::Entry {
        entity: parts,
        ops: vec![alter_client_quotas::Change {
            key: "producer_byte_rate".to_owned(),
            value: Float64(value),
            remove: false,
        }],
    };
    let request = alter_client_quotas::Request {
        entries: vec![
            entry(vec![part("a")], -1.0),
            // Of two parts of one kind the later counts; an entity is answered once.
            entry(vec![part("x"), part("b")], 1.0),
            entry(vec![part("b")], 2.0),
        ],
        validate_only: false,
    };
    let answer = boss.call(&request, 1);
    let told: Vec<_> = answer
        .entries
        .iter()
        .map(|entry| (entry.error_code, entry.error_message.as_deref().unwrap()))
        .collect();
    let want = [
        (42, "Quota producer_byte_rate must be greater than 0"),
        (
            42,
            "Ignoring duplicate entity ClientQuotaEntity(entries={client-id=b})",
        ),
    ];
    assert_eq!(told, want);
}
