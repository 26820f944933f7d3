package millrace.semantics;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Branched;
import org.apache.kafka.streams.kstream.BranchedKStream;
import org.apache.kafka.streams.kstream.CogroupedKStream;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.GlobalKTable;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KGroupedTable;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.kstream.SessionWindowedCogroupedKStream;
import org.apache.kafka.streams.kstream.SessionWindowedKStream;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.TableJoined;
import org.apache.kafka.streams.kstream.TimeWindowedCogroupedKStream;
import org.apache.kafka.streams.kstream.TimeWindowedKStream;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.UnlimitedWindows;
import org.apache.kafka.streams.kstream.internals.NamedInternal;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers;
import org.apache.kafka.streams.state.DslWindowParams;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowBytesStoreSupplier;

/** Kafka Streams' DSL by the names of cases: one entry in `build` for each operator. */
@SuppressWarnings("unchecked")
final class Operators {
    private final StreamsBuilder builder;
    private final Map<String, Node> nodes;
    private final Map<String, Object> built = new HashMap<>();

    Operators(StreamsBuilder builder, Map<String, Node> nodes) {
        this.builder = builder;
        this.nodes = nodes;
    }

    void build(Node n) {
        Object result = switch (n.op()) {
            case "stream" -> builder.stream(topics(n), consumed(n));
            case "table", "versionedTable" -> table(n);
            case "globalTable" -> n.has("store")
                ? builder.globalTable(n.text("topic"), consumed(n), materialized(n, n.key()))
                : builder.globalTable(n.text("topic"), consumed(n));

            case "filter" -> stream(n, 0).filter((k, v) -> Functions.test(n, k, v), named(n));
            case "filterNot" -> stream(n, 0).filterNot((k, v) -> Functions.test(n, k, v), named(n));
            case "mapValues" -> stream(n, 0).mapValues((k, v) -> Functions.mapValue(n, k, v), named(n));
            case "flatMapValues" -> stream(n, 0).flatMapValues(v -> Functions.spread(v), named(n));
            case "map" -> stream(n, 0).map((k, v) -> org.apache.kafka.streams.KeyValue.pair(
                Functions.mapKey(n, k, v), Functions.mapValue(n, k, v)), named(n));
            case "flatMap" -> stream(n, 0).flatMap((k, v) -> Functions.spreadPairs(n, k, v), named(n));
            case "selectKey" -> stream(n, 0).selectKey((k, v) -> Functions.mapKey(n, k, v), named(n));
            case "peek" -> stream(n, 0).peek((k, v) -> { }, named(n));
            case "foreach" -> foreach(n);
            case "merge" -> stream(n, 0).merge(stream(n, 1), named(n));
            case "split" -> split(n);
            case "branch" -> this.<Map<String, KStream<Object, Object>>>at(n, 0).get(branchName(input(n, 0), n.number("arm")));
            case "repartition" -> stream(n, 0).repartition(repartitioned(n));
            case "toTable" -> stream(n, 0).toTable(named(n), materialized(n, n.key()));
            case "to" -> to(n);

            case "groupByKey" -> stream(n, 0).groupByKey(grouped(n));
            case "groupBy" -> stream(n, 0).groupBy((k, v) -> Functions.mapKey(n, k, v), grouped(n));
            case "windowedBy", "cogroupWindowedBy" -> windowedBy(n);
            case "emitOnClose" -> emitOnClose(n);
            case "count", "windowedCount" -> count(n);
            case "reduce", "windowedReduce" -> reduce(n);
            case "aggregate", "windowedAggregate", "cogroupAggregate", "windowedCogroupAggregate" -> aggregate(n);
            case "cogroup", "cogroupMore" -> cogroup(n);

            case "tableFilter" -> n.has("store")
                ? table(n, 0).filter((k, v) -> Functions.test(n, k, v), named(n), materialized(n, n.key()))
                : table(n, 0).filter((k, v) -> Functions.test(n, k, v), named(n));
            case "tableFilterNot" -> n.has("store")
                ? table(n, 0).filterNot((k, v) -> Functions.test(n, k, v), named(n), materialized(n, n.key()))
                : table(n, 0).filterNot((k, v) -> Functions.test(n, k, v), named(n));
            case "tableMapValues" -> !n.has("plain")
                ? table(n, 0).mapValues((k, v) -> Functions.mapValue(n, k, v), named(n), materialized(n, n.key()))
                : table(n, 0).mapValues((k, v) -> Functions.mapValue(n, k, v), named(n));
            case "toStream" -> table(n, 0).toStream(named(n));
            case "suppress" -> table(n, 0).suppress((Suppressed<? super Object>) (Suppressed<?>) suppressed(n));
            case "tableGroupBy" -> table(n, 0).groupBy((k, v) -> org.apache.kafka.streams.KeyValue.pair(
                Functions.mapKey(n, k, v), Functions.mapValue(n, k, v)), grouped(n));
            case "tableCount" -> tableCount(n);
            case "tableReduce" -> this.<KGroupedTable<Object, Object>>at(n, 0).reduce(
                (a, v) -> Functions.combine(n, "+", a, v), (a, v) -> Functions.combine(n, "-", a, v),
                named(n), materialized(n, input(n, 0).key()));
            case "tableAggregate" -> this.<KGroupedTable<Object, Object>>at(n, 0).aggregate(
                () -> "", (k, v, a) -> Functions.combine(n, "+", a, v), (k, v, a) -> Functions.combine(n, "-", a, v),
                named(n), materialized(n, input(n, 0).key()));

            case "streamJoin" -> streamJoin(n);
            case "streamTableJoin" -> streamTableJoin(n);
            case "globalTableJoin" -> globalTableJoin(n);
            case "tableJoin" -> tableJoin(n);
            case "foreignKeyJoin" -> foreignKeyJoin(n);

            case "process" -> n.has("name")
                ? stream(n, 0).process(Processors.process(n), named(n))
                : stream(n, 0).process(Processors.process(n));
            case "keepValues" -> n.has("name")
                ? stream(n, 0).processValues(StoreKinds.keepValues(n), named(n))
                : stream(n, 0).processValues(StoreKinds.keepValues(n));
            case "processValues" -> n.has("name")
                ? stream(n, 0).processValues(Processors.processValues(n), named(n), lookedAt(n))
                : stream(n, 0).processValues(Processors.processValues(n), lookedAt(n));
            default -> throw new IllegalArgumentException("no operator " + n.op());
        };
        built.put(n.id(), result);
    }

