package millrace.semantics;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.internals.SessionWindow;
import org.apache.kafka.streams.processor.api.ContextualFixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorSupplier;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.processor.api.ProcessingContext;
import org.apache.kafka.streams.state.DslWindowParams;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.TimestampedKeyValueStore;
import org.apache.kafka.streams.state.TimestampedWindowStore;
import org.apache.kafka.streams.state.ValueAndTimestamp;
import org.apache.kafka.streams.state.WindowBytesStoreSupplier;
import org.apache.kafka.streams.state.WindowStore;

/** Processors with stores of every kind: operators/store-kinds.ts has the same in TypeScript. */
final class StoreKinds {
    /** How far around a record's time windows and sessions are looked for. */
    private static final long REACH = 5;

    private StoreKinds() {
    }

    static FixedKeyProcessorSupplier<Object, Object, Object> keepValues(Node n) {
        return new FixedKeyProcessorSupplier<>() {
            @Override
            public FixedKeyProcessor<Object, Object, Object> get() {
                return new ContextualFixedKeyProcessor<>() {
                    @Override
                    public void process(FixedKeyRecord<Object, Object> record) {
                        String value = Functions.text(record.value());
                        String found = exchange(n, context(), Functions.text(record.key()), value, record.timestamp());
                        context().forward(record.withValue(Functions.bounded(value + "." + n.id() + "<" + found)));
                    }
                };
            }

            @Override
            public Set<StoreBuilder<?>> stores() {
                return Set.of(store(n));
            }
        };
    }

    private static StoreBuilder<?> store(Node n) {
        String name = n.text("store");
        return switch (n.text("kind")) {
            case "timestamped" -> Stores.timestampedKeyValueStoreBuilder(
                Stores.inMemoryKeyValueStore(name), Serdes.String(), Serdes.String());
            case "bounded" -> Stores.keyValueStoreBuilder(
                Stores.lruMap(name, n.number("maxEntries")), Serdes.String(), Serdes.String());
            case "window", "duplicates" -> Stores.windowStoreBuilder(windows(n), Serdes.String(), Serdes.String());
            case "timestampedWindow" -> Stores.timestampedWindowStoreBuilder(windows(n), Serdes.String(), Serdes.String());
            case "session" -> Stores.sessionStoreBuilder(
                Stores.inMemorySessionStore(name, n.millis("grace")), Serdes.String(), Serdes.String());
            default -> throw new IllegalArgumentException(n.text("kind"));
        };
    }

    private static WindowBytesStoreSupplier windows(Node n) {
        boolean hasDuplicates = n.text("kind").equals("duplicates");
        return new InMemoryStores().windowStore(new DslWindowParams(
            n.text("store"), n.millis("grace"), n.millis("size"), hasDuplicates, EmitStrategy.onWindowUpdate(), false, false));
    }

    /** Some values delete. */
    private static String orNull(String value) {
        return Functions.weight(value) % 5 == 0 ? null : Functions.bounded(value);
    }

    /** What a record finds before it changes it. */
    private static String exchange(Node n, ProcessingContext context, String key, String value, long timestamp) {
        String name = n.text("store");
        return switch (n.text("kind")) {
            case "timestamped" -> times(context.getStateStore(name), key, value, timestamp);
            case "bounded" -> bounded(context.getStateStore(name), key, value);
            case "window", "duplicates" -> windows(context.getStateStore(name), n.number("size"), key, value, timestamp);
            case "timestampedWindow" -> windowTimes(context.getStateStore(name), n.number("size"), key, value, timestamp);
            default -> sessions(context.getStateStore(name), key, value, timestamp);
        };
    }

    private static String times(TimestampedKeyValueStore<String, String> rows, String key, String value, long timestamp) {
        ValueAndTimestamp<String> before = rows.get(key);
        rows.put(key, ValueAndTimestamp.make(orNull(value), timestamp));
        return before == null ? "null" : before.value() + "@" + before.timestamp();
    }

    private static String bounded(KeyValueStore<String, String> rows, String key, String value) {
        String before = rows.get(key);
        rows.put(key, orNull(value));
        List<String> keys = new ArrayList<>();
        try (var all = rows.all()) {
            all.forEachRemaining(row -> keys.add(row.key));
        }
        return before + "[" + String.join(",", keys) + "]";
    }

    private static String windows(WindowStore<String, String> windows, long size, String key, String value, long timestamp) {
        long from = Math.max(0, timestamp - REACH);
        List<String> own = new ArrayList<>();
        try (var found = windows.fetch(key, from, timestamp + REACH)) {
            found.forEachRemaining(each -> own.add(each.key + ":" + each.value));
        }
        List<String> all = new ArrayList<>();
        try (var found = windows.fetchAll(from, timestamp + REACH)) {
            found.forEachRemaining(each -> all.add(Functions.text(each.key)));
        }
        windows.put(key, orNull(value), timestamp - timestamp % size);
        return String.join(",", own) + "[" + String.join(",", all) + "]";
    }

    private static String windowTimes(
        TimestampedWindowStore<String, String> windows, long size, String key, String value, long timestamp) {
        long start = timestamp - timestamp % size;
        ValueAndTimestamp<String> before = windows.fetch(key, start);
        windows.put(key, ValueAndTimestamp.make(orNull(value), timestamp), start);
        return before == null ? "null" : before.value() + "@" + before.timestamp();
    }

    /** Sessions that are found become one with the record. */
    private static String sessions(SessionStore<String, String> sessions, String key, String value, long timestamp) {
        List<KeyValue<Windowed<String>, String>> found = new ArrayList<>();
        try (var all = sessions.findSessions(key, Math.max(0, timestamp - REACH), timestamp + REACH)) {
            all.forEachRemaining(found::add);
        }
        long start = timestamp;
        long end = timestamp;
        List<String> texts = new ArrayList<>();
        for (KeyValue<Windowed<String>, String> session : found) {
            start = Math.min(start, session.key.window().start());
            end = Math.max(end, session.key.window().end());
            texts.add(Functions.text(session.key) + ":" + session.value);
            sessions.remove(session.key);
        }
        if (orNull(value) != null) {
            sessions.put(new Windowed<>(key, new SessionWindow(start, end)), orNull(value));
        }
        return String.join(",", texts);
    }
}
