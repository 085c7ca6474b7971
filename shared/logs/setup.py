"""The set-up of logging: events of structlog and of the standard library as JSON lines."""

import logging
import os
import socket
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import orjson
import structlog

from shared.controls import shown_json
from shared.logs.files import LogFile
from shared.logs.output import Output
from shared.logs.places import frames_of, name_of
from shared.logs.redaction import Event, Redaction


def configure_logs(
    service: str,
    *,
    level: str = "INFO",
    stream: TextIO | None = None,
    directory: Path | None = None,
    secrets: Iterable[str] = (),
) -> None:
    """Send all events to the stream, and to the service's file in `directory` where it is given.

    No line holds a value of `secrets`, under whatever name it comes.
    """

    def tell(event: str, *, level: str, **fields: object) -> None:
        output.write(_through(processors, level, {"event": event, **fields}))

    replica = f"{socket.gethostname()}:{os.getpid()}"
    file = None if directory is None else LogFile(directory, service)
    output = Output(stream or sys.stdout, file, tell)
    processors: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        partial(_identify, {"service": service, "replica": replica}),
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _summarise_exception,
        Redaction(secrets),
        structlog.processors.JSONRenderer(serializer=_serialise),
    ]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=lambda *_: _Logger(output),
    )
    logging.basicConfig(
        level=logging.WARNING, handlers=[_StructlogHandler(processors, output)], force=True
    )
    # pika logs eight lines with stacks for each failed connection; our caller logs one.
    logging.getLogger("pika").setLevel(logging.CRITICAL)


class _Logger:
    """The logger that structlog calls with a finished line; each level writes it."""

    def __init__(self, output: Output) -> None:
        self.msg = self.debug = self.info = self.warning = self.error = self.critical = output.write
        self.log = self.warn = self.exception = self.fatal = self.failure = self.err = output.write


class _StructlogHandler(logging.Handler):
    """Sends the standard library's records through the same processors."""

    def __init__(self, processors: list[structlog.types.Processor], output: Output) -> None:
        super().__init__()
        self._processors = processors
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        record.args = _without_content(record.args)
        event: Any = {"event": record.getMessage(), "logger": record.name}
        if record.exc_info:
            event["exc_info"] = record.exc_info
        self._output.write(_through(self._processors, record.levelname.lower(), event))


def _through(processors: list[structlog.types.Processor], level: str, event: Any) -> str:
    for processor in processors:
        event = processor(None, level, event)
    return str(event)


def _without_content(arguments: Any) -> Any:
    """Replace each message among a record's arguments by its actor and id."""
    if not isinstance(arguments, tuple):
        return arguments
    return tuple(
        f"{argument.actor_name}:{argument.message_id}"
        if hasattr(argument, "message_id") and hasattr(argument, "actor_name")
        else argument
        for argument in arguments
    )


def _identify(identity: dict[str, str], _logger: object, _method: str, event: Event) -> Event:
    """Name service and replica in the events of all threads."""
    for name, value in identity.items():
        event.setdefault(name, value)
    return event


def _summarise_exception(_logger: object, _method: str, event: Event) -> Event:
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    elif isinstance(info, BaseException):
        info = (type(info), info, info.__traceback__)
    if info and info[1] is not None:
        event["exception"] = name_of(info[1])
        event["at"] = frames_of(info[2])
    return event


def _serialise(event: Event, **_options: object) -> str:
    return shown_json(orjson.dumps(event, default=str).decode())
