//! Every difference between two answers that counts as none, each with its reason.
//!
//! `docs/compatibility.md` shows this table; a test compares them.

use std::fmt::{self, Write};

use wire::api::ApiKey;

use self::Said::{Elements, NoElements, Number};
use crate::tree::Tree;

/// What is done to a field before it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// It is not compared.
    Ignored,
    /// Whether there is a text is compared, not its words.
    AnyText,
    /// Whether it is from a clock is compared, not what the clock showed.
    Clock,
    /// It is renamed as ids are.
    Named,
    /// The list is compared as a set.
    AnyOrder,
    /// Of the list, only what this run made is compared, as a set.
    Ours,
    /// Of the list, only what both brokers have is compared, as a set.
    Shared,
    /// Of the list, what has one of these names is not compared.
    Without(&'static [&'static str]),
    /// The one broker says this where the other says that; whatever else differs is a difference.
    Instead(Said, Said),
}

/// What a broker says, in a field where the other says something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// This number.
    Number(i64),
    /// A list without elements.
    NoElements,
    /// A list with elements.
    Elements,
}

/// One allowed difference.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowed {
    /// The API; `None` for all.
    pub(crate) key: Option<ApiKey>,
    /// The field: its own name, and before it the names of the lists that hold it.
    pub(crate) path: &'static str,
    /// What is done.
    pub(crate) rule: Rule,
    /// Why.
    pub(crate) reason: &'static str,
}

macro_rules! allowed {
    ($($key:ident $path:literal $rule:ident $(($($detail:expr),+))? $reason:literal;)*) => {
        /// Every allowed difference.
        pub(crate) const ALLOWED: &[Allowed] = &[$(Allowed {
            key: allowed!(@ $key),
            path: $path,
            rule: Rule::$rule $(($($detail),+))?,
            reason: $reason,
        }),*];
    };
    (@ any) => { None };
    (@ $key:ident) => { Some(ApiKey::$key) };
}

