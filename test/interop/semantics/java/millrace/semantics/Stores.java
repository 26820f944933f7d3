package millrace.semantics;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.TimestampedKeyValueStore;
import org.apache.kafka.streams.state.TimestampedWindowStore;
import org.apache.kafka.streams.state.ValueAndTimestamp;

/** What the stores of results hold when a case has ended: [key, value, timestamp] for each entry; sessions have no timestamp. */
final class Stores {
    private Stores() {
    }

    static ObjectNode contents(TopologyTestDriver driver, ObjectMapper json) {
        ObjectNode stores = json.createObjectNode();
        for (Map.Entry<String, StateStore> store : new TreeMap<>(driver.getAllStateStores()).entrySet()) {
            ArrayNode entries = entries(store.getValue(), json);
            if (entries != null) {
                stores.set(store.getKey(), entries);
            }
        }
        return stores;
    }

    private static ArrayNode entries(StateStore store, ObjectMapper json) {
        ArrayNode entries = json.createArrayNode();
        try (KeyValueIterator<?, ?> all = all(store)) {
            if (all == null) {
                return null;
            }
            while (all.hasNext()) {
                KeyValue<?, ?> entry = all.next();
                ArrayNode line = entries.addArray().add(Functions.text(entry.key));
                if (entry.value instanceof ValueAndTimestamp<?> value) {
                    line.add(Functions.text(value.value())).add(value.timestamp());
                } else {
                    line.add(Functions.text(entry.value));
                }
            }
        }
        return entries;
    }

    private static KeyValueIterator<?, ?> all(StateStore store) {
        if (store instanceof TimestampedKeyValueStore<?, ?> rows) {
            return rows.all();
        }
        if (store instanceof TimestampedWindowStore<?, ?> windows) {
            return windows.all();
        }
        if (store instanceof SessionStore<?, ?> sessions) {
            return sessions.findSessions(0, Long.MAX_VALUE);
        }
        return null;
    }
}
