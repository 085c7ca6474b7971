"""The runbooks of the manual: what each alert and each outage means, and what to do.

A board of Grafana shows them beside the alerts, each under an address of its own.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

BOARD = "sirenade-runbooks"
_MANUAL = Path(__file__).parents[1] / "docs" / "operations.md"
_SECTIONS = ("Alerts", "Outages")
_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
_HEADING = re.compile(r"^### (.+)$", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]+)\]\(([^)]*)\)")
_CODE = re.compile(r"`([^`\n]+)`|^ *((?:\./sirenade|sudo|SELECT|SHOW) .+)$", re.MULTILINE)


class Runbook(NamedTuple):
    """A section of the manual, in Markdown."""

    title: str
    text: str

    @property
    def number(self) -> int:
        return number_of(self.title)


def anchor_of(title: str) -> str:
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def number_of(title: str) -> int:
    """Return the id of the runbook's panel: it stays when others come and go."""
    return crc32(anchor_of(title).encode()) % 10**6


def runbook_path(title: str) -> str:
    return f"/d/{BOARD}?viewPanel={number_of(title)}"


def read_runbooks() -> list[Runbook]:
    """Read the alerts' runbooks, then those of outages."""
    _, *cut = _SECTION.split(_MANUAL.read_text(encoding="utf-8"))
    sections = dict(zip(cut[::2], cut[1::2], strict=True))
    found = []
    for name in _SECTIONS:
        _, *parts = _HEADING.split(sections[name])
        found += [
            Runbook(title, text.strip())
            for title, text in zip(parts[::2], parts[1::2], strict=True)
        ]
    return found


def as_panel(runbook: Runbook, shown: dict[str, str]) -> str:
    """Return the text with links that Grafana can follow, and its commands in containers.

    `shown` are the paths of the runbooks by their anchor.
    """

    def linked(found: re.Match[str]) -> str:
        path = shown.get(found[2].removeprefix("#"))
        return found[1] if path is None else f"[{found[1]}]({path})"

    text = _LINK.sub(linked, runbook.text)
    forms = list(dict.fromkeys(_in_containers(runbook.text)))
    if forms:
        text += "\n\n*In containers:* " + ", ".join(f"`{form}`" for form in forms)
    return text


def _in_containers(text: str) -> Iterator[str]:
    for found in _CODE.finditer(text):
        if form := in_containers(found[1] or found[2]):
            yield form


def in_containers(command: str) -> str | None:
    """Return a command of a bare server as it is given beside compose; None for other words."""
    words = command.removeprefix("sudo ")
    if words.startswith("./sirenade "):
        return f'make run C="{words.removeprefix("./sirenade ")}"'
    if words.startswith("systemctl status"):
        return "make ps"
    if words.startswith(("rabbitmqctl ", "rabbitmq-diagnostics ")):
        return f"docker compose exec rabbitmq {words}"
    if words.startswith(("SELECT ", "SHOW ")):
        statement = words.replace('"', "'").rstrip(";")
        return f'docker compose exec postgres psql -U sirenade -c "{statement}"'
    return None
