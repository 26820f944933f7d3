import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Fills topics of an Apache Kafka broker with every kind of batch that it writes. Run by `java -cp JARS TopicWriter.java SERVERS`. */
public class TopicWriter {
    private static final long FIRST_TIMESTAMP = 1_700_000_000_000L;
    private static String servers;

    public static void main(String[] args) throws Exception {
        servers = args[0];
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", servers))) {
            create(admin, "transactions", Map.of());
            create(admin, "append-time", Map.of("message.timestamp.type", "LogAppendTime"));
            Map<String, String> compact = Map.of("cleanup.policy", "compact", "segment.ms", "100",
                "min.cleanable.dirty.ratio", "0.01", "delete.retention.ms", "3600000");
            create(admin, "compacted", compact);
            create(admin, "compacted-transactions", compact);
            for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) create(admin, "codec-" + codec, Map.of());
        }
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) everyShape("codec-" + codec, codec);
        everyShape("append-time", "none");
        transactions("transactions");
        updatesAndTombstones();
        transactions("compacted-transactions");
        Thread.sleep(300);
        // A segment is only rolled by the next append, and only what is rolled is cleaned.
        transactions("compacted-transactions");
    }

    private static void create(Admin admin, String name, Map<String, String> config) throws Exception {
        admin.createTopics(List.of(new NewTopic(name, Optional.of(1), Optional.empty()).configs(config))).all().get();
    }

    private static KafkaProducer<byte[], byte[]> producer(String codec, String transactionalId) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", servers);
        properties.put("compression.type", codec);
        properties.put("linger.ms", "1000");
        properties.put("batch.size", "60000");
        if (transactionalId != null) properties.put("transactional.id", transactionalId);
        return new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
    }

    /** Null, empty, small and large; headers, also with null values; timestamps forth and back; batches of one and of many. */
    private static void everyShape(String topic, String codec) {
        try (var producer = producer(codec, null)) {
            send(producer, topic, 0, null, null);
            producer.flush();
            for (int i = 0; i < 5; i++) send(producer, topic, i * 7L - 20, "key " + i, "value " + i);
            send(producer, topic, 3, "", "");
            send(producer, topic, 90_000, "only a key", null);
            send(producer, topic, 90_000, null, "only a value");
            send(producer, topic, 100_000, "large", "x".repeat(9_000));
            var headers = new RecordHeaders();
            headers.add("trace", bytes("abc"));
            headers.add("nothing", null);
            headers.add("", bytes(""));
            producer.send(new ProducerRecord<>(topic, 0, FIRST_TIMESTAMP, bytes("with"), bytes("headers"), headers));
            producer.flush();
            for (int i = 0; i < 60; i++) send(producer, topic, 200_000 + i, "k" + i % 10, "some more words, again and again " + i);
            producer.flush();
        }
    }

    /** Two transactions at a time, of which one is aborted, twice; records outside of transactions between them. */
    private static void transactions(String topic) {
        try (var one = producer("none", topic + "-one"); var two = producer("lz4", topic + "-two"); var plain = producer("none", null)) {
            one.initTransactions();
            two.initTransactions();
            for (int round = 0; round < 2; round++) {
                one.beginTransaction();
                two.beginTransaction();
                for (int i = 0; i < 3; i++) {
                    send(one, topic, i, "one", "kept " + round + " " + i);
                    send(two, topic, i, "two", "aborted " + round + " " + i);
                    one.flush();
                    two.flush();
                }
                send(plain, topic, 10, "plain", "outside " + round);
                plain.flush();
                if (round == 0) two.abortTransaction();
                one.commitTransaction();
                if (round == 1) two.abortTransaction();
            }
        }
    }

    private static void updatesAndTombstones() throws Exception {
        try (var producer = producer("none", null)) {
            for (int round = 0; round < 3; round++) {
                for (int i = round; i < 10; i++) send(producer, "compacted", round * 1_000 + i, "key " + i, round == 1 && i < 3 || round == 2 && i > 7 ? null : "v" + round + "." + i);
                for (int i = 0; i < 5; i++) send(producer, "compacted", round * 1_000 + i, "once " + round + "." + i, "kept");
                producer.flush();
            }
            // Later than `segment.ms` after the others: only a segment that is rolled is cleaned.
            send(producer, "compacted", 9_000, "last", "in the active segment");
        }
    }

    private static void send(KafkaProducer<byte[], byte[]> producer, String topic, long time, String key, String value) {
        producer.send(new ProducerRecord<>(topic, 0, FIRST_TIMESTAMP + time, bytes(key), bytes(value)));
    }

    private static byte[] bytes(String text) {
        return text == null ? null : text.getBytes(StandardCharsets.UTF_8);
    }
}
