"""Where Prometheus, promtool and the PostgreSQL exporter come from: installed, or Debian's.

As with RabbitMQ, packages are unpacked into our own folder; nothing is installed or started.
"""

import shutil
import subprocess
from pathlib import Path

from deploy.local.errors import LocalServerError
from deploy.local.places import LOCAL

_PACKAGES = {
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "prometheus-postgres-exporter": "prometheus-postgres-exporter",
}


def find(program: str) -> Path | None:
    """An installed program, or one that was fetched before."""
    if installed := shutil.which(program):
        return Path(installed)
    fetched = _folder() / "usr" / "bin" / program
    return fetched if fetched.exists() else None


def find_or_fetch(program: str) -> Path:
    """Fetches a Debian package (45 MB for Prometheus) where the program is not there."""
    if found := find(program):
        return found
    package = _PACKAGES[program]
    work = _folder().with_name("monitoring.part")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    print(f"  fetching {package} from Debian's packages (once)", flush=True)
    _run(["apt-get", "-q", "download", package], cwd=work)
    for deb in work.glob("*.deb"):
        _run(["dpkg", "-x", str(deb), str(_folder())])
    shutil.rmtree(work)
    if found := find(program):
        return found
    raise LocalServerError(f"Debian's package {package} holds no {program}: install it")


def _folder() -> Path:
    return LOCAL / "monitoring"


def _run(command: list[str], *, cwd: Path | None = None) -> None:
    try:
        result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise LocalServerError("no apt to fetch Prometheus with: install prometheus") from None
    if result.returncode != 0:
        reason = (result.stderr.strip().splitlines() or ["no message"])[-1]
        raise LocalServerError(f"cannot fetch Prometheus ({reason}): install prometheus")
