"""Whole programs on top of the clients: Connect and Streams."""

from harness import wire
from harness.bench import same

# The topics of the smoke test that it does not create itself, and their partitions, as in Kafka's system tests.
SMOKE_TOPICS = (
    *("data", "echo", "min", "min-suppressed", "min-raw", "max", "sum", "dif", "cnt", "avg", "tagg"),
    *("sws-raw", "sws-suppressed", "fk"),
)
SMOKE_PARTITIONS = 5


def connect(kafka):
    """Connect standalone: lines go from one file through a topic to another, also after Connect was started again."""
    topic = kafka.topic()
    source, sink, offsets = (kafka.scratch / kafka.name(name) for name in ("source", "sink", "connect-offsets"))
    source.write_text("")
    converter = "org.apache.kafka.connect.storage.StringConverter"
    worker = [
        *(("bootstrap.servers", kafka.bootstrap), ("key.converter", converter), ("value.converter", converter)),
        *(
            ("offset.storage.file.filename", offsets),
            ("offset.flush.interval.ms", 500),
            ("listeners", "HTTP://127.0.0.1:0"),
        ),
        *(("plugin.discovery", "only_scan"), ("consumer.session.timeout.ms", 30_000)),
    ]
    tasks = [("tasks.max", 1)]
    from_file = [
        ("name", kafka.name("source")),
        ("connector.class", "FileStreamSource"),
        ("file", source),
        ("topic", topic),
    ]
    to_file = [("name", kafka.name("sink")), ("connector.class", "FileStreamSink"), ("file", sink), ("topics", topic)]
    configs = [kafka.file(worker), kafka.file(from_file + tasks), kafka.file(to_file + tasks)]
    lines = kafka.text[:200]
    for begin, end in ((0, 120), (120, 200)):
        with open(source, "a") as file:
            file.writelines(f"{line}\n" for line in lines[begin:end])
        running = kafka.start("connect-standalone", *configs)
        try:
            running.until(lambda: sink.exists() and sink.read_text().count("\n") >= end, f"{end} lines arrive")
        finally:
            running.stop()
        same(lines[:end], sink.read_text().splitlines(), "through Connect")


def streams(kafka):
    """Streams' smoke test with at-least-once: its driver writes for 90 s and then verifies every aggregate."""
    left = f"({'|'.join(SMOKE_TOPICS)}|SmokeTest-.*)"
    kafka("kafka-topics", "--delete", "--if-exists", "--topic", left).says()
    for topic in SMOKE_TOPICS:
        wire.create_topic(kafka.bootstrap, topic, SMOKE_PARTITIONS)
    properties = kafka.file(
        [
            ("bootstrap.servers", kafka.bootstrap),
            ("processing.guarantee", "at_least_once"),
            ("state.dir", kafka.scratch),
        ]
    )
    app = kafka.start("streams-smoke-test", properties, "process")
    try:
        told = kafka("streams-smoke-test", properties, "run", seconds=300)
        told.says(r"^ALL-RECORDS-DELIVERED$", r"^SUCCESS$").never("PROCESSED-LESS-THAN-GENERATED|^FAILURE")
    finally:
        app.stop()
