"""Runs a tool of Apache Kafka by its name, as its shell script would, and judges what it prints."""

import itertools
import json
import re
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from harness import wire
from harness.driver import Failed

TOOLS = {
    "kafka-acls": "org.apache.kafka.tools.AclCommand",
    "kafka-broker-api-versions": "org.apache.kafka.tools.BrokerApiVersionsCommand",
    "kafka-cluster": "org.apache.kafka.tools.ClusterTool",
    "kafka-configs": "kafka.admin.ConfigCommand",
    "kafka-console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "kafka-console-producer": "org.apache.kafka.tools.ConsoleProducer",
    "kafka-consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "kafka-consumer-perf-test": "org.apache.kafka.tools.ConsumerPerformance",
    "kafka-delete-records": "org.apache.kafka.tools.DeleteRecordsCommand",
    "kafka-e2e-latency": "org.apache.kafka.tools.EndToEndLatency",
    "kafka-features": "org.apache.kafka.tools.FeatureCommand",
    "kafka-get-offsets": "org.apache.kafka.tools.GetOffsetShell",
    "kafka-groups": "org.apache.kafka.tools.GroupsCommand",
    "kafka-leader-election": "org.apache.kafka.tools.LeaderElectionCommand",
    "kafka-log-dirs": "org.apache.kafka.tools.LogDirsCommand",
    "kafka-metadata-quorum": "org.apache.kafka.tools.MetadataQuorumCommand",
    "kafka-producer-perf-test": "org.apache.kafka.tools.ProducerPerformance",
    "kafka-reassign-partitions": "org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
    "kafka-topics": "org.apache.kafka.tools.TopicCommand",
    "kafka-transactions": "org.apache.kafka.tools.TransactionsCommand",
    "kafka-verifiable-consumer": "org.apache.kafka.tools.VerifiableConsumer",
    "kafka-verifiable-producer": "org.apache.kafka.tools.VerifiableProducer",
    "client-compatibility-test": "org.apache.kafka.tools.ClientCompatibilityTest",
    "connect-standalone": "org.apache.kafka.connect.cli.ConnectStandalone",
    "streams-smoke-test": "org.apache.kafka.streams.tests.StreamsSmokeTest",
}
# Those that take no --bootstrap-server.
OWN_BOOTSTRAP = {"connect-standalone", "streams-smoke-test"}
# Standard output is the tool's own.
LOG_CONFIGURATION = """
<Configuration><Appenders>
<Console name="E" target="SYSTEM_ERR"><PatternLayout pattern="%p %m (%c)%n"/></Console>
</Appenders>
<Loggers><Root level="ERROR"><AppenderRef ref="E"/></Root></Loggers></Configuration>
"""
SUBCOMMAND_FIRST = {"kafka-cluster"}
SECONDS = 90


@dataclass(frozen=True)
class Told:
    """What a tool printed, and its exit code."""

    command: str
    code: int
    out: str
    err: str

    def fail(self, what):
        printed = "".join(f"\n      | {line}" for line in (self.out + self.err).splitlines()[-25:])
        raise Failed(f"{self.command}\n      {what}; exit code {self.code}, printed{printed}")

    def says(self, *patterns, code=0):
        """Each pattern is found in what was printed, from line start to line end where it says so."""
        if self.code != code:
            self.fail(f"exit code is not {code}")
        for pattern in patterns:
            if not re.search(pattern, self.out + self.err, re.M):
                self.fail(f"does not say {pattern!r}")
        return self

    def never(self, pattern):
        if re.search(pattern, self.out + self.err, re.M):
            self.fail(f"says {pattern!r}")
        return self

    def lines(self, wanted):
        """Standard output is these lines, in any order."""
        if sorted(self.out.splitlines()) != sorted(wanted):
            self.fail(f"standard output is not {wanted}")
        return self


