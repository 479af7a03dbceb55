"""aiokafka behind the contract of ../contract/README.md."""

import asyncio
import sys

import aiokafka
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor

from contract import Share, data, serve, text

ASSIGNORS = {"range": RangePartitionAssignor, "roundrobin": RoundRobinPartitionAssignor}

# A member's heartbeats run while `poll` waits, and `serve` polls a member all the time.
run = asyncio.new_event_loop().run_until_complete


class Client:
    def __init__(self, bootstrap):
        self.bootstrap = bootstrap

    def version(self):
        return {"version": aiokafka.__version__}

    def produce(self, **request):
        run(self._produce(**request))

    async def _produce(self, topic, codec, idempotent, records):
        producer = AIOKafkaProducer(
            bootstrap_servers=self.bootstrap,
            acks="all",
            compression_type=None if codec == "none" else codec,
            enable_idempotence=idempotent,
            linger_ms=20,
        )
        await producer.start()
        sent = [
            await producer.send(
                topic,
                partition=record["partition"],
                key=data(record["key"]),
                value=data(record["value"]),
                headers=[(name, data(value)) for name, value in record["headers"]],
                timestamp_ms=record.get("timestamp"),
            )
            for record in records
        ]
        await asyncio.wait_for(asyncio.gather(*sent), 30)
        await producer.stop()

    async def _reader(self, place):
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, enable_auto_commit=False)
        await consumer.start()
        consumer.assign([place])
        return consumer

    def fetch(self, **request):
        return run(self._fetch(**request))

    async def _fetch(self, topic, partition, reads):
        place = TopicPartition(topic, partition)
        consumer = await self._reader(place)
        lists = []
        for offset, count in reads:
            consumer.seek(place, offset)
            records = []
            while len(records) < count:
                message = await asyncio.wait_for(consumer.getone(), 10)
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
        await consumer.stop()
        return {"reads": lists}

    def times(self, **request):
        return run(self._times(**request))

    async def _times(self, topic, partition, timestamps):
        place = TopicPartition(topic, partition)
        consumer = await self._reader(place)
        offsets = [(await consumer.offsets_for_times({place: timestamp}))[place].offset for timestamp in timestamps]
        await consumer.stop()
        return {"offsets": offsets}

    def join(self, **request):
        return Member(self.bootstrap, **request)


class Member(ConsumerRebalanceListener):
    def __init__(self, bootstrap, group, topic, assignor, instance, session_ms):
        self.topic = topic
        self.share = Share()
        run(self._start(bootstrap, group, assignor, instance, session_ms))

    async def _start(self, bootstrap, group, assignor, instance, session_ms):
        self.consumer = AIOKafkaConsumer(
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
        self.consumer.subscribe([self.topic], listener=self)
        await self.consumer.start()

    def on_partitions_assigned(self, assigned):
        self.share.gain(p.partition for p in assigned)

    def on_partitions_revoked(self, revoked):
        self.share.lose([p.partition for p in revoked])

    def poll(self):
        polled = run(self.consumer.getmany(timeout_ms=50))
        self.share.hand_on([(m.partition, m.offset, text(m.value)) for batch in polled.values() for m in batch])

    def commit(self, offsets):
        offsets = self.share.positions.items() if offsets is None else offsets
        places = {TopicPartition(self.topic, partition): offset for partition, offset in offsets}
        if places:
            run(self.consumer.commit(places))

    def leave(self):
        self.share.lose(list(self.share.owned))
        run(self.consumer.stop())


serve(Client(sys.argv[1]))
