//! What one node is told at start: a field for each key that is not a default of topics.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use types::limits::{DATA_DIRS_MAX, FRAME_SIZE_MAX, REQUEST_PARTITIONS_MAX, SHARDS_MAX};
use types::{ByteCount, NodeId};

use super::address::Address;
use super::file::{self, NodeConfigError};
use super::key::Key;
use super::kind::{Kind, Unit, Value};
use super::topic_keys::TOPIC_KEYS;

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

const LOG_LEVELS: &[&str] = &["error", "warn", "info", "debug", "trace"];
const LOG_FORMATS: &[&str] = &["human", "json"];
const BYTES_MAX: i64 = 1 << 50;
const COUNT_MAX: i64 = i32::MAX as i64;
const MIB: i64 = 1 << 20;
const FRAME_BYTES_MAX: i64 = FRAME_SIZE_MAX.0.cast_signed();
const SHARD_COUNT_MAX: i64 = SHARDS_MAX as i64;
/// The longest text that a record of `__consumer_offsets` can hold.
const OFFSET_METADATA_MAX: i64 = i16::MAX as i64;
const PARTITION_COUNT_MAX: i64 = REQUEST_PARTITIONS_MAX.cast_signed() as i64;

/// Makes the rows and the struct of one list: a field's text is its key's text.
macro_rules! node_keys {
    ($(
        $(#[doc = $doc:literal])+
        $field:ident: $type:ty = $name:literal, $kind:expr, $unit:ident, $default:expr;
    )+) => {
        /// The keys of the node that are not defaults of topics, in the order in which people read
        /// them.
        const NODE_KEYS: &[Key] = &[$(Key {
            name: $name,
            kind: $kind,
            unit: Unit::$unit,
            default: $default,
            doc: concat!($($doc),+),
        }),+];

        /// The configuration of one node.
        ///
        /// Made from a file and from `--set`, checked; every key that nobody sets has its default.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct NodeConfig {
            $($(#[doc = $doc])+ pub $field: $type,)+
            /// What somebody set, as text, for all keys.
            given: BTreeMap<&'static str, String>,
        }

        impl NodeConfig {
            fn from_given(given: BTreeMap<&'static str, String>) -> Self {
                let value = |name| value(&given, name);
                Self {
                    $($field: Setting::from_value(value($name)),)+
                    given,
                }
            }
        }
    };
}

node_keys! {
    /// The number of this broker in its cluster. It is written into the data directory and cannot
    /// change afterwards.
    node_id: NodeId = "node.id", Kind::Integer { min: 0, max: COUNT_MAX }, None, Some("1");
    /// Where this broker stands, told to clients as its rack.
    rack: Option<String> = "rack", Kind::Text, None, None;
    /// Where clients connect to. Port 0 takes a free one.
    listen: Address = "listen", Kind::Address { port_min: 0 }, None, Some("127.0.0.1:9092");
    /// The address that clients are told to connect to; if it is not set, the one that they
    /// dialled.
    advertised: Option<Address> = "advertised", Kind::Address { port_min: 1 }, None, None;
    /// Where metrics, health and readiness are served by HTTP; nowhere if it is not set.
    admin_listen: Option<Address> = "admin.listen", Kind::Address { port_min: 0 }, None, None;
    /// The directories that hold everything this node keeps; the first one holds the metadata. Each
    /// fails for itself, and a new partition goes to the one with the fewest. What a shard may take in
    /// memory and keep open is shared out among them evenly; journals and reserves are each one's own.
    data_dirs: Vec<PathBuf> = "data.dir",
        Kind::Paths { count_max: DATA_DIRS_MAX }, None, Some("./riverrun-data");
    /// How many shards run, one a core; every core that the process may use if it is not set.
    cores: Option<u16> = "cores", Kind::Integer { min: 1, max: SHARD_COUNT_MAX }, None, None;
    /// Whether asking for the metadata of a topic that is not there creates it.
    auto_create_topics: bool = "auto.create.topics.enable", Kind::Boolean, None, Some("true");
    /// How many partitions a topic has whose creator does not say.
    num_partitions: usize = "num.partitions",
        Kind::Integer { min: 1, max: PARTITION_COUNT_MAX }, None, Some("1");
    /// The largest request that is read; a larger one ends its connection.
    frame_size_max: ByteCount = "socket.request.max.bytes",
        Kind::Integer { min: 4 * MIB, max: FRAME_BYTES_MAX }, Bytes, Some("104857600");
    /// What the requests and queued answers of one shard may take in memory. When it is spent,
    /// nothing more is read.
    request_memory_max: ByteCount = "request.memory.max.bytes",
        Kind::Integer { min: 4 * MIB, max: BYTES_MAX }, Bytes, Some("134217728");
    /// How many client connections are open at a time; further ones are closed at once.
    connections_max: usize = "connections.max",
        Kind::Integer { min: 1, max: COUNT_MAX }, None, Some("20000");
    /// How many of them come from one address; not bounded if it is not set.
    connections_per_address_max: Option<usize> = "connections.per.address.max",
        Kind::Integer { min: 1, max: COUNT_MAX }, None, None;
    /// A connection without a request for this long is closed.
    connection_idle_max: Duration = "connections.idle.ms",
        Kind::Integer { min: 1, max: i64::MAX }, Milliseconds, Some("600000");
    /// The congestion control of accepted connections, as the kernel names it; the system's own
    /// choice if it is not set.
    tcp_congestion: Option<String> = "tcp.congestion", Kind::Text, None, None;
    /// The memory for direct I/O that each shard registers with the kernel.
    io_memory: ByteCount = "io.memory.bytes",
        Kind::Integer { min: MIB, max: BYTES_MAX }, Bytes, Some("2097152");
    /// What the journal of one shard may take on disk, in each data directory; bounds what a restart
    /// replays.
    journal_size_max: ByteCount = "journal.max.bytes",
        Kind::Integer { min: 16 * MIB, max: BYTES_MAX }, Bytes, Some("67108864");
    /// What the batches of one shard that are not yet in their segments may take in memory.
    tail_memory_max: ByteCount = "tail.memory.max.bytes",
        Kind::Integer { min: 8 * MIB, max: BYTES_MAX }, Bytes, Some("33554432");
    /// How many segment files one shard keeps open.
    segment_files_max: usize = "segment.files.max",
        Kind::Integer { min: 16, max: COUNT_MAX }, None, Some("1024");
    /// What the loaded segment indexes of one shard may take in memory.
    index_cache_max: ByteCount = "index.cache.max.bytes",
        Kind::Integer { min: MIB, max: BYTES_MAX }, Bytes, Some("8388608");
    /// Disk space that each shard keeps back in each data directory, so that what was accepted can be
    /// written out when the disk is full.
    disk_reserve: ByteCount = "disk.reserve.bytes",
        Kind::Integer { min: 0, max: BYTES_MAX }, Bytes, Some("16777216");
    /// How many incremental fetch sessions are kept; the others fetch without one.
    fetch_sessions_max: usize = "fetch.sessions.max",
        Kind::Integer { min: 0, max: COUNT_MAX }, None, Some("1000");
    /// An idempotent producer that was silent for so long is forgotten.
    producer_expiry: Duration = "producer.id.expiration.ms",
        Kind::Integer { min: 1, max: i64::MAX }, Milliseconds, Some("86400000");
    /// How many idempotent producers the partitions of one shard remember together, about 300 bytes
    /// each; when there are more, the partition with the most of them forgets its longest silent one.
    producers_max: usize = "producer.ids.max",
        Kind::Integer { min: 1000, max: COUNT_MAX }, None, Some("200000");
    /// How often retention looks for segments to delete.
    retention_interval: Duration = "log.retention.check.interval.ms",
        Kind::Integer { min: 1, max: i64::MAX }, Milliseconds, Some("300000");
    /// How many partitions the topic `__consumer_offsets` has when it is created: the groups are spread
    /// over them, each with a coordinator of its own.
    offsets_partitions: usize = "offsets.topic.num.partitions",
        Kind::Integer { min: 1, max: PARTITION_COUNT_MAX }, None, Some("50");
    /// How long the offsets of a group are kept that has no members, or of a partition that it does not
    /// read any more.
    offsets_retention_minutes: u32 = "offsets.retention.minutes",
        Kind::Integer { min: 1, max: COUNT_MAX }, Minutes, Some("10080");
    /// How often offsets that are kept no longer are looked for.
    offsets_retention_interval: Duration = "offsets.retention.check.interval.ms",
        Kind::Integer { min: 1, max: i64::MAX }, Milliseconds, Some("600000");
    /// The longest note that a consumer may leave beside an offset.
    offset_metadata_max: usize = "offset.metadata.max.bytes",
        Kind::Integer { min: 0, max: OFFSET_METADATA_MAX }, Bytes, Some("4096");
    /// The shortest session that a member of a group may ask for.
    group_session_min: Duration = "group.min.session.timeout.ms",
        Kind::Integer { min: 1, max: COUNT_MAX }, Milliseconds, Some("6000");
    /// The longest session that a member of a group may ask for.
    group_session_max: Duration = "group.max.session.timeout.ms",
        Kind::Integer { min: 1, max: COUNT_MAX }, Milliseconds, Some("1800000");
    /// How long the first member of a group waits for others before partitions are shared out.
    group_initial_delay: Duration = "group.initial.rebalance.delay.ms",
        Kind::Integer { min: 0, max: COUNT_MAX }, Milliseconds, Some("3000");
    /// The most members that a group takes.
    group_size_max: usize = "group.max.size",
        Kind::Integer { min: 1, max: COUNT_MAX }, None, Some("5000");
    /// The most groups that one partition of `__consumer_offsets` takes.
    groups_max: usize = "groups.max",
        Kind::Integer { min: 1, max: COUNT_MAX }, None, Some("10000");
    /// The most offsets, over all groups, that one partition of `__consumer_offsets` takes; each 256
    /// bytes of a note count as one more.
    group_offsets_max: usize = "group.offsets.max",
        Kind::Integer { min: 1, max: COUNT_MAX }, None, Some("1000000");
    /// What the members of one partition of `__consumer_offsets` may take in memory with what they
    /// told of themselves, and with what they are assigned.
    group_members_memory_max: ByteCount = "group.members.memory.max.bytes",
        Kind::Integer { min: MIB, max: BYTES_MAX }, Bytes, Some("33554432");
    /// The least important messages that are logged.
    log_level: &'static str = "logging.level", Kind::Choice(LOG_LEVELS), None, Some("info");
    /// How log messages are written.
    log_format: LogFormat = "logging.format", Kind::Choice(LOG_FORMATS), None, Some("human");
}

/// Returns every key of a node: its own, then the defaults of topics.
pub(crate) fn keys() -> impl Iterator<Item = &'static Key> {
    NODE_KEYS
        .iter()
        .chain(TOPIC_KEYS.iter().map(|row| &row.key))
}

/// Finds a key of a node by its name.
pub(crate) fn find(name: &str) -> Option<&'static Key> {
    keys().find(|key| key.name == name)
}