    /** Global stores need no connection. */
    private static String[] lookedAt(Node n) {
        return n.has("looksAt") && !n.has("looksAtGlobal") ? new String[] {n.text("looksAt")} : new String[0];
    }

    private Object table(Node n) {
        if (n.has("historyMs")) {
            Materialized<Object, Object, ?> versioned = Materialized.as(
                Stores.persistentVersionedKeyValueStore(n.text("store"), n.millis("historyMs")));
            return builder.table(n.text("topic"), consumed(n),
                (Materialized) versioned.withKeySerde(n.key()).withValueSerde(n.value()));
        }
        return n.has("store")
            ? builder.table(n.text("topic"), consumed(n), materialized(n, n.key()))
            : builder.table(n.text("topic"), consumed(n));
    }

    private Object foreach(Node n) {
        stream(n, 0).foreach((k, v) -> { }, named(n));
        return null;
    }

    private Object to(Node n) {
        stream(n, 0).to(n.text("topic"), n.has("name")
            ? Produced.with(n.key(), n.value()).withName(n.text("name"))
            : Produced.with(n.key(), n.value()));
        return null;
    }

    private Map<String, KStream<Object, Object>> split(Node n) {
        BranchedKStream<Object, Object> split = n.has("name") ? stream(n, 0).split(Named.as(n.text("name"))) : stream(n, 0).split();
        Map<String, KStream<Object, Object>> arms = new HashMap<>();
        int arm = 1;
        for (var predicate : n.json().get("arms")) {
            Node test = new Node(predicate);
            String name = branchName(n, arm++);
            split = split.branch((k, v) -> Functions.test(test, k, v), Branched.withConsumer(each -> arms.put(name, each), test.text("name")));
        }
        if (n.has("otherwise")) {
            Node otherwise = new Node(n.json().get("otherwise"));
            split.defaultBranch(Branched.withConsumer(each -> arms.put(branchName(n, 0), each), otherwise.text("name")));
        } else {
            split.noDefaultBranch();
        }
        return arms;
    }

    private static String branchName(Node split, int arm) {
        return split.id() + "/" + arm;
    }

