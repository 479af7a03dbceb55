"""The tools that look at a cluster or change it. Of an error its class counts: the words are the broker's own."""

import json
import re


def topics(kafka):
    topic = kafka.name("topics")
    create = ("kafka-topics", "--create", "--topic", topic, "--partitions", 3)
    describe = ("kafka-topics", "--describe", "--topic", topic)
    kafka(*create, "--config", "retention.ms=100000").says(rf"^Created topic {topic}\.$")
    kafka(*create).says(r"TopicExistsException", code=1)
    kafka(*create, "--if-not-exists").says()
    told = kafka(*describe).says(r"PartitionCount: 3\tReplicationFactor: 1\tConfigs: .*\bretention\.ms=100000\b")
    told.says(*(rf"^\tTopic: {topic}\tPartition: {p}\tLeader: (\d+)\tReplicas: \1\tIsr: \1\t" for p in range(3)))
    kafka("kafka-topics", "--alter", "--topic", topic, "--partitions", 4).says()
    kafka("kafka-topics", "--alter", "--topic", topic, "--partitions", 2).says(r"InvalidPartitionsException", code=1)
    kafka(*describe).says(r"PartitionCount: 4\t", r"Partition: 3\t")
    kafka("kafka-topics", "--list").says(rf"^{topic}$")
    kafka("kafka-topics", "--describe", "--under-replicated-partitions").lines([])
    kafka("kafka-topics", "--delete", "--topic", topic).says()
    kafka(*describe).says(rf"Topic '{topic}' does not exist as expected", code=1)
    kafka("kafka-topics", "--create", "--topic", "not a name").says(r"InvalidTopicException", code=1)


def configs(kafka):
    topic = kafka.topic()
    alter, describe = ("kafka-configs", "--alter", "--topic", topic), ("kafka-configs", "--describe", "--topic", topic)
    kafka(*alter, "--add-config", "max.message.bytes=20000,retention.ms=5000").says(
        rf"^Completed updating config for topic {topic}\.$"
    )
    kafka(*describe).says(
        rf"^Dynamic configs for topic {topic} are:$",
        r"^  max\.message\.bytes=20000 sensitive=false "
        r"synonyms=\{DYNAMIC_TOPIC_CONFIG:max\.message\.bytes=20000, DEFAULT_CONFIG:",
        r"^  retention\.ms=5000 sensitive=false synonyms=\{DYNAMIC_TOPIC_CONFIG:retention\.ms=5000",
    )
    kafka(*alter, "--delete-config", "max.message.bytes").says()
    kafka(*describe).never(r"max\.message\.bytes").says(r"retention\.ms=5000")
    kafka(*describe, "--all").says(r"^  max\.message\.bytes=1048588 ", r"^  cleanup\.policy=delete ")
    kafka(*alter, "--add-config", "nope=1").says(r"InvalidConfigurationException", code=1)
    kafka(*alter, "--add-config", "retention.ms=much").says(r"InvalidConfigurationException", code=1)
    broker = kafka.broker_id()
    kafka("kafka-configs", "--describe", "--broker", broker, "--all").says(rf"^All configs for broker {broker} are:$")


def quotas(kafka):
    client = kafka.name("client")
    add = ("--alter", "--add-config", "producer_byte_rate=100000000,consumer_byte_rate=200000000")
    kafka("kafka-configs", *add, "--client", client).says(rf"^Completed updating config for client {client}\.$")
    describe = ("kafka-configs", "--describe", "--client", client)
    told = kafka(*describe).says(rf"^Quota configs for client-id '{client}' are ")
    told.says(r"\bproducer_byte_rate=1\.0E8\b", r"\bconsumer_byte_rate=2\.0E8\b")
    kafka("kafka-configs", "--alter", "--delete-config", "producer_byte_rate", "--client", client).says()
    kafka(*describe).says(r"consumer_byte_rate=2\.0E8").never("producer_byte_rate")
    kafka("kafka-configs", "--alter", "--delete-config", "consumer_byte_rate", "--client", client).says()
    kafka(*describe).never("byte_rate")
    kafka("kafka-configs", *add, "--client-defaults").says(
        r"^Completed updating default config for clients in the cluster\.$"
    )
    kafka("kafka-configs", "--describe", "--client-defaults").says(r"^Quota configs for the default client-id are ")
    both = "producer_byte_rate,consumer_byte_rate"
    kafka("kafka-configs", "--alter", "--delete-config", both, "--client-defaults").says()


def get_offsets(kafka):
    topic = kafka.filled(partitions=2)
    kafka("kafka-get-offsets", "--topic", topic).lines([f"{topic}:0:100", f"{topic}:1:0"])
    kafka("kafka-get-offsets", "--topic", topic, "--time", "earliest").lines([f"{topic}:0:0", f"{topic}:1:0"])
    kafka("kafka-get-offsets", "--topic", topic, "--time", "1000").lines([f"{topic}:0:0"])
    kafka("kafka-get-offsets", "--topic-partitions", f"{topic}:0-1").lines([f"{topic}:0:100"])


def delete_records(kafka):
    topic = kafka.filled()

    def delete(offset):
        place = {"topic": topic, "partition": 0, "offset": offset}
        return kafka("kafka-delete-records", "--offset-json-file", kafka.file({"version": 1, "partitions": [place]}))

    delete(40).says(rf"^partition: {topic}-0\tlow_watermark: 40$")
    kafka("kafka-get-offsets", "--topic", topic, "--time", "earliest").lines([f"{topic}:0:40"])
    delete(1000).says(rf"^partition: {topic}-0\terror: .*OffsetOutOfRangeException")
    delete(-1).says(rf"^partition: {topic}-0\tlow_watermark: 100$")