/// Returns the value in force of a key, from texts that were checked when they were given.
fn value(given: &BTreeMap<&'static str, String>, name: &str) -> Option<Value> {
    let key = find(name).expect("the list that made the rows made the names");
    let parse = |text: &String| key.parse(text).expect("given values were checked");
    given.get(name).map(parse).or_else(|| key.default_value())
}

impl NodeConfig {
    /// Reads a configuration file, and lets `key=value` settings override it, later ones earlier
    /// ones.
    ///
    /// *Errors*: the first one in the file, else the first one of the settings.
    pub fn parse<S: AsRef<str>>(toml: &str, settings: &[S]) -> Result<Self, NodeConfigError> {
        let keys: Vec<_> = keys().collect();
        let mut given = file::read(toml, &keys)?;
        for setting in settings {
            let (name, text) = file::read_setting(setting.as_ref(), &keys)?;
            given.insert(name, text);
        }
        Ok(Self::from_given(given))
    }

    /// Returns the data directory that holds the metadata, and those beside it.
    ///
    /// *Panics*: without any, which the key does not take.
    pub fn first_data_dir(&self) -> (&Path, &[PathBuf]) {
        let (first, others) = self.data_dirs.split_first().expect("there is one at least");
        (first, others)
    }

    /// Returns the text that somebody set a key to.
    pub(crate) fn given(&self, name: &str) -> Option<&str> {
        self.given.get(name).map(String::as_str)
    }
}

