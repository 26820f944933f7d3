package millrace.semantics;

import org.apache.kafka.streams.processor.api.FixedKeyProcessorSupplier;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;

/** The processors that cases run with `process` and `processValues`. */
final class Processors {
    private Processors() {
    }

    static ProcessorSupplier<Object, Object, Object, Object> process(Node n) {
        throw new IllegalArgumentException(n.op());
    }

    static FixedKeyProcessorSupplier<Object, Object, Object> processValues(Node n) {
        throw new IllegalArgumentException(n.op());
    }
}