def log_dirs(kafka):
    topic = kafka.filled()
    told = kafka("kafka-log-dirs", "--describe", "--topic-list", topic).says(
        "^Received log directory information from brokers "
    )
    answer = json.loads(told.out.splitlines()[-1])
    found = [p for b in answer["brokers"] for d in b["logDirs"] for p in d["partitions"]]
    size = found[0].pop("size") if len(found) == 1 else 0
    if size < 100 or found != [{"partition": f"{topic}-0", "offsetLag": 0, "isFuture": False}]:
        told.fail("does not have the partition, its size and no lag")


def acls(kafka):
    refused = r"SecurityDisabledException"
    add = ("--add", "--allow-principal", "User:alice", "--operation", "Read", "--topic", "t")
    for arguments in (("--list",), add, ("--remove", "--force", *add[1:])):
        told = kafka("kafka-acls", *arguments)
        told.says(refused, code=told.code)


def features(kafka):
    kafka("kafka-features", "describe").says(
        r"^Feature: metadata\.version\s+SupportedMinVersion: \S+\s+SupportedMaxVersion: \S+\s+FinalizedVersionLevel: \S+",
    )
    told = kafka("kafka-features", "upgrade", "--feature", "no.such.feature=1")
    told.says(r"no\.such\.feature", code=1)


def leader_election(kafka):
    topic = kafka.topic()
    one = ("--election-type", "preferred", "--topic", topic, "--partition", 0)
    kafka("kafka-leader-election", *one).says(rf"^Valid replica already elected for partitions {topic}-0$")
    kafka("kafka-leader-election", "--election-type", "preferred", "--all-topic-partitions").says()
    missing = ("--election-type", "preferred", "--topic", kafka.name("missing"), "--partition", 0)
    kafka("kafka-leader-election", *missing).says(r"UnknownTopicOrPartitionException", code=1)


def reassign_partitions(kafka):
    topic, broker = kafka.topic(), kafka.broker_id()

    def plan(replica):
        place = {"topic": topic, "partition": 0, "replicas": [replica]}
        return kafka.file({"version": 1, "partitions": [place]})

    kafka("kafka-reassign-partitions", "--list").says(r"^No partition reassignments found\.$")
    here = ("--reassignment-json-file", plan(broker))
    kafka("kafka-reassign-partitions", *here, "--execute").says(
        rf"^Successfully started partition reassignment for {topic}-0$"
    )
    kafka("kafka-reassign-partitions", *here, "--verify").says(rf"^Reassignment of partition {topic}-0 is completed\.$")
    elsewhere = ("--reassignment-json-file", plan(broker + 77))
    kafka("kafka-reassign-partitions", *elsewhere, "--execute").says(rf"Unknown broker id {broker + 77}", code=1)


def metadata_quorum(kafka):
    told = kafka("kafka-metadata-quorum", "describe", "--status")
    told.says(r"^ClusterId:\s+\S{22}$", r"^LeaderId:\s+\d+$", r"^LeaderEpoch:\s+\d+$", r"^HighWatermark:\s+\d+$")
    told.says(r"^MaxFollowerLag:\s+0$", r"^CurrentVoters:\s+\[", r"^CurrentObservers:\s+\[\]$")
    kafka("kafka-metadata-quorum", "describe", "--replication").says(
        r"^\d+\s+\S+\s+\d+\s+0\s+-?\d+\s+-?\d+\s+Leader\s*$"
    )


def cluster(kafka):
    kafka("kafka-cluster", "cluster-id").says(r"^Cluster ID: \S{22}$")
    host, port = kafka.bootstrap.rsplit(":", 1)
    kafka("kafka-cluster", "list-endpoints").says(
        r"^ID\s+HOST\s+PORT\s+RACK\s+STATE\s+ENDPOINT_TYPE\s*$",
        rf"^\d+\s+{re.escape(host)}\s+{port}\s+\S+\s+unfenced\s+broker\s*$",
    )


def broker_api_versions(kafka):
    told = kafka("kafka-broker-api-versions")
    told.says(rf"^{re.escape(kafka.bootstrap)} \(id: \d+ rack: \S+ isFenced: false\) -> \($")
    told.says(r"^\tProduce\(0\): 0 to 13 \[usable: 13\],$", r"^\tJoinGroup\(11\): 0 to 9 \[usable: 9\],$")


def transactions(kafka):
    topic = kafka.topic()
    kafka("kafka-transactions", "list").says(r"^TransactionalId\tCoordinator\tProducerId\tTransactionState\t$")
    producers = kafka("kafka-transactions", "describe-producers", "--topic", topic, "--partition", 0)
    producers.says(r"^ProducerId\tProducerEpoch\tLatestCoordinatorEpoch\t")
    if len(producers.out.splitlines()) != 1:
        producers.fail("lists a producer of a new topic")
    kafka("kafka-transactions", "describe", "--transactional-id", kafka.name("none")).says(
        r"the ID could not be found", code=1
    )
    kafka("kafka-transactions", "find-hanging", "--broker-id", kafka.broker_id()).says(
        r"^Topic\tPartition\tProducerId\t"
    )