impl Default for NodeConfig {
    /// What `riverrun dev` starts from.
    fn default() -> Self {
        Self::from_given(BTreeMap::new())
    }
}

/// A field's type, made from its key's value.
trait Setting {
    /// *Panics*: if the key's kind does not go with the field's type, or the field must have a value
    /// and the key has no default; a test makes every field.
    fn from_value(value: Option<Value>) -> Self;
}

fn number<T: TryFrom<i64>>(value: Option<&Value>) -> Option<T> {
    match value {
        Some(&Value::Integer(number)) => T::try_from(number).ok(),
        _ => None,
    }
}

macro_rules! number_setting {
    ($($type:ty),+) => {$(
        impl Setting for $type {
            fn from_value(value: Option<Value>) -> Self {
                number(value.as_ref()).expect("the key is a number in the field's range")
            }
        }

        impl Setting for Option<$type> {
            fn from_value(value: Option<Value>) -> Self {
                number(value.as_ref())
            }
        }
    )+};
}

number_setting!(u16, u32, usize);

impl Setting for NodeId {
    fn from_value(value: Option<Value>) -> Self {
        Self(number(value.as_ref()).expect("the key is a 32-bit number"))
    }
}

impl Setting for ByteCount {
    fn from_value(value: Option<Value>) -> Self {
        Self(number(value.as_ref()).expect("the key is a number that is not negative"))
    }
}

