"""Debian's packages, fetched and unpacked without root and without a change to the system."""

import fcntl
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from deploy.local.errors import LocalServerError


def fetch(folder: Path, packages: Callable[[Sequence[str]], Iterable[str]]) -> None:
    """Download packages and unpack them into the folder. Raises LocalServerError.

    `packages` names them, by means of these options of apt: none, then own package lists where the
    machine's fail.
    """
    work = folder.with_name(f"{folder.name}.debs")
    shutil.rmtree(work, ignore_errors=True)
    (work / "debs").mkdir(parents=True)

    def download(options: Sequence[str]) -> None:
        names = packages(options)
        run(["apt-get", "-q", *options, "download", *names], cwd=work / "debs")

    try:
        download([])
    except LocalServerError:
        print("  this machine's package lists do not serve: reading the archive's", flush=True)
        for part in ("lists/partial", "cache/archives/partial"):
            (work / part).mkdir(parents=True)
        lists, cache = work / "lists", work / "cache"
        options = ["-o", f"Dir::State::Lists={lists}", "-o", f"Dir::Cache={cache}"]
        run(["apt-get", "-q", *options, "update"])
        download(options)
    for deb in sorted((work / "debs").glob("*.deb")):
        run(["dpkg", "-x", str(deb), str(folder)])
    shutil.rmtree(work)


def unpack_once(
    name: str,
    folder: Path,
    packages: Callable[[Sequence[str]], Iterable[str]],
    *,
    advice: str,
    finish: Callable[[Path], None] = lambda _: None,
) -> None:
    """Fetch packages into the folder where it is missing, one process at a time.

    `finish` completes the tree before it gets the folder's name: a killed fetch leaves no half of
    one. Raises LocalServerError, which ends with the advice.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            return
        print(f"  fetching {name} from Debian's packages (once)", flush=True)
        unfinished = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(unfinished, ignore_errors=True)
        try:
            fetch(unfinished, packages)
        except LocalServerError as error:
            raise LocalServerError(f"cannot fetch {name} ({error}): {advice}") from None
        finish(unfinished)
        unfinished.rename(folder)


def libraries(folder: Path) -> tuple[Path, ...]:
    """Return the folders of an unpacked tree that hold its libraries."""
    return (*folder.glob("usr/lib/*-linux-*"), *folder.glob("lib/*-linux-*"))


def missing(options: Sequence[str], package: str) -> list[str]:
    """Return the package and what it depends on, as far as this machine has not installed it."""
    install = ["apt-get", *options, "install", "--simulate", "--no-install-recommends", package]
    return re.findall(r"^Inst (\S+)", run(install), re.MULTILINE)


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
