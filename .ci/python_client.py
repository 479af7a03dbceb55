"""kafka-python once through: every line of a file to a topic and back."""

import sys

from kafka import KafkaConsumer, KafkaProducer, TopicPartition


def main(bootstrap, path, lines_max=100_000):
    with open(path, "rb") as corpus:
        lines = [line.rstrip(b"\n") for line in corpus.readlines()[:lines_max]]
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=20)
    for line in lines:
        producer.send("python", value=line, key=b"k", partition=0)
    producer.flush()
    producer.close()

    partition = TopicPartition("python", 0)
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    consumer.assign([partition])
    consumer.seek_to_beginning(partition)
    end = consumer.end_offsets([partition])[partition]
    assert end == len(lines), (end, len(lines))
    back = []
    while len(back) < end:
        polled = consumer.poll(timeout_ms=10_000)
        assert polled, f"no records for 10 s after {len(back)} of {end}"
        for records in polled.values():
            back.extend(records)
    assert [record.offset for record in back] == list(range(end))
    assert [record.value for record in back] == lines
    consumer.close()
    print(f"  kafka-python: {end} lines, the same")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
