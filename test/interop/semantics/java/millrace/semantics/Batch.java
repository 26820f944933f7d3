package millrace.semantics;

import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Map;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.processor.internals.StreamTask;

/**
 * Has a TopologyTestDriver process several records before it commits. The driver itself commits after each, which empties the
 * record caches; these are its own steps, by reflection, without the commit.
 */
final class Batch {
    private final TopologyTestDriver driver;
    private final StreamTask task;
    private final Time clock;

    Batch(TopologyTestDriver driver) throws ReflectiveOperationException {
        this.driver = driver;
        this.task = field("task");
        this.clock = field("mockWallClockTime");
    }

    void pipe(String topic, long timestamp, byte[] key, byte[] value, Headers headers) throws ReflectiveOperationException {
        TopicPartition partition = (TopicPartition) call("getInputTopicOrPatternPartition", new Class<?>[] {String.class}, topic);
        if (partition != null) {
            call("enqueueTaskRecord",
                new Class<?>[] {String.class, TopicPartition.class, long.class, byte[].class, byte[].class, Headers.class},
                topic, partition, timestamp, key, value, headers);
            processAll();
        }
        Map<String, TopicPartition> globals = field("globalPartitionsByInputTopic");
        TopicPartition global = globals.get(topic);
        if (global != null) {
            call("processGlobalRecord",
                new Class<?>[] {TopicPartition.class, long.class, byte[].class, byte[].class, Headers.class},
                global, timestamp, key, value, headers);
        }
    }

    void commit() throws ReflectiveOperationException {
        if (task == null) {
            return;
        }
        Map<TopicPartition, OffsetAndMetadata> offsets = task.prepareCommit(true);
        call("commit", new Class<?>[] {Map.class}, offsets);
        task.postCommit(true);
        call("completeAllProcessableWork", new Class<?>[0]);
    }

    /** A failure of Kafka Streams' own, as the driver would throw it. */
    static RuntimeException causeOf(ReflectiveOperationException error) {
        return error instanceof InvocationTargetException && error.getCause() instanceof RuntimeException cause
            ? cause
            : new IllegalStateException(error);
    }

    private void processAll() throws ReflectiveOperationException {
        task.resumePollingForPartitionsWithAvailableSpace();
        task.updateLags();
        while (task.hasRecordsQueued() && task.isProcessable(clock.milliseconds())) {
            task.process(clock.milliseconds());
            task.maybePunctuateStreamTime();
            call("captureOutputsAndReEnqueueInternalResults", new Class<?>[0]);
        }
    }

    @SuppressWarnings("unchecked")
    private <T> T field(String name) throws ReflectiveOperationException {
        Field field = TopologyTestDriver.class.getDeclaredField(name);
        field.setAccessible(true);
        return (T) field.get(driver);
    }

    private Object call(String name, Class<?>[] types, Object... arguments) throws ReflectiveOperationException {
        Method method = TopologyTestDriver.class.getDeclaredMethod(name, types);
        method.setAccessible(true);
        return method.invoke(driver, arguments);
    }
}
