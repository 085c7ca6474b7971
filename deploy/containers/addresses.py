"""The addresses that containers send passwords and keys to, from `.env` and `.secrets`."""

import re
import tomllib
from collections.abc import Iterator

from deploy.containers.paths import Places
from deploy.containers.settings_file import read_settings
from shared.transit import CONTAINERS, doubts_about, hosts_of

_INSEE = "SIRENADE_INSEE_URL"
# Its own port, and what hosts are called where a provider runs one.
_POOLER = re.compile(r"pgbouncer|pooler|:6432\b")
_ACCEPTED = "SIRENADE_CLEAR_TEXT_HOSTS"


def doubts(places: Places) -> Iterator[str]:
    """Yield a sentence for each address that is asked in clear, or may be."""
    settings = read_settings(places.settings)
    accepted = hosts_of(settings.get(_ACCEPTED, CONTAINERS))
    for name, url in _addresses(places, settings):
        yield from doubts_about({name: url}, accepted)


def poolers(places: Places) -> Iterator[str]:
    """Yield a sentence for each URL that seems to lead to PostgreSQL by way of pgbouncer."""
    for name, url in _addresses(places, read_settings(places.settings)):
        if url.startswith("postgres") and _POOLER.search(url.rpartition("@")[2]):
            yield f"{name}: pgbouncer in transaction mode does not serve: name PostgreSQL itself"


def _addresses(places: Places, settings: dict[str, str]) -> Iterator[tuple[str, str]]:
    for path in sorted(places.secrets.glob("*_url*")):
        try:
            listed = path.read_text(encoding="utf-8").split(",")
        except (OSError, UnicodeDecodeError):
            continue  # `doctor` or the service says so of the file itself
        yield from ((f".secrets/{path.name}", url.strip()) for url in listed)
    yield _INSEE, settings.get(_INSEE, "")
    file = places.secret("providers") / "providers.toml"
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return  # there is none, or the reviewer says what is wrong with it
    found = content.get("provider")
    for provider in found if isinstance(found, list) else []:
        if isinstance(provider, dict) and "key_file" in provider:
            yield f"provider {provider.get('name')}", str(provider.get("base_url"))
