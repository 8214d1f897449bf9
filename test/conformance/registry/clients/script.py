"""Python confluent-kafka's schema_registry as its users call it: script.py URL."""
import json
import sys
import traceback

from confluent_kafka.schema_registry import (
    ConfigCompatibilityLevel,
    Metadata,
    MetadataProperties,
    MetadataTags,
    Rule,
    RuleKind,
    RuleMode,
    RuleSet,
    Schema,
    SchemaReference,
    SchemaRegistryClient,
    SchemaRegistryError,
    ServerConfig,
)
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

url = sys.argv[1]


def fresh():
    return SchemaRegistryClient({"url": url})


registry = fresh()


def record(name, *more):
    fields = [{"name": "user", "type": "string"}, {"name": "step", "type": "int"}, *more]
    return json.dumps({"type": "record", "name": name, "namespace": "conformance", "fields": fields}, separators=(",", ":"))


def avro(text, **more):
    return Schema(text, "AVRO", **more)


PAGE = {"name": "page", "type": "string", "default": "/"}
FIRST = record("Visit")
SECOND = record("Visit", PAGE)
THIRD = record("Visit", PAGE, {"name": "required", "type": "string"})
MONEY = '{"type":"record","name":"Money","namespace":"conformance","fields":[{"name":"cents","type":"long"}]}'
ORDER = '{"type":"record","name":"Order","namespace":"conformance","fields":[{"name":"total","type":"Money"}]}'


def step(name):
    def run(check):
        try:
            check()
            print(json.dumps({"step": name}, separators=(",", ":")), flush=True)
        except Exception:
            print(json.dumps({"step": name, "error": traceback.format_exc()}, separators=(",", ":")), flush=True)

    return run


def equal(found, wanted):
    assert found == wanted, f"{found!r} is not {wanted!r}"


