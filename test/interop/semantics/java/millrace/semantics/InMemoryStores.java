package millrace.semantics;

import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers;
import org.apache.kafka.streams.state.DslWindowParams;
import org.apache.kafka.streams.state.WindowBytesStoreSupplier;
import org.apache.kafka.streams.state.WindowStore;
import org.apache.kafka.streams.state.internals.InMemoryWindowBytesStoreSupplier;
import org.apache.kafka.streams.state.internals.InMemoryWindowStore;

/**
 * Stores in memory, with one correction: in the buffers of stream joins a record without a value moves the time of Kafka
 * Streams' stores in memory, but not that of its stores on disk, which are what applications have.
 */
public final class InMemoryStores extends BuiltInDslStoreSuppliers.InMemoryDslStoreSuppliers {
    @Override
    public WindowBytesStoreSupplier windowStore(DslWindowParams params) {
        if (!params.retainDuplicates()) {
            return super.windowStore(params);
        }
        long retention = params.retentionPeriod().toMillis();
        long size = params.windowSize().toMillis();
        return new InMemoryWindowBytesStoreSupplier(params.name(), retention, size, true) {
            @Override
            public WindowStore<Bytes, byte[]> get() {
                return new InMemoryWindowStore(name(), retention, size, true, metricsScope()) {
                    @Override
                    public void put(Bytes key, byte[] value, long windowStartTimestamp) {
                        if (value != null) {
                            super.put(key, value, windowStartTimestamp);
                        }
                    }
                };
            }
        };
    }
}
