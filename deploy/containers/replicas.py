"""`make scale-reviewer N=12`: a number that lasts, as `docker compose up --scale` forgets it."""

import re
from pathlib import Path

from deploy.containers.paths import ROOT, Places, SetupError
from deploy.containers.settings_file import change_setting

SCALED = ("fetcher", "writer", "reviewer")


def most_replicas(service: str) -> int:
    """How many the bounds of logs and connections allow, from the service's compose file."""
    return _number(r"^    x-most-replicas: (\d+)$", service)


def default_replicas(service: str) -> int:
    return _number(r"^      replicas: \$\{[A-Z]+_REPLICAS:-(\d+)\}$", service)


def _number(pattern: str, service: str) -> int:
    # Without a YAML parser: the standard library has none.
    file = ROOT / "deploy" / "compose" / f"{service}.yaml"
    found = re.search(pattern, Path(file).read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None, file
    return int(found[1])


def scale(places: Places, service: str, replicas: str) -> str:
    """Write the number to `.env`. Raises SetupError."""
    if service not in SCALED:
        raise SetupError(f"{service} has one replica: {', '.join(SCALED)} can be scaled")
    most = most_replicas(service)
    if not replicas.isascii() or not replicas.isdecimal() or int(replicas) > most:
        raise SetupError(f"make scale-{service} N=… takes 0 to {most}, not {replicas!r}")
    change_setting(places.settings, f"{service.upper()}_REPLICAS", str(int(replicas)))
    return f"{service}: {int(replicas)} from now on (.env)"
