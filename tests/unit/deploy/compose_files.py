"""The compose files as docker compose reads them, without docker compose."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "compose"


# Variables with these words hold secrets, unless they name a file.
_SECRET = re.compile(r"PASS|SECRET|KEY|TOKEN|CREDENTIALS|(DATABASE|BROKER)_URLS?$|DATA_SOURCE_NAME")


def holds_a_secret(variable: str) -> bool:
    """Return whether an environment variable, by its name, is a secret itself."""
    return bool(_SECRET.search(variable)) and not variable.endswith("_FILE")


def included() -> list[Path]:
    root = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    return [ROOT / path for path in root["include"][0]["path"]]


def services(settings: dict[str, str] | None = None) -> dict[str, Any]:
    """Return all services, with these settings of `.env` or else their defaults."""
    found: dict[str, Any] = {}
    for path in included():
        for name, service in _read(path, settings or {})["services"].items():
            found[name] = _merged(found.get(name, {}), _extended(service, settings or {}))
    return found


def _read(path: Path, settings: dict[str, str]) -> dict[str, Any]:
    def value(match: re.Match[str]) -> str:
        return settings.get(match[1]) or match[2] or ""

    text = re.sub(r"\$\{([A-Z_]+)(?::[-?]([^}]*))?\}", value, path.read_text(encoding="utf-8"))
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def _extended(service: dict[str, Any], settings: dict[str, str]) -> dict[str, Any]:
    base = service.pop("extends", None)
    if base is None:
        return service
    under = _read(FOLDER / base["file"], settings)["services"][base["service"]]
    merged: dict[str, Any] = _merged(under, service)
    return merged


def _merged(under: Any, over: Any) -> Any:
    if isinstance(under, dict) and isinstance(over, dict):
        return {
            name: _merged(under[name], over[name])
            if name in under and name in over
            else over.get(name, under.get(name))
            for name in {**under, **over}
        }
    if isinstance(under, list) and isinstance(over, list) and under[:1] != ["CMD"]:
        return [*under, *over]
    return over
