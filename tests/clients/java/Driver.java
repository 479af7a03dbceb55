// The Java client behind the contract of ../contract/README.md.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.consumer.RoundRobinAssignor;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.AppInfoParser;

public final class Driver {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String END = "";
    private static final Map<String, Class<?>> ASSIGNORS = Map.of(
            "range", RangeAssignor.class,
            "roundrobin", RoundRobinAssignor.class,
            "cooperative-sticky", CooperativeStickyAssignor.class);

    private final Map<String, Object> common;
    private Member member;

    private Driver(String bootstrap) {
        common = Map.of("bootstrap.servers", bootstrap);
    }

    public static void main(String[] arguments) throws Exception {
        LinkedBlockingQueue<String> requests = new LinkedBlockingQueue<>();
        Thread reader = new Thread(() -> {
            BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            input.lines().forEach(requests::add);
            requests.add(END);
        });
        reader.setDaemon(true);
        reader.start();
        Driver driver = new Driver(arguments[0]);
        while (true) {
            String request = driver.member == null ? requests.take() : requests.poll();
            if (request == null) {
                driver.poll();
            } else if (request.equals(END)) {
                return;
            } else {
                driver.answer(JSON.readTree(request));
            }
        }
    }

    private static void emit(Map<String, ?> message) {
        try {
            byte[] line = (JSON.writeValueAsString(message) + "\n").getBytes(StandardCharsets.UTF_8);
            System.out.write(line, 0, line.length);
            System.out.flush();
        } catch (java.io.IOException error) {
            throw new java.io.UncheckedIOException(error);
        }
    }

    private void poll() {
        try {
            member.poll();
        } catch (RuntimeException error) {
            emit(Map.of("event", "failed", "error", error.toString()));
            member = null;
        }
    }

    private void answer(JsonNode request) {
        try {
            emit(Map.of("reply", dispatch(request)));
        } catch (Exception error) {
            emit(Map.of("error", error.toString()));
        }
    }

    private Map<String, ?> dispatch(JsonNode request) throws Exception {
        switch (request.get("do").asText()) {
            case "version":
                return Map.of("version", AppInfoParser.getVersion());
            case "produce":
                return produce(request);
            case "fetch":
                return fetch(request);
            case "times":
                return times(request);
            case "join":
                member = new Member(common, request);
                return Map.of();
            case "commit":
                member.commit(request.get("offsets"));
                return Map.of();
            case "leave":
                Member leaver = member;
                member = null;
                leaver.leave();
                return Map.of();
            default:
                throw new IllegalArgumentException(request.toString());
        }
    }

    private static String text(JsonNode node) {
        return node.isNull() ? null : node.asText();
    }

    private Map<String, ?> produce(JsonNode request) throws Exception {
        Map<String, Object> settings = new HashMap<>(common);
        settings.put("acks", "all");
        settings.put("linger.ms", 20);
        settings.put("compression.type", request.get("codec").asText());
        settings.put("enable.idempotence", request.get("idempotent").asBoolean());
        String topic = request.get("topic").asText();
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        try (var producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            for (JsonNode node : request.get("records")) {
                Long timestamp = node.has("timestamp") ? node.get("timestamp").asLong() : null;
                int partition = node.get("partition").asInt();
                var record = new ProducerRecord<>(
                        topic, partition, timestamp, text(node.get("key")), text(node.get("value")));
                for (JsonNode header : node.get("headers")) {
                    byte[] value = header.get(1).asText().getBytes(StandardCharsets.UTF_8);
                    record.headers().add(header.get(0).asText(), value);
                }
                sent.add(producer.send(record));
            }
            producer.flush();
            for (Future<RecordMetadata> one : sent) {
                one.get();
            }
        }
        return Map.of();
    }

    private KafkaConsumer<String, String> reader() {
        return new KafkaConsumer<>(common, new StringDeserializer(), new StringDeserializer());
    }

