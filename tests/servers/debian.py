"""Debian's packages, fetched and unpacked without root and without a change to the system."""

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from deploy.local.errors import LocalServerError


def with_lists(lists: Path, download: Callable[[Sequence[str]], None]) -> None:
    """Call `download` without options, then with own package lists where the machine's fail.

    `lists` is a folder to make. Raises LocalServerError.
    """
    try:
        download([])
    except LocalServerError:
        print("  this machine's package lists do not serve: reading the archive's", flush=True)
        for part in ("lists/partial", "cache/archives/partial"):
            (lists / part).mkdir(parents=True)
        folders = (f"Dir::State::Lists={lists / 'lists'}", f"Dir::Cache={lists / 'cache'}")
        options = ["-o", folders[0], "-o", folders[1]]
        run(["apt-get", "-q", *options, "update"])
        download(options)


def unpack(debs: Path, folder: Path) -> None:
    for deb in sorted(debs.glob("*.deb")):
        run(["dpkg", "-x", str(deb), str(folder)])


def run(command: list[str], *, cwd: Path | None = None) -> str:
    """Return the output. Raises LocalServerError, whose message the caller completes."""
    try:
        result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise LocalServerError(f"no {command[0]} here") from None
    if result.returncode != 0:
        reason = (result.stderr.strip().splitlines() or ["no message"])[-1]
        raise LocalServerError(f"{command[0]}: {reason}")
    return result.stdout
