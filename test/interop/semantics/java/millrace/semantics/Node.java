package millrace.semantics;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.kstream.SessionWindowedSerializer;
import org.apache.kafka.streams.kstream.SessionWindowedDeserializer;
import org.apache.kafka.streams.kstream.TimeWindowedDeserializer;
import org.apache.kafka.streams.kstream.TimeWindowedSerializer;

/** One operator of a case: its parameters, and the formats of the keys and values that come out of it. */
record Node(JsonNode json) {
    String id() {
        return json.get("id").asText();
    }

    String op() {
        return json.get("op").asText();
    }

    boolean has(String parameter) {
        return json.hasNonNull(parameter);
    }

    String text(String parameter) {
        return has(parameter) ? json.get(parameter).asText() : null;
    }

    int number(String parameter) {
        return json.get(parameter).asInt();
    }

    Duration millis(String parameter) {
        return Duration.ofMillis(json.get(parameter).asLong());
    }

    Serde<Object> key() {
        return serde(text("key"));
    }

    Serde<Object> value() {
        return serde(text("value"));
    }

    /** `string`, `long`, `session`, or `window:SIZE`. */
    @SuppressWarnings("unchecked")
    static Serde<Object> serde(String format) {
        return (Serde<Object>) (Serde<?>) switch (format) {
            case "string" -> Serdes.String();
            case "long" -> Serdes.Long();
            case "session" -> Serdes.serdeFrom(
                new SessionWindowedSerializer<>(Serdes.String().serializer()),
                new SessionWindowedDeserializer<>(Serdes.String().deserializer()));
            default -> Serdes.serdeFrom(
                new TimeWindowedSerializer<>(Serdes.String().serializer()),
                new TimeWindowedDeserializer<>(
                    Serdes.String().deserializer(), Long.parseLong(format.substring("window:".length()))));
        };
    }
}
