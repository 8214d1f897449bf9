"""aiokafka takes the steps of the matrix: aiokafka_program.py BOOTSTRAP PREFIX STEPS, one JSON line for each."""
import asyncio
import sys
import time

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from program import UNTIL_S_MAX, check, exactly, in_order, run

bootstrap, prefix = sys.argv[1], sys.argv[2]


async def until(is_so):
    end = time.monotonic() + UNTIL_S_MAX
    while not await is_so():
        check(time.monotonic() < end, f"what was waited for {UNTIL_S_MAX} s")
        await asyncio.sleep(0.05)


class Admin:
    async def __aenter__(self):
        self.client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id="matrix-aiokafka")
        await self.client.start()
        return self.client

    async def __aexit__(self, *_):
        await self.client.close()


async def partitions_of(admin, topic):
    [described] = await admin.describe_topics([topic])
    return len(described["partitions"]) if described["error_code"] == 0 else 0


async def create(topic, partitions):
    async with Admin() as admin:
        await admin.create_topics([NewTopic(topic, partitions, 1)])

        async def is_there():
            return await partitions_of(admin, topic) == partitions

        await until(is_there)


async def produce(topic, records, **config):
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", **config) as producer:
        await asyncio.gather(*[await producer.send(topic, **record) for record in records])


class Member:
    def __init__(self, topic, group, **config):
        self.got = []
        self.client = AIOKafkaConsumer(
            topic,
            bootstrap_servers=bootstrap,
            group_id=group,
            auto_offset_reset="earliest",
            auto_commit_interval_ms=200,
            session_timeout_ms=10000,
            heartbeat_interval_ms=300,
            fetch_max_wait_ms=100,
            **config,
        )

    async def start(self):
        await self.client.start()
        self.task = asyncio.create_task(self.read())
        return self

    async def read(self):
        async for message in self.client:
            self.got.append((message.key and message.key.decode(), message.value.decode(), message.partition))

    async def stop(self):
        self.task.cancel()
        await self.client.stop()


async def read_all(topic, count, **config):
    member = await Member(topic, f"{topic}-readers-{time.time()}", **config).start()

    async def has_all():
        return len(member.got) >= count

    try:
        await until(has_all)
        await asyncio.sleep(0.3)
    finally:
        await member.stop()
    return member.got


async def topics():
    topic = f"{prefix}-topics"
    await create(topic, 3)
    async with Admin() as admin:
        await admin.delete_topics([topic])

        async def is_gone():
            return topic not in await admin.list_topics()

        await until(is_gone)


async def codecs():
    topic, names = f"{prefix}-codecs", [None, "gzip", "snappy", "lz4", "zstd"]
    await create(topic, 1)
    for name in names:
        await produce(topic, [{"value": str(name).encode()}], compression_type=name)
    exactly([value for _, value, _ in await read_all(topic, len(names))], [str(name) for name in names])


async def order():
    topic = f"{prefix}-order"
    await create(topic, 3)
    await produce(topic, [{"key": f"k{n % 10}".encode(), "value": str(n).encode()} for n in range(200)])
    in_order(await read_all(topic, 200), 200)


async def groups():
    topic, group = f"{prefix}-groups", f"{prefix}-group"
    await create(topic, 4)
    members = [await Member(topic, group).start(), await Member(topic, group).start()]

    async def all_assigned():
        return all(len(member.client.assignment()) == 2 for member in members)

    async def all_read():
        return sum(len(member.got) for member in members) >= 200

    try:
        await until(all_assigned)
        await produce(topic, [{"key": f"k{n % 20}".encode(), "value": str(n).encode()} for n in range(200)])
        await until(all_read)
    finally:
        for member in members:
            await member.stop()
    check(all(member.got for member in members), "each has a share")
    exactly(sorted(value for member in members for _, value, _ in member.got), sorted(str(n) for n in range(200)))
    await produce(topic, [{"value": f"late {n}".encode()} for n in range(50)])
    third = await Member(topic, group).start()

    async def has_late():
        return len(third.got) >= 50

    try:
        await until(has_late)
    finally:
        await third.stop()
    exactly(sorted(value for _, value, _ in third.got), sorted(f"late {n}" for n in range(50)))


async def timed():
    topic = f"{prefix}-time"
    await create(topic, 1)
    for at in [1000, 2000, 3000]:
        await produce(topic, [{"value": str(at).encode(), "timestamp_ms": at, "partition": 0}])
    partition = TopicPartition(topic, 0)
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as client:
        client.assign([partition])
        found = (await client.offsets_for_times({partition: 1500}))[partition].offset
        client.seek(partition, found)
        message = await asyncio.wait_for(client.getone(), 10)
    exactly([found, message.value.decode()], [1, "2000"])


async def idempotence():
    topic = f"{prefix}-idempotence"
    await create(topic, 1)
    await produce(topic, [{"value": str(n).encode()} for n in range(100)], enable_idempotence=True)
    exactly([value for _, value, _ in await read_all(topic, 100)], [str(n) for n in range(100)])


async def administer():
    topic = f"{prefix}-admin"
    await create(topic, 1)
    await produce(topic, [{"value": b"a"}, {"value": b"b"}])
    async with Admin() as admin:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"retention.ms": "600000"})])

        async def is_told():
            [answer] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
            return dict((entry[0], entry[1]) for entry in answer.resources[0][4])["retention.ms"] == "600000"

        await until(is_told)
        await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=1)})
        exactly([value for _, value, _ in await read_all(topic, 1)], ["b"])
        check(any(group.startswith(topic) for group, _ in await admin.list_consumer_groups()), "the group is listed")
        await admin.create_partitions({topic: NewPartitions(2)})

        async def has_grown():
            return await partitions_of(admin, topic) == 2

        await until(has_grown)


async def transactions():
    topic, group = f"{prefix}-transactions", f"{prefix}-transactions-group"
    await create(topic, 1)
    partition = TopicPartition(topic, 0)
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=f"{prefix}-id") as producer:
        for value, is_committed in [(b"a", True), (b"b", False), (b"c", True)]:
            await producer.begin_transaction()
            await producer.send_and_wait(topic, value)
            if value == b"c":
                await producer.send_offsets_to_transaction({partition: 1}, group)
            await (producer.commit_transaction() if is_committed else producer.abort_transaction())
    read = await read_all(topic, 2, isolation_level="read_committed")
    exactly([value for _, value, _ in read], ["a", "c"])
    async with Admin() as admin:
        exactly([(await admin.list_consumer_group_offsets(group))[partition].offset], [1])


run(
    {
        "topics": topics,
        "codecs": codecs,
        "order": order,
        "groups": groups,
        "time": timed,
        "idempotence": idempotence,
        "admin": administer,
        "transactions": transactions,
    }
)
