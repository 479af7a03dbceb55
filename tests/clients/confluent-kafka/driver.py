"""confluent-kafka (librdkafka) behind the contract of ../contract/README.md."""

import sys

import confluent_kafka
from confluent_kafka import Consumer, Producer, TopicPartition

from contract import Share, data, serve, text


class Client:
    def __init__(self, bootstrap):
        self.common = {"bootstrap.servers": bootstrap, "topic.metadata.refresh.interval.ms": 1000}

    def version(self):
        return {"version": f"{confluent_kafka.__version__} (librdkafka {confluent_kafka.libversion()[0]})"}

    def produce(self, topic, codec, idempotent, records):
        failures = []
        producer = Producer(
            self.common | {"acks": "all", "compression.type": codec, "enable.idempotence": idempotent, "linger.ms": 20}
        )
        for record in records:
            timestamp = {"timestamp": record["timestamp"]} if "timestamp" in record else {}
            producer.produce(
                topic,
                partition=record["partition"],
                key=data(record["key"]),
                value=data(record["value"]),
                headers=[(name, data(value)) for name, value in record["headers"]],
                on_delivery=lambda error, _: failures.append(error) if error else None,
                **timestamp,
            )
        left = producer.flush(30)
        if failures or left:
            raise RuntimeError(f"{left} records unsent, failures {failures[:3]}")

    def _reader(self):
        return Consumer(self.common | {"group.id": "unused", "enable.auto.commit": False})

    def fetch(self, topic, partition, reads):
        consumer = self._reader()
        lists = []
        for offset, count in reads:
            place = TopicPartition(topic, partition, offset)
            if lists:
                consumer.seek(place)
            else:
                consumer.assign([place])
            records = []
            while len(records) < count:
                message = consumer.poll(10)
                if message is None or message.error():
                    raise RuntimeError(f"{message and message.error()} after {len(records)} of {count} records")
                records.append(
                    {
                        "partition": message.partition(),
                        "offset": message.offset(),
                        "key": text(message.key()),
                        "value": text(message.value()),
                        "headers": [(name, text(value)) for name, value in message.headers() or []],
                        "timestamp": message.timestamp()[1],
                    }
                )
            lists.append(records)
        consumer.close()
        return {"reads": lists}

    def times(self, topic, partition, timestamps):
        consumer = self._reader()
        offsets = [
            consumer.offsets_for_times([TopicPartition(topic, partition, timestamp)], timeout=10)[0].offset
            for timestamp in timestamps
        ]
        consumer.close()
        return {"offsets": offsets}

    def join(self, **request):
        return Member(self.common, **request)


class Member:
    def __init__(self, common, group, topic, assignor, instance, session_ms):
        static = {"group.instance.id": instance} if instance else {}
        self.topic = topic
        self.share = Share()
        self.consumer = Consumer(
            common
            | static
            | {
                "group.id": group,
                "partition.assignment.strategy": assignor,
                "session.timeout.ms": session_ms,
                "heartbeat.interval.ms": 300,
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 100,
            }
        )
        self.consumer.subscribe(
            [topic],
            on_assign=lambda _, gained: self.share.gain(p.partition for p in gained),
            on_revoke=lambda _, lost: self.share.lose([p.partition for p in lost]),
            on_lost=lambda _, lost: self.share.lose([p.partition for p in lost]),
        )

    def poll(self):
        messages = self.consumer.consume(500, 0.05)
        for message in messages:
            if message.error():
                raise RuntimeError(message.error())
        self.share.hand_on([(m.partition(), m.offset(), text(m.value())) for m in messages])

    def commit(self, offsets):
        offsets = self.share.positions.items() if offsets is None else offsets
        places = [TopicPartition(self.topic, partition, offset) for partition, offset in offsets]
        if places:
            self.consumer.commit(offsets=places, asynchronous=False)

    def leave(self):
        self.consumer.close()
        self.share.lose(list(self.share.owned))


serve(Client(sys.argv[1]))
