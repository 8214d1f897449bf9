"""confluent-kafka (librdkafka) takes the steps of the matrix: confluent.py BOOTSTRAP PREFIX STEPS, one JSON line for each."""
import sys
import threading
import time

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic, OffsetSpec, ResourceType
from program import check, exactly, in_order, run, until

bootstrap, prefix = sys.argv[1], sys.argv[2]
common = {"bootstrap.servers": bootstrap, "client.id": "matrix-confluent"}
admin = AdminClient(common)


def only(futures):
    return next(iter(futures.values())).result(20)


def create(topic, partitions):
    only(admin.create_topics([NewTopic(topic, partitions, 1)]))
    until(lambda: len(admin.list_topics(topic, 10).topics[topic].partitions) == partitions)


def produce(topic, records, **config):
    errors = []
    client = Producer({**common, "linger.ms": 5, **config})
    for record in records:
        client.produce(topic, on_delivery=lambda error, _: errors.append(error) if error else None, **record)
    check(client.flush(20) == 0 and not errors, f"delivered: {errors[:1]}")


class Member:
    """Reads on a thread of its own, as each of a group does, until it is stopped."""

    def __init__(self, topic, group, **config):
        self.got, self.assigned, self.stopping = [], False, threading.Event()
        self.client = Consumer({**common, "group.id": group, "auto.offset.reset": "earliest", "auto.commit.interval.ms": 200, **config})
        self.client.subscribe([topic], on_assign=lambda _, parts: setattr(self, "assigned", bool(parts) or self.assigned))
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self):
        while not self.stopping.is_set():
            message = self.client.poll(0.1)
            if message is not None and message.error() is None:
                self.got.append((message.key() and message.key().decode(), message.value().decode(), message.partition()))
        self.client.close()

    def stop(self):
        self.stopping.set()
        self.thread.join()


def read_all(topic, count, **config):
    member = Member(topic, f"{topic}-readers-{time.time()}", **config)
    try:
        until(lambda: len(member.got) >= count)
        time.sleep(0.3)
    finally:
        member.stop()
    return member.got


def topics():
    topic = f"{prefix}-topics"
    create(topic, 3)
    only(admin.delete_topics([topic]))
    until(lambda: topic not in admin.list_topics(timeout=10).topics)


def codecs():
    topic, names = f"{prefix}-codecs", ["none", "gzip", "snappy", "lz4", "zstd"]
    create(topic, 1)
    for name in names:
        produce(topic, [{"value": name}], **{"compression.type": name})
    exactly([value for _, value, _ in read_all(topic, len(names))], names)


def order():
    topic = f"{prefix}-order"
    create(topic, 3)
    produce(topic, [{"key": f"k{n % 10}", "value": str(n)} for n in range(200)])
    in_order(read_all(topic, 200), 200)


def share(name, **config):
    topic, group = f"{prefix}-{name}", f"{prefix}-{name}-group"
    create(topic, 4)
    members = [Member(topic, group, **config), Member(topic, group, **config)]
    try:
        until(lambda: all(member.assigned for member in members))
        # The first gives partitions up before the second has them.
        time.sleep(1)
        produce(topic, [{"key": f"k{n % 20}", "value": str(n)} for n in range(200)])
        until(lambda: sum(len(member.got) for member in members) >= 200)
    finally:
        for member in members:
            member.stop()
    check(all(member.got for member in members), "each has a share")
    exactly(sorted(value for member in members for _, value, _ in member.got), sorted(str(n) for n in range(200)))
    produce(topic, [{"key": f"k{n}", "value": f"late {n}"} for n in range(50)])
    third = Member(topic, group, **config)
    try:
        until(lambda: len(third.got) >= 50)
    finally:
        third.stop()
    exactly(sorted(value for _, value, _ in third.got), sorted(f"late {n}" for n in range(50)))


def timed():
    topic = f"{prefix}-time"
    create(topic, 1)
    for at in [1000, 2000, 3000]:
        produce(topic, [{"value": str(at), "timestamp": at, "partition": 0}])
    client = Consumer({**common, "group.id": "none"})
    [found] = client.offsets_for_times([TopicPartition(topic, 0, 1500)], 10)
    client.assign([found])
    message = client.poll(10)
    client.close()
    exactly([found.offset, message.value().decode()], [1, "2000"])


def idempotence():
    topic = f"{prefix}-idempotence"
    create(topic, 1)
    produce(topic, [{"value": str(n)} for n in range(100)], **{"enable.idempotence": True})
    exactly([value for _, value, _ in read_all(topic, 100)], [str(n) for n in range(100)])


def administer():
    topic, group = f"{prefix}-admin", f"{prefix}-admin-group"
    create(topic, 1)
    produce(topic, [{"value": "a"}, {"value": "b"}])
    edit = ConfigEntry("retention.ms", "600000", incremental_operation=AlterConfigOpType.SET)
    only(admin.incremental_alter_configs([ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[edit])]))
    until(lambda: only(admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]))["retention.ms"].value == "600000")
    only(admin.delete_records([TopicPartition(topic, 0, 1)]))
    exactly([only(admin.list_offsets({TopicPartition(topic, 0): OffsetSpec.earliest()})).offset], [1])
    client = Consumer({**common, "group.id": group})
    client.commit(offsets=[TopicPartition(topic, 0, 1, "told")], asynchronous=False)
    exactly([client.committed([TopicPartition(topic, 0)])[0].metadata], ["told"])
    client.close()
    check(group in [one.group_id for one in admin.list_consumer_groups().result(10).valid], "the group is listed")
    only(admin.delete_consumer_groups([group]))
    only(admin.create_partitions([NewPartitions(topic, 2)]))
    until(lambda: len(admin.list_topics(topic, 10).topics[topic].partitions) == 2)
    check(len(admin.describe_cluster().result(10).nodes) == 1, "one node")


def transactions():
    topic, group = f"{prefix}-transactions", f"{prefix}-transactions-group"
    create(topic, 1)
    client = Producer({**common, "transactional.id": f"{prefix}-id"})
    client.init_transactions(20)
    reader = Consumer({**common, "group.id": group})
    for value, is_committed in [("a", True), ("b", False), ("c", True)]:
        client.begin_transaction()
        client.produce(topic, value=value)
        client.flush(10)
        if value == "c":
            client.send_offsets_to_transaction([TopicPartition(topic, 0, 1)], reader.consumer_group_metadata(), 20)
        client.commit_transaction(20) if is_committed else client.abort_transaction(20)
    exactly([value for _, value, _ in read_all(topic, 2, **{"isolation.level": "read_committed"})], ["a", "c"])
    exactly([reader.committed([TopicPartition(topic, 0)])[0].offset], [1])
    reader.close()


run(
    {
        "topics": topics,
        "codecs": codecs,
        "order": order,
        "groups": lambda: share("groups", **{"session.timeout.ms": 10000, "heartbeat.interval.ms": 300}),
        "time": timed,
        "idempotence": idempotence,
        "admin": administer,
        "transactions": transactions,
        "kip848": lambda: share("kip848", **{"group.protocol": "consumer"}),
    }
)
