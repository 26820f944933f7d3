package millrace.semantics;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** Topologies that are written node by node: operators/by-hand.ts has the same in TypeScript. */
final class ByHand {
    private final Topology topology;
    private final Map<String, Node> nodes;

    ByHand(Topology topology, Map<String, Node> nodes) {
        this.topology = topology;
        this.nodes = nodes;
    }

    void build(Node n) {
        var keys = n.key().deserializer();
        var values = n.value().deserializer();
        switch (n.op()) {
            case "handSource" -> topology.addSource(n.id(), keys, values, topics(n));
            case "handProcessor", "handJunction" -> {
                topology.addProcessor(n.id(), Processors.process(n), parents(n));
                if (n.has("shares")) {
                    topology.connectProcessorAndStateStores(n.id(), n.text("store"));
                }
            }
            case "handReadOnlyStore" -> topology.addReadOnlyStateStore(
                filled(n), n.id() + "-source", keys, values, n.text("topic"), n.id(), filling(n));
            case "handGlobalStore" -> topology.addGlobalStore(
                filled(n), n.id() + "-source", keys, values, n.text("topic"), n.id(), filling(n));
            case "handStoreSource" -> { }
            case "handReader" -> {
                topology.addProcessor(n.id(), reading(n, input(n, 1).text("store")), parent(input(n, 0)));
                if (input(n, 1).op().equals("handReadOnlyStore")) {
                    topology.connectProcessorAndStateStores(n.id(), input(n, 1).text("store"));
                }
            }
            case "handSink" -> topology.addSink(
                n.id(), n.text("topic"), n.key().serializer(), n.value().serializer(), parents(n));
            default -> throw new IllegalArgumentException("no operator " + n.op());
        }
    }

    private Node input(Node n, int input) {
        return nodes.get(n.json().get("of").get(input).asText());
    }

    /** The source of a store's topic has a name of its own. */
    private String parent(Node node) {
        return node.op().equals("handStoreSource") ? input(node, 0).id() + "-source" : node.id();
    }

    private String[] parents(Node n) {
        List<String> parents = new ArrayList<>();
        n.json().get("of").forEach(id -> parents.add(parent(nodes.get(id.asText()))));
        return parents.toArray(new String[0]);
    }

    private static String[] topics(Node n) {
        List<String> topics = new ArrayList<>();
        n.json().get("topics").forEach(topic -> topics.add(topic.asText()));
        return topics.toArray(new String[0]);
    }

    private static StoreBuilder<KeyValueStore<String, String>> filled(Node n) {
        return Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore(n.text("store")), Serdes.String(), Serdes.String())
            .withLoggingDisabled();
    }

    /** Keeps of each key what its last record says. */
    private static ProcessorSupplier<Object, Object, Void, Void> filling(Node n) {
        return () -> new ContextualProcessor<>() {
            @Override
            public void process(Record<Object, Object> record) {
                KeyValueStore<String, String> store = context().getStateStore(n.text("store"));
                if (Functions.weight(record.value()) % 5 == 0) {
                    store.delete(Functions.text(record.key()));
                } else {
                    store.put(Functions.text(record.key()), Functions.bounded(Functions.text(record.value())));
                }
            }
        };
    }

    /** Puts what the store has for a record's key beside its value. */
    private static ProcessorSupplier<Object, Object, Object, Object> reading(Node n, String name) {
        return () -> new ContextualProcessor<>() {
            @Override
            public void process(Record<Object, Object> record) {
                KeyValueStore<String, Object> store = context().getStateStore(name);
                Object found = store.get(Functions.text(record.key()));
                context().forward(record.withValue(
                    Functions.bounded(Functions.text(record.value()) + "." + n.id() + "<" + Functions.text(found))));
            }
        };
    }
}
