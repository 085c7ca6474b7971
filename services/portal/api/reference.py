"""The reference of the API for people: a page without a script, made of the endpoints."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from services.portal.api.endpoints import Endpoint
from services.portal.api.parameters import Parameter
from services.portal.api.problems import KINDS


class ReferenceParameter(NamedTuple):
    name: str
    description: str
    values: str
    needed: bool


class ReferenceEndpoint(NamedTuple):
    """`fields` are those of a JSON answer; `media_type` is of any other; `problems` are its own."""

    name: str
    path: str
    summary: str
    parameters: Sequence[ReferenceParameter]
    fields: Sequence[str]
    media_type: str
    problems: Sequence[str]
    key_only: bool


def reference(listed: Sequence[Endpoint]) -> Mapping[str, object]:
    """Return the values of the template `reference`."""
    return {
        "endpoints": [_endpoint(each) for each in listed],
        "problems": [(name, *kind) for name, kind in KINDS.items()],
    }


def _endpoint(endpoint: Endpoint) -> ReferenceEndpoint:
    parameters = [_parameter(each) for each in endpoint.parameters]
    if (part := endpoint.in_path) is not None:
        described = ReferenceParameter(part.name, part.description, part.example, needed=True)
        parameters.insert(0, described)
    is_json = not isinstance(endpoint.answer, str)
    return ReferenceEndpoint(
        name=endpoint.name,
        path=endpoint.path,
        summary=endpoint.summary,
        parameters=parameters,
        fields=list(endpoint.answer.model_fields) if not isinstance(endpoint.answer, str) else (),
        media_type="application/json" if is_json else str(endpoint.answer).partition(";")[0],
        problems=endpoint.kinds,
        key_only=endpoint.key_only,
    )


def _parameter(parameter: Parameter) -> ReferenceParameter:
    told = list(_told(parameter.schema))
    if (example := parameter.more.get("example")) is not None:
        told.insert(0, f"comme {example[0] if isinstance(example, list) else example}")
    return ReferenceParameter(
        parameter.name, parameter.description, " ; ".join(told), parameter.required
    )


def _told(schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the values of a schema are, in French."""
    if schema["type"] == "array":
        yield from _told(schema["items"])
        if "maxItems" in schema:
            yield f"{schema['maxItems']} valeurs au plus"
        return
    if schema["type"] == "boolean":
        yield "true ou false"
    if "enum" in schema:
        yield ", ".join(schema["enum"])
    if "minimum" in schema:
        yield f"{schema['minimum']:g} à {schema['maximum']:g}"
    if "maxLength" in schema:
        yield f"{schema.get('minLength', 1)} à {schema['maxLength']} caractères"
    if "default" in schema:
        yield f"{schema['default']} sans valeur"
