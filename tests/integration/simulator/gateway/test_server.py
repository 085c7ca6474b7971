"""The simulator over real HTTP: connections, quota, error shapes and faults on the wire."""

import gzip
import http.client
import json
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode, urlsplit

import pytest
import requests

from services.simulator.gateway.server import KEY_HEADER, RunningServer
from services.simulator.options import Faults, SimulatorOptions

Start = Callable[[SimulatorOptions], RunningServer]
_KEY = {KEY_HEADER: "test"}


def _options(**changes: object) -> SimulatorOptions:
    options = SimulatorOptions(establishments=300, requests_per_minute=100)
    for name, value in changes.items():
        setattr(options, name, value)
    return options


def _get(server: RunningServer, path: str, **params: str) -> requests.Response:
    return requests.get(server.url + path, params=params, headers=_KEY, timeout=10)


def _quota(server: RunningServer) -> dict[str, object]:
    content: dict[str, object] = requests.get(f"{server.root}/__quota", timeout=10).json()
    return content


def _turn(server: RunningServer, **knobs: object) -> None:
    requests.post(f"{server.root}/__faults", json=knobs, timeout=10).raise_for_status()


def test_a_get_and_a_form_post_answer_the_same(start: Start) -> None:
    server = start(_options())
    params = {"q": "codeCommuneEtablissement:*", "nombre": "50", "curseur": "*"}
    got = _get(server, "/siret", **params)
    posted = requests.post(f"{server.url}/siret", data=params, headers=_KEY, timeout=10)
    assert got.status_code == posted.status_code == 200
    assert got.json() == posted.json()
    assert got.headers["Content-Type"] == "application/json;charset=utf-8"
    assert got.headers["X-Total-Count"] == str(got.json()["header"]["total"])


def test_a_query_too_long_for_an_address_can_be_posted(start: Start) -> None:
    server = start(_options())
    q = " OR ".join(f"siren:{number:09d}" for number in range(600))
    assert _get(server, "/siret", q=q).status_code == 414
    posted = requests.post(f"{server.url}/siret", data={"q": q}, headers=_KEY, timeout=10)
    assert posted.status_code == 404
    assert posted.json()["header"]["message"] == f"Aucun élément trouvé pour q={q}"


def test_one_connection_serves_many_requests(start: Start) -> None:
    server = start(_options())
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.connect()
    address = connection.sock.getsockname()
    for _ in range(5):
        connection.request("GET", urlsplit(server.url).path + "/siret?nombre=3", headers=_KEY)
        assert len(json.loads(connection.getresponse().read())["etablissements"]) == 3
        assert connection.sock.getsockname() == address
    connection.close()


def test_answers_are_compressed_only_when_asked(start: Start) -> None:
    server = start(_options())
    plain = requests.get(
        f"{server.url}/siret", headers={**_KEY, "Accept-Encoding": "identity"}, timeout=10
    )
    assert "Content-Encoding" not in plain.headers
    packed = requests.get(
        f"{server.url}/siret",
        headers={**_KEY, "Accept-Encoding": "gzip"},
        timeout=10,
        stream=True,
    )
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.raw.read(decode_content=False)) == plain.content


def test_a_missing_or_wrong_key_is_refused_by_the_gateway(start: Start) -> None:
    server = start(_options(key="secret"))
    for headers in ({}, {KEY_HEADER: ""}, {KEY_HEADER: "autre"}):
        refused = requests.get(f"{server.url}/siret", headers=headers, timeout=10)
        assert refused.status_code == 401
        assert refused.json() == {"message": "Unauthorized"}
    allowed = requests.get(f"{server.url}/siret", headers={KEY_HEADER: "secret"}, timeout=10)
    assert allowed.status_code == 200


