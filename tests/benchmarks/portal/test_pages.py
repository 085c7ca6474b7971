"""CPU of a page, cached and validated by versions, against the same bytes from Redis with a TTL.

Both serve the same pages to the same load, by turns. Then pages lose their names under readers: no
answer to a request that was sent after the commit may show one.
"""

import contextlib
import http.client
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812  a class, named as one

from shared.db_url import normalise_url
from tests.benchmarks.figures import Figures
from tests.benchmarks.portal.costs import Costs
from tests.benchmarks.portal.register import load_register
from tests.benchmarks.portal.servers import Answer, ask, pages_from_redis
from tests.benchmarks.sizes import pick
from tests.portals import Server, started_portal

_PAGES = pick(quick=2_000, normal=20_000)
_ASKED = pick(quick=300, normal=2_000)
_SECONDS = pick(quick=2, normal=6)
_ROUNDS = pick(quick=1, normal=3)
_ERASURES = pick(quick=6, normal=60)
_READERS = 6
_BEFORE_SECONDS, _AFTER_SECONDS = 0.08, 0.12

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@dataclass
class Site:
    """The portal over a register, and the pages that are asked for."""

    portal: Server
    connection: Connection
    answers: Mapping[str, Answer]
    """The answers by path."""

    @property
    def paths(self) -> Sequence[str]:
        return list(self.answers)

    @property
    def etags(self) -> Sequence[Mapping[str, str]]:
        return [{"If-None-Match": answer.etag} for answer in self.answers.values()]


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    load_register(database_url, tmp_path, pages=_PAGES)
    url = normalise_url(database_url).set(drivername="postgresql")
    connection = psycopg2.connect(url.render_as_string(hide_password=False))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT '/pages/' || slug FROM pro_localisations"
            " WHERE status = 'open' AND nom IS NOT NULL ORDER BY md5(siret) LIMIT %s",
            (_ASKED,),
        )
        paths = [path for (path,) in cursor.fetchall()]
    with started_portal(tmp_path, database_url) as server:
        answers = {path: ask(server.address, path) for path in paths}
        assert {answer.status for answer in answers.values()} == {200}
        yield Site(server, connection, answers)
    connection.close()


def test_a_validated_page_against_redis_with_a_ttl(
    site: Site, tmp_path: Path, figures: Figures
) -> None:
    grouped, unchanged, redis = Costs(), Costs(), Costs()
    with pages_from_redis(site.answers, tmp_path) as other:
        for path in site.paths[:10]:
            assert ask(other.address, path) == site.answers[path]
        for _ in range(_ROUNDS):
            for server, costs, headers in (
                (site.portal, grouped, ()),
                (other, redis, ()),
                (site.portal, unchanged, site.etags),
            ):
                costs.measure(
                    server,
                    site.connection,
                    site.paths,
                    tmp_path,
                    seconds=_SECONDS,
                    headers=headers,
                )
    for name, costs in (("200", grouped), ("304", unchanged), ("Redis with a TTL", redis)):
        print(f"\npages, {name}: {costs}")  # noqa: T201  a benchmark's result
    figures.add(
        "pages.grouped",
        grouped.us / redis.us,
        unit="of Redis TTL",
        goal="<= 0.9",
        note=str(grouped),
    )
    figures.add("pages.Redis TTL", redis.us, unit="CPU µs/request", note=str(redis))
    figures.add("pages.304", unchanged.us, unit="CPU µs/request", note=str(unchanged))


def test_no_request_sent_after_an_erasure_shows_the_name(site: Site, figures: Figures) -> None:
    stale = asked = 0
    for path in site.paths[:_ERASURES]:
        name = f"Nom qui part {path[-14:]}"
        _rename(site.connection, path, name)
        assert name in ask(site.portal.address, path).body
        readers = Readers(site.portal.address, path, name)
        with readers.reading():
            time.sleep(_BEFORE_SECONDS)
            _rename(site.connection, path, None)
            readers.committed_at = time.perf_counter()
            time.sleep(_AFTER_SECONDS)
        asked += readers.asked
        stale += readers.stale
    print(f"\n{_ERASURES} erasures, {asked} requests after the commit, {stale} stale")  # noqa: T201  a benchmark's result
    assert asked > _ERASURES
    figures.add("pages.stale after the commit", stale, goal="== 0", note=f"of {asked} requests")


def _rename(connection: Connection, path: str, name: str | None) -> None:
    """Give the establishment this name in all rows, or none at all."""
    siret = path[-14:]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE etablissements SET enseigne1 = %(name)s, enseigne2 = NULL, enseigne3 = NULL,"
            " denomination_usuelle = NULL WHERE siret = %(siret)s",
            {"name": name, "siret": siret},
        )
        cursor.execute(
            "UPDATE pro_localisations SET nom = %(name)s WHERE siret = %(siret)s",
            {"name": name, "siret": siret},
        )


@dataclass
class Readers:
    """Threads that ask for one page again and again, each with its own connection."""

    address: str
    path: str
    name: str
    committed_at: float = float("inf")
    _ends: threading.Event = field(default_factory=threading.Event)
    _sent: list[tuple[float, bool]] = field(default_factory=list)

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._read) for _ in range(_READERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ends.set()
            for thread in threads:
                thread.join()

    def _read(self) -> None:
        connection = http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=10)
        while not self._ends.is_set():
            sent = time.perf_counter()
            connection.request("GET", self.path)
            body = connection.getresponse().read().decode()
            self._sent.append((sent, self.name in body))
        connection.close()

    @property
    def asked(self) -> int:
        return sum(sent > self.committed_at for sent, _ in self._sent)

    @property
    def stale(self) -> int:
        return sum(named for sent, named in self._sent if sent > self.committed_at)
