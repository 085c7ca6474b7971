"""The client against a server of raw bytes, which misbehaves as no simulator does."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import pytest

from services.fetcher.insee import answers
from services.fetcher.insee.answers import KeyRefused, NoGoodAnswer, QueryRefused
from services.fetcher.insee.client import InseeClient
from services.fetcher.plan.deltas import Freshness
from services.fetcher.settings import FetcherSettings
from tests.certificates import Authority
from tests.raw_server import (
    LATE,
    LONG,
    Answer,
    RawServer,
    make_certificate,
    raw_server,
    response,
    saying,
)

PAGE = b'{"header":{"statut":200,"total":1,"curseurSuivant":"b"},"etablissements":[%s]}'


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], RawServer]]:
    with ExitStack() as stack:
        yield lambda answer: stack.enter_context(raw_server(answer))


def search(server: RawServer, *, timeout_seconds: float = 5) -> answers.PageAnswer:
    client = InseeClient(server.url, "the-key", timeout_seconds=timeout_seconds, pool_size=1)
    return client.search_siret("siren:1", nombre=1, curseur="*")


def test_a_redirect_is_not_followed_and_takes_no_second_request(
    serve: Callable[[Answer], RawServer],
) -> None:
    server = serve(lambda to: to.sendall(response("302 Found", b"", "Location: /elsewhere")))
    with pytest.raises(QueryRefused):
        search(server)
    assert len(server.requests) == 1


@pytest.mark.parametrize("target", [b"http://[", b"\xff\xe9", b"//", b"http://\0/", b""])
def test_a_redirect_that_leads_nowhere_is_a_refusal_as_any_other(
    target: bytes, serve: Callable[[Answer], RawServer]
) -> None:
    head = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + target
    with pytest.raises(QueryRefused):
        search(serve(lambda to: to.sendall(head + b"\r\n\r\n")))


def test_a_connection_cut_before_the_answer_is_not_tried_again(
    serve: Callable[[Answer], RawServer],
) -> None:
    server = serve(lambda _to: None)
    with pytest.raises(NoGoodAnswer):
        search(server)
    assert len(server.requests) == 1


@pytest.mark.parametrize("fault", LONG)
def test_an_answer_that_is_longer_than_any_page_is_malformed(
    serve: Callable[[Answer], RawServer], fault: str
) -> None:
    with pytest.raises(NoGoodAnswer, match="too long") as caught:
        search(serve(LONG[fault]), timeout_seconds=30)
    assert caught.value.outcome == "malformed"


@pytest.mark.parametrize("fault", LATE)
def test_an_answer_that_trickles_is_given_up_after_the_time_for_all_of_it(
    serve: Callable[[Answer], RawServer], fault: str
) -> None:
    started_seconds = time.monotonic()
    with pytest.raises(NoGoodAnswer, match="too long") as caught:
        search(serve(LATE[fault]), timeout_seconds=1)
    assert time.monotonic() - started_seconds < 5
    assert caught.value.outcome == "no_answer"


@pytest.mark.parametrize(
    "records",
    [b",".join([b"0"] * 500_000), b",".join([b"[[{}]]"] * 10_000), b"{},{}"],
    ids=["numbers", "nested", "one more"],
)
def test_more_records_than_were_asked_for_are_malformed(
    serve: Callable[[Answer], RawServer], records: bytes
) -> None:
    server = serve(saying(response("200 OK", PAGE % records)))
    with pytest.raises(NoGoodAnswer, match=r"more (records|values) than asked"):
        search(server)


@pytest.mark.parametrize("shown", ["the-key", "THE-KEY", "the\\u002dkey"])
def test_a_refusal_that_repeats_the_key_is_kept_without_it(
    serve: Callable[[Answer], RawServer], shown: str
) -> None:
    body = f'{{"header":{{"statut":400,"message":"Clé {shown} : syntaxe"}}}}'.encode()
    with pytest.raises(QueryRefused) as caught:
        search(serve(saying(response("400 Bad Request", body))))
    assert str(caught.value) == "INSEE answers 400: Clé [redacted] : syntaxe"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"<html>Maintenance</html>",
        b'{"etablissements":[]}',
        b'{"header":{"total":"1"},"etablissements":[]}',
        b'{"header":{"total":-1},"etablissements":[]}',
        b'{"header":{"total":1},"etablissements":{}}',
        b'{"header":{"total":1,"curseurSuivant":3},"etablissements":[]}',
        b'{"header":{"total":1,"curseurSuivant":"a\\u0000"},"etablissements":[]}',
        b'{"header":{"total":1,"curseurSuivant":"%b"},"etablissements":[]}' % (b"a" * 2000),
        b'{"header":{"total":9223372036854775808},"etablissements":[]}',
        b"[" * 100_000,
        b"\xff\xfe\x00",
    ],
    ids=lambda body: str(body[:40]),
)
def test_a_body_that_is_no_page_is_malformed(
    body: bytes, serve: Callable[[Answer], RawServer]
) -> None:
    with pytest.raises(NoGoodAnswer) as caught:
        search(serve(lambda to: to.sendall(response("200 OK", body))))
    assert caught.value.outcome == "malformed"


@pytest.mark.parametrize("name", [b'"\\ud800"', b'"\xff"'], ids=["surrogate", "not utf-8"])
def test_one_bad_character_does_not_cost_the_page(
    name: bytes, serve: Callable[[Answer], RawServer]
) -> None:
    body = PAGE % (b'{"siret":"1","nom":%s}' % name)
    answer = search(serve(lambda to: to.sendall(response("200 OK", body))))
    assert [record["siret"] for record in answer.records] == ["1"]


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
def test_a_refused_key_is_not_in_what_is_said_about_it(
    status: str, serve: Callable[[Answer], RawServer]
) -> None:
    with pytest.raises(KeyRefused) as caught:
        search(serve(lambda to: to.sendall(response(status, b'{"message":"the-key"}'))))
    assert "the-key" not in str(caught.value)
    assert str(caught.value).endswith("SIRENADE_INSEE_KEY")


_INFORMATIONS = (
    Path(__file__).parents[3] / "fixtures" / "insee" / "informations_2026-08-05.json"
).read_text("utf-8")


def ask_informations(body: str) -> answers.Informations:
    with raw_server(saying(response("200 OK", body.encode()))) as server:
        client = InseeClient(server.url, "the-key", timeout_seconds=5, pool_size=1)
        return client.informations()


def test_informations_say_how_far_each_collection_goes_in_insees_own_time() -> None:
    found = ask_informations(_INFORMATIONS)
    assert found.collections == {
        "etablissements": Freshness(
            True,
            datetime.fromisoformat("2026-08-05T00:05:52.648"),
            datetime.fromisoformat("2026-08-05T07:20:43.000"),
        ),
        "unites_legales": Freshness(
            True,
            datetime.fromisoformat("2026-08-05T00:05:54.033"),
            datetime.fromisoformat("2026-08-05T07:20:41.000"),
        ),
    }


@pytest.mark.parametrize(
    ("documented", "sent"),
    [
        ('"dateDernierTraitementMaximum"', '"dateDuDernierTraitement"'),
        ('"2026-08-05T00:05:52.648"', "null"),
        ('"2026-08-05T00:05:52.648"', '"hier"'),
        ('"2026-08-05T00:05:52.648"', '"2996-08-05T00:05:52.648"'),
        ('"collection": "Établissements"', '"collection": "Etablissements"'),
        ('"etatsDesServices": [', '"etatsDesServices": [7, '),
        (_INFORMATIONS, "[]"),
        (_INFORMATIONS, "null"),
        (_INFORMATIONS, "<html>"),
    ],
)
def test_informations_that_are_not_as_documented_are_no_good_answer(
    documented: str, sent: str
) -> None:
    assert documented in _INFORMATIONS
    with pytest.raises(NoGoodAnswer) as caught:
        ask_informations(_INFORMATIONS.replace(documented, sent))
    assert caught.value.outcome == "malformed"


def test_the_key_goes_to_a_server_that_is_trusted_and_to_no_other(tmp_path: Path) -> None:
    ca_file, context = make_certificate(tmp_path)
    (tmp_path / "strangers").mkdir()
    stranger = Authority(tmp_path / "strangers").file

    def ask(url: str, trusted: Path) -> answers.PageAnswer:
        settings = FetcherSettings(
            database_url="postgresql://localhost/x",
            broker_url="memory://",
            insee_url=url,
            insee_key="the-key",
            https_ca_file=trusted,
        )
        client = InseeClient(url, "the-key", timeout_seconds=5, pool_size=1, egress=settings.egress)
        return client.search_siret("siren:1", nombre=1, curseur="*")

    with raw_server(saying(response("200 OK", PAGE % b"{}")), context) as server:
        assert ask(server.url, ca_file).total == 1
        for url, trusted in (
            (server.url, stranger),
            (server.url.replace("127.0.0.1", "localhost"), ca_file),
        ):
            with pytest.raises(NoGoodAnswer, match="no answer: no secure connection: check its"):
                ask(url, trusted)
        assert len(server.requests) == 1