class Kafka:
    names = itertools.count(1)
    names_lock = threading.Lock()

    def __init__(self, bootstrap, tools, scratch, lines):
        self.bootstrap, self.scratch, self.text = bootstrap, scratch, lines
        self.run_id = f"{time.time_ns() // 1_000_000:x}"
        self.java = [
            *("java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
            *("-Xshare:auto", f"-XX:SharedArchiveFile={tools}/java/tools.jsa"),
        ]
        self.libraries = f"{tools.parent}/kafka/libs/*:{tools}/java/driver.jar"
        self.test_libraries = f"{self.libraries}:{tools.parent}/kafka/test-libs/*"
        self.log = self.file(LOG_CONFIGURATION).rename(scratch / "log4j2.xml")

    def command(self, tool, arguments):
        words = [str(argument) for argument in arguments]
        if tool not in OWN_BOOTSTRAP:
            place = 1 if tool in SUBCOMMAND_FIRST else 0
            words[place:place] = ["--bootstrap-server", self.bootstrap]
        libraries = self.test_libraries if tool == "streams-smoke-test" else self.libraries
        return [*self.java, f"-Dlog4j2.configurationFile={self.log}", "-cp", libraries, TOOLS[tool], *words]

    def __call__(self, tool, *arguments, given=None, seconds=SECONDS):
        line = " ".join([tool, *(str(argument) for argument in arguments)])
        try:
            ran = subprocess.run(
                self.command(tool, arguments),
                input=given,
                stdin=subprocess.DEVNULL if given is None else None,
                capture_output=True,
                text=True,
                timeout=seconds,
                cwd=self.scratch,
            )
        except subprocess.TimeoutExpired as expired:
            raise Failed(f"{line}\n      not done within {seconds} s: {expired.stdout!r} {expired.stderr!r}") from None
        return Told(line, ran.returncode, ran.stdout, ran.stderr)

    def start(self, tool, *arguments):
        """A tool that runs until it is told to end; its output goes to a file."""
        log = self.scratch / f"{self.name(tool)}.log"
        with open(log, "wb") as file:
            process = subprocess.Popen(
                self.command(tool, arguments), stdin=subprocess.DEVNULL, stdout=file, stderr=file, cwd=self.scratch
            )
        return Running(tool, process, log)

    def name(self, kind):
        with self.names_lock:
            return f"{kind}-{self.run_id}-{next(self.names)}"

    def topic(self, partitions=1):
        name = self.name("topic")
        wire.create_topic(self.bootstrap, name, partitions)
        return name

    def filled(self, partitions=1, count=100):
        """A topic with `count` lines in its partition 0."""
        topic = self.topic(partitions)
        given = "".join(f"{line}\n" for line in self.text[:count])
        subprocess.run(
            ["kcat", "-q", "-P", "-b", self.bootstrap, "-t", topic, "-p", "0"], input=given, text=True, check=True
        )
        return topic

    def file(self, content):
        """The path of a new file: JSON of a list or dict, properties of pairs, or the text itself."""
        path = self.scratch / self.name("file")
        if isinstance(content, dict):
            content = json.dumps(content)
        elif isinstance(content, list):
            content = "".join(f"{name}={value}\n" for name, value in content)
        path.write_text(content)
        return path

    def broker_id(self):
        told = self("kafka-cluster", "list-endpoints").says(r"^ID\s+HOST\s+PORT")
        return int(told.out.splitlines()[1].split()[0])


@dataclass(frozen=True)
class Running:
    tool: str
    process: subprocess.Popen
    log: Path

    def text(self):
        return self.log.read_text(errors="replace")

    def until(self, true, what):
        """Waits until `true()`; fails when the tool ends before."""
        deadline = time.monotonic() + SECONDS
        while not true():
            ended = self.process.poll()
            if ended is not None or time.monotonic() > deadline:
                raise Failed(f"{self.tool}, exit code {ended}: {what}: not within {SECONDS} s\n{self.text()[-2000:]}")
            time.sleep(0.05)

    def stop(self):
        """SIGTERM, then the exit."""
        self.process.terminate()
        try:
            return self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failed(f"{self.tool} did not end within 40 s of SIGTERM:\n{self.text()[-2000:]}") from None
