"""JSON lines on standard output: one event a line, no secret, nobody's data."""

import logging
import os
import socket
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import orjson
import structlog

# A key or a URL with a password can only come under one of these names.
_SECRET_NAMES = ("key", "password", "secret", "token", "url", "authorization")
_REDACTED = "[redacted]"


def _redact(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for name in event:
        if any(secret in name.lower() for secret in _SECRET_NAMES):
            event[name] = _REDACTED
    return event


def _serialise(event: MutableMapping[str, Any], **_options: object) -> str:
    return orjson.dumps(event, default=str).decode()


def configure_logs(service: str, *, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send structlog's and the standard library's events to a stream as JSON lines."""
    stream = stream or sys.stdout
    shared_processors: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _redact,
    ]
    structlog.contextvars.bind_contextvars(
        service=service, replica=f"{socket.gethostname()}:{os.getpid()}"
    )
    structlog.configure(
        processors=[*shared_processors, structlog.processors.JSONRenderer(serializer=_serialise)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(stream),
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared_processors, _bound_to(service)],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=_serialise),
            ],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def _bound_to(service: str) -> structlog.types.Processor:
    """Name the service in events of other threads, where context variables do not reach."""

    def bind(
        _logger: object, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        event.setdefault("service", service)
        return event

    return bind
