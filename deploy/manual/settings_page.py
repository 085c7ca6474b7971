"""The page of all settings: docs/settings.md."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from services.fetcher.settings import FetcherSettings
from services.operator.console.settings import ConsoleSettings
from services.operator.settings import MonitorSettings, OperatorSettings, RoleSettings
from services.portal.index.settings import IndexSettings
from services.portal.settings import PortalSettings, SearchSettings
from services.reviewer.settings import ReviewerSettings
from services.writer.settings import StockSettings, WriterSettings
from shared.archive.settings import DrillSettings
from shared.settings import PREFIX, HttpSettings, ServiceSettings

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
# A setting stands in the first section that has it: what services share comes first.
SECTIONS: dict[str, tuple[type[BaseSettings], ...]] = {
    "All services": (ServiceSettings,),
    "HTTP": (HttpSettings,),
    "Fetcher": (FetcherSettings,),
    "Writer and `stock`": (WriterSettings, StockSettings),
    "Reviewer": (ReviewerSettings,),
    "Operator and `monitor`": (OperatorSettings, MonitorSettings),
    "Console": (ConsoleSettings,),
    "Archives and backups": (DrillSettings,),
    "Portal, indexer and `search`": (SearchSettings,),
    "Portal": (PortalSettings,),
    "Indexer": (IndexSettings,),
    "`roles`": (RoleSettings,),
}
_HEAD = """\
# Settings

Each is an environment variable. A service refuses a value that is out of bounds, with one line for
each problem. Any setting can come from a file that `<NAME>_FILE` names, whose value wins: so keep
passwords and keys. `make manual` writes this page from the code.
"""
_BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


def settings_page() -> str:
    return _HEAD + "".join(_sections())


def _sections() -> Iterator[str]:
    told = set[str]()
    for title, classes in SECTIONS.items():
        fields = {name: field for each in classes for name, field in each.model_fields.items()}
        rows = [_row(name, field) for name, field in fields.items() if name not in told]
        told |= fields.keys()
        yield f"\n## {title}\n\n| setting | meaning | default |\n|---|---|---|\n"
        yield "".join(rows)


def _row(name: str, field: FieldInfo) -> str:
    bounds = ", ".join(
        f"{sign} {getattr(limit, word)}"
        for limit in field.metadata
        for word, sign in _BOUNDS.items()
        if hasattr(limit, word)
    )
    meaning = f"{field.description} ({bounds})" if bounds else f"{field.description}"
    return f"| `{PREFIX}{name.upper()}` | {meaning} | {_default(field)} |\n"


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is PydanticUndefined:
        return "it must be set"
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value in {None, ""}:
        return "–"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