allowed! {
    any "error_message" Ignored "the words are ours, and there are more of them";
    any "batch_index_error_message" Ignored "the words are ours, and there are more of them";
    any "throttle_time_ms" Ignored "it depends on load";
    any "cluster_id" Named "it is made when the cluster is made";
    any "producer_id" Named "the cluster gives it out";
    any "port" Ignored "where the broker under test listens";
    any "log_dir" Named "where the broker under test keeps its data";
    any "documentation" AnyText "the words are ours; whether there are any is compared";
    any "total_bytes" Ignored "it is the disk's";
    any "usable_bytes" Ignored "it is the disk's";
    any "partition_size" Ignored "each broker has its own files beside the records";
    any "finalized_features_epoch" Ignored "it counts the changes of metadata";
    any "log_append_time_ms" Clock "it is the broker's clock";
    ListOffsets "topics.partitions.timestamp" Clock "it is the broker's clock";
    DescribeProducers "topics.partitions.active_producers.last_timestamp" Clock "it is the broker's clock";
    DescribeProducers "topics.partitions.active_producers" AnyOrder "Kafka answers in the order of a hash map";
    DescribeQuorum "topics.partitions.leader_epoch" Ignored "it counts the life of the metadata log";
    DescribeQuorum "topics.partitions.high_watermark" Ignored "it counts the life of the metadata log";
    DescribeQuorum "topics.partitions.current_voters.log_end_offset" Ignored "it counts the life of the metadata log";
    DescribeQuorum "topics.partitions.current_voters.last_fetch_timestamp" Clock "it is the broker's clock";
    DescribeQuorum "topics.partitions.current_voters.last_caught_up_timestamp" Clock "it is the broker's clock";
    DescribeQuorum "nodes.listeners" Ignored "Kafka's controller has a listener of its own";
    JoinGroup "members" AnyOrder "Kafka keeps members in a hash map";
    DescribeGroups "groups.members" AnyOrder "Kafka keeps members in a hash map";
    DescribeGroups "groups" AnyOrder "each of Kafka's coordinators answers for its own groups";
    DeleteGroups "results" AnyOrder "Kafka answers in the order of a hash map";
    OffsetCommit "topics" AnyOrder "Kafka answers what it refuses first";
    OffsetCommit "topics.partitions" AnyOrder "Kafka answers what it refuses first";
    OffsetDelete "topics" AnyOrder "Kafka answers what it refuses first";
    OffsetDelete "topics.partitions" AnyOrder "Kafka answers what it refuses first";
    OffsetFetch "topics" AnyOrder "Kafka answers in the order of a hash map";
    OffsetFetch "topics.partitions" AnyOrder "Kafka answers in the order of a hash map";
    OffsetFetch "groups.topics" AnyOrder "Kafka answers in the order of a hash map";
    OffsetFetch "groups.topics.partitions" AnyOrder "Kafka answers in the order of a hash map";
    ListGroups "groups" Ours "other groups may be there";
    Metadata "topics" Ours "other topics may be there";
    ElectLeaders "replica_election_results" Ours "other topics may be there";
    DescribeTopicPartitions "topics" Ours "other topics may be there";
    DescribeLogDirs "results.topics" Ours "other topics may be there";
    DescribeLogDirs "results.topics.partitions" AnyOrder "Kafka answers in the order of a hash map";
    AlterReplicaLogDirs "results" AnyOrder "Kafka answers in the order of a hash map";
    AlterReplicaLogDirs "results.partitions" AnyOrder "Kafka answers in the order of a hash map";
    ListConfigResources "config_resources" Ours "other resources may be there";
    CreateTopics "topics" AnyOrder "Kafka answers in the order of a hash map";
    CreateTopics "topics.configs" Shared "Kafka has configs that riverrun has not, and riverrun has `durability`";
    DeleteTopics "responses" AnyOrder "Kafka shuffles its answer";
    CreatePartitions "results" AnyOrder "Kafka answers in the order of a hash map";
    DescribeConfigs "results" AnyOrder "Kafka answers in the order of a hash map";
    DescribeConfigs "results.configs" Shared "Kafka has configs that riverrun has not, and riverrun has `durability`";
    DescribeConfigs "results.configs.synonyms" Without(&["log.retention.ms", "log.roll.ms"]) "Kafka's defaults are those of configs in another unit";
    ApiVersions "api_keys" Shared "Kafka has APIs that riverrun has not";
    ListOffsets "topics" AnyOrder "Kafka answers in the order of a hash map";
    ListOffsets "topics.partitions" AnyOrder "Kafka answers in the order of a hash map";
    DeleteRecords "topics" AnyOrder "Kafka answers in the order of a hash map";
    DeleteRecords "topics.partitions" AnyOrder "Kafka answers in the order of a hash map";
    DescribeClientQuotas "entries" AnyOrder "Kafka answers in the order of a hash map";
    DescribeClientQuotas "entries.entity" AnyOrder "Kafka answers in the order of a hash map";
    DescribeClientQuotas "entries.values" AnyOrder "Kafka answers in the order of a hash map";
    AlterClientQuotas "entries" AnyOrder "Kafka answers in the order of a hash map";
    AlterClientQuotas "entries.entity" AnyOrder "Kafka answers in the order of a hash map";
    ApiVersions "supported_features" Shared "Kafka has features that riverrun has not";
    ApiVersions "supported_features.min_version" Instead(Number(7), Number(30)) "riverrun does not go back to older levels of the metadata";
    ApiVersions "finalized_features" Shared "Kafka has features that riverrun has not";
    AlterUserScramCredentials "results.error_code" Instead(Number(0), Number(33)) "there is no SASL: a password that Kafka would keep is refused";
    AlterUserScramCredentials "results.error_code" Instead(Number(0), Number(91)) "there is no SASL: nobody has a password";
    AlterUserScramCredentials "results.error_code" Instead(Number(92), Number(91)) "there is no SASL: nobody has a password";
    DescribeUserScramCredentials "results.error_code" Instead(Number(0), Number(91)) "there is no SASL: nobody has a password";
    DescribeUserScramCredentials "results.credential_infos" Instead(Elements, NoElements) "there is no SASL: nobody has a password";
    ListTransactions "error_code" Instead(Number(128), Number(0)) "there are no transactions: a pattern is not looked at";
    AlterUserScramCredentials "results" AnyOrder "Kafka answers in the order of a hash map";
    DescribeUserScramCredentials "results" AnyOrder "Kafka answers in the order of a hash map";
}

