"""The Python side of the scenarios with security: one request as JSON on stdin, one answer as a JSON line."""
import json
import sys

from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

request = json.load(sys.stdin)
config = {
    "bootstrap.servers": request["bootstrap"],
    "security.protocol": "SASL_SSL",
    "ssl.ca.location": request["ca"],
    "sasl.mechanism": request["mechanism"],
    "log_level": 0,
    "error_cb": lambda error: failures.append(str(error)),
}
failures = []
if request["mechanism"] == "OAUTHBEARER":
    config["oauth_cb"] = lambda _: (request["token"], request["expiresS"])
else:
    config["sasl.username"] = request["user"]
    config["sasl.password"] = request["password"]


def round_trip():
    producer = Producer({**config, "message.timeout.ms": 10000})
    outcome = []
    producer.produce(request["topic"], key="k", value=request["value"], on_delivery=lambda error, _: outcome.append(error))
    for _ in range(75):
        # librdkafka tries a failed log-in again and again: it says so, and that is enough.
        if outcome or failures:
            break
        producer.flush(0.2)
    if not outcome or outcome[0] is not None:
        return {"error": str(outcome[0] if outcome else "nothing was delivered") + " " + " ".join(failures)}
    consumer = Consumer({**config, "group.id": request["group"], "auto.offset.reset": "earliest"})
    consumer.subscribe([request["topic"]])
    values = []
    for _ in range(200):
        message = consumer.poll(0.1)
        if message is None:
            continue
        if message.error():
            return {"error": str(message.error())}
        values.append(message.value().decode())
        if request["value"] in values:
            break
    consumer.close()
    return {"values": values}


def admin():
    client = AdminClient(config)
    name, principal = request["topic"], "User:" + request["made"]
    binding = AclBinding(
        ResourceType.TOPIC, name, ResourcePatternType.PREFIXED, principal, "*", AclOperation.WRITE, AclPermissionType.ALLOW
    )
    for future in client.create_acls([binding]).values():
        future.result()
    anything = AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, principal, None, AclOperation.ANY, AclPermissionType.ANY
    )
    found = client.describe_acls(anything).result()
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096)
    upsertion = UserScramCredentialUpsertion(request["made"], info, request["madePassword"].encode(), b"a salt of some bytes")
    for future in client.alter_user_scram_credentials([upsertion]).values():
        future.result()
    described = client.describe_user_scram_credentials([request["made"]])[request["made"]].result()
    removed = [future.result() for future in client.delete_acls([anything]).values()]
    return {
        "found": [[acl.name, acl.operation.name, acl.resource_pattern_type.name] for acl in found],
        "scram": [[each.mechanism.name, each.iterations] for each in described.scram_credential_infos],
        "removed": len(removed[0]),
        "left": len(client.describe_acls(anything).result()),
    }


try:
    print(json.dumps(admin() if request["verb"] == "admin" else round_trip()))
except KafkaException as error:
    print(json.dumps({"error": str(error) + " " + " ".join(failures)}))