def test_requests_beyond_the_quota_get_429_and_are_all_counted(start: Start) -> None:
    server = start(_options(requests_per_minute=5))
    answers = [_get(server, "/informations") for _ in range(8)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 3
    assert answers[-1].json() == {
        "message": "Rate limit exceeded! You reached the limit of 5 requests per 1 minutes",
        "http_status_code": 429,
    }
    assert "Retry-After" not in answers[-1].headers
    told = _quota(server)
    assert told["requests"] == told["most_requests_in_60_seconds"] == 8
    assert told["http_429"] == 3
    assert told["statuses"] == {"200": 5, "429": 3}


def test_the_rate_headers_count_down_and_reset_in_epoch_milliseconds(start: Start) -> None:
    server = start(_options(requests_per_minute=5, requests_per_hour=50))
    before = time.time() * 1000
    first, second = _get(server, "/informations"), _get(server, "/informations")
    assert first.headers["x-rate-limit-limit"] == "5"
    assert [r.headers["x-rate-limit-remaining"] for r in (first, second)] == ["4", "3"]
    assert [r.headers["x-quota-remaining"] for r in (first, second)] == ["49", "48"]
    assert before + 59_000 < int(second.headers["x-rate-limit-reset"]) < before + 90_000
    assert before + 3_599_000 < int(second.headers["x-quota-reset"]) < before + 3_630_000


def test_rate_headers_can_be_left_out_and_errors_can_have_insees_shape(start: Start) -> None:
    server = start(_options(rate_headers=False, error_shape="insee", requests_per_minute=1))
    first, second = _get(server, "/informations"), _get(server, "/informations")
    assert not [name for name in first.headers if name.lower().startswith(("x-rate", "x-quota"))]
    assert second.status_code == 429
    assert second.json()["header"]["statut"] == 429


def test_a_storm_of_429_passes(start: Start) -> None:
    server = start(_options())
    _turn(server, next_429=3)
    assert [_get(server, "/informations").status_code for _ in range(4)] == [429, 429, 429, 200]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("shape", ["insee", "gateway"])
def test_server_errors_come_with_a_header_or_as_a_page(
    start: Start, status: int, shape: str
) -> None:
    server = start(_options(error_shape=shape, faults=Faults(next_errors=1, error_status=status)))
    answer = _get(server, "/siret")
    assert answer.status_code == status
    if shape == "insee":
        assert answer.json()["header"]["statut"] == status
    else:
        assert answer.headers["Content-Type"].startswith("text/html")
    assert _get(server, "/siret").status_code == 200


def test_a_cut_connection_ends_before_the_length_it_promised(start: Start) -> None:
    server = start(_options(faults=Faults(next_cut=1)))
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        _get(server, "/siret", nombre="100")
    assert _get(server, "/siret", nombre="100").status_code == 200


def test_truncated_html_and_empty_bodies_come_with_status_200(start: Start) -> None:
    server = start(_options(faults=Faults(next_truncated=1, next_html=1, next_empty=1)))
    truncated, page, empty = (_get(server, "/siret") for _ in range(3))
    assert truncated.status_code == page.status_code == empty.status_code == 200
    with pytest.raises(requests.exceptions.JSONDecodeError):
        truncated.json()
    assert page.text.startswith("<!DOCTYPE html>")
    assert empty.content == b""


def test_latency_is_added_to_every_answer(start: Start) -> None:
    server = start(_options(faults=Faults(latency_ms=200)))
    began = time.monotonic()
    _get(server, "/informations")
    assert time.monotonic() - began >= 0.2


def test_the_knobs_can_be_read_and_a_wrong_one_is_refused(start: Start) -> None:
    server = start(_options())
    _turn(server, latency_ms=1)
    assert requests.get(f"{server.root}/__faults", timeout=10).json()["latency_ms"] == 1
    for body in (b'{"meteo": 1}', b"[]", b"{"):
        refused = requests.post(f"{server.root}/__faults", data=body, timeout=10)
        assert refused.status_code == 400


def test_the_entrances_for_tests_take_nothing_from_the_quota(start: Start) -> None:
    server = start(_options(requests_per_minute=1))
    siret = _get(server, "/siret", nombre="1").json()["etablissements"][0]["siret"]
    record = requests.get(f"{server.root}/__records", params={"siret": siret}, timeout=10).json()
    assert record["siret"] == siret
    changes = {"siret": siret, "set": {"statutDiffusionEtablissement": "P"}}
    assert requests.post(f"{server.root}/__updates", json=changes, timeout=10).status_code == 200
    assert requests.get(f"{server.root}/__nulle-part", timeout=10).status_code == 404
    assert _quota(server)["requests"] == 1


def test_an_unknown_path_and_an_accept_that_is_not_json(start: Start) -> None:
    server = start(_options())
    assert _get(server, "/nulle-part").status_code == 404
    refused = requests.get(
        f"{server.url}/siret", headers={**_KEY, "Accept": "application/xml"}, timeout=10
    )
    assert refused.status_code == 406


def test_a_stopped_server_closes_connections_and_gives_its_port_back(start: Start) -> None:
    server = start(_options())
    session = requests.Session()
    session.get(f"{server.url}/informations", headers=_KEY, timeout=10)
    server.stop()
    with pytest.raises(requests.exceptions.ConnectionError):
        session.get(f"{server.url}/informations", headers=_KEY, timeout=10)
    session.close()
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", server.port))


def test_parallel_walkers_share_the_work_of_one_query(start: Start) -> None:
    server = start(_options(establishments=3000))
    q = urlencode({"q": "codeCommuneEtablissement:7* AND siren:[300000000 TO *]"})

    def total(_: int) -> int:
        answer = requests.get(f"{server.url}/siret?{q}", headers=_KEY, timeout=20)
        count: int = answer.json()["header"]["total"]
        return count

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(total, range(16)))) == 1
