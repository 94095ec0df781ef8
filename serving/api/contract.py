"""What the OpenAPI document says that Litestar cannot see: bodies that `schemas/` decodes, problems, tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from litestar import Request
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, OpenAPIMediaType, Operation, RequestBody, Schema, SecurityScheme
from litestar.params import Parameter

from schemas.catalogue import Item
from schemas.decode import SCHEMAS
from serving.api.problems import MEDIA_TYPE, Problem

ID_PATTERN: Final = r"^[^\u0000-\u001f\u007f-\u009f]*$"
NEEDS_TOKEN: Final[list[dict[str, list[str]]]] = [{"bearer": []}]
_MEANINGS: Final = {
    400: "the request cannot be read",
    401: "no token, or none that is known",
    403: "the token does not allow this",
    404: "there is no such thing",
    405: "the path has no such method",
    409: "it contradicts our clock: more than 24 h ahead of it",
    413: "too large",
    415: "not a form that can be read",
    422: "it can be read, but fields are not as they must be",
    429: "too many requests of this token",
    503: "Kafka or Redis does not answer just now",
}
PROBLEMS: Final = {
    status: ResponseSpec(Problem, generate_examples=False, description=meaning, media_type=MEDIA_TYPE)
    for status, meaning in _MEANINGS.items()
}


class _Verbatim(Schema):
    """A JSON schema that is said as it is."""

    def __init__(self, schema: dict[str, Any]) -> None:
        super().__init__()
        self._schema = schema

    def to_schema(self) -> dict[str, Any]:
        return self._schema


def inlined(kind: Any) -> dict[str, Any]:
    """The JSON schema of a type of `schemas/`, its parts written where they are used."""
    (root,), parts = msgspec.json.schema_components([kind], ref_template="{name}")

    def put_in(value: Any) -> Any:
        match value:
            case {"$ref": str() as name}:
                return put_in(parts[name])
            case dict():
                return {key: put_in(inner) for key, inner in value.items()}
            case list():
                return [put_in(inner) for inner in value]
        return value

    found: dict[str, Any] = put_in(root)
    return found


def _entries() -> dict[str, Any]:
    """One event, by its topic."""
    return {
        "oneOf": [
            {
                "title": topic,
                "type": "object",
                "required": ["topic", "value"],
                "properties": {"topic": {"const": topic}, "value": inlined(schema)},
            }
            for topic, schema in SCHEMAS.items()
            if topic not in {"items", "erasures"}
        ]
    }


def body(schema: dict[str, Any], description: str) -> RequestBody:
    """A JSON body."""
    return RequestBody(
        content={"application/json": OpenAPIMediaType(schema=_Verbatim(schema))}, description=description, required=True
    )


@dataclass
class EventsOperation(Operation):
    """`POST /v1/events`."""

    def __post_init__(self) -> None:
        entry = _entries()
        either = {"oneOf": [entry, {"type": "array", "minItems": 1, "maxItems": 1_000, "items": entry}]}
        self.request_body = body(either, "One event, or a batch.")


@dataclass
class ItemOperation(Operation):
    """`PUT /v1/items/{item_id}`: the id may be left out of the body, and must be that of the path where it is there."""

    def __post_init__(self) -> None:
        schema = inlined(Item)
        schema["properties"].pop("item_id")
        schema.pop("required", None)
        self.request_body = body(schema, "The item, without its `item_id`: that is in the path.")


def id_parameter(description: str) -> Any:
    """An id in a path."""
    return Parameter(min_length=1, max_length=128, pattern=ID_PATTERN, description=description)


COMPONENTS: Final = Components(
    security_schemes={"bearer": SecurityScheme(type="http", scheme="bearer", description="A token with scopes.")}
)


class Document(JsonRenderPlugin):
    """The OpenAPI document, with the answers described by msgspec, which also writes them."""

    def __init__(self, answers: Sequence[Any]) -> None:
        super().__init__(path=["/", "/openapi.json"])
        _, self._components = msgspec.json.schema_components(
            (*answers, Item), ref_template="#/components/schemas/{name}"
        )
        for component in self._components.values():
            if component.get("properties", {}).get("item", {}).get("default", 0) is None:  # a card, put in as JSON
                component["properties"]["item"] = {"anyOf": [{"$ref": "#/components/schemas/Item"}, {"type": "null"}]}

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The document as JSON."""
        components: dict[str, Any] = openapi_schema["components"]
        found = {
            **openapi_schema,
            "components": {**components, "schemas": {**components["schemas"], **self._components}},
        }
        return msgspec.json.encode(found)
