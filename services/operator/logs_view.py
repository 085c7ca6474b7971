"""JSON log lines drawn for people; other text may stand before or between them."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.text import Text

from shared.controls import shown
from shared.days import FRANCE
from shared.logs.files import timestamp_of

LEVELS = ("debug", "info", "warning", "error", "critical")
_STYLES = {"warning": "yellow", "error": "bold red", "critical": "bold red", "debug": "dim"}
_IN_THE_HEAD = {"timestamp", "level", "service", "replica", "event"}
# `docker compose logs --follow` erases the line before each line, and other lines may have colours.
_TERMINAL_CODES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[@-Z\\^_])?")


@dataclass(frozen=True)
class Filter:
    """The events that are wanted; `fields` are names and values as they are printed."""

    level: str = "debug"
    services: frozenset[str] = frozenset()
    fields: Mapping[str, str] = field(default_factory=dict)

    def lets_through(self, event: Mapping[str, Any]) -> bool:
        level = str(event.get("level", "info"))
        return (
            (level not in LEVELS or LEVELS.index(level) >= LEVELS.index(self.level))
            and (not self.services or str(event.get("service")) in self.services)
            and all(str(event.get(name)) == value for name, value in self.fields.items())
        )


def drawn(lines: Iterable[str], wanted: Filter) -> Iterator[Text]:
    """Draw the wanted events. Lines that are no event are shown as they are without a filter."""
    for line in lines:
        event = _event(line)
        if event is None:
            if line.strip() and wanted == Filter():
                yield Text(_plain(line.rstrip("\n")))
        elif wanted.lets_through(event):
            yield _drawn(event)


def _event(line: str) -> dict[str, Any] | None:
    """Return the event of a line; `docker compose logs` puts the container's name before it."""
    start = line.find("{")
    try:
        event = json.loads(line[start:]) if start >= 0 else None
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) and "event" in event else None


def _drawn(event: Mapping[str, Any]) -> Text:
    level = str(event.get("level", ""))
    replica = str(event.get("replica", "")).partition(":")[0]
    line = Text.assemble(
        (f"{_time(event):12} ", "dim"),
        (f"{_plain(level):8}", _STYLES.get(level, "")),
        (f"{_plain(str(event.get('service', ''))):9}", "cyan"),
        (f"{_plain(replica)} ", "dim"),
        (_plain(str(event["event"])), "bold" if level in _STYLES else ""),
    )
    for name, value in event.items():
        if name not in _IN_THE_HEAD:
            line.append(f" {_plain(name)}=", style="dim")
            line.append(_plain(value) if isinstance(value, str) else _dumped(value))
    return line


def _dumped(value: object) -> str:
    try:
        return json.dumps(value)
    except RecursionError:
        return "…"


def _plain(text: str) -> str:
    """Return what is left without colours and erasures, on one line."""
    return shown(_TERMINAL_CODES.sub("", text))


def _time(event: Mapping[str, Any]) -> str:
    """Return the event's time in France, as all views do."""
    instant = timestamp_of(event)
    try:
        return "" if instant is None else f"{instant.astimezone(FRANCE):%d/%m %H:%M:%S}"
    except OverflowError:
        return ""
