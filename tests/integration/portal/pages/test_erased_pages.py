"""R1: no request that is sent after the commit of an erasure shows the name."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from services.writer.erasure.oppositions import forget, withdraw
from tests.conditions import wait_until
from tests.integration.portal.published import publish
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records
from tests.portals import Portal, running_portal, with_a_cache_that_lasts

_SIREN = "000000018"
_SIRET = f"{_SIREN}00001"
_NAME = "ZORGLUBERIE"
_SLUG = f"zorgluberie-bordeaux-{_SIRET}"
_ERASURES = 12
_READERS = 6


@dataclass
class Readers:
    """Clients that ask again and again; `stale` counts answers with the name to late requests."""

    portal: Portal
    paths: tuple[str, ...]
    stopping: threading.Event = field(default_factory=threading.Event)
    committed: threading.Event = field(default_factory=threading.Event)
    shown: int = 0
    late: int = 0
    stale: int = 0
    failed: list[int] = field(default_factory=list)

    def read(self, path: str) -> None:
        client = self.portal.client()
        etag = ""
        while not self.stopping.is_set():
            is_late = self.committed.is_set()
            client.request("GET", path, headers={"If-None-Match": etag} if etag else {})
            answer = client.getresponse()
            body = answer.read()
            etag = answer.headers.get("ETag", "")
            self._note(answer, body, is_late=is_late)
        client.close()

    def _note(self, answer: http.client.HTTPResponse, body: bytes, *, is_late: bool) -> None:
        says_it = _NAME.lower() in (body.decode() + answer.headers.get("Location", "")).lower()
        # A client that has the page with the name is told that nothing has changed.
        says_it |= answer.status == 304
        self.shown += says_it
        self.late += is_late
        self.stale += is_late and says_it
        if answer.status >= 500:
            self.failed.append(answer.status)


@contextmanager
def _reading(readers: Readers) -> Iterator[None]:
    threads = [
        threading.Thread(target=readers.read, args=[readers.paths[n % len(readers.paths)]])
        for n in range(_READERS)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        readers.stopping.set()
        for thread in threads:
            thread.join()


def _erase_under_readers(
    desk: Desk, records: Records, portal: Portal, *, erasures: int = _ERASURES
) -> tuple[int, int]:
    """Erase and bring back a few times; return the late answers and the stale among them."""
    late = stale = 0
    for turn in range(erasures):
        day = f"2026-01-{turn + 1:02d}T00:00:00"
        desk.import_(records.record(1, siren=_SIREN, enseigne=_NAME, treated=day))
        publish(desk, "Un texte sur {}.")
        readers = Readers(portal, (f"/pages/{_SLUG}", f"/pages/{_SIRET}"))
        with _reading(readers):
            wait_until(lambda: readers.shown > _READERS)  # noqa: B023  called in this turn
            forget(desk.engine, _SIREN, reason="test")
            readers.committed.set()
            before = readers.late
            wait_until(lambda: readers.late > before + 5 * _READERS)  # noqa: B023  as above
        assert readers.failed == []
        late, stale = late + readers.late, stale + readers.stale
        withdraw(desk.engine, _SIREN)
    return late, stale


def test_no_request_after_an_erasure_shows_the_name(
    desk: Desk, records: Records, portal: Portal
) -> None:
    late, stale = _erase_under_readers(desk, records, portal)
    assert late > _ERASURES * _READERS
    assert stale == 0
    answer = portal.get(f"/pages/{_SLUG}")
    assert answer.status == 410
    assert _NAME.lower() not in answer.text.lower()


def test_the_readers_find_out_a_cache_that_ends_with_its_time(
    desk: Desk, records: Records, database_url: str
) -> None:
    with running_portal(database_url, make=with_a_cache_that_lasts) as portal:
        late, stale = _erase_under_readers(desk, records, portal, erasures=1)
    assert late > 0
    assert stale > 0


@pytest.mark.parametrize("path", [f"/pages/{_SLUG}", f"/pages/{_SIRET}", f"/pages/x-{_SIRET}"])
def test_an_erased_name_is_at_no_address(
    desk: Desk, records: Records, portal: Portal, path: str
) -> None:
    desk.import_(records.record(1, siren=_SIREN, enseigne=_NAME))
    publish(desk)
    assert portal.get(path).status in {200, 301}
    forget(desk.engine, _SIREN, reason="test")
    answer = portal.get(path)
    anonymous = f"/pages/etablissement-bordeaux-{_SIRET}"
    if path == f"/pages/{_SIRET}":
        assert (answer.status, answer.headers["location"]) == (301, anonymous)
    else:
        assert answer.status == 410
    page = portal.get(anonymous)
    assert page.status == 200
    assert _NAME not in page.text.upper()


def test_readers_that_wait_share_a_query(desk: Desk, records: Records, portal: Portal) -> None:
    desk.import_(records.record(1, siren=_SIREN, enseigne=_NAME))
    asked, readers = 20, 16
    value = portal.parts.metrics.registry.get_sample_value

    def read() -> None:
        assert all(portal.get(f"/pages/{_SLUG}").status == 200 for _ in range(asked))

    threads = [threading.Thread(target=read) for _ in range(readers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (value("sirenade_portal_validations_total") or 0) < asked * readers
