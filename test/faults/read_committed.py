"""All values that librdkafka reads as committed, up to the end of each partition: read_committed.py BOOTSTRAP TOPIC, a JSON list on stdout."""
import json
import sys
import time

from confluent_kafka import Consumer, KafkaError, TopicPartition

WAIT_S = 60
bootstrap, topic = sys.argv[1:]
consumer = Consumer(
    {
        "bootstrap.servers": bootstrap,
        "group.id": "checker",
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
    }
)
partitions = consumer.list_topics(topic, 20).topics[topic].partitions
consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
values, ended = [], set()
until = time.time() + WAIT_S
while len(ended) < len(partitions) and time.time() < until:
    message = consumer.poll(1)
    if message is None:
        continue
    if message.error() is None:
        values.append(message.value().decode())
    elif message.error().code() == KafkaError._PARTITION_EOF:
        ended.add(message.partition())
consumer.close()
print(json.dumps(values))
