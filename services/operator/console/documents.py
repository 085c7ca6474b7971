"""The console's documents: templates with escaped values, and its files.

Names are chosen by strangers: every value is escaped, and no template says `safe`.
"""

import datetime as dt
import hashlib
from importlib import resources

import jinja2

from services.operator.console.rights import ROLE_NAMES
from shared.days import FRANCE

_PACKAGE = "services.operator.console"
_MEDIA_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_FILES = ("console.css", "console.js", "queue.js", "icon.svg", "vendor/htmx.min.js")
_HASH_LENGTH = 12
_NARROW_SPACE = "\u202f"


class StaticFile:
    """A file of the console; its path holds its hash, so that browsers may keep it for good."""

    def __init__(self, name: str) -> None:
        self.content = (resources.files(_PACKAGE) / "static" / name).read_bytes()
        stem, _, suffix = name.rpartition("/")[2].rpartition(".")
        digest = hashlib.sha256(self.content).hexdigest()[:_HASH_LENGTH]
        self.path = f"/static/{stem}-{digest}.{suffix}"
        self.media_type = _MEDIA_TYPES[suffix]


class ConsoleDocuments:
    """Makes the pages of the console."""

    def __init__(self) -> None:
        by_name = {name: StaticFile(name) for name in _FILES}
        self.files = {each.path: each for each in by_name.values()}
        self._environment = jinja2.Environment(
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            loader=jinja2.PackageLoader(_PACKAGE),
        )
        self._environment.globals.update(
            file={name: each.path for name, each in by_name.items()}, role_names=ROLE_NAMES
        )
        self._environment.filters.update(
            number=french_number,
            instant=french_instant,
            euros=french_euros,
            day=french_day,
            duration=french_duration,
        )

    def render(self, template: str, /, **values: object) -> bytes:
        return self._environment.get_template(f"{template}.html.j2").render(values).encode()


def french_number(value: float | None) -> str:
    """Write 35000 as 35 000, and None as a dash."""
    return "–" if value is None else f"{value:,.0f}".replace(",", _NARROW_SPACE)


def french_euros(value: float | None, decimals: int = 2) -> str:
    if value is None:
        return "–"
    written = f"{value:,.{decimals}f}".replace(",", _NARROW_SPACE).replace(".", ",")
    return f"{written}{_NARROW_SPACE}€"


def french_instant(at: dt.datetime | None) -> str:
    return "–" if at is None else f"{at.astimezone(FRANCE):%d/%m/%Y %H:%M}"


def french_day(day: dt.date | None) -> str:
    return "–" if day is None else f"{day:%d/%m/%Y}"


def french_duration(seconds: float | None) -> str:
    """Write seconds as people say them, in its one or two greatest units."""
    if seconds is None:
        return "–"
    minutes = round(seconds / 60)
    if minutes < 1:
        return "moins d’une minute"
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} j {hours} h" if hours else f"{days} j"
    return f"{hours} h {minutes:02d}" if hours else f"{minutes} min"
