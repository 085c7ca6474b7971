"""The forms that answers take: INSEE's envelope, the gateway's, and what faults make of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import orjson

from services.simulator.options import ErrorShape

JSON_TYPE = "application/json;charset=utf-8"

_SERVER_ERRORS = {
    500: "Erreur interne du serveur",
    502: "Bad Gateway",
    503: "Service indisponible",
    504: "Gateway Timeout",
}


@dataclass(slots=True)
class Answer:
    """`cut`: the connection closes after half of the body."""

    status: int
    body: bytes
    content_type: str = JSON_TYPE
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


def json_answer(status: int, content: Mapping[str, object]) -> Answer:
    return Answer(status, orjson.dumps(content))


def header_answer(status: int, message: str, statut: int | None = None) -> Answer:
    """Make INSEE's error, a header block alone; `statut` where it differs from the status."""
    shown = status if statut is None else statut
    return json_answer(status, {"header": {"statut": shown, "message": message}})


def gateway_answer(status: int, content: Mapping[str, object]) -> Answer:
    """The gateway refuses before INSEE's own software sees the request."""
    return Answer(status, orjson.dumps(content), "application/json")


def too_many(shape: ErrorShape, per_minute: int) -> Answer:
    if shape == "insee":
        return header_answer(429, "Quota d'interrogations de l'API dépassé")
    message = f"Rate limit exceeded! You reached the limit of {per_minute} requests per 1 minutes"
    return gateway_answer(429, {"message": message, "http_status_code": 429})


def server_error(shape: ErrorShape, status: int) -> Answer:
    """Make INSEE's header block, or the HTML page of the gateway in front of it."""
    message = _SERVER_ERRORS.get(status, HTTPStatus(status).phrase)
    return header_answer(status, message) if shape == "insee" else html(status, message)


def html(status: int, message: str) -> Answer:
    page = (
        f"<!DOCTYPE html>\n<html><head><title>{status} {message}</title></head>\n"
        f"<body><center><h1>{status} {message}</h1></center><hr></body></html>\n"
    )
    return Answer(status, page.encode(), "text/html;charset=utf-8")
