package millrace.semantics;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.Windowed;

/** What user functions do, by the names that cases give; functions.ts is the same in TypeScript. They never throw. */
final class Functions {
    private Functions() {
    }

    static String text(Object value) {
        if (value instanceof Windowed<?> windowed) {
            return windowed.key() + "@" + windowed.window().start() + "-" + windowed.window().end();
        }
        return String.valueOf(value);
    }

    /** Values are bounded, so that aggregates of aggregates stay small: the end is replaced by a hash of the whole. */
    static String bounded(String text) {
        return text.length() <= 80 ? text : text.substring(0, 48) + "~" + Integer.toHexString(text.hashCode());
    }

    static int weight(Object value) {
        if (value == null) {
            return 0;
        }
        int sum = 0;
        for (char unit : text(value).toCharArray()) {
            sum += unit;
        }
        return sum;
    }

    static boolean test(Node node, Object key, Object value) {
        return weight("key".equals(node.text("on")) ? key : value) % node.number("mod") != 0;
    }

    static Object mapValue(Node node, Object key, Object value) {
        return switch (node.text("fn")) {
            case "tag" -> bounded(text(value) + "." + node.id());
            case "tagWithKey" -> bounded(text(key) + ":" + text(value));
            case "nullSome" -> weight(value) % 3 == 0 ? null : bounded(text(value) + "." + node.id());
            case "few" -> "f" + weight(value) % 3;
            default -> throw new IllegalArgumentException(node.text("fn"));
        };
    }

    static Object mapKey(Node node, Object key, Object value) {
        return switch (node.text("keyFn")) {
            case "few" -> "k" + weight(value) % 3;
            case "fewOrNull" -> weight(value) % 4 == 3 ? null : "k" + weight(value) % 3;
            case "text" -> key == null ? null : text(key);
            case "constant" -> "all";
            case "letter" -> String.valueOf("abc".charAt(weight(value) % 3));
            default -> throw new IllegalArgumentException(node.text("keyFn"));
        };
    }

    /** From none to three values. */
    static List<Object> spread(Object value) {
        List<Object> values = new ArrayList<>();
        for (int i = 0; i < weight(value) % 4; i++) {
            values.add(bounded(text(value) + "#" + i));
        }
        return values;
    }

    static List<KeyValue<Object, Object>> spreadPairs(Node node, Object key, Object value) {
        List<KeyValue<Object, Object>> pairs = new ArrayList<>();
        for (Object each : spread(value)) {
            pairs.add(KeyValue.pair(mapKey(node, key, each), each));
        }
        return pairs;
    }

    /** Takes a value into an aggregate; `sign` tells how. */
    static String combine(Node node, String sign, Object aggregate, Object value) {
        if ("dropSome".equals(node.text("fn")) && weight(value) % 4 == 0) {
            return null;
        }
        return bounded(text(aggregate) + sign + text(value));
    }

    static Object join(Node node, Object left, Object right) {
        if ("nullSome".equals(node.text("fn")) && (weight(left) + weight(right)) % 5 == 0) {
            return null;
        }
        return bounded("(" + text(left) + "|" + text(right) + ")");
    }
}
