"""The topics as AsyncAPI 3.0, generated from the schemas (https://www.asyncapi.com/docs/reference/specification/v3.0.0).

`docs/asyncapi.json` is this document; a test fails when it is stale.
"""

from typing import Any, Final

import msgspec

from schemas.decode import COMPACTED
from streams.dead_letters import PREFIX
from streams.topics import DEFAULT_PARTITIONS, TOPICS, Topic

CONTRACT_VERSION: Final = "1.0.0"
"""Of the messages, not of the software: only optional fields are ever added."""
_KAFKA: Final = "0.5.0"
_SCHEMAS: Final = "#/components/schemas/"
_ERROR_HEADERS: Final = (
    "topic", "partition", "offset", "stage", "class", "message", "first_failure_ms", "attempt", "version",
)  # fmt: skip


def document() -> dict[str, Any]:
    """What Attune receives and sends; internal topics are nobody's contract."""
    topics = [topic for topic in TOPICS.values() if topic.direction != "internal"]
    kinds = [topic.schema for topic in topics if topic.schema is not None]
    _, schemas = msgspec.json.schema_components(kinds, ref_template=_SCHEMAS + "{name}")
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Attune",
            "version": CONTRACT_VERSION,
            "license": {"name": "Apache-2.0"},
            "description": (
                "Behaviour in, decisions out. Keys are ids as UTF-8 bytes. Producers partition by murmur2_random, with "
                "acks=all and idempotence, and repeat an event_id on a retry. Times are milliseconds since the epoch, "
                "UTC. Unknown fields are ignored; fields are only ever added, and optional."
            ),
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in topics},
        "operations": {_operation(topic): _operation_of(topic) for topic in topics},
        "components": {
            "messages": {_message(topic): _message_of(topic) for topic in topics},
            "schemas": dict(sorted(schemas.items())),
        },
    }


def text() -> str:
    """The document as it is committed."""
    return msgspec.json.format(msgspec.json.encode(document()), indent=2).decode() + "\n"


def _channel(topic: Topic) -> dict[str, Any]:
    config = topic.config()
    described: dict[str, Any] = {
        "cleanup.policy": config["cleanup.policy"].split(","),
        "max.message.bytes": topic.max_bytes,
    }
    if "retention.ms" in config:
        described["retention.ms"] = topic.retention_ms
    return {
        "address": topic.name,
        "description": topic.meaning,
        "messages": {_message(topic): {"$ref": f"#/components/messages/{_message(topic)}"}},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partition_count(DEFAULT_PARTITIONS),
                "topicConfiguration": described,
                "bindingVersion": _KAFKA,
            }
        },
    }


def _operation(topic: Topic) -> str:
    return ("receive_" if topic.direction == "in" else "send_") + topic.name.replace("-", "_")


def _operation_of(topic: Topic) -> dict[str, Any]:
    return {
        "action": "receive" if topic.direction == "in" else "send",
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "summary": topic.meaning,
        "messages": [{"$ref": f"#/channels/{topic.name}/messages/{_message(topic)}"}],
    }


def _message(topic: Topic) -> str:
    return topic.schema.__name__ if topic.schema is not None else "DeadLetter"


def _message_of(topic: Topic) -> dict[str, Any]:
    key = {"kafka": {"key": {"type": "string", "description": f"the {topic.key}"}, "bindingVersion": _KAFKA}}
    if topic.schema is None:
        names = [PREFIX + name for name in _ERROR_HEADERS]
        return {
            "contentType": "application/octet-stream",
            "summary": topic.meaning,
            "headers": {
                "type": "object",
                "properties": {name: {"type": "string"} for name in names},
                "required": names,
            },
            "bindings": key,
        }
    summary = topic.meaning
    if topic.name in COMPACTED:
        summary += "; the newest record of a key counts, a null value takes it back"
    return {"summary": summary, "payload": {"$ref": _SCHEMAS + topic.schema.__name__}, "bindings": key}
