package millrace.semantics;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Set;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorSupplier;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.processor.api.ProcessingContext;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.ValueAndTimestamp;

/** The processors that cases run with `process` and `processValues`: operators/processors.ts has the same in TypeScript. */
final class Processors {
    private Processors() {
    }

    static ProcessorSupplier<Object, Object, Object, Object> process(Node n) {
        return new ProcessorSupplier<>() {
            @Override
            public Processor<Object, Object, Object, Object> get() {
                return new Free(n);
            }

            @Override
            public Set<StoreBuilder<?>> stores() {
                return storesOf(n);
            }
        };
    }

    static FixedKeyProcessorSupplier<Object, Object, Object> processValues(Node n) {
        return new FixedKeyProcessorSupplier<>() {
            @Override
            public FixedKeyProcessor<Object, Object, Object> get() {
                return new Fixed(n);
            }

            @Override
            public Set<StoreBuilder<?>> stores() {
                return storesOf(n);
            }
        };
    }

    private static Set<StoreBuilder<?>> storesOf(Node n) {
        return n.has("store") && !n.has("shares")
            ? Set.of(Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore(n.text("store")), Serdes.String(), Serdes.String()))
            : null;
    }

    /** What the store has for the record's key, which the record then replaces, or deletes. */
    private static String exchange(KeyValueStore<String, String> store, Object key, Object value) {
        String name = Functions.text(key);
        String before = store.get(name);
        if (Functions.weight(value) % 5 == 0) {
            store.delete(name);
        } else {
            store.put(name, Functions.bounded(Functions.text(value)));
        }
        return before;
    }

    /** What a processor makes of a value, before a store comes in. */
    private static String marked(Node node, Object value, ProcessingContext context) {
        String made = Functions.text(value) + "." + node.id();
        if (!node.has("metadata")) {
            return Functions.bounded(made);
        }
        // Of what a punctuation made Kafka Streams says that it comes from no topic.
        return Functions.bounded(made + "!" + context.recordMetadata().filter(place -> place.topic() != null)
            .map(place -> place.topic() + "/" + place.partition() + "/" + place.offset()).orElse(""));
    }

    private static final class Free implements Processor<Object, Object, Object, Object> {
        private final Node node;
        private ProcessorContext<Object, Object> context;
        private KeyValueStore<String, String> store;

        Free(Node node) {
            this.node = node;
        }

        @Override
        public void init(ProcessorContext<Object, Object> context) {
            this.context = context;
            store = node.has("store") ? context.getStateStore(node.text("store")) : null;
            if (node.has("timer")) {
                PunctuationType type = node.text("timer").equals("stream-time") ? PunctuationType.STREAM_TIME : PunctuationType.WALL_CLOCK_TIME;
                context.schedule(Duration.ofMillis(node.number("intervalMs")), type, this::punctuate);
            }
        }

        @Override
        public void process(Record<Object, Object> record) {
            Object key = Functions.mapKey(node, record.key(), record.value());
            String value = marked(node, record.value(), context);
            if (store != null) {
                value = Functions.bounded(value + "<" + exchange(store, record.key(), record.value()));
            }
            Record<Object, Object> made = record.withKey(key).withValue(value);
            if (node.has("toChild")) {
                context.forward(made, node.text("toChild"));
            } else {
                context.forward(made);
            }
            if (Functions.weight(record.value()) % 3 == 0) {
                RecordHeaders headers = new RecordHeaders(record.headers());
                headers.add("p", node.id().getBytes(StandardCharsets.UTF_8));
                context.forward(new Record<>(key, null, record.timestamp() + 1, headers));
            }
        }

        private void punctuate(long timestamp) {
            context.forward(new Record<>("tick", node.id() + "@" + timestamp, timestamp));
            if (store == null) {
                return;
            }
            try (KeyValueIterator<String, String> rows = store.all()) {
                while (rows.hasNext()) {
                    KeyValue<String, String> row = rows.next();
                    context.forward(new Record<>(row.key, row.value, timestamp));
                }
            }
        }
    }

    private static final class Fixed implements FixedKeyProcessor<Object, Object, Object> {
        private final Node node;
        private FixedKeyProcessorContext<Object, Object> context;
        private KeyValueStore<String, String> store;

        Fixed(Node node) {
            this.node = node;
        }

        @Override
        public void init(FixedKeyProcessorContext<Object, Object> context) {
            this.context = context;
            store = node.has("store") ? context.getStateStore(node.text("store")) : null;
        }

        @Override
        public void process(FixedKeyRecord<Object, Object> record) {
            String value = marked(node, record.value(), context);
            if (store != null) {
                value = Functions.bounded(value + "<" + exchange(store, record.key(), record.value()));
            }
            if (node.has("looksAt")) {
                ReadOnlyKeyValueStore<Object, ValueAndTimestamp<Object>> rows = context.getStateStore(node.text("looksAt"));
                ValueAndTimestamp<Object> row = rows.get(Functions.text(record.key()));
                value = Functions.bounded(value + "=" + Functions.text(row == null ? null : row.value()));
            }
            context.forward(record.withValue(value));
            if (Functions.weight(record.value()) % 3 == 0) {
                context.forward(record.withValue((Object) null).withTimestamp(record.timestamp() + 1));
            }
        }
    }
}