    private Object windowedBy(Node n) {
        Object grouped = at(n, 0);
        String kind = n.text("windows");
        if (grouped instanceof KGroupedStream<?, ?> stream) {
            return switch (kind) {
                case "sliding" -> stream.windowedBy(sliding(n));
                case "session" -> stream.windowedBy(SessionWindows.ofInactivityGapAndGrace(n.millis("size"), n.millis("grace")));
                case "unlimited" -> stream.windowedBy(unlimited(n));
                default -> stream.windowedBy(time(n));
            };
        }
        CogroupedKStream<Object, Object> cogrouped = (CogroupedKStream<Object, Object>) grouped;
        return switch (kind) {
            case "sliding" -> cogrouped.windowedBy(sliding(n));
            case "session" -> cogrouped.windowedBy(SessionWindows.ofInactivityGapAndGrace(n.millis("size"), n.millis("grace")));
            case "unlimited" -> cogrouped.windowedBy(unlimited(n));
            default -> cogrouped.windowedBy(time(n));
        };
    }

    private static TimeWindows time(Node n) {
        TimeWindows windows = TimeWindows.ofSizeAndGrace(n.millis("size"), n.millis("grace"));
        return n.has("advance") ? windows.advanceBy(n.millis("advance")) : windows;
    }

    private static UnlimitedWindows unlimited(Node n) {
        return n.has("startOn") ? UnlimitedWindows.of().startOn(Instant.ofEpochMilli(n.number("startOn"))) : UnlimitedWindows.of();
    }

    private static SlidingWindows sliding(Node n) {
        return SlidingWindows.ofTimeDifferenceAndGrace(n.millis("size"), n.millis("grace"));
    }

    private Object emitOnClose(Node n) {
        Object windowed = at(n, 0);
        return windowed instanceof TimeWindowedKStream<?, ?> time
            ? time.emitStrategy(EmitStrategy.onWindowClose())
            : ((SessionWindowedKStream<?, ?>) windowed).emitStrategy(EmitStrategy.onWindowClose());
    }

    private Object count(Node n) {
        Object over = at(n, 0);
        Materialized store = materialized(n, input(n, 0).key());
        boolean isPlain = n.has("plain");
        if (over instanceof KGroupedStream<?, ?> grouped) {
            return isPlain ? grouped.count(named(n)) : grouped.count(named(n), store);
        }
        if (over instanceof TimeWindowedKStream<?, ?> time) {
            return isPlain ? time.count(named(n)) : time.count(named(n), store);
        }
        SessionWindowedKStream<?, ?> session = (SessionWindowedKStream<?, ?>) over;
        return isPlain ? session.count(named(n)) : session.count(named(n), store);
    }

    private Object tableCount(Node n) {
        KGroupedTable<Object, Object> grouped = at(n, 0);
        return n.has("plain")
            ? grouped.count(named(n))
            : grouped.count(named(n), (Materialized) materialized(n, input(n, 0).key()));
    }

    private Object reduce(Node n) {
        Object over = at(n, 0);
        Materialized store = materialized(n, input(n, 0).key());
        if (over instanceof KGroupedStream<?, ?>) {
            return ((KGroupedStream<Object, Object>) over).reduce((a, v) -> Functions.combine(n, ",", a, v), named(n), store);
        }
        return over instanceof TimeWindowedKStream<?, ?>
            ? ((TimeWindowedKStream<Object, Object>) over).reduce((a, v) -> Functions.combine(n, ",", a, v), named(n), store)
            : ((SessionWindowedKStream<Object, Object>) over).reduce((a, v) -> Functions.combine(n, ",", a, v), named(n), store);
    }

    private Object aggregate(Node n) {
        Object over = at(n, 0);
        Materialized store = materialized(n, input(n, 0).key());
        if (over instanceof KGroupedStream<?, ?>) {
            return ((KGroupedStream<Object, Object>) over).aggregate(
                () -> "", (k, v, a) -> Functions.combine(n, "+", a, v), named(n), store);
        }
        if (over instanceof TimeWindowedKStream<?, ?>) {
            return ((TimeWindowedKStream<Object, Object>) over).aggregate(
                () -> "", (k, v, a) -> Functions.combine(n, "+", a, v), named(n), store);
        }
        if (over instanceof SessionWindowedKStream<?, ?>) {
            return ((SessionWindowedKStream<Object, Object>) over).aggregate(
                () -> "", (k, v, a) -> Functions.combine(n, "+", a, v), (k, a, b) -> Functions.combine(n, "&", a, b), named(n), store);
        }
        if (over instanceof CogroupedKStream<?, ?>) {
            return ((CogroupedKStream<Object, Object>) over).aggregate(() -> "", named(n), store);
        }
        return over instanceof TimeWindowedCogroupedKStream<?, ?>
            ? ((TimeWindowedCogroupedKStream<Object, Object>) over).aggregate(() -> "", named(n), store)
            : ((SessionWindowedCogroupedKStream<Object, Object>) over).aggregate(
                () -> "", (k, a, b) -> Functions.combine(n, "&", a, b), named(n), store);
    }

