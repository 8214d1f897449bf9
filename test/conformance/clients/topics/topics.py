"""The Python side of the topic scenarios: topics.py BOOTSTRAP, one request a line on stdin as JSON, one answer a line on stdout."""
import json
import sys

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

common = {"bootstrap.servers": sys.argv[1], "client.id": "topics-python"}
admin = AdminClient(common)


def only(futures):
    return next(iter(futures.values())).result(20)


def create(topic, configs):
    only(admin.create_topics([NewTopic(topic, 1, 1, config=configs)]))


def configure(topic, name, value):
    edit = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
    only(admin.incremental_alter_configs([ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[edit])]))


def config_of(topic, name):
    entry = only(admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]))[name]
    return {"value": entry.value, "isDefault": entry.is_default}


def delete_records(topic, before):
    only(admin.delete_records([TopicPartition(topic, 0, before)]))


def offset(topic, spec):
    return only(admin.list_offsets({TopicPartition(topic, 0): spec})).offset


def offsets(topic):
    return [offset(topic, OffsetSpec.earliest()), offset(topic, OffsetSpec.latest())]


def offset_at(topic, timestamp):
    found = offset(topic, OffsetSpec.for_timestamp(timestamp))
    return offset(topic, OffsetSpec.latest()) if found < 0 else found


def produce(topic, codec, values, timestamps):
    refused = []
    client = Producer({**common, "enable.idempotence": True, "compression.type": codec, "linger.ms": 100, "message.timeout.ms": 10000})
    for value, timestamp in zip(values, timestamps):
        client.produce(topic, value=value, partition=0, timestamp=timestamp, on_delivery=lambda error, _m: refused.append(error))
    client.flush(20)
    errors = [error for error in refused if error is not None]
    if errors:
        raise KafkaException(errors[0])


def consume(topic, count):
    client = Consumer({**common, "group.id": "none", "enable.auto.commit": False, "auto.offset.reset": "earliest"})
    client.assign([TopicPartition(topic, 0, 0)])
    read = []
    while len(read) < count:
        message = client.poll(10)
        if message is None:
            break
        if message.error() is not None:
            raise KafkaException(message.error())
        read.append({"offset": message.offset(), "timestampMs": message.timestamp()[1], "value": message.value().decode()})
    client.close()
    return read


verbs = {f.__name__: f for f in [create, configure, config_of, delete_records, offsets, offset_at, produce, consume]}
for line in sys.stdin:
    verb, *args = json.loads(line)
    try:
        answer = {"answer": verbs[verb](*args)}
    except KafkaException as failure:
        error = failure.args[0]
        answer = {"refused": f"{error.name()} {error.str()}"}
    print(json.dumps(answer), flush=True)
