"""Ten thousand spoiled answers over a real socket: each has a verdict, and the next is read."""

import random
from collections.abc import Iterator

import pytest

from services.fetcher.insee.answers import (
    InseeError,
    KeyRefused,
    NoGoodAnswer,
    PageAnswer,
    QueryRefused,
    QuotaExceeded,
)
from services.fetcher.insee.client import InseeClient
from services.fetcher.plan.page_end import judge_page
from services.fetcher.walk.slices import cut_page
from services.writer.slices.decode import map_rows, read_slice
from shared.messages import WriteSlice
from tests.fuzz.cases import Fuzz
from tests.fuzz.insee import Spoiled, answer, make_answer, page, recorded_bodies
from tests.fuzz.mutators import dumped
from tests.fuzz.wire import WireServer
from tests.integration.writer.records import Records

_RECORDS = Records()
_MODERN = [_RECORDS.record(number) for number in range(1, 4)]
_OTHERS = recorded_bodies()
GOOD = answer(dumped(page(_MODERN[:1], total=1, next_cursor="b"), random.Random(0)))
_TRIES = 3
_VERDICTS: dict[type[InseeError], str] = {
    QuotaExceeded: "slow down: 429",
    KeyRefused: "stop: the key is refused",
    QueryRefused: "fail the batch: refused",
}


class Client:
    """Sends a GET for each spoiled answer, and then one for a good answer."""

    def __init__(self, server: WireServer, client: InseeClient) -> None:
        self._server = server
        self._client = client

    def become(self, case: Spoiled) -> str:
        self._server.respond = lambda _: case
        verdict = self._verdict(case)
        self._server.respond = lambda _: Spoiled(GOOD, kept_open=True)
        for _ in range(_TRIES):
            try:
                found = self._client.search_siret("siren:1", nombre=1, curseur="*")
            except NoGoodAnswer:
                continue  # what was left of the spoiled one; the page is asked for again
            assert [record["siret"] for record in found.records] == [_MODERN[0]["siret"]]
            return verdict
        raise AssertionError("a good answer is not read any more")

    def _verdict(self, case: Spoiled) -> str:
        try:
            if (other := self._asked_otherwise(len(case.octets) % 8)) is not None:
                return other
            found = self._client.search_siret("siren:1", nombre=3, curseur="*")
        except NoGoodAnswer as error:
            return f"ask again: {error.outcome}"
        except InseeError as error:
            return _VERDICTS[type(error)]
        return _written(found)

    def _asked_otherwise(self, kind: int) -> str | None:
        """One of eight answers comes to each of the other questions."""
        if kind == 0:
            self._client.one("12345678900012")
            return "one number"
        if kind == 1:
            self._client.informations()
            return "informations"
        return None


def _written(found: PageAnswer) -> str:
    """Every record is in a slice, and there a row or a fault."""
    end = judge_page(
        cursor="*",
        next_cursor=found.next_cursor,
        rows=len(found.records),
        received_before=0,
        total=found.total,
        row_limit=None,
    )
    assert end.expected >= 0
    written = failed = 0
    for number, each in enumerate(cut_page(found.records)):
        message = WriteSlice(
            1, 1, 1, number, "2026-08-05T12:00:00+00:00", each.records, digests=each.digests
        )
        read = read_slice(WriteSlice.from_wire(message.to_wire()))
        rows, faults = map_rows(read.sent)
        written += len(rows)
        failed += len(faults) + len(read.faults)
    assert written + failed == len(found.records)
    if failed:
        return "rows and failed items" if written else "failed items"
    return "rows" if written else "zero rows"


@pytest.fixture
def client() -> Iterator[Client]:
    server = WireServer(lambda _: Spoiled(GOOD))
    yield Client(server, InseeClient(server.url, "the-key", timeout_seconds=1, pool_size=1))
    server.close()


def test_each_spoiled_answer_has_a_verdict_and_the_next_good_one_is_read(
    fuzz: Fuzz, client: Client
) -> None:
    tally = fuzz("answers of INSEE", lambda rng: make_answer(_MODERN, _OTHERS, rng), client.become)
    tally.require_variety(
        "ask again: malformed",
        "ask again: no_answer",
        "ask again: unavailable",
        "slow down: 429",
        "stop: the key is refused",
        "fail the batch: refused",
        "rows",
        "rows and failed items",
        "failed items",
        "zero rows",
    )
