"""kcat behind the contract of ../contract/README.md: one run of the program for each thing that is asked of it."""

import json
import re
import subprocess
import sys
import threading
from itertools import groupby

from contract import Share, emit, serve

REBALANCED = re.compile(r"^% Group \S+ rebalanced\b.*?: (?:incremental )?(assign|revoke)")


def kcat(*arguments, given=None):
    ran = subprocess.run(["kcat", *arguments], input=given, capture_output=True, text=True, timeout=30)
    if ran.returncode:
        raise RuntimeError(ran.stderr.strip())
    return ran.stdout


def record(line):
    told = json.loads(line)
    flat = told.get("headers", [])
    return {
        "partition": told["partition"],
        "offset": told["offset"],
        "key": told["key"],
        "value": told["payload"],
        "headers": list(zip(flat[::2], flat[1::2])),
        "timestamp": told["ts"],
    }


class Client:
    def __init__(self, bootstrap):
        self.bootstrap = bootstrap

    def version(self):
        told = subprocess.run(["kcat", "-V"], capture_output=True, text=True, check=True).stdout
        return {
            "version": re.sub(r".*Version ([\d.]+) .*librdkafka ([\d.]+).*", r"\1 (librdkafka \2)", told, flags=re.S)
        }

    def produce(self, topic, codec, idempotent, records):
        def shape(record):
            """One run of kcat sends records of one partition with the same headers, all or none of them null."""
            return (record["partition"], record["key"] is None, record["value"] is None, record["headers"])

        for (partition, keyless, valueless, headers), alike in groupby(records, key=shape):
            arguments = ["-q", "-P", "-b", self.bootstrap, "-t", topic, "-p", str(partition), "-z", codec]
            arguments += ["-X", "acks=all", "-X", f"enable.idempotence={str(idempotent).lower()}", "-K", "\t"]
            for name, value in headers:
                arguments += ["-H", name if value is None else f"{name}={value}"]
            if keyless or valueless:
                arguments += ["-Z"]
            kcat(*arguments, given="".join(f"{r['key'] or ''}\t{r['value'] or ''}\n" for r in alike))

    def fetch(self, topic, partition, reads):
        lists = []
        for offset, count in reads:
            place = ["-t", topic, "-p", str(partition), "-o", str(offset), "-c", str(count)]
            lines = kcat("-q", "-C", "-b", self.bootstrap, *place, "-e", "-J").splitlines()
            lists.append([record(line) for line in lines])
        return {"reads": lists}

    def times(self, topic, partition, timestamps):
        told = [kcat("-Q", "-b", self.bootstrap, "-t", f"{topic}:{partition}:{timestamp}") for timestamp in timestamps]
        return {"offsets": [int(line.split()[-1]) for line in told]}

    def join(self, **request):
        return Member(self.bootstrap, **request)


class Member:
    """A running `kcat -G`. It commits by itself, every 100 ms and when it gives partitions up."""

    def __init__(self, bootstrap, group, topic, assignor, instance, session_ms):
        self.share = Share()
        properties = {
            "partition.assignment.strategy": assignor,
            "session.timeout.ms": session_ms,
            "heartbeat.interval.ms": 300,
            "auto.offset.reset": "earliest",
            "auto.commit.interval.ms": 100,
            "fetch.wait.max.ms": 100,
            "topic.metadata.refresh.interval.ms": 1000,
        } | ({"group.instance.id": instance} if instance else {})
        settings = [word for name, value in properties.items() for word in ("-X", f"{name}={value}")]
        self.process = subprocess.Popen(
            ["kcat", "-b", bootstrap, *settings, "-u", "-J", "-G", group, topic],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.readers = [threading.Thread(target=self._rebalances), threading.Thread(target=self._records)]
        for reader in self.readers:
            reader.start()

    def _rebalances(self):
        for line in self.process.stderr:
            sys.stderr.write(line)
            if told := REBALANCED.match(line):
                partitions = [int(index) for index in re.findall(r"\[(\d+)\]", line)]
                if told[1] == "assign":
                    self.share.gain(partitions)
                else:
                    self.share.lose(partitions)

    def _records(self):
        for line in self.process.stdout:
            got = record(line)
            # Not by way of the share: the line that tells of the partition may still wait in the other pipe.
            emit({"event": "records", "records": [(got["partition"], got["offset"], got["value"])]})

    def poll(self):
        try:
            code = self.process.wait(0.05)
            raise RuntimeError(f"kcat exited with {code}")
        except subprocess.TimeoutExpired:
            pass

    def commit(self, offsets):
        if offsets is not None:
            raise NotImplementedError("kcat commits no offset that it is told")

    def leave(self):
        self.process.terminate()
        self.process.wait(30)
        for reader in self.readers:
            reader.join()
        self.share.lose(list(self.share.owned))


serve(Client(sys.argv[1]))
