"""`make upgrade` and `make rollback`: images by version, the schema first, then the services.

The version of a checkout is the tag of its images. `.env` has the one that runs and the one before.
"""

import os
import re
import subprocess
from collections.abc import Iterator, Sequence

from deploy.containers.paths import ROOT, Places, SetupError
from deploy.containers.settings_file import change_setting, read_settings

SERVICES = ("fetcher", "writer", "reviewer", "operator", "portal", "indexer")
# Images of installations before versions had tags.
_UNTAGGED = "latest"
_RUNS, _BEFORE = "SIRENADE_VERSION", "SIRENADE_VERSION_BEFORE"
# Two services run from one image.
_IMAGE_OF = {"indexer": "portal"}


def version_here() -> str:
    """Return the version of this checkout: the release, and the commit where git tells it."""
    if build := os.environ.get("SIRENADE_BUILD"):
        return build
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found: list[str] = re.findall(r'^version = "([^"]+)"$', text, re.MULTILINE)
    [release] = found
    try:
        commit = _run("git", "describe", "--always", "--dirty", "--exclude=*").strip()
    except SetupError:
        return release
    return f"{release}-{commit}"


def upgrade(places: Places) -> Iterator[str]:
    """Build this checkout's images, migrate while the services run, replace them.

    Raises SetupError; until the services are replaced, all is as it was but for the schema, and the
    former version works on it.
    """
    former = read_settings(places.settings).get(_RUNS, _UNTAGGED)
    version = version_here()
    if version == former:
        yield f"version {version} runs already: its images are built anew"
    yield f"building the images of {version}; {former} goes on working"
    _compose(version, "--profile", "*", "build", "--quiet")
    yield "migrating the schema; the services go on working"
    for job in ("roles", "migrate"):
        _compose(version, "run", "--rm", job)
    yield "replacing the services"
    if version != former:
        change_setting(places.settings, _BEFORE, former)
        change_setting(places.settings, _RUNS, version)
    _start(version, _chosen())
    yield f"version {version} runs; back to {former}: make rollback"


def rollback(places: Places) -> Iterator[str]:
    """Start the version before this one on the schema as it is. Raises SetupError.

    Nothing stops before the images of that version are there.
    """
    settings = read_settings(places.settings)
    current, former = settings.get(_RUNS, _UNTAGGED), settings.get(_BEFORE)
    if not former:
        raise SetupError("no version ran before this one: make upgrade notes it in .env")
    chosen = _chosen()
    images = dict.fromkeys(f"sirenade/{_IMAGE_OF.get(each, each)}:{former}" for each in chosen)
    if lacking := [name for name in images if not _is_there(name)]:
        raise SetupError(f"nothing was stopped: there is no image {', '.join(lacking)}")
    yield f"starting {former} in place of {current}; the schema stays"
    change_setting(places.settings, _RUNS, former)
    change_setting(places.settings, _BEFORE, current)
    _start(former, chosen)
    yield f"version {former} runs; forward to {current}: make rollback"


def _chosen() -> list[str]:
    """Return the services that the profiles of `.env` choose."""
    listed = _compose(None, "config", "--services").split()
    return [name for name in SERVICES if name in listed]


def _start(version: str, services: Sequence[str]) -> None:
    """Replace containers one service after another, and wait until all are healthy.

    Nothing that they depend on is started again: no roles, no migrate.
    """
    try:
        _compose(
            version, "up", "--detach", "--no-deps", "--wait", "--wait-timeout", "180", *services
        )
    except SetupError as error:
        raise SetupError(f"{error}\nsee make ps and make logs; back: make rollback") from None


def _compose(version: str | None, *arguments: str) -> str:
    """Run docker compose with the images of this version, and return its output."""
    chosen = {} if version is None else {_RUNS: version, "SIRENADE_BUILD": version}
    return _run("docker", "compose", *arguments, **chosen)


def _is_there(image: str) -> bool:
    try:
        _run("docker", "image", "inspect", image)
    except SetupError:
        return False
    return True


def _run(*command: str, **variables: str) -> str:
    """Return the output of a command; what it says of errors goes where ours does.

    Raises SetupError where it fails or is not installed.
    """
    try:
        ran = subprocess.run(  # noqa: S603  # git and docker, with our own arguments
            command,
            cwd=ROOT,
            env={**os.environ, **variables},
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
    except OSError as error:
        raise SetupError(f"{command[0]}: {error.strerror}") from None
    if ran.returncode != 0:
        raise SetupError(f"{' '.join(command)}: failed with status {ran.returncode}")
    return ran.stdout
