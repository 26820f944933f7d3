"""confluent-kafka against a broker: `confluent_peer.py BOOTSTRAP CHECK` runs one check, which ends with 0 or says what was wrong."""

import sys
import time
import uuid

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

PATIENCE_S = 60


def fresh(what):
    return f"{what}-{uuid.uuid4().hex[:8]}"


def require_same(what, found, expected):
    if found != expected:
        raise SystemExit(f"{what}: {found!r} where {expected!r} was expected")


def admin(bootstrap):
    return AdminClient({"bootstrap.servers": bootstrap})


def make_topic(bootstrap, name, partitions=1, config=None):
    client = admin(bootstrap)
    client.create_topics([NewTopic(name, partitions, 1, config=config or {})])[name].result(PATIENCE_S)
    return name


def produce(bootstrap, topic, values, **settings):
    failures = []
    producer = Producer({"bootstrap.servers": bootstrap, **{k.replace("_", "."): v for k, v in settings.items()}})
    for value in values:
        producer.produce(topic, value=value, key=value, on_delivery=lambda e, m: failures.append(e) if e else None)
    require_same("not sent", producer.flush(PATIENCE_S), 0)
    require_same("refused", failures, [])


def consumer_of(bootstrap, group, **settings):
    defaults = {"bootstrap.servers": bootstrap, "group.id": group, "auto.offset.reset": "earliest"}
    return Consumer({**defaults, **{k.replace("_", "."): v for k, v in settings.items()}})


def read(consumer, count):
    """So many values, in the order of their partitions."""
    messages = []
    deadline = time.monotonic() + PATIENCE_S
    while len(messages) < count and time.monotonic() < deadline:
        for message in consumer.consume(count - len(messages), timeout=0.5):
            if message.error():
                raise SystemExit(f"while it reads: {message.error()}")
            messages.append(message)
    require_same("how many are read", len(messages), count)
    return messages


def values_of(messages):
    return sorted(message.value().decode() for message in messages)


def codecs(bootstrap):
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"]:
        topic = make_topic(bootstrap, fresh(codec), 3)
        values = [f"{codec} {i}" for i in range(1000)]
        produce(bootstrap, topic, values, compression_type=codec, linger_ms=20)
        consumer = consumer_of(bootstrap, fresh("group"), check_crcs=True)
        consumer.subscribe([topic])
        require_same(codec, values_of(read(consumer, len(values))), sorted(values))
        consumer.close()


def groups(bootstrap):
    for strategy in ["range", "roundrobin", "cooperative-sticky"]:
        topic = make_topic(bootstrap, fresh("shared"), 4)
        group = fresh("sharers")
        members = [
            consumer_of(bootstrap, group, partition_assignment_strategy=strategy, group_instance_id=f"{group}-{i}")
            for i in range(2)
        ]
        for member in members:
            member.subscribe([topic])
        deadline = time.monotonic() + PATIENCE_S
        while [len(member.assignment()) for member in members] != [2, 2]:
            if time.monotonic() > deadline:
                raise SystemExit(f"{strategy}: assigned {[member.assignment() for member in members]}")
            for member in members:
                member.poll(0.1)
        values = [str(i) for i in range(200)]
        produce(bootstrap, topic, values)
        seen = []
        while len(seen) < len(values) and time.monotonic() < deadline:
            for member in members:
                seen += [message for message in member.consume(50, timeout=0.2) if not message.error()]
        require_same(strategy, values_of(seen), sorted(values))
        for member in members:
            member.commit(asynchronous=False)
            member.close()
        client = admin(bootstrap)
        described = client.describe_consumer_groups([group])[group].result(PATIENCE_S)
        require_same("group", described.group_id, group)


def transactions(bootstrap):
    source = make_topic(bootstrap, fresh("source"), 2)
    target = make_topic(bootstrap, fresh("target"), 2)
    values = [str(i) for i in range(300)]
    produce(bootstrap, source, values)
    group = fresh("movers")
    mover = Producer({"bootstrap.servers": bootstrap, "transactional.id": fresh("mover")})
    mover.init_transactions(PATIENCE_S)
    consumer = consumer_of(bootstrap, group, enable_auto_commit=False)
    consumer.subscribe([source])
    moved = 0
    # Every third transaction is aborted, and what it moved is read again.
    for turn in range(1000):
        if moved == len(values):
            break
        batch = [message for message in consumer.consume(20, timeout=1) if not message.error()]
        if not batch:
            continue
        mover.begin_transaction()
        for message in batch:
            mover.produce(target, message.value(), message.key())
        positions = consumer.position(consumer.assignment())
        mover.send_offsets_to_transaction(positions, consumer.consumer_group_metadata(), PATIENCE_S)
        if turn % 3 == 2:
            mover.abort_transaction(PATIENCE_S)
            for committed in consumer.committed(consumer.assignment(), PATIENCE_S):
                committed.offset = max(committed.offset, 0)
                consumer.seek(committed)
        else:
            mover.commit_transaction(PATIENCE_S)
            moved += len(batch)
    consumer.close()
    reader = consumer_of(bootstrap, fresh("readers"), isolation_level="read_committed")
    reader.subscribe([target])
    require_same("moved", values_of(read(reader, len(values))), sorted(values))
    require_same("more", reader.consume(1, timeout=1), [])
    reader.close()


