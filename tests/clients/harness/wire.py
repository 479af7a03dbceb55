"""The few requests that the harness makes itself, so that no client under test judges itself."""

import socket
import struct
import time
from dataclasses import dataclass

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
FETCH, CREATE_TOPICS = 1, 19


@dataclass(frozen=True)
class Batch:
    """What the header of a stored record batch says."""

    base_offset: int
    count: int
    codec: str
    producer_id: int
    base_sequence: int


class Reader:
    def __init__(self, data):
        self.data, self.position = data, 0

    def take(self, layout):
        values = struct.unpack_from(">" + layout, self.data, self.position)
        self.position += struct.calcsize(">" + layout)
        return values[0] if len(values) == 1 else values

    def text(self):
        return self.take(f"{max(0, self.take('h'))}s")


def text(value):
    return struct.pack(">h", len(value)) + value.encode()


def call(bootstrap, key, version, body):
    """One request on its own connection, header version 1; the answer after its correlation id."""
    host, port = bootstrap.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        frame = struct.pack(">hhi", key, version, 1) + text("harness") + body
        connection.sendall(struct.pack(">i", len(frame)) + frame)
        file = connection.makefile("rb")
        (size,) = struct.unpack(">i", file.read(4))
        return Reader(file.read(size)[4:])


def create_topic(bootstrap, name, partitions):
    body = struct.pack(">i", 1) + text(name) + struct.pack(">ihiiib", partitions, 1, 0, 0, 10_000, 0)
    answer = call(bootstrap, CREATE_TOPICS, 4, body)
    _, _ = answer.take("ii")
    answer.text()
    error = answer.take("h")
    if error:
        raise RuntimeError(f"CreateTopics {name}: error {error}")
    deadline = time.monotonic() + 10
    while errors := [error for partition in range(partitions) if (error := fetch(bootstrap, name, partition, 0)[0])]:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{name}: after 10 s a fetch still gets the errors {errors}")
        time.sleep(0.02)


def fetch(bootstrap, topic, partition, offset):
    """The error, the end and the bytes of one fetch."""
    limits = struct.pack(">iiiib", -1, 0, 0, 16 << 20, 0)
    place = struct.pack(">i", 1) + text(topic) + struct.pack(">iiqi", 1, partition, offset, 16 << 20)
    answer = call(bootstrap, FETCH, 4, limits + place)
    answer.take("ii")
    answer.text()
    _, _, error, end, _ = answer.take("iihqq")
    for _ in range(max(0, answer.take("i"))):
        answer.take("qq")
    return error, end, answer.take(f"{max(0, answer.take('i'))}s")


def batches(bootstrap, topic, partition):
    """The headers of all batches of a partition that is smaller than 16 MiB."""
    found, offset = [], 0
    while True:
        error, end, data = fetch(bootstrap, topic, partition, offset)
        if error:
            raise RuntimeError(f"Fetch {topic}-{partition} from {offset}: error {error}")
        position = 0
        while position + 61 <= len(data):
            base, length = struct.unpack_from(">qi", data, position)
            attributes, last = struct.unpack_from(">hi", data, position + 21)
            producer, _, sequence, count = struct.unpack_from(">qhii", data, position + 43)
            found.append(Batch(base, count, CODECS[attributes & 7], producer, sequence))
            offset = base + last + 1
            position += 12 + length
        if offset >= end:
            return found
