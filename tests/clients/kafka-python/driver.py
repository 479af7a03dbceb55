"""kafka-python behind the contract of ../contract/README.md."""

import sys

import kafka
from kafka import ConsumerRebalanceListener, KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor

from contract import Share, data, serve, text

ASSIGNORS = {
    "range": RangePartitionAssignor,
    "roundrobin": RoundRobinPartitionAssignor,
    "cooperative-sticky": CooperativeStickyAssignor,
}


class Client:
    def __init__(self, bootstrap):
        self.bootstrap = bootstrap

    def version(self):
        return {"version": kafka.__version__}

    def produce(self, topic, codec, idempotent, records):
        producer = KafkaProducer(
            bootstrap_servers=self.bootstrap,
            acks="all",
            compression_type=None if codec == "none" else codec,
            enable_idempotence=idempotent,
            linger_ms=20,
        )
        sent = [
            producer.send(
                topic,
                partition=record["partition"],
                key=data(record["key"]),
                value=data(record["value"]),
                headers=[(name, data(value)) for name, value in record["headers"]],
                timestamp_ms=record.get("timestamp"),
            )
            for record in records
        ]
        producer.flush(30)
        for future in sent:
            future.get(1)
        producer.close()

    def _reader(self):
        return KafkaConsumer(bootstrap_servers=self.bootstrap, enable_auto_commit=False, consumer_timeout_ms=10_000)

    def fetch(self, topic, partition, reads):
        consumer = self._reader()
        place = TopicPartition(topic, partition)
        consumer.assign([place])
        lists = []
        for offset, count in reads:
            consumer.seek(place, offset)
            records = []
            while len(records) < count:
                message = next(consumer)
                records.append(
                    {
                        "partition": message.partition,
                        "offset": message.offset,
                        "key": text(message.key),
                        "value": text(message.value),
                        "headers": [(name, text(value)) for name, value in message.headers],
                        "timestamp": message.timestamp,
                    }
                )
            lists.append(records)
        consumer.close()
        return {"reads": lists}

    def times(self, topic, partition, timestamps):
        consumer = self._reader()
        place = TopicPartition(topic, partition)
        offsets = [consumer.offsets_for_times({place: timestamp})[place].offset for timestamp in timestamps]
        consumer.close()
        return {"offsets": offsets}

    def join(self, **request):
        return Member(self.bootstrap, **request)


class Member(ConsumerRebalanceListener):
    def __init__(self, bootstrap, group, topic, assignor, instance, session_ms):
        self.topic = topic
        self.share = Share()
        self.consumer = KafkaConsumer(
            bootstrap_servers=bootstrap,
            group_id=group,
            group_instance_id=instance,
            partition_assignment_strategy=[ASSIGNORS[assignor]],
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=300,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            fetch_max_wait_ms=100,
            metadata_max_age_ms=1000,
        )
        self.consumer.subscribe([topic], listener=self)

    def _generation(self):
        return self.consumer.group_metadata().generation_id

    def on_partitions_assigned(self, assigned):
        self.share.gain((p.partition for p in assigned), self._generation())

    def on_partitions_revoked(self, revoked):
        self.share.lose([p.partition for p in revoked], self._generation())

    def poll(self):
        # A join that is not done when the poll's time is up is at times never finished (3.0.12): the time is long.
        polled = self.consumer.poll(timeout_ms=1000)
        self.share.hand_on([(m.partition, m.offset, text(m.value)) for batch in polled.values() for m in batch])

    def commit(self, offsets):
        offsets = self.share.positions.items() if offsets is None else offsets
        self.consumer.commit(
            {TopicPartition(self.topic, partition): OffsetAndMetadata(offset, "", -1) for partition, offset in offsets}
        )

    def leave(self):
        self.share.lose(list(self.share.owned))
        self.consumer.close(autocommit=False)


serve(Client(sys.argv[1]))
