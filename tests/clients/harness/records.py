"""The cases without a group: what is written is read back, by the same client."""

from . import wire
from .bench import record, same
from .driver import expect

FIRST_TIMESTAMP = 1_700_000_000_000


def values(records):
    return [record["value"] for record in records]


def codecs(bench):
    """Five codecs, there and back; the stored batches name the codec."""
    for codec in wire.CODECS:
        topic, sent = bench.topic(), bench.lines(200)
        bench.produce(topic, [record(line) for line in sent], codec=codec)
        (got,) = bench.fetch(topic, (0, len(sent)))
        same(sent, values(got), codec)
        # A client may store a batch plain that its codec would not make smaller.
        used = {batch.codec for batch in bench.batches(topic)}
        expect(codec in used and used <= {codec, "none"}, f"asked for {codec}, the stored batches have {used}")


def shapes(bench):
    """Keys, headers, null and empty keys, null and empty values."""
    lines, topic = bench.lines(6), bench.topic()
    headers = [("source", "licence"), ("part", "1"), ("part", "2"), ("empty", ""), ("größe", "vierzig ½")]
    sent = [
        record(lines[0], key="key"),
        record(lines[1]),
        record("", key="empty value"),
        record("", key=""),
        record(None, key="null value"),
        record(lines[2], key="with headers", headers=headers),
        record(lines[3], headers=headers[:1]),
        record(lines[4] + " – Grüße, 世界", key="ключ"),
    ]
    bench.produce(topic, sent)
    (got,) = bench.fetch(topic, (0, len(sent)))
    same(range(len(sent)), [one["offset"] for one in got], "offsets")
    same(sent, [{name: one[name] for name in sent[0]} for one in got], "record")


def idempotence(bench):
    """An idempotent producer: every batch has its producer id, and the sequence numbers have no gap."""
    topic, sent = bench.topic(), bench.lines(500)
    bench.produce(topic, [record(line) for line in sent], codec="lz4", idempotent=True)
    (got,) = bench.fetch(topic, (0, len(sent)))
    same(sent, values(got), "idempotent")
    batches = bench.batches(topic)
    producers = {batch.producer_id for batch in batches}
    expect(len(producers) == 1 and min(producers) >= 0, f"producer ids of the stored batches: {producers}")
    same([batch.base_offset for batch in batches], [batch.base_sequence for batch in batches], "base sequence")


def timestamps(bench):
    """Timestamps that the producer gives are kept."""
    topic = bench.topic()
    sent = [record(line, timestamp=FIRST_TIMESTAMP + 1000 * place) for place, line in enumerate(bench.lines(50))]
    bench.produce(topic, sent)
    (got,) = bench.fetch(topic, (0, len(sent)))
    same([one["timestamp"] for one in sent], [one["timestamp"] for one in got], "timestamp")


def times(bench):
    """The offset for a time is that of the first record at or after it."""
    topic, lines = bench.topic(), bench.lines(50)
    given = "timestamps" not in bench.client.absent
    bench.produce(
        topic,
        [
            record(line, **({"timestamp": FIRST_TIMESTAMP + 1000 * place} if given else {}))
            for place, line in enumerate(lines)
        ],
    )
    (got,) = bench.fetch(topic, (0, len(lines)))
    stored = [one["timestamp"] for one in got]
    asked = [stored[0] - 500, stored[0], stored[17] - 1, stored[17], stored[49]]
    due = [next(offset for offset, one in enumerate(stored) if one >= timestamp) for timestamp in asked]
    same(due, bench.ask("times", topic=topic, partition=0, timestamps=asked)["offsets"], "offset for a time")


def seek(bench):
    """Forth, back, to the beginning and to the last record; in and between batches."""
    topic, sent = bench.topic(), bench.lines(200)
    for part in (sent[:80], sent[80:]):
        bench.produce(topic, [record(line) for line in part], codec="gzip")
    reads = [(150, 10), (20, 5), (0, 3), (199, 1), (75, 50)]
    for (offset, count), got in zip(reads, bench.fetch(topic, *reads), strict=True):
        same(list(range(offset, offset + count)), [one["offset"] for one in got], f"offset after a seek to {offset}")
        same(sent[offset : offset + count], values(got), f"after a seek to {offset}")
