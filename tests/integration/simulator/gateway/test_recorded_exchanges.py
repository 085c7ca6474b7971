"""The exchanges that were recorded, asked of the simulator: status, body shape, content type.

The recorded units are not all among the fixtures, so each exchange is asked of generated data,
with identifiers that exist there: an identifier that was found then is one that exists now.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pytest
import requests

from services.simulator.gateway.server import KEY_HEADER, RunningServer
from services.simulator.generation.identifiers import decode_cursor
from services.simulator.options import SimulatorOptions

_FIXTURES = Path(__file__).parents[3] / "fixtures" / "insee"
_IDENTIFIER = re.compile(r"(?<!\d)\d{9}(?:\d{5})?(?!\d)")
_TRACES = [
    json.loads(line)
    for line in (_FIXTURES / "http_traces.jsonl").read_text(encoding="utf-8").splitlines()
]

# Days of the recorded queries, and days of the generated register in their place.
_DAYS = {
    "2019-12-08T": "2026-07-30T", "2019-12-09T": "2026-07-31T", "2019-12-01T": "2026-07-29T",
    "2019-11-30T": "2026-07-28T",
}  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    options = SimulatorOptions(establishments=20_000, requests_per_minute=1000, rate_headers=False)
    with RunningServer(options) as running:
        yield running


@pytest.fixture(scope="module")
def stand_ins(server: RunningServer) -> Mapping[int, str]:
    """Return a SIRET of this register for each recorded status; its SIREN has the status, too."""
    specials = requests.get(f"{server.root}/__specials", timeout=10).json()
    seats = requests.get(
        f"{server.url}/siret",
        params={"q": "etablissementSiege:true AND siren:[400000000 TO *]", "nombre": "1"},
        headers={KEY_HEADER: "test"},
        timeout=20,
    ).json()
    return {
        200: seats["etablissements"][0]["siret"],
        301: next(iter(specials["doublons"])) + "00013",
        403: specials["non_diffusibles"][0] + "00013",
        404: "0" * 14,
    }


def _with(stand_in: str, text: str) -> str:
    return _IDENTIFIER.sub(lambda found: stand_in[: len(found.group())], text)


def _address(trace: Mapping[str, Any], stand_ins: Mapping[int, str]) -> str:
    """Rewrite the recorded path and query with identifiers that exist here."""
    uri = urlsplit(trace["uri"].replace("<URL_INSEE_V3>", "https://recorded"))
    path = re.sub(r".*/(?=sire[nt](/|$))", "/", uri.path).rstrip("/")
    query = unquote(uri.query)
    for recorded, present in _DAYS.items() if trace["status"] == 200 else ():
        query = query.replace(recorded, present)
    if trace["status"] in stand_ins:
        path, query = (_with(stand_ins[trace["status"]], part) for part in (path, query))
    return path + (f"?{quote(query, safe='=&*:')}" if query else "")


@pytest.mark.parametrize(
    "trace", _TRACES, ids=[f"{n}-{trace['status']}" for n, trace in enumerate(_TRACES)]
)
def test_the_simulator_answers_as_insee_did(
    trace: Mapping[str, Any], server: RunningServer, stand_ins: Mapping[int, str]
) -> None:
    answer = requests.get(
        server.url + _address(trace, stand_ins),
        headers={KEY_HEADER: "test"},
        timeout=20,
        allow_redirects=False,
    )
    assert answer.status_code == trace["status"]
    recorded_type = trace["response_headers"]["Content-Type"][0]
    assert answer.headers["Content-Type"].startswith(recorded_type.partition(";")[0])
    header = answer.json()["header"]
    assert list(header) == list(trace["header"])
    assert header["statut"] == trace["header"]["statut"]
    assert _IDENTIFIER.sub("…", header["message"]) == _IDENTIFIER.sub(
        "…", trace["header"]["message"]
    )
    for name in ("X-Total-Count", "Link", "Location"):
        assert (name in answer.headers) == (name in trace["response_headers"]), name
    lists = {name for name, value in answer.json().items() if isinstance(value, list)}
    assert lists == set(trace["n_records"])


def test_recorded_cursors_point_at_the_last_identifier_of_their_page() -> None:
    for trace in _TRACES:
        following = (trace["header"] or {}).get("curseurSuivant")
        if following:
            assert re.fullmatch(r"\d{9}|\d{14}", decode_cursor(following))


def test_a_walk_ends_as_the_recorded_ones_did(server: RunningServer) -> None:
    cursors = []
    curseur = "*"
    for _ in range(10):
        body = requests.get(
            f"{server.url}/siret",
            params={"q": "siren:356000000", "nombre": "20", "curseur": curseur},
            headers={KEY_HEADER: "test"},
            timeout=20,
        ).json()
        cursors.append((body["header"]["nombre"], body["header"]["curseurSuivant"] == curseur))
        if cursors[-1][1]:
            break
        curseur = body["header"]["curseurSuivant"]
    assert cursors == [(20, False), (20, False), (1, False), (0, True)]
