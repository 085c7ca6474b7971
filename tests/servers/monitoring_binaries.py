"""Prometheus, promtool, amtool and the PostgreSQL exporter: installed, or Debian's packages.

Packages are unpacked into the project's folder; nothing is installed or started.
"""

import shutil
from pathlib import Path

from deploy.local.errors import LocalServerError
from deploy.local.folders import LOCAL
from tests.servers import debian

_PACKAGES = {
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "amtool": "prometheus-alertmanager",
    "prometheus-postgres-exporter": "prometheus-postgres-exporter",
}


def _find(program: str) -> Path | None:
    """Return an installed program, or one that was fetched before."""
    if installed := shutil.which(program):
        return Path(installed)
    fetched = _folder() / "usr" / "bin" / program
    return fetched if fetched.exists() else None


def find_or_fetch(program: str) -> Path:
    """Return the program; fetch its Debian package (20 MB for Prometheus) where it is missing."""
    if found := _find(program):
        return found
    package = _PACKAGES[program]
    print(f"  fetching {package} from Debian's packages (once)", flush=True)
    try:
        debian.fetch(_folder(), lambda _: [package])
    except LocalServerError as error:
        raise LocalServerError(f"cannot fetch {package} ({error}): install it") from None
    if found := _find(program):
        return found
    raise LocalServerError(f"Debian's package {package} holds no {program}: install it")


def _folder() -> Path:
    return LOCAL / "monitoring"