def refused(code, call):
    try:
        answer = call()
    except SchemaRegistryError as error:
        equal(error.error_code, code)
        equal(error.http_status_code, code // 100)
        return str(error)
    raise AssertionError(f"expected {code}, got {answer!r}")


@step("registers, and gets the same ID again")
def _():
    schema_id = registry.register_schema("py-visit", avro(FIRST))
    equal(fresh().register_schema("py-visit", avro(FIRST)), schema_id)
    whole = fresh().register_schema_full_response("py-visit", avro(SECOND), normalize_schemas=True)
    assert whole.schema_id > schema_id
    equal(fresh().get_schema_types(), ["AVRO"])


@step("registers with references and lists who refers")
def _():
    registry.register_schema("py-money", avro(MONEY))
    references = [SchemaReference("conformance.Money", "py-money", 1)]
    schema_id = registry.register_schema("py-order", avro(ORDER, references=references))
    equal(fresh().get_schema(schema_id, "py-order").references, references)
    equal(fresh().get_referenced_by("py-money", 1), [schema_id])
    assert '"cents"' in fresh().get_schema(schema_id, "py-order", fmt="resolved").schema_str


@step("reads by ID, by version and the latest")
def _():
    version = fresh().get_version("py-visit", 1)
    equal((version.subject, version.version, version.schema.schema_str), ("py-visit", 1, FIRST))
    equal(fresh().get_schema(version.schema_id).schema_str, FIRST)
    assert "py-visit" in fresh().get_subjects_by_schema_id(version.schema_id)
    latest = fresh().get_latest_version("py-visit")
    equal((latest.version, latest.schema.schema_str), (2, SECOND))
    equal([(v.subject, v.version) for v in fresh().get_schema_versions(latest.schema_id) if v.subject == "py-visit"], [("py-visit", 2)])


@step("reads by GUID")
def _():
    equal(fresh().get_schema_by_guid(fresh().get_version("py-visit", 1).guid).schema_str, FIRST)


@step("looks up a schema, and is told 40403 when it is not there")
def _():
    equal(fresh().lookup_schema("py-visit", avro(SECOND)).version, 2)
    refused(40403, lambda: fresh().lookup_schema("py-visit", avro(record("Unknown"))))
    refused(40401, lambda: fresh().get_latest_version("py-nobody"))
    refused(40402, lambda: fresh().get_version("py-visit", 9))


@step("is told what is compatible and what is not")
def _():
    equal(registry.test_compatibility("py-visit", avro(SECOND)), True)
    equal(registry.test_compatibility("py-visit", avro(THIRD), version=1, verbose=True), False)
    equal(registry.test_compatibility_all_versions("py-visit", avro(SECOND), normalize=True), True)
    equal(registry.test_compatibility_all_versions("py-visit", avro(THIRD)), False)


@step("is refused an incompatible schema with its reasons")
def _():
    try:
        registry.register_schema("py-visit", avro(THIRD))
    except SchemaRegistryError as error:
        equal((error.http_status_code, error.error_code), (409, 40901))
        assert "READER_FIELD_MISSING_DEFAULT_VALUE" in str(error)
    else:
        raise AssertionError("it was registered")


@step("sets, reads and deletes settings")
def _():
    equal(registry.get_compatibility(), "BACKWARD")
    registry.set_compatibility(level="FULL")
    equal(registry.get_compatibility(), "FULL")
    registry.set_compatibility(level="BACKWARD")
    refused(40408, lambda: registry.get_config("py-config"))
    registry.set_compatibility("py-config", "NONE")
    equal(registry.get_compatibility("py-config"), "NONE")
    config = ServerConfig(compatibility=ConfigCompatibilityLevel.FULL, compatibility_group="major")
    registry.set_config("py-config", config)
    found = registry.get_config("py-config")
    equal((found.compatibility_level, found.compatibility_group), (ConfigCompatibilityLevel.FULL, "major"))
    registry.delete_config("py-config")
    refused(40408, lambda: registry.get_config("py-config"))


@step("sets, reads and deletes modes, and imports an ID")
def _():
    equal(registry.get_global_mode(), "READWRITE")
    refused(40409, lambda: registry.get_mode("py-mode"))
    equal(registry.update_mode("py-mode", "READONLY"), "READONLY")
    equal(registry.get_mode("py-mode"), "READONLY")
    refused(42205, lambda: fresh().register_schema("py-mode", avro(FIRST)))
    registry.delete_mode("py-mode")
    refused(40409, lambda: registry.get_mode("py-mode"))
    refused(42204, lambda: registry.update_mode("py-mode", "SIDEWAYS"))
    refused(42205, lambda: registry.update_mode("py-visit", "IMPORT"))
    equal(registry.update_mode("py-visit", "IMPORT", force=True), "IMPORT")
    refused(42205, lambda: fresh().register_schema("py-visit", avro(record("Other"))))
    registry.delete_mode("py-visit")


@step("lists subjects and versions, deleted ones too")
def _():
    registry.register_schema("py-list-a", avro(FIRST))
    registry.register_schema("py-list-b", avro(FIRST))
    registry.register_schema("py-list-b", avro(SECOND))
    equal(registry.get_subjects(subject_prefix="py-list-"), ["py-list-a", "py-list-b"])
    equal(registry.get_subjects(subject_prefix="py-list-", offset=1, limit=1), ["py-list-b"])
    registry.delete_subject("py-list-a")
    registry.delete_version("py-list-b", 1)
    equal(registry.get_subjects(subject_prefix="py-list-"), ["py-list-b"])
    equal(registry.get_subjects(subject_prefix="py-list-", deleted=True), ["py-list-a", "py-list-b"])
    equal(registry.get_versions("py-list-b"), [2])
    equal(registry.get_versions("py-list-b", deleted=True), [1, 2])
    equal(registry.get_versions("py-list-b", deleted=True, offset=1, limit=1), [2])
    # This client asks for `deleted_only`, a parameter that Confluent's server does not have either: it changes nothing.
    equal(registry.get_subjects(subject_prefix="py-list-", deleted_only=True), ["py-list-b"])


@step("deletes softly, then hard")
def _():
    registry.register_schema("py-gone", avro(FIRST))
    registry.register_schema("py-gone", avro(SECOND))
    refused(40407, lambda: registry.delete_version("py-gone", 1, permanent=True))
    equal(registry.delete_version("py-gone", 1), 1)
    refused(40406, lambda: registry.delete_version("py-gone", 1))
    refused(40402, lambda: fresh().get_version("py-gone", 1))
    equal(fresh().get_version("py-gone", 1, deleted=True).schema.schema_str, FIRST)
    equal(registry.delete_version("py-gone", 1, permanent=True), 1)
    refused(40405, lambda: registry.delete_subject("py-gone", permanent=True))
    equal(registry.delete_subject("py-gone"), [2])
    refused(40404, lambda: registry.delete_subject("py-gone"))
    equal(registry.delete_subject("py-gone", permanent=True), [2])
    refused(40401, lambda: registry.get_versions("py-gone", deleted=True))


@step("keeps contexts apart")
def _():
    apart = record("Apart")
    equal(registry.register_schema(":.py:visit", avro(apart)), 1)
    equal(fresh().get_schema(1, ":.py:visit").schema_str, apart)
    assert ".py" in registry.get_contexts()
    equal(registry.get_contexts(limit=1), ["."])
    behind = SchemaRegistryClient({"url": url + "/contexts/.py"})
    equal(behind.get_latest_version("visit").schema.schema_str, apart)


@step("keeps metadata and rules, and finds by metadata")
def _():
    metadata = Metadata(
        MetadataTags({"**.user": ["PII"]}), MetadataProperties({"major": "1", "owner": "anna"}), ["owner"]
    )
    rule = Rule("positive", "a doc", RuleKind.CONDITION, RuleMode.WRITE, "CEL", ["PII"], None, "message.step > 0", None, "ERROR", False)
    registry.register_schema("py-rules", avro(FIRST, metadata=metadata, rule_set=RuleSet(None, [rule])))
    found = fresh().get_latest_version("py-rules").schema
    equal(found.metadata, metadata)
    equal((found.rule_set.domain_rules[0].expr, found.rule_set.domain_rules[0].on_failure), ("message.step > 0", "ERROR"))
    equal(fresh().get_latest_with_metadata("py-rules", {"major": "1", "owner": "anna"}).version, 1)
    refused(40403, lambda: fresh().get_latest_with_metadata("py-rules", {"major": "2"}))


@step("serializes with registration on the way, and reads it back")
def _():
    context = SerializationContext("py-trip", MessageField.VALUE)
    payload = AvroSerializer(fresh(), FIRST)({"user": "anna", "step": 7}, context)
    equal(payload[:5], b"\0" + fresh().get_latest_version("py-trip-value").schema_id.to_bytes(4, "big"))
    equal(AvroDeserializer(fresh())(payload, context), {"user": "anna", "step": 7})


@step("serializes with the latest version, and reads it back with another")
def _():
    context = SerializationContext("py-latest", MessageField.VALUE)
    registry.register_schema("py-latest-value", avro(FIRST))
    latest = {"auto.register.schemas": False, "use.latest.version": True}
    old = AvroSerializer(fresh(), conf=latest)({"user": "bert", "step": 1}, context)
    registry.register_schema("py-latest-value", avro(SECOND))
    payload = AvroSerializer(fresh(), conf=latest)({"user": "anna", "step": 1, "page": "/a"}, context)
    equal(payload[1:5], fresh().get_latest_version("py-latest-value").schema_id.to_bytes(4, "big"))
    equal(AvroDeserializer(fresh(), SECOND)(old, context)["page"], "/")
