"""Containers are upgraded and go back in the middle of an import, by the two targets of make."""

import time

import pytest
from sqlalchemy import Engine

from tests.compose.conftest import ESTABLISHMENTS, Stack
from tests.system.conftest import column, wait_for

pytestmark = [pytest.mark.compose, pytest.mark.timeout(1800)]
_STORED = "SELECT count(*) FROM etablissements"


def _tags(stack: Stack) -> set[str]:
    services = ("fetcher", "writer", "reviewer", "operator")
    return {*stack.compose("ps", *services, "--format", "{{.Image}}").split()}


def _more_comes(engine: Engine) -> None:
    [seen] = column(engine, _STORED)
    wait_for(lambda: column(engine, _STORED)[0] > seen, seconds=120, what="more pages")


def test_an_upgrade_and_a_rollback_lose_nothing(stack: Stack, engine: Engine) -> None:
    stack.make("up")
    before = _tags(stack)
    importing = stack.start("import", "--departement", "33")
    try:
        _more_comes(engine)
        start = time.monotonic()
        stack.make("upgrade", "SIRENADE_BUILD=another-build", seconds=1200)
        print(f"upgrade: {time.monotonic() - start:.1f} s")  # noqa: T201  worth seeing
        assert {tag.rpartition(":")[2] for tag in _tags(stack)} == {"another-build"}
        _more_comes(engine)
        stack.make("rollback")
        assert _tags(stack) == before
        _more_comes(engine)
        importing.communicate(timeout=900)
    finally:
        importing.kill()
    assert importing.returncode == 0
    assert column(engine, _STORED) == [ESTABLISHMENTS]
    assert column(engine, "SELECT count(*) FROM dead_letters") == [0]
