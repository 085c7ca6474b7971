"""R1: no request to the API that is sent after the commit of an erasure tells the name."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from sqlalchemy import Engine

from services.portal.api.access import keys as api_keys
from services.writer.erasure.oppositions import forget
from tests.conditions import wait_until
from tests.integration.portal.api.directory import Directory, Reader, siren, siret

_NAME = "ZORGLUBERIE"
_READERS = 6


@dataclass
class _Readers:
    """Clients that ask again and again; `stale` are paths that tell the name to late requests."""

    base_url: str
    paths: list[str]
    headers: dict[str, str]
    stopping: threading.Event = field(default_factory=threading.Event)
    committed: threading.Event = field(default_factory=threading.Event)
    shown: set[str] = field(default_factory=set)
    late: dict[str, int] = field(default_factory=dict)
    stale: set[str] = field(default_factory=set)
    failed: list[int] = field(default_factory=list)

    def read(self) -> None:
        reader = Reader(self.base_url)
        kept: dict[str, tuple[str, bool]] = {}
        while not self.stopping.is_set():
            for path in self.paths:
                is_late = self.committed.is_set()
                etag, tells = kept.get(path, ("", False))
                copy = {"If-None-Match": etag} if etag else {}
                answer = reader.get(path, headers=self.headers | copy)
                # Whoever is told that nothing has changed shows what he has.
                if answer.status_code != 304:
                    tells = _NAME in answer.text.upper()
                kept[path] = (answer.headers.get("ETag", ""), tells)
                if tells:
                    (self.stale if is_late else self.shown).add(path)
                self.late[path] = self.late.get(path, 0) + is_late
                if answer.status_code >= 500:
                    self.failed.append(answer.status_code)
        reader.close()


@pytest.fixture
def readers(directory: Directory, engine: Engine, reader: Reader) -> Iterator[_Readers]:
    directory.add(1, unite={"denomination": _NAME})
    directory.add(2, unite={"denomination": f"{_NAME[:4]}AUX"})
    directory.index()
    page = reader.json(f"/api/v1/etablissements/{siret(1)}")["etablissement"]["page"]
    with engine.begin() as connection:
        key = api_keys.add(connection, "tests", api_keys.MOST_PER_MINUTE).key
    paths = [
        f"/api/v1/recherche?q={_NAME.lower()}&facettes=etat",
        "/api/v1/recherche?departement=33",
        "/api/v1/suggestions?q=zorg",
        "/api/v1/listes?code_commune=33063",
        f"/api/v1/etablissements/{siret(1)}",
        f"/api/v1/unites/{siren(1)}",
        f"/api/v1{page}",
        "/api/v1/changements",
        "/api/v1/changements.atom",
        "/api/v1/export.csv",
        "/api/v1/export.csv?departement=33",
        f"/compat/search?q={_NAME.lower()}",
    ]
    readers = _Readers(reader.base_url, paths, {"Authorization": f"Bearer {key}"})
    threads = [threading.Thread(target=readers.read) for _ in range(_READERS)]
    for thread in threads:
        thread.start()
    yield readers
    readers.stopping.set()
    for thread in threads:
        thread.join()


@pytest.mark.timeout(120)
def test_no_request_after_an_erasure_tells_the_name(
    directory: Directory, readers: _Readers, reader: Reader
) -> None:
    wait_until(lambda: readers.shown >= set(readers.paths), seconds=60)
    forget(directory.engine, siren(1), reason="test")
    readers.committed.set()
    wait_until(
        lambda: min(readers.late.get(path, 0) for path in readers.paths) > 2 * _READERS, seconds=60
    )
    assert readers.stale == set()
    assert readers.failed == []
    answer = reader.json("/api/v1/recherche", q=_NAME.lower())
    assert siret(1) not in str(answer)
    assert reader.json("/api/v1/recherche", departement="33")["total"] == 1
    assert reader.json("/api/v1/changements")["changements"][-1]["genre"] == "erased"
