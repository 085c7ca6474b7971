"""`make upgrade` migrates before it replaces services; `make rollback` stops nothing for nothing.

A program in Docker's place writes down how it is called. tests/compose tries it with containers.
"""

import os
from pathlib import Path

import pytest

from deploy.containers import versions
from deploy.containers.paths import Places, SetupError
from deploy.containers.settings_file import read_settings

_DOCKER = """#!/bin/sh
echo "$SIRENADE_VERSION $*" >>"$CALLS"
case "$*" in
  "compose config --services") echo postgres fetcher writer reviewer operator ;;
  "image inspect"*) [ -z "$NO_IMAGE" ] ;;
  *) [ "$2" != "$FAILS" ] ;;
esac
"""


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(_DOCKER)
    docker.chmod(0o700)
    monkeypatch.setenv("PATH", f"{docker.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("SIRENADE_BUILD", "2.0.0")
    monkeypatch.delenv("SIRENADE_VERSION", raising=False)
    places = Places(tmp_path)
    places.settings.write_text("SIRENADE_VERSION=1.0.0\n")
    return places


def _calls(places: Places) -> list[str]:
    """Return the calls that change something, each with the version whose images it takes."""
    lines = (places.root / "calls").read_text().splitlines()
    return [line for line in lines if "config" not in line and "inspect" not in line]


_UP = "compose up --detach --no-deps --wait --wait-timeout 180 fetcher writer reviewer operator"


def test_an_upgrade_builds_and_migrates_before_a_service_is_replaced(places: Places) -> None:
    list(versions.upgrade(places))
    assert _calls(places) == [
        "2.0.0 compose --profile * build --quiet",
        "2.0.0 compose run --rm roles",
        "2.0.0 compose run --rm migrate",
        f"2.0.0 {_UP}",
    ]
    settings = read_settings(places.settings)
    assert settings["SIRENADE_VERSION"] == "2.0.0"
    assert settings["SIRENADE_VERSION_BEFORE"] == "1.0.0"


@pytest.mark.parametrize("step", ["--profile", "run"])
def test_an_upgrade_that_fails_before_leaves_the_version_that_runs(
    places: Places, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    monkeypatch.setenv("FAILS", step)
    with pytest.raises(SetupError, match=step):
        list(versions.upgrade(places))
    assert read_settings(places.settings) == {"SIRENADE_VERSION": "1.0.0"}
    assert not [call for call in _calls(places) if " up " in call]


def test_the_same_version_twice_keeps_the_way_back(places: Places) -> None:
    list(versions.upgrade(places))
    list(versions.upgrade(places))
    assert read_settings(places.settings)["SIRENADE_VERSION_BEFORE"] == "1.0.0"


def test_a_rollback_starts_services_and_neither_roles_nor_migrate(places: Places) -> None:
    list(versions.upgrade(places))
    (places.root / "calls").unlink()
    list(versions.rollback(places))
    assert _calls(places) == [f"1.0.0 {_UP}"]
    list(versions.rollback(places))
    assert _calls(places)[1:] == [f"2.0.0 {_UP}"]


def test_a_rollback_without_images_stops_nothing_and_names_them(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(versions.upgrade(places))
    (places.root / "calls").unlink()
    monkeypatch.setenv("NO_IMAGE", "1")
    with pytest.raises(SetupError, match=r"nothing was stopped: .*sirenade/fetcher:1\.0\.0"):
        list(versions.rollback(places))
    assert _calls(places) == []
    assert read_settings(places.settings)["SIRENADE_VERSION"] == "2.0.0"


def test_a_rollback_without_an_upgrade_is_refused(places: Places) -> None:
    with pytest.raises(SetupError, match="no version ran before this one"):
        list(versions.rollback(places))


def test_a_start_that_fails_names_the_way_back(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAILS", "up")
    with pytest.raises(SetupError, match="back: make rollback"):
        list(versions.upgrade(places))


def test_the_version_of_a_checkout_begins_with_its_release(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIRENADE_BUILD", raising=False)
    assert versions.version_here().startswith("1.0.0")
    assert set(versions.version_here()) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-")
