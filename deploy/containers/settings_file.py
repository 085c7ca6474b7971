"""The file `.env` of docker compose: lines `NAME=value`, of which the last one wins.

It holds the numbers of replicas: `docker compose up --scale` would forget them.
"""

import os
import re
from pathlib import Path

from deploy.containers.paths import ROOT, Places, SetupError

SCALED = ("fetcher", "writer", "reviewer", "portal")


def read_settings(path: Path) -> dict[str, str]:
    """Read all settings. Raises SetupError where the file cannot be read."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise SetupError(f"there is no {path.name} yet: make init") from None
    except OSError as error:
        raise SetupError(f"cannot read {path}: {error.strerror}") from None
    pairs = [line.partition("=") for line in lines if line.strip() and line.lstrip()[0] != "#"]
    return {name.strip(): value.strip() for name, _, value in pairs}


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


def change_setting(path: Path, name: str, value: str) -> None:
    """Replace or add one line and no other. A kill leaves the old or the new file."""
    read_settings(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    mine = [number for number, line in enumerate(lines) if line.partition("=")[0].strip() == name]
    for number in mine:
        lines[number] = f"{name}={value}"
    if not mine:
        lines.append(f"{name}={value}")
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    status = path.stat()
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write("\n".join(lines) + "\n")
    if os.geteuid() == 0:
        os.chown(partial, status.st_uid, status.st_gid)
    partial.replace(path)