def fencing(bootstrap):
    topic = make_topic(bootstrap, fresh("fenced"))
    settings = {"bootstrap.servers": bootstrap, "transactional.id": fresh("only-one")}
    older, newer = Producer(settings), Producer(settings)
    older.init_transactions(PATIENCE_S)
    older.begin_transaction()
    older.produce(topic, "older")
    older.flush(PATIENCE_S)
    newer.init_transactions(PATIENCE_S)
    try:
        older.commit_transaction(PATIENCE_S)
        raise SystemExit("the older producer could commit")
    except KafkaException as failure:
        require_same("what it is told", failure.args[0].code(), KafkaError._FENCED)
    newer.begin_transaction()
    newer.produce(topic, "newer")
    newer.commit_transaction(PATIENCE_S)
    reader = consumer_of(bootstrap, fresh("readers"))
    reader.subscribe([topic])
    require_same("committed", values_of(read(reader, 1)), ["newer"])
    reader.close()


def offsets(bootstrap):
    topic = make_topic(bootstrap, fresh("offsets"))
    produce(bootstrap, topic, [str(i) for i in range(10)])
    partition = TopicPartition(topic, 0)
    consumer = consumer_of(bootstrap, fresh("group"), enable_auto_commit=False)
    require_same("watermarks", consumer.get_watermark_offsets(partition, PATIENCE_S), (0, 10))
    consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    last = read(consumer, 10)[9]
    found = consumer.offsets_for_times([TopicPartition(topic, 0, last.timestamp()[1])], PATIENCE_S)
    require_same("by time", 0 <= found[0].offset <= 9, True)
    consumer.commit(offsets=[TopicPartition(topic, 0, 7, metadata="halfway")], asynchronous=False)
    committed = consumer.committed([partition], PATIENCE_S)[0]
    require_same("committed", (committed.offset, committed.metadata), (7, "halfway"))
    consumer.close()
    client = admin(bootstrap)
    listed = client.list_offsets({partition: OffsetSpec.latest()}, isolation_level=IsolationLevel.READ_COMMITTED)
    require_same("latest", listed[partition].result(PATIENCE_S).offset, 10)
    deleted = client.delete_records([TopicPartition(topic, 0, 4)])
    require_same("low watermark", next(iter(deleted.values())).result(PATIENCE_S).low_watermark, 4)


def administration(bootstrap):
    client = admin(bootstrap)
    topic = make_topic(bootstrap, fresh("managed"), 2, {"retention.ms": "12345"})
    try:
        make_topic(bootstrap, topic)
        raise SystemExit("a topic could be made twice")
    except KafkaException as failure:
        require_same("made twice", failure.args[0].code(), KafkaError.TOPIC_ALREADY_EXISTS)
    metadata = client.list_topics(topic, PATIENCE_S)
    require_same("partitions", sorted(metadata.topics[topic].partitions), [0, 1])
    resource = ConfigResource(ResourceType.TOPIC, topic)
    config = client.describe_configs([resource])[resource].result(PATIENCE_S)
    require_same("retention", config["retention.ms"].value, "12345")
    require_same("cluster", len(client.describe_cluster().result(PATIENCE_S).nodes), 1)
    group = fresh("group")
    given = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 1, 0)])
    client.alter_consumer_group_offsets([given])[group].result(PATIENCE_S)
    kept = client.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result(PATIENCE_S)
    require_same("offset", [(one.partition, one.offset) for one in kept.topic_partitions], [(1, 0)])
    listed = client.list_consumer_groups().result(PATIENCE_S)
    require_same("errors", listed.errors, [])
    require_same("groups", group in [one.group_id for one in listed.valid], True)
    client.delete_consumer_groups([group])[group].result(PATIENCE_S)
    client.create_partitions([NewPartitions(topic, 4)])[topic].result(PATIENCE_S)
    require_same("partitions later", len(client.list_topics(topic, PATIENCE_S).topics[topic].partitions), 4)
    edit = ConfigEntry("retention.ms", "54321", incremental_operation=AlterConfigOpType.SET)
    changed = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[edit])
    client.incremental_alter_configs([changed])[changed].result(PATIENCE_S)
    require_same("retention", client.describe_configs([resource])[resource].result(PATIENCE_S)["retention.ms"].value, "54321")
    client.delete_topics([topic])[topic].result(PATIENCE_S)
    require_same("topic later", topic in client.list_topics(timeout=PATIENCE_S).topics, False)


CHECKS = [codecs, groups, transactions, fencing, offsets, administration]

if __name__ == "__main__":
    {check.__name__: check for check in CHECKS}[sys.argv[2]](sys.argv[1])
