"""The Python side of the conformance scenarios: client.py VERB REGISTRY_URL BOOTSTRAP, requests as JSON on stdin, answers as JSON lines."""
import json
import sys
import threading

from confluent_kafka import Consumer, Producer
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

verb, url, bootstrap = sys.argv[1:]
registry = SchemaRegistryClient({"url": url})


def answer(facts):
    print(json.dumps(facts), flush=True)


def producer(**config):
    return Producer({"bootstrap.servers": bootstrap, "client.id": "conformance-python", **config})


def register(request):
    answer({"id": registry.register_schema(request["subject"], Schema(request["schema"], "AVRO"))})


def produce(request):
    topic, failures = request["topic"], []
    schema = registry.get_latest_version(topic + "-value").schema.schema_str
    serialize = AvroSerializer(registry, schema, conf={"auto.register.schemas": False})
    client = producer(**{"enable.idempotence": True, "compression.type": "gzip", "linger.ms": 5})

    def delivered(error, _message):
        if error is not None:
            failures.append(str(error))

    for visit in request["visits"]:
        value = serialize(visit, SerializationContext(topic, MessageField.VALUE))
        client.produce(topic, key=visit["user"], value=value, on_delivery=delivered)
        client.poll(0)
    left = client.flush(30)
    answer({"error": failures[0]} if failures else {"error": f"{left} not delivered"} if left else {"ok": True})


def raw(request):
    refused = []
    client = producer(**{"acks": "all"})
    client.produce(request["topic"], key="raw", value=bytes.fromhex(request["value"]), on_delivery=lambda error, _m: refused.append(error))
    client.flush(30)
    error = refused[0] if refused else "no delivery report"
    answer({"refused": None if error is None else f"{error.name()} {error.str()}" if hasattr(error, "name") else str(error)})


def join(request):
    deserialize = AvroDeserializer(registry)
    client = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "client.id": "conformance-python",
            "group.id": request["group"],
            "auto.offset.reset": "earliest",
            "session.timeout.ms": 10000,
            "heartbeat.interval.ms": 500,
            "auto.commit.interval.ms": 200,
            "topic.metadata.refresh.interval.ms": 1000,
            "reconnect.backoff.max.ms": 500,
        }
    )
    client.subscribe([request["topic"]])
    stopping = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), stopping.set()), daemon=True).start()
    while not stopping.is_set():
        message = client.poll(0.2)
        if message is None or message.error() is not None:
            continue
        value = deserialize(message.value(), SerializationContext(message.topic(), MessageField.VALUE))
        answer({"key": message.key().decode(), "value": value, "partition": message.partition(), "offset": message.offset()})
    client.close()


{"register": register, "produce": produce, "raw": raw, "join": join}[verb](
    json.loads(sys.stdin.readline() if verb == "join" else sys.stdin.read())
)