impl Setting for Duration {
    fn from_value(value: Option<Value>) -> Self {
        Self::from_millis(number(value.as_ref()).expect("the key is a number that is not negative"))
    }
}

impl Setting for bool {
    fn from_value(value: Option<Value>) -> Self {
        value == Some(Value::Boolean(true))
    }
}

impl Setting for Option<String> {
    fn from_value(value: Option<Value>) -> Self {
        match value {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }
}

impl Setting for Vec<PathBuf> {
    fn from_value(value: Option<Value>) -> Self {
        match value {
            Some(Value::Paths(paths)) => Some(paths),
            _ => None,
        }
        .expect("the key is a list of paths with a default")
    }
}

impl Setting for Option<Address> {
    fn from_value(value: Option<Value>) -> Self {
        match value {
            Some(Value::Address(address)) => Some(address),
            _ => None,
        }
    }
}

impl Setting for Address {
    fn from_value(value: Option<Value>) -> Self {
        let address: Option<Self> = Setting::from_value(value);
        address.expect("the key is an address with a default")
    }
}

impl Setting for &'static str {
    fn from_value(value: Option<Value>) -> Self {
        match value {
            Some(Value::Choice(word)) => Some(word),
            _ => None,
        }
        .expect("the key is a choice with a default")
    }
}

impl Setting for LogFormat {
    fn from_value(value: Option<Value>) -> Self {
        if value == Some(Value::Choice("json")) {
            Self::Json
        } else {
            Self::Human
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_are_at_most_forty_keys_and_those_of_groups_each_with_a_name_of_its_own() {
        let names: BTreeSet<_> = keys().map(|key| key.name).collect();
        assert_eq!(names.len(), keys().count());
        let of_groups = |name: &&str| name.contains("group") || name.starts_with("offset");
        let groups = names.iter().copied().filter(of_groups).count();
        assert!(names.len() - groups <= 40, "{}", names.len());
        assert!(groups <= 12, "{groups}");
    }

    #[test]
    fn no_key_is_the_beginning_of_another() {
        // In TOML a name cannot be both a value and a table.
        for long in keys() {
            for short in keys() {
                let inside = long.name.strip_prefix(short.name);
                assert!(
                    !inside.is_some_and(|rest| rest.starts_with('.')),
                    "{}",
                    long.name
                );
            }
        }
    }

    #[test]
    fn every_field_has_its_default() {
        let config = NodeConfig::default();
        assert_eq!(config.node_id, NodeId(1));
        assert_eq!(config.listen.to_string(), "127.0.0.1:9092");
        assert_eq!(config.advertised, None);
        assert_eq!(config.cores, None);
        assert!(config.auto_create_topics);
        assert_eq!(config.frame_size_max, FRAME_SIZE_MAX);
        assert_eq!(config.connection_idle_max, Duration::from_mins(10));
        assert_eq!(config.log_format, LogFormat::Human);
        assert_eq!(config.log_level, "info");
    }

    #[test]
    fn every_key_takes_its_own_default_and_sets_its_field() {
        let settings: Vec<String> = keys()
            .filter_map(|key| Some(format!("{}={}", key.name, key.default?)))
            .collect();
        let given = NodeConfig::parse("", &settings).unwrap();
        let fresh = NodeConfig {
            given: BTreeMap::new(),
            ..given
        };
        assert_eq!(fresh, NodeConfig::default());

        let other = [
            "cores=3",
            "rack=r",
            "advertised=h:1",
            "tcp.congestion=cubic",
            "node.id=7",
        ];
        let config = NodeConfig::parse("", &other).unwrap();
        assert_eq!(config.cores, Some(3));
        assert_eq!(config.rack.as_deref(), Some("r"));
        assert_eq!(config.advertised.map(|address| address.port()), Some(1));
        assert_eq!(config.tcp_congestion.as_deref(), Some("cubic"));
        assert_eq!(config.node_id, NodeId(7));
        let config = NodeConfig::parse("data.dir = '/a, /b'", &[""; 0]).unwrap();
        let (first, others) = config.first_data_dir();
        assert_eq!((first, others), (Path::new("/a"), &["/b".into()][..]));
    }

    #[test]
    fn a_setting_overrides_the_file_and_an_earlier_setting() {
        let toml = "node.id = 1\nnum.partitions = 2\n";
        let config = NodeConfig::parse(toml, &["num.partitions=3", "num.partitions=4"]).unwrap();
        assert_eq!(config.num_partitions, 4);
        assert_eq!(config.given("num.partitions"), Some("4"));
        assert_eq!(config.given("node.id"), Some("1"));
        assert_eq!(config.given("listen"), None);
    }
}
