"""The OpenAPI document, made of the endpoints and the models of their answers."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from services.portal.api.endpoints import Endpoint
from services.portal.api.models import Probleme
from services.portal.api.problems import KINDS
from services.portal.web.problems import MEDIA_TYPE

_REFERENCE = "#/components/schemas/{model}"
_DESCRIPTION = """\
Les établissements du répertoire Sirene de l'Insee, avec les pages de cet annuaire.

Chaque réponse dit sa source, à citer (Licence Ouverte), et le jour jusqu'auquel elle est à jour.
Une liste entre virgules a 50 valeurs au plus. Un paramètre inconnu est refusé, avec le nom le plus
proche. Les problèmes suivent la RFC 9457. Un curseur se renvoie tel quel, avec les mêmes
paramètres. Sans clé, une limite vaut pour le réseau de l'adresse ; une clé a la sienne.
"""


def document(listed: Sequence[Endpoint], base_url: str) -> dict[str, Any]:
    """Return the document; it names no address but this server's."""
    answers: set[type[BaseModel]] = {
        each.answer for each in listed if not isinstance(each.answer, str)
    }
    answers.add(Probleme)
    named: list[type[BaseModel]] = sorted(answers, key=lambda model: model.__name__)
    _, schemas = models_json_schema(
        [(model, "serialization") for model in named], ref_template=_REFERENCE
    )
    return {
        "openapi": "3.1.0",
        "info": {"title": "Sirenade", "version": "1", "description": _DESCRIPTION},
        "servers": [{"url": base_url}],
        "paths": {each.path: {"get": _operation(each)} for each in listed},
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"cle": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    parameters = [each.described() for each in endpoint.parameters]
    if (part := endpoint.in_path) is not None:
        described = {
            "name": part.name,
            "in": "path",
            "required": True,
            "description": part.description,
            "schema": {"type": "string", "pattern": part.pattern},
            "example": part.example,
        }
        parameters.insert(0, described)
    if endpoint.is_validated:
        parameters.append(
            {
                "name": "If-None-Match",
                "in": "header",
                "description": "L'ETag d'une copie : 304 si elle vaut encore.",
                "schema": {"type": "string"},
            }
        )
    return {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "parameters": parameters,
        "security": [{"cle": []}] if endpoint.key_only else [{}, {"cle": []}],
        "responses": _responses(endpoint),
    }


def _responses(endpoint: Endpoint) -> dict[str, Any]:
    responses: dict[str, Any] = {"200": _success(endpoint)}
    if endpoint.is_validated:
        responses["304"] = {"description": "La copie vaut encore."}
    if endpoint.redirects:
        responses["301"] = {
            "description": "La page a une autre adresse.",
            "headers": {"Location": {"schema": {"type": "string"}}},
        }
    by_status: dict[int, list[str]] = {}
    for kind in endpoint.problems:
        by_status.setdefault(KINDS[kind].status, []).append(kind)
    for status, kinds in sorted(by_status.items()):
        responses[str(status)] = {
            "description": " ".join(f"`{kind}` : {KINDS[kind].meaning}" for kind in kinds),
            "content": {MEDIA_TYPE: {"schema": _schema_of(Probleme)}},
        }
        if status in {429, 503}:
            responses[str(status)]["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
    return responses


def _success(endpoint: Endpoint) -> dict[str, Any]:
    answer = endpoint.answer
    if isinstance(answer, str):
        media_type, _, _ = answer.partition(";")
        return {
            "description": "Le fichier ou le flux.",
            "content": {media_type: {"schema": {"type": "string"}}},
        }
    success: dict[str, Any] = {
        "description": "La réponse.",
        "content": {"application/json": {"schema": _schema_of(answer)}},
    }
    if endpoint.is_validated:
        success["headers"] = {"ETag": {"schema": {"type": "string"}}}
    return success


def _schema_of(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REFERENCE.format(model=model.__name__)}
