"""The numbers of replicas in `.env`: `docker compose up --scale` would forget them."""

import re

from deploy.containers.paths import ROOT, Places, SetupError
from deploy.containers.settings_file import change_setting

SCALED = ("fetcher", "writer", "reviewer")


def most_replicas(service: str) -> int:
    """Return how many replicas the bounds of logs and connections allow."""
    # The standard library has no YAML parser.
    text = (ROOT / "deploy" / "compose" / f"{service}.yaml").read_text(encoding="utf-8")
    [most] = re.findall(r"^    x-most-replicas: (\d+)$", text, re.MULTILINE)
    return int(most)


def scale(places: Places, service: str, replicas: str) -> str:
    """Write the number to `.env`. Raises SetupError."""
    if service not in SCALED:
        raise SetupError(f"{service} has one replica: {', '.join(SCALED)} can be scaled")
    most = most_replicas(service)
    if not replicas.isascii() or not replicas.isdecimal() or int(replicas) > most:
        raise SetupError(f"make scale-{service} N=… takes 0 to {most}, not {replicas!r}")
    change_setting(places.settings, f"{service.upper()}_REPLICAS", str(int(replicas)))
    return f"{service}: {int(replicas)} from now on (.env)"