    private Map<String, ?> fetch(JsonNode request) {
        TopicPartition place = new TopicPartition(request.get("topic").asText(), request.get("partition").asInt());
        List<Object> lists = new ArrayList<>();
        try (var consumer = reader()) {
            consumer.assign(List.of(place));
            for (JsonNode read : request.get("reads")) {
                consumer.seek(place, read.get(0).asLong());
                int count = read.get(1).asInt();
                List<Object> records = new ArrayList<>();
                while (records.size() < count) {
                    var polled = consumer.poll(Duration.ofSeconds(10));
                    if (polled.isEmpty()) {
                        throw new IllegalStateException(records.size() + " of " + count + " records after 10 s");
                    }
                    polled.forEach(record -> records.add(told(record)));
                }
                lists.add(records.subList(0, count));
            }
        }
        return Map.of("reads", lists);
    }

    private static Map<String, Object> told(ConsumerRecord<String, String> record) {
        List<List<String>> headers = new ArrayList<>();
        for (Header header : record.headers()) {
            headers.add(List.of(header.key(), new String(header.value(), StandardCharsets.UTF_8)));
        }
        Map<String, Object> told = new HashMap<>();
        told.put("partition", record.partition());
        told.put("offset", record.offset());
        told.put("key", record.key());
        told.put("value", record.value());
        told.put("headers", headers);
        told.put("timestamp", record.timestamp());
        return told;
    }

    private Map<String, ?> times(JsonNode request) {
        TopicPartition place = new TopicPartition(request.get("topic").asText(), request.get("partition").asInt());
        List<Long> offsets = new ArrayList<>();
        try (var consumer = reader()) {
            for (JsonNode timestamp : request.get("timestamps")) {
                offsets.add(consumer.offsetsForTimes(Map.of(place, timestamp.asLong())).get(place).offset());
            }
        }
        return Map.of("offsets", offsets);
    }

    private static final class Member implements ConsumerRebalanceListener {
        private final String topic;
        private final KafkaConsumer<String, String> consumer;
        private final TreeSet<Integer> owned = new TreeSet<>();

        Member(Map<String, Object> common, JsonNode request) {
            Map<String, Object> settings = new HashMap<>(common);
            settings.put("group.id", request.get("group").asText());
            if (!request.get("instance").isNull()) {
                settings.put("group.instance.id", request.get("instance").asText());
            }
            settings.put("partition.assignment.strategy", ASSIGNORS.get(request.get("assignor").asText()).getName());
            settings.put("session.timeout.ms", request.get("session_ms").asInt());
            settings.put("heartbeat.interval.ms", 300);
            settings.put("auto.offset.reset", "earliest");
            settings.put("enable.auto.commit", false);
            settings.put("fetch.max.wait.ms", 100);
            settings.put("metadata.max.age.ms", 1000);
            topic = request.get("topic").asText();
            consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
            consumer.subscribe(List.of(topic), this);
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> gained) {
            gained.forEach(partition -> owned.add(partition.partition()));
            tell();
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> lost) {
            lost.forEach(partition -> owned.remove(partition.partition()));
            tell();
        }

        private void tell() {
            Map<String, Object> event = new HashMap<>();
            event.put("event", "owned");
            event.put("partitions", owned);
            int generation = consumer.groupMetadata().generationId();
            event.put("generation", generation < 0 ? null : generation);
            event.put("at", ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now()));
            emit(event);
        }

        void poll() {
            List<Object> records = new ArrayList<>();
            for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(50))) {
                records.add(List.of(record.partition(), record.offset(), record.value()));
            }
            if (!records.isEmpty()) {
                emit(Map.of("event", "records", "records", records));
            }
        }

        void commit(JsonNode offsets) {
            if (offsets == null || offsets.isNull()) {
                consumer.commitSync();
                return;
            }
            Map<TopicPartition, OffsetAndMetadata> places = new HashMap<>();
            for (JsonNode pair : offsets) {
                TopicPartition place = new TopicPartition(topic, pair.get(0).asInt());
                places.put(place, new OffsetAndMetadata(pair.get(1).asLong()));
            }
            consumer.commitSync(places);
        }

        void leave() {
            consumer.close();
        }
    }
}
