"""The clients, how each driver is started, and the one list of what a client lacks."""

import os
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Client:
    name: str
    command: list
    assignor: str = "range"
    environment: dict = field(default_factory=dict)
    commits_itself: bool = False
    # How late its driver may learn what is owned: of a program, it reads so in a pipe.
    late_microseconds: int = 0
    # Case to reason: shown as "n/a" in the table.
    absent: dict = field(default_factory=dict)


def all_clients(tools):
    python = {"PYTHONPATH": str(HERE / "contract"), "PYTHONUNBUFFERED": "1"}
    interpreter = str(tools / "python/bin/python")
    jvm = ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dlog4j2.level=ERROR"]
    jvm += ["-Xshare:auto", f"-XX:SharedArchiveFile={tools}/java/driver.jsa"]
    classes = os.pathsep.join([f"{tools.parent}/kafka/libs/*", f"{tools}/java/driver.jar"])
    return [
        Client(
            "kcat",
            [interpreter, str(HERE / "kcat/driver.py")],
            environment=python,
            commits_itself=True,
            late_microseconds=3_000_000,
            absent={
                "timestamps": "it has no option for a record's timestamp",
                "rewind": "it commits what it has printed and no other offset",
            },
        ),
        Client("confluent-kafka", [interpreter, str(HERE / "confluent-kafka/driver.py")], environment=python),
        Client("kafka-python", [interpreter, str(HERE / "kafka-python/driver.py")], environment=python),
        Client(
            "aiokafka",
            [interpreter, str(HERE / "aiokafka/driver.py")],
            environment=python,
            absent={"cooperative": "it has no cooperative assignor"},
        ),
        Client(
            "kafkajs",
            ["node", str(HERE / "kafkajs/driver.js")],
            assignor="RoundRobinAssigner",
            environment={"NODE_PATH": str(tools / "kafkajs/node_modules"), "KAFKAJS_NO_PARTITIONER_WARNING": "1"},
            absent={
                "static": "it has no `group.instance.id`",
                "cooperative": "it has no cooperative assignor",
            },
        ),
        Client("franz-go", [str(tools / "go/franz-go")]),
        Client("sarama", [str(tools / "go/sarama")]),
        Client("java", [*jvm, "-cp", classes, "Driver"]),
    ]


# Two clients in one group, and the assignor that both know by the same name.
PAIRS = (
    ("confluent-kafka", "java", "range"),
    ("kafka-python", "franz-go", "range"),
    ("aiokafka", "sarama", "roundrobin"),
    ("kcat", "kafka-python", "roundrobin"),
    ("java", "franz-go", "cooperative-sticky"),
    ("confluent-kafka", "sarama", "cooperative-sticky"),
)
NO_PAIR = {"kafkajs": "the name of its only assignor, `RoundRobinAssigner`, is its own"}
