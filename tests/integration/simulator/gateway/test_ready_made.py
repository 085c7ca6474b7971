"""Ready-made answers are the same answers, until a record changes."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from services.simulator.gateway.server import RunningServer
from services.simulator.options import SimulatorOptions

_QUERY = "/api-sirene/3.11/siret?q=codeCommuneEtablissement:33*&nombre=3&curseur=*"


def _get(root: str, path: str, body: bytes | None = None) -> tuple[dict[str, Any], dict[str, str]]:
    request = urllib.request.Request(  # noqa: S310  loopback
        root + path, data=body, headers={"X-INSEE-Api-Key-Integration": "k"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  loopback
        return json.load(answer), dict(answer.headers)


@pytest.fixture
def roots() -> Iterator[tuple[str, str]]:
    servers = [
        RunningServer(
            SimulatorOptions(establishments=50, departements=("33",), ready_made=ready_made)
        )
        for ready_made in (True, False)
    ]
    yield servers[0].root, servers[1].root
    for server in servers:
        server.stop()


def test_a_repeated_answer_is_the_answer_with_its_own_quota_headers(
    roots: tuple[str, str],
) -> None:
    ready, usual = roots
    (first, headers), (again, later) = _get(ready, _QUERY), _get(ready, _QUERY)
    assert first == again == _get(usual, _QUERY)[0]
    assert int(later["x-rate-limit-remaining"]) == int(headers["x-rate-limit-remaining"]) - 1


def test_a_changed_record_is_served_changed(roots: tuple[str, str]) -> None:
    ready, _ = roots
    before = _get(ready, _QUERY)[0]["etablissements"]
    change = {"siret": before[0]["siret"], "set": {"enseigne1Etablissement": "AUTRE"}}
    _get(ready, "/__updates", json.dumps(change).encode())
    after = _get(ready, _QUERY)[0]["etablissements"]
    assert after[0] != before[0]
    assert after[1:] == before[1:]
