"""What every case works with: the broker, the drivers of one or two clients, fresh topics and real text."""

import itertools
import threading

from . import wire
from .driver import Drivers, expect

TEXTS = ("LICENSE-APACHE", "LICENSE-MIT", "README.md", "ARCHITECTURE.md")


def same(sent, got, what):
    """Fails with the first difference between what was sent and what was read."""
    for place, (one, other) in enumerate(itertools.zip_longest(sent, got)):
        expect(one == other, f"{what}: number {place} was sent as {one!r} and read as {other!r}")


def text_lines(root):
    """The repository's own texts as lines: none empty, no tab (kcat separates by it)."""
    lines = [line for name in TEXTS for line in (root / name).read_text().splitlines()]
    return [line for line in lines if line and "\t" not in line]


class Bench:
    names = itertools.count(1)
    names_lock = threading.Lock()

    def __init__(self, clients, bootstrap, lines, scratch, run_id):
        self.bootstrap, self.run_id = bootstrap, run_id
        self.drivers = {client.name: Drivers(client, bootstrap, scratch) for client in clients}
        self.client = clients[0]
        self.text = itertools.cycle(lines)

    def lines(self, count):
        return list(itertools.islice(self.text, count))

    def name(self, kind):
        with self.names_lock:
            return f"{kind}-{self.run_id}-{next(self.names)}"

    def topic(self, partitions=1):
        name = self.name("topic")
        wire.create_topic(self.bootstrap, name, partitions)
        return name

    def ask(self, do, **fields):
        return self.drivers[self.client.name].ask(do, **fields)

    def produce(self, topic, records, codec="none", idempotent=False):
        self.ask("produce", topic=topic, codec=codec, idempotent=idempotent, records=records)

    def fetch(self, topic, *reads):
        return self.ask("fetch", topic=topic, partition=0, reads=reads)["reads"]

    def batches(self, topic):
        return wire.batches(self.bootstrap, topic, 0)

    def stop(self):
        for drivers in self.drivers.values():
            drivers.stop()


def record(value, partition=0, key=None, headers=(), **more):
    return {"partition": partition, "key": key, "value": value, "headers": [list(pair) for pair in headers], **more}