    /** The first of the inputs may be what is cogrouped so far. */
    private Object cogroup(Node n) {
        Object first = at(n, 0);
        return first instanceof CogroupedKStream<?, ?>
            ? ((CogroupedKStream<Object, Object>) first).cogroup(
                this.<KGroupedStream<Object, Object>>at(n, 1), (k, v, a) -> Functions.combine(n, "/", a, v))
            : ((KGroupedStream<Object, Object>) first).cogroup((k, v, a) -> Functions.combine(n, "+", a, v));
    }

    private static Suppressed<?> suppressed(Node n) {
        if (n.text("until").equals("window-closes")) {
            var buffer = isBounded(n) ? bounds(n).shutDownWhenFull() : Suppressed.BufferConfig.unbounded();
            var suppressed = Suppressed.untilWindowCloses(buffer);
            return n.has("name") ? suppressed.withName(n.text("name")) : suppressed;
        }
        var buffer = !isBounded(n) ? (Suppressed.BufferConfig) Suppressed.BufferConfig.unbounded()
            : "shut-down".equals(n.text("whenFull")) ? (Suppressed.BufferConfig) bounds(n).shutDownWhenFull()
            : (Suppressed.BufferConfig) bounds(n).emitEarlyWhenFull();
        var suppressed = Suppressed.untilTimeLimit(n.millis("limit"), buffer);
        return n.has("name") ? suppressed.withName(n.text("name")) : suppressed;
    }

    private static boolean isBounded(Node n) {
        return n.has("maxRecords") || n.has("maxBytes");
    }

    private static Suppressed.EagerBufferConfig bounds(Node n) {
        if (!n.has("maxRecords")) {
            return Suppressed.BufferConfig.maxBytes(n.number("maxBytes"));
        }
        var records = Suppressed.BufferConfig.maxRecords(n.number("maxRecords"));
        return n.has("maxBytes") ? records.withMaxBytes(n.number("maxBytes")) : records;
    }

    private Object streamJoin(Node n) {
        JoinWindows windows = JoinWindows
            .ofTimeDifferenceAndGrace(Duration.ZERO, n.millis("grace"))
            .after(n.millis("after")).before(n.millis("before"));
        StreamJoined<Object, Object, Object> joined = StreamJoined.with(n.key(), input(n, 0).value(), input(n, 1).value());
        if (n.has("name")) {
            joined = joined.withName(n.text("name"));
        }
        if (n.has("store")) {
            joined = joined.withStoreName(n.text("store"));
        }
        if (n.has("thisStore")) {
            joined = joined.withThisStoreSupplier(joinStore(n.text("thisStore"), windows));
        }
        if (n.has("otherStore")) {
            joined = joined.withOtherStoreSupplier(joinStore(n.text("otherStore"), windows));
        }
        return switch (n.text("how")) {
            case "inner" -> stream(n, 0).join(stream(n, 1), (k, l, r) -> Functions.join(n, l, r), windows, joined);
            case "left" -> stream(n, 0).leftJoin(stream(n, 1), (k, l, r) -> Functions.join(n, l, r), windows, joined);
            default -> stream(n, 0).outerJoin(stream(n, 1), (k, l, r) -> Functions.join(n, l, r), windows, joined);
        };
    }

    private static WindowBytesStoreSupplier joinStore(String name, JoinWindows windows) {
        Duration size = Duration.ofMillis(windows.size());
        Duration retention = size.plusMillis(windows.gracePeriodMs());
        return new InMemoryStores().windowStore(
            new DslWindowParams(name, retention, size, true, EmitStrategy.onWindowUpdate(), false, false));
    }

    private Object streamTableJoin(Node n) {
        Duration grace = n.has("grace") ? n.millis("grace") : null;
        Joined<Object, Object, Object> joined =
            Joined.with(n.key(), input(n, 0).value(), input(n, 1).value(), n.text("name"), grace);
        return n.text("how").equals("inner")
            ? stream(n, 0).join(table(n, 1), (k, l, r) -> Functions.join(n, l, r), joined)
            : stream(n, 0).leftJoin(table(n, 1), (k, l, r) -> Functions.join(n, l, r), joined);
    }

