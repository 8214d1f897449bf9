"""One member of a group: member.py BOOTSTRAP, what it is as one JSON line on stdin, what it lives through as JSON lines. It leaves when stdin ends."""
import json
import sys
import threading

from confluent_kafka import Consumer

wanted = json.loads(sys.stdin.readline())
stopping = threading.Event()


def say(**facts):
    print(json.dumps(facts), flush=True)


def told(what):
    return lambda _, partitions: say(**{what: sorted(f"{one.topic}-{one.partition}" for one in partitions)})


config = {
    "bootstrap.servers": sys.argv[1],
    "client.id": "conformance-python",
    "group.id": wanted["group"],
    "auto.offset.reset": "earliest",
    "auto.commit.interval.ms": 200,
    "topic.metadata.refresh.interval.ms": 1000,
    "reconnect.backoff.max.ms": 500,
    **({"group.instance.id": wanted["instance"]} if wanted.get("instance") else {}),
}
if wanted["mode"] == "consumer":
    config["group.protocol"] = "consumer"
    if wanted.get("assignor"):
        config["group.remote.assignor"] = wanted["assignor"]
else:
    config.update({"session.timeout.ms": 10000, "heartbeat.interval.ms": 300})
    config["partition.assignment.strategy"] = "cooperative-sticky" if wanted["mode"] == "cooperative" else "range"
consumer = Consumer(config)
consumer.subscribe([wanted["topic"]], on_assign=told("assigned"), on_revoke=told("revoked"), on_lost=told("lost"))
threading.Thread(target=lambda: (sys.stdin.read(), stopping.set()), daemon=True).start()
while not stopping.is_set():
    message = consumer.poll(0.2)
    if message is None:
        continue
    if message.error() is not None:
        say(error=str(message.error()))
        continue
    say(read=message.value().decode(), partition=f"{message.topic()}-{message.partition()}")
consumer.close()
