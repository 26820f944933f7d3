package millrace.semantics;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.test.TestRecord;

/** What the stores hold, as their changelogs say it: for each key's bytes the value's, and its timestamp. */
final class Stores {
    /** A key's value; and what it was before the event that changed it last, and whether that event removed it on the way. */
    private static final class Row {
        String value;
        Long timestamp;
        String before;
        boolean wasRemoved;
        int event = -1;
    }

    private final TopologyTestDriver driver;
    private final Map<String, TestOutputTopic<byte[], byte[]>> topics = new TreeMap<>();
    private final Map<String, Map<String, Row>> stores = new TreeMap<>();

    Stores(TopologyTestDriver driver) {
        this.driver = driver;
    }

    /** Reads what an event has changed. */
    void read(int event) {
        for (String topic : driver.producedTopicNames()) {
            if (!topic.endsWith("-changelog")) {
                continue;
            }
            Map<String, Row> rows = stores.computeIfAbsent(topic, name -> new TreeMap<>());
            for (TestRecord<byte[], byte[]> record : topics
                .computeIfAbsent(topic, name -> driver.createOutputTopic(name, new ByteArrayDeserializer(), new ByteArrayDeserializer()))
                .readRecordsToList()) {
                Row row = rows.computeIfAbsent(text(record.key()), key -> new Row());
                if (row.event != event) {
                    row.before = row.value;
                    row.event = event;
                    row.wasRemoved = false;
                }
                row.value = text(record.value());
                row.wasRemoved |= row.value == null;
                row.timestamp = record.timestamp();
            }
        }
    }

    /** Of windows also what else they were, before and in the event that changed them last. */
    ObjectNode contents(ObjectMapper json) {
        ObjectNode all = json.createObjectNode();
        stores.forEach((topic, rows) -> {
            ObjectNode contents = all.putObject(topic);
            boolean isOfForeignKeys = topic.contains("-SUBSCRIPTION-STATE-STORE-") || topic.endsWith("-subscription-store-changelog");
            rows.forEach((key, row) -> {
                // Keys of windows end in times; the keys of cases are plain texts.
                boolean isOfWindow = key.indexOf('\0') >= 0 && !isOfForeignKeys;
                if (row.value == null && !(isOfWindow && row.before != null)) {
                    return;
                }
                ArrayNode written = contents.putArray(key).add(row.value).add(row.timestamp);
                boolean wasOther = !Objects.equals(row.before, row.value);
                boolean wasNothing = row.wasRemoved && row.value != null && row.before != null;
                if (isOfWindow && (wasOther || wasNothing)) {
                    ArrayNode others = written.addArray().add(row.before);
                    if (wasNothing) {
                        others.addNull();
                    }
                }
            });
        });
        return all;
    }

    /** Each byte as the letter of that number, so that texts can be read. */
    private static String text(byte[] bytes) {
        return bytes == null ? null : new String(bytes, StandardCharsets.ISO_8859_1);
    }
}
