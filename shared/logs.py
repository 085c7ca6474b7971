"""JSON lines on standard output: one event a line, no secret, nobody's data.

An exception is logged by its class and its place, never by its text: a driver's text quotes rows,
and a library's quotes URLs. A message is logged by its actor and id, never by its content.
"""

import logging
import os
import socket
import sys
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, TextIO

import orjson
import structlog

# A key or a URL with a password can only come under one of these names.
_SECRET_NAMES = ("key", "password", "secret", "token", "url", "authorization")
_REDACTED = "[redacted]"
_FRAMES_SHOWN = 6

Event = MutableMapping[str, Any]


def configure_logs(service: str, *, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send structlog's and the standard library's events to a stream as JSON lines."""
    stream = stream or sys.stdout
    processors: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        _identify(service=service, replica=f"{socket.gethostname()}:{os.getpid()}"),
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _summarise_exception,
        _redact,
        structlog.processors.JSONRenderer(serializer=_serialise),
    ]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(stream),
    )
    logging.basicConfig(
        level=logging.WARNING, handlers=[_StructlogHandler(processors, stream)], force=True
    )
    # Eight lines for each attempt to connect, stacks in their text; who calls it says it in one.
    logging.getLogger("pika").setLevel(logging.CRITICAL)


class _StructlogHandler(logging.Handler):
    """Takes the standard library's records through the same processors."""

    def __init__(self, processors: list[structlog.types.Processor], stream: TextIO) -> None:
        super().__init__()
        self._processors = processors
        self._stream = stream

    def emit(self, record: logging.LogRecord) -> None:
        record.args = _without_content(record.args)
        event: Any = {"event": record.getMessage(), "logger": record.name}
        if record.exc_info:
            event["exc_info"] = record.exc_info
        for processor in self._processors:
            event = processor(None, record.levelname.lower(), event)
        self._stream.write(f"{event}\n")
        self._stream.flush()


def _without_content(arguments: Any) -> Any:
    """Put its actor and id in the place of each message among a record's arguments."""
    if not isinstance(arguments, tuple):
        return arguments
    return tuple(
        f"{argument.actor_name}:{argument.message_id}"
        if hasattr(argument, "message_id") and hasattr(argument, "actor_name")
        else argument
        for argument in arguments
    )


def _identify(**identity: str) -> structlog.types.Processor:
    """Name service and replica in each event, whichever thread it comes from."""

    def identify(_logger: object, _method: str, event: Event) -> Event:
        for name, value in identity.items():
            event.setdefault(name, value)
        return event

    return identify


def _summarise_exception(_logger: object, _method: str, event: Event) -> Event:
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    elif isinstance(info, BaseException):
        info = (type(info), info, info.__traceback__)
    if info and info[0] is not None:
        event["exception"] = info[0].__name__
        event["at"] = _places(info[2])
    return event


def _places(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-_FRAMES_SHOWN:]
    return [f"{os.path.relpath(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]


def _redact(_logger: object, _method: str, event: Event) -> Event:
    for name in event:
        if any(secret in name.lower() for secret in _SECRET_NAMES):
            event[name] = _REDACTED
    return event


def _serialise(event: Event, **_options: object) -> str:
    return orjson.dumps(event, default=str).decode()
