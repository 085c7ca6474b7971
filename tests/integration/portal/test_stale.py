"""R1: no request that is sent after a name was taken tells it, at whatever endpoint.

Two processes answer, as a machine with two cores has them.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route

from services.portal.api.access import keys as api_keys
from services.writer.erasure.oppositions import forget
from tests.conditions import wait_until
from tests.integration.portal.api.directory import Reader
from tests.integration.portal.elastic import Elastic, found_ids
from tests.integration.portal.published import publish
from tests.integration.portal.told import MARKS, NAME, SIREN, SIRET, Asked, table, tells
from tests.integration.writer.desk import Desk
from tests.integration.writer.index_pages import index_pages
from tests.integration.writer.records import Record, Records
from tests.portals import Portal, Server, running_portal, started_portal
from tests.readers import KeptCopies, TakenMarks, told_of

ON_TWO_SHARDS = True
_READERS = 6
_LATER = "2026-02-01T00:00:00"


@dataclass
class _Readers:
    """Clients that ask for everything again and again; `stale` told the name to late requests."""

    address: str
    asked: list[Asked]
    headers: dict[str, str]
    stopping: threading.Event = field(default_factory=threading.Event)
    taken: TakenMarks = field(default_factory=TakenMarks)
    shown: set[str] = field(default_factory=set)
    late: dict[str, int] = field(default_factory=dict)
    stale: set[str] = field(default_factory=set)
    failed: set[tuple[str, int]] = field(default_factory=set)

    def telling_now(self) -> set[str]:
        reader = Reader(self.address)
        paths = {each.path for each in self.asked}
        telling = {path for path in paths if tells(reader.get(path, headers=self.headers))}
        reader.close()
        return telling

    def read(self) -> None:
        reader = Reader(self.address)
        copies = KeptCopies()
        while not self.stopping.is_set():
            # Another process may accept the next connection.
            reader.close()
            for _, path, _ in self.asked:
                is_late = bool(self.taken.marks)
                answer = reader.get(path, headers=self.headers | copies.condition(path))
                told = bool(told_of(MARKS, copies.seen(path, answer)))
                self._note(path, answer.status_code, told=told, is_late=is_late)
        reader.close()

    def _note(self, path: str, status: int, *, told: bool, is_late: bool) -> None:
        if told:
            (self.stale if is_late else self.shown).add(path)
        self.late[path] = self.late.get(path, 0) + is_late
        if status not in {200, 301, 303, 304, 404, 410}:
            self.failed.add((path, status))

    @property
    def are_answered(self) -> bool:
        return min(self.late.get(each.path, 0) for each in self.asked) > 2 * _READERS


@pytest.fixture
def portals(shard_urls: tuple[str, ...], tmp_path: Path) -> Iterator[Server]:
    settings = {"PORTAL_WORKERS": "2", "PORTAL_ANONYMOUS_PER_MINUTE": "1000000"}
    with started_portal(tmp_path, *shard_urls, **settings) as server:
        yield server


def _named(records: Records, *, in_unite: bool, statut: str = "O", treated: str = "") -> Record:
    """Return a record with the name: of the unit and its establishment, or of this one alone."""
    unite = {"denominationUniteLegale": NAME, "statutDiffusionUniteLegale": statut}
    record = records.record(
        1,
        siren=SIREN,
        enseigne=NAME,
        statut=statut,
        treated=treated or "2026-01-01T00:00:00",
        unite=unite if in_unite else None,
    )
    record["adresseEtablissement"] |= {
        "coordonneeLambertAbscisseEtablissement": "417010.0",
        "coordonneeLambertOrdonneeEtablissement": "6422000.0",
    }
    return record


def _object(desk: Desk, _: Records) -> None:
    forget(desk.home_of({"siret": SIRET}), SIREN, reason="test")


def _mask_unite(desk: Desk, records: Records) -> None:
    desk.import_(_named(records, in_unite=True, statut="P", treated=_LATER))


def _mask_etablissement(desk: Desk, records: Records) -> None:
    desk.import_(_named(records, in_unite=False, statut="P", treated=_LATER))


def _prepare(desk: Desk, records: Records, *, in_unite: bool) -> tuple[list[Asked], str]:
    """Publish two pages, one with the name; return what is to be asked, and a key."""
    other = records.record(2, unite={"denominationUniteLegale": "ZORAUX"})
    desk.import_(_named(records, in_unite=in_unite), other)
    publish(desk)
    index_pages(desk.shards)
    page = desk.one("SELECT id FROM pro_localisations WHERE siren = :siren", siren=SIREN)
    with desk.engine.begin() as connection:
        key = api_keys.add(connection, "tests", api_keys.MOST_PER_MINUTE).key
    return table(page["id"]), key


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("take", "in_unite"),
    [(_object, True), (_mask_unite, True), (_mask_etablissement, False)],
    ids=["opposition", "unite", "etablissement"],
)
def test_no_request_after_a_name_was_taken_tells_it(
    desk: Desk,
    records: Records,
    portals: Server,
    take: Callable[[Desk, Records], None],
    in_unite: bool,
) -> None:
    asked, key = _prepare(desk, records, in_unite=in_unite)
    _take_beside_readers(
        portals.address,
        asked,
        key,
        lambda: take(desk, records),
        ready=lambda: len(portals.clients_of_processes()) == 2,
    )


@pytest.mark.timeout(180)
def test_elasticsearch_that_learns_of_nothing_does_not_tell_it(
    desk: Desk, records: Records, shard_urls: tuple[str, ...], elastic: Elastic
) -> None:
    """It holds the name until the end, as if no indexer ran."""
    asked, key = _prepare(desk, records, in_unite=True)
    followers = [elastic.follower(shard, at) for at, shard in enumerate(desk.shards)]
    for follower in followers:
        follower.step()
    settings: dict[str, Any] = {"portal_anonymous_per_minute": 1_000_000, **elastic.named}
    with running_portal(*shard_urls, **settings) as portal:
        _take_beside_readers(portal.address, asked, key, lambda: _object(desk, records))
        value = portal.parts.metrics.registry.get_sample_value
        assert value("sirenade_portal_searches_instead_total") == 0
    assert any(found_ids(each.indexes, "names", "quinquet") for each in followers)


def _take_beside_readers(
    address: str,
    asked: list[Asked],
    key: str,
    take: Callable[[], None],
    *,
    ready: Callable[[], bool] = lambda: True,
) -> None:
    readers = _Readers(address, asked, {"Authorization": f"Bearer {key}"})
    telling = {each.path for each in asked if each.tells}
    assert readers.telling_now() == telling
    threads = [threading.Thread(target=readers.read) for _ in range(_READERS)]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: readers.shown >= telling, seconds=60)
        wait_until(ready, seconds=60)
        take()
        readers.taken.add(MARKS)
        wait_until(lambda: readers.are_answered, seconds=60)
    finally:
        readers.stopping.set()
        for thread in threads:
            thread.join()
    assert readers.stale == set()
    assert readers.failed == set()
    reader = Reader(address)
    assert reader.json("/api/v1/recherche", departement="33")["total"] == 1
    assert reader.json("/api/v1/changements")["changements"][-1]["genre"] == "erased"
    reader.close()


def test_every_route_is_asked(portal: Portal) -> None:
    """A new route needs its row in `told.py`; files of the program are no endpoints."""
    routes = {each.path for each in portal.parts.routes() if isinstance(each, Route)}
    assert {each.route for each in table(1)} == routes - set(portal.parts.documents.assets)
