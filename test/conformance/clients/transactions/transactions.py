"""The Python side of the transaction scenarios: transactions.py BOOTSTRAP, one command a line on stdin as JSON, one answer a line on stdout."""
import json
import sys
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

SETTLE_S = 0.4
WAIT_S = 20
common = {"bootstrap.servers": sys.argv[1], "client.id": "transactions-python", "error_cb": lambda _error: None}
producers = {}
readers = 0


def producer(handle, transactional_id, timeout_ms):
    client = Producer({**common, "transactional.id": transactional_id, "transaction.timeout.ms": int(timeout_ms)})
    client.init_transactions(WAIT_S)
    producers[handle] = client


def attempt(action):
    try:
        action()
        return None
    except (KafkaException, SystemError) as failure:
        # A fatal error may come out of a callback, wrapped in what the interpreter makes of that.
        return f"{failure} {failure.__cause__ or failure.__context__}"


def begin(handle):
    return attempt(producers[handle].begin_transaction)


def write(client, topic, values):
    refused = []
    for value in values:
        client.produce(topic, value=value, partition=0, on_delivery=lambda error, _m: refused.append(error))
    client.flush(WAIT_S)
    errors = [error for error in refused if error is not None]
    if errors:
        raise KafkaException(errors[0])


def send(handle, topic, value):
    return attempt(lambda: write(producers[handle], topic, [value]))


def commit(handle):
    return attempt(lambda: producers[handle].commit_transaction(WAIT_S))


def abort(handle):
    return attempt(lambda: producers[handle].abort_transaction(WAIT_S))


def transform(handle, group, source, target, count, end):
    client = producers[handle]
    consumer = Consumer(
        {**common, "group.id": group, "enable.auto.commit": False, "auto.offset.reset": "earliest", "session.timeout.ms": 6000}
    )
    consumer.subscribe([source])

    def work():
        values = []
        until = time.time() + WAIT_S
        while len(values) < int(count) and time.time() < until:
            message = consumer.poll(1)
            if message is not None and message.error() is None:
                values.append(message)
        client.begin_transaction()
        write(client, target, [message.value().decode().upper() for message in values])
        position = TopicPartition(source, 0, values[-1].offset() + 1)
        client.send_offsets_to_transaction([position], consumer.consumer_group_metadata(), WAIT_S)
        client.commit_transaction(WAIT_S) if end == "commit" else client.abort_transaction(WAIT_S)

    refused = attempt(work)
    consumer.close()
    return refused


def read(topic, count, isolation):
    global readers
    readers += 1
    level = "read_committed" if isolation == "committed" else "read_uncommitted"
    consumer = Consumer({**common, "group.id": f"read-{readers}", "enable.auto.commit": False, "isolation.level": level})
    consumer.assign([TopicPartition(topic, 0, 0)])
    values = []
    until = time.time() + WAIT_S
    while time.time() < until:
        message = consumer.poll(0.1)
        if message is not None and message.error() is None:
            values.append(message.value().decode())
        if len(values) >= int(count):
            until = min(until, time.time() + SETTLE_S)
    consumer.close()
    return values


def close(handle):
    del producers[handle]


verbs = {f.__name__: f for f in [producer, begin, send, commit, abort, transform, read, close]}
for line in sys.stdin:
    verb, *words = json.loads(line)
    try:
        told = {"answer": verbs[verb](*words)}
    except Exception as failure:
        told = {"failed": str(failure)}
    print(json.dumps(told), flush=True)