    private Object globalTableJoin(Node n) {
        GlobalKTable<Object, Object> table = at(n, 1);
        boolean isNamed = n.has("name");
        if (n.text("how").equals("inner")) {
            return isNamed
                ? stream(n, 0).join(table, (k, v) -> Functions.mapKey(n, k, v), (l, r) -> Functions.join(n, l, r), named(n))
                : stream(n, 0).join(table, (k, v) -> Functions.mapKey(n, k, v), (l, r) -> Functions.join(n, l, r));
        }
        return isNamed
            ? stream(n, 0).leftJoin(table, (k, v) -> Functions.mapKey(n, k, v), (l, r) -> Functions.join(n, l, r), named(n))
            : stream(n, 0).leftJoin(table, (k, v) -> Functions.mapKey(n, k, v), (l, r) -> Functions.join(n, l, r));
    }

    private Object tableJoin(Node n) {
        KTable<Object, Object> left = table(n, 0);
        KTable<Object, Object> right = table(n, 1);
        boolean isStored = !n.has("plain");
        return switch (n.text("how")) {
            case "inner" -> isStored
                ? left.join(right, (l, r) -> Functions.join(n, l, r), named(n), materialized(n, n.key()))
                : left.join(right, (l, r) -> Functions.join(n, l, r), named(n));
            case "left" -> isStored
                ? left.leftJoin(right, (l, r) -> Functions.join(n, l, r), named(n), materialized(n, n.key()))
                : left.leftJoin(right, (l, r) -> Functions.join(n, l, r), named(n));
            default -> isStored
                ? left.outerJoin(right, (l, r) -> Functions.join(n, l, r), named(n), materialized(n, n.key()))
                : left.outerJoin(right, (l, r) -> Functions.join(n, l, r), named(n));
        };
    }

    private Object foreignKeyJoin(Node n) {
        TableJoined<Object, Object> joined = n.has("name") ? TableJoined.as(n.text("name")) : TableJoined.with(null, null);
        KTable<Object, Object> left = table(n, 0);
        KTable<Object, Object> right = table(n, 1);
        return n.text("how").equals("inner")
            ? left.join(right, v -> Functions.mapKey(n, null, v), (l, r) -> Functions.join(n, l, r), joined, materialized(n, n.key()))
            : left.leftJoin(right, v -> Functions.mapKey(n, null, v), (l, r) -> Functions.join(n, l, r), joined, materialized(n, n.key()));
    }

    private <T> T at(Node n, int input) {
        return (T) built.get(input(n, input).id());
    }

    private Node input(Node n, int input) {
        return nodes.get(n.json().get("of").get(input).asText());
    }

    private KStream<Object, Object> stream(Node n, int input) {
        return at(n, input);
    }

    private KTable<Object, Object> table(Node n, int input) {
        return at(n, input);
    }

    private static List<String> topics(Node n) {
        return StreamSupport.stream(n.json().get("topics").spliterator(), false).map(each -> each.asText()).toList();
    }

    private static Consumed<Object, Object> consumed(Node n) {
        Consumed<Object, Object> consumed = Consumed.with(n.key(), n.value());
        return n.has("name") ? consumed.withName(n.text("name")) : consumed;
    }

    private static Grouped<Object, Object> grouped(Node n) {
        return Grouped.with(n.text("name"), n.key(), n.value());
    }

    private static Repartitioned<Object, Object> repartitioned(Node n) {
        Repartitioned<Object, Object> repartitioned = Repartitioned.with(n.key(), n.value());
        return n.has("name") ? repartitioned.withName(n.text("name")) : repartitioned;
    }

    private static Named named(Node n) {
        return n.has("name") ? Named.as(n.text("name")) : NamedInternal.empty();
    }

    /** `retention` keeps windows longer than they are open. */
    private static <S extends StateStore> Materialized<Object, Object, S> materialized(Node n, Serde<Object> key) {
        Materialized<Object, Object, S> store = n.has("store") ? Materialized.as(n.text("store")) : Materialized.with(key, n.value());
        if (n.has("retention")) {
            store = store.withRetention(n.millis("retention"));
        }
        if (n.has("persistent")) {
            store = store.withStoreType(new BuiltInDslStoreSuppliers.RocksDBDslStoreSuppliers());
        }
        return store.withKeySerde(key).withValueSerde(n.value());
    }
}