/// Returns whether two values may stand in the place of each other: the left one in Kafka's answer, the
/// right one in riverrun's.
pub(crate) fn may_stand(key: ApiKey, path: &str, left: &Tree, right: &Tree) -> bool {
    rules(key, path)
        .any(|rule| matches!(rule, Rule::Instead(one, other) if one.is(left) && other.is(right)))
}

/// Returns what is done to a field before it is compared.
pub(crate) fn rule(key: ApiKey, path: &str) -> Option<Rule> {
    rules(key, path).find(|rule| !matches!(rule, Rule::Instead(..)))
}

fn rules(key: ApiKey, path: &str) -> impl Iterator<Item = Rule> {
    let holds = move |allowed: &&Allowed| match allowed.key {
        Some(of) => of == key && allowed.path == path,
        None => path.rsplit('.').next() == Some(allowed.path),
    };
    ALLOWED.iter().filter(holds).map(|allowed| allowed.rule)
}

/// Returns the table as `docs/compatibility.md` shows it: one line for each reason.
pub(crate) fn table() -> String {
    let mut table = String::from("| fields | compared as | because |\n|---|---|---|\n");
    let alike = |a: &Allowed, b: &Allowed| (a.rule, a.reason) == (b.rule, b.reason);
    let mut told: Vec<&Allowed> = Vec::new();
    for row in ALLOWED {
        if told.iter().any(|other| alike(other, row)) {
            continue;
        }
        told.push(row);
        let fields = ALLOWED.iter().filter(|other| alike(other, row));
        let fields: Vec<String> = fields.map(Allowed::field).collect();
        let (fields, rule) = (fields.join(", "), row.rule.words());
        writeln!(table, "| {fields} | {rule} | {} |", row.reason).expect("a string takes all");
    }
    table
}

impl Allowed {
    /// Names the field, behind its API if it is not one of all.
    fn field(&self) -> String {
        match self.key {
            Some(key) => format!("{key} `{}`", self.path),
            None => format!("`{}`", self.path),
        }
    }
}

impl Rule {
    fn words(self) -> String {
        let words = match self {
            Self::Ignored => "not at all",
            Self::AnyText => "there or not there",
            Self::Clock => "from a clock or not",
            Self::Named => "the same one again or another",
            Self::AnyOrder => "a set",
            Self::Ours => "a set: what the test made",
            Self::Shared => "a set: what both have",
            Self::Without(names) => return format!("without `{}`", names.join("`, `")),
            Self::Instead(kafka, riverrun) => {
                return format!("equal, or {kafka} in Kafka and {riverrun} in riverrun");
            }
        };
        words.to_owned()
    }
}

impl Said {
    fn is(self, value: &Tree) -> bool {
        match (self, value) {
            (Self::Number(number), Tree::Int(value)) => *value == number,
            (Self::NoElements, Tree::List(elements)) => elements.is_empty(),
            (Self::Elements, Tree::List(elements)) => !elements.is_empty(),
            _ => false,
        }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::NoElements => f.write_str("none"),
            Self::Elements => f.write_str("some"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{env, fs};

    use super::*;

    const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/compatibility.md");
    const MARK: &str = "<!-- allowed differences -->\n";

    #[test]
    fn the_document_shows_the_table() {
        let text = fs::read_to_string(DOCUMENT).unwrap();
        let parts: Vec<&str> = text.split(MARK).collect();
        let [before, shown, after] = parts[..] else {
            panic!("docs/compatibility.md marks the table twice with {MARK}")
        };
        if env::var_os("UPDATE_DOCS").is_some() {
            let table = table();
            fs::write(DOCUMENT, [before, &table, after].join(MARK)).unwrap();
        } else {
            assert_eq!(
                shown,
                table(),
                "UPDATE_DOCS=1 cargo test -p differential writes it anew"
            );
        }
    }
}
