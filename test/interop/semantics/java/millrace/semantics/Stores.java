package millrace.semantics;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.test.TestRecord;

/** What the stores hold when a case has ended, as their changelogs say it: for each key's bytes the value's, and its timestamp. */
final class Stores {
    private Stores() {
    }

    static ObjectNode contents(TopologyTestDriver driver, ObjectMapper json) {
        ObjectNode stores = json.createObjectNode();
        for (String topic : driver.producedTopicNames()) {
            if (!topic.endsWith("-changelog")) {
                continue;
            }
            Map<String, TestRecord<byte[], byte[]>> rows = new TreeMap<>();
            for (TestRecord<byte[], byte[]> record : driver
                .createOutputTopic(topic, new ByteArrayDeserializer(), new ByteArrayDeserializer()).readRecordsToList()) {
                if (record.value() == null) {
                    rows.remove(text(record.key()));
                } else {
                    rows.put(text(record.key()), record);
                }
            }
            ObjectNode contents = json.createObjectNode();
            rows.forEach((key, row) -> contents.putArray(key).add(text(row.value())).add(row.timestamp()));
            stores.set(topic, contents);
        }
        return stores;
    }

    /** Each byte as the letter of that number, so that texts can be read. */
    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }
}
