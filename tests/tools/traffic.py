"""The tools that write and read records."""

import json

from harness import wire
from harness.bench import same
from harness.driver import expect


def console(kafka):
    """Lines there and back; keys; a group that goes on where it was."""
    topic, group = kafka.topic(), kafka.name("group")
    first, more = kafka.text[:60], kafka.text[60:100]

    def produce(lines, *options):
        kafka("kafka-console-producer", "--topic", topic, *options, given="".join(f"{line}\n" for line in lines)).says()

    def consume(count, *options):
        told = kafka(
            "kafka-console-consumer", "--topic", topic, "--max-messages", count, "--timeout-ms", 30_000, *options
        )
        return told.says(rf"^Processed a total of {count} messages$").out.splitlines()

    produce(first, "--compression-codec", "zstd")
    same(first, consume(60, "--group", group, "--from-beginning"), "console consumer")
    produce(more)
    same(more, consume(40, "--group", group), "console consumer of a group that goes on")
    same(first[50:], consume(10, "--partition", 0, "--offset", 50), "console consumer from an offset")
    keyed = [f"{place}\t{line}" for place, line in enumerate(first)]
    produce(keyed, "--reader-property", "parse.key=true", "--reader-property", "key.separator=\t")
    told = consume(60, "--partition", 0, "--offset", 100, "--formatter-property", "print.key=true")
    same(keyed, told, "keys")


def perf(kafka):
    """The producer and consumer perf tests, with every codec; what is stored has the codec."""
    for codec in wire.CODECS:
        topic, count = kafka.topic(), 3000
        payload = kafka.file("".join(f"{line}\n" for line in kafka.text))
        load = ("--topic", topic, "--num-records", count, "--throughput", -1, "--payload-file", payload)
        told = kafka("kafka-producer-perf-test", *load, "--command-property", f"compression.type={codec}")
        told.says(rf"^{count} records sent, [\d.]+ records/sec ")
        batches = wire.batches(kafka.bootstrap, topic, 0)
        expect(sum(batch.count for batch in batches) == count, f"{codec}: {topic} does not have {count} records")
        codecs = {batch.codec for batch in batches}
        expect(codec in codecs and codecs <= {codec, "none"}, f"asked for {codec}, stored as {codecs}")
        read = ("--topic", topic, "--num-records", count, "--group", kafka.name("group"), "--timeout", 30_000)
        told = kafka("kafka-consumer-perf-test", *read).says(r"^start\.time, end\.time, data\.consumed\.in\.MB")
        columns = told.out.splitlines()[-1].split(", ")
        expect(columns[4] == str(count), f"{codec}: read {columns[4]} of {count} records")


def end_to_end_latency(kafka):
    told = kafka(
        "kafka-e2e-latency",
        "--topic",
        kafka.topic(),
        "--num-records",
        200,
        "--producer-acks",
        "all",
        "--record-size",
        100,
    )
    told.says(r"^Avg latency: [\d.]+ ms$", r"^Percentiles: 50th = \d+, 99th = \d+, 99\.9th = \d+$")


def events(told, name):
    lines = [json.loads(line) for line in told.out.splitlines() if line.startswith("{")]
    return [line for line in lines if line["name"] == name]


def verifiable(kafka):
    """The verifiable producer and consumer agree on what was written, and the consumer commits it."""
    topic, count = kafka.topic(3), 200
    told = kafka("kafka-verifiable-producer", "--topic", topic, "--max-messages", count, "--acks", -1).says()
    (sums,) = events(told, "tool_data")
    if (sums["sent"], sums["acked"]) != (count, count):
        told.fail("did not send and see acknowledged all records")
    sent = {(one["partition"], one["offset"]) for one in events(told, "producer_send_success")}
    expect(len(sent) == count, f"{len(sent)} different places for {count} records")
    told = kafka(
        *("kafka-verifiable-consumer", "--topic", topic, "--group-id", kafka.name("group"), "--max-messages", count),
        *("--session-timeout", 30_000, "--reset-policy", "earliest"),
    ).says()
    read = sum(event["count"] for event in events(told, "records_consumed"))
    expect(read == count, f"the consumer read {read} of {count} records")
    commits = events(told, "offsets_committed")
    if not commits or not all(event["success"] for event in commits):
        told.fail("a commit failed")
    committed = {place["partition"]: place["offset"] for event in commits for place in event["offsets"]}
    ends = {partition: offset + 1 for partition, offset in sorted(sent)}
    expect(committed == ends, f"committed {committed}, written up to {ends}")


def client_compatibility(kafka):
    """Kafka's own list of what a client may expect of a broker."""
    expected = {
        "offsets-for-times-supported": True,
        "cluster-id-supported": True,
        "expect-record-too-large-exception": False,
        "num-cluster-nodes": 1,
        "create-topics-supported": True,
        "describe-acls-supported": True,
        "describe-configs-supported": True,
        "idempotent-producer-supported": True,
    }
    # The test creates a topic of this name and leaves it.
    kafka("kafka-topics", "--delete", "--if-exists", "--topic", "newtopic").says()
    options = [word for name, value in expected.items() for word in (f"--{name}", value)]
    kafka("client-compatibility-test", "--topic", kafka.topic(), *options).says(r"^SUCCESS\.").never("FAILED")
