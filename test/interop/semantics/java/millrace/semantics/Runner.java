package millrace.semantics;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeSet;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyConfig;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.test.TestRecord;

/** Runs cases with Kafka Streams' TopologyTestDriver: one line of JSON in, one line of JSON out, for ever. */
public final class Runner {
    private static final ObjectMapper json = new ObjectMapper();
    private final Path stateDirectory;

    private Runner(Path stateDirectory) {
        this.stateDirectory = stateDirectory;
    }

    public static void main(String[] arguments) throws Exception {
        Runner runner = new Runner(Files.createTempDirectory("millrace-semantics"));
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        BufferedWriter out = new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            out.write(json.writeValueAsString(runner.run(json.readTree(line))));
            out.write('\n');
            out.flush();
        }
    }

    private ObjectNode run(JsonNode given) {
        ObjectNode answer = json.createObjectNode();
        answer.set("id", given.get("id"));
        ArrayNode steps = json.createArrayNode();
        Properties settings = settings(given);
        try {
            Map<String, Node> nodes = new LinkedHashMap<>();
            given.get("nodes").forEach(node -> nodes.put(node.get("id").asText(), new Node(node)));
            Topology topology = given.has("byHand") ? byHand(nodes) : byDsl(nodes, settings);
            answer.put("describe", topology.describe().toString());
            answer.set("steps", steps);
            try (TopologyTestDriver driver = new TopologyTestDriver(topology, settings, Instant.EPOCH)) {
                Session session = new Session(driver, nodes);
                Stores stores = new Stores(driver);
                given.get("events").forEach(event -> {
                    steps.add(session.step(event));
                    stores.read(steps.size());
                });
                answer.set("topics", json.valueToTree(new TreeSet<>(driver.producedTopicNames())));
                answer.set("stores", stores.contents(json));
            }
        } catch (Exception error) {
            answer.put("error", text(error));
            if (answer.has("steps")) {
                answer.put("failedAt", steps.size());
            }
        }
        return answer;
    }

    private static Topology byDsl(Map<String, Node> nodes, Properties settings) {
        StreamsBuilder builder = new StreamsBuilder(new TopologyConfig(new StreamsConfig(settings)));
        Operators operators = new Operators(builder, nodes);
        nodes.values().forEach(operators::build);
        return builder.build(settings);
    }

    private static Topology byHand(Map<String, Node> nodes) {
        Topology topology = new Topology();
        ByHand hand = new ByHand(topology, nodes);
        nodes.values().forEach(hand::build);
        return topology;
    }

    private static String text(Throwable error) {
        Throwable root = error;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return error.getClass().getSimpleName() + ": " + error.getMessage()
            + (root == error ? "" : " <- " + root.getClass().getSimpleName() + ": " + root.getMessage());
    }

    private Properties settings(JsonNode given) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "app");
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:0");
        settings.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        settings.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, stateDirectory.toString());
        settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, given.path("cacheBytes").asLong());
        // What a processor of the user's own hands on has other keys and values: without the fix optimisations forget that (KAFKA-19668).
        settings.put(TopologyConfig.InternalConfig.ENABLE_PROCESS_PROCESSVALUE_FIX, true);
        settings.put(StreamsConfig.DSL_STORE_SUPPLIERS_CLASS_CONFIG, InMemoryStores.class);
        long emitEveryMs = given.path("emitEveryMs").asLong();
        // Left to itself Kafka Streams looks for what it owes once a second of wall-clock time; that is a delay, not a semantic.
        settings.put(StreamsConfig.InternalConfig.EMIT_INTERVAL_MS_KSTREAMS_OUTER_JOIN_SPURIOUS_RESULTS_FIX, emitEveryMs);
        settings.put(StreamsConfig.InternalConfig.EMIT_INTERVAL_MS_KSTREAMS_WINDOWED_AGGREGATION, emitEveryMs);
        if (given.path("optimize").asBoolean()) {
            settings.put(StreamsConfig.TOPOLOGY_OPTIMIZATION_CONFIG, StreamsConfig.OPTIMIZE);
        }
        return settings;
    }

    /** The driver's topics, opened once. */
    private static final class Session {
        private final TopologyTestDriver driver;
        private final Map<String, TestInputTopic<String, String>> inputs = new LinkedHashMap<>();
        private final Map<String, TestOutputTopic<Object, Object>> outputs = new LinkedHashMap<>();

        Session(TopologyTestDriver driver, Map<String, Node> nodes) {
            this.driver = driver;
            for (Node node : nodes.values()) {
                if (!node.op().equals("to") && !node.op().equals("handSink")) {
                    continue;
                }
                outputs.put(node.text("topic"), driver.createOutputTopic(
                    node.text("topic"), node.key().deserializer(), node.value().deserializer()));
            }
        }

        /** What came out, as [topic, key, value, timestamp], and the headers where there are any. */
        ArrayNode step(JsonNode event) {
            ArrayNode step = json.createArrayNode();
            if (event.has("wallclock")) {
                driver.advanceWallClockTime(Duration.ofMillis(event.get("wallclock").asLong()));
            } else if (event.has("batch")) {
                batch(event.get("batch"));
            } else if (event.has("topic")) {
                pipe(event);
            }
            outputs.forEach((topic, output) -> {
                for (TestRecord<Object, Object> record : output.readRecordsToList()) {
                    step.add(line(topic, record));
                }
            });
            return step;
        }

        private void batch(JsonNode events) {
            try {
                Batch batch = new Batch(driver);
                for (JsonNode event : events) {
                    batch.pipe(event.get("topic").asText(), event.get("ts").asLong(),
                        bytes(event.get("key")), bytes(event.get("value")), headers(event));
                }
                batch.commit();
            } catch (ReflectiveOperationException error) {
                throw Batch.causeOf(error);
            }
        }

        private static byte[] bytes(JsonNode text) {
            return text.isNull() ? null : text.asText().getBytes(StandardCharsets.UTF_8);
        }

        private static RecordHeaders headers(JsonNode event) {
            RecordHeaders headers = new RecordHeaders();
            event.path("headers").forEach(header ->
                headers.add(header.get(0).asText(), header.get(1).asText().getBytes(StandardCharsets.UTF_8)));
            return headers;
        }

        private void pipe(JsonNode event) {
            RecordHeaders headers = headers(event);
            inputs
                .computeIfAbsent(event.get("topic").asText(),
                    topic -> driver.createInputTopic(topic, new StringSerializer(), new StringSerializer()))
                .pipeInput(new TestRecord<>(orNull(event.get("key")), orNull(event.get("value")), headers, event.get("ts").asLong()));
        }

        private static String orNull(JsonNode text) {
            return text.isNull() ? null : text.asText();
        }

        private static ArrayNode line(String topic, TestRecord<Object, Object> record) {
            ArrayNode line = json.createArrayNode().add(topic);
            line.add(record.key() == null ? null : Functions.text(record.key()));
            line.add(record.value() == null ? null : Functions.text(record.value()));
            line.add(record.timestamp());
            if (record.headers().toArray().length > 0) {
                ArrayNode headers = line.addArray();
                for (Header header : record.headers()) {
                    headers.add(json.valueToTree(
                        List.of(header.key(), new String(header.value(), StandardCharsets.UTF_8))));
                }
            }
            return line;
        }
    }
}
