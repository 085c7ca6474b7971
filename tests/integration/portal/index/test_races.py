"""No indexer brings a name back that is erased beside it (R3)."""

import random
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, Engine, text

from services.portal.index import cursors, entries
from services.writer.erasure.oppositions import forget
from shared.search.entries import IndexedRow, entry_of
from tests.integration.portal.index.conftest import compared, indexed, lexicon

_INDEXERS = 4
_FILL = """
    INSERT INTO unites_legales (siren, statut_diffusion, categorie_juridique, nom, content_hash,
      fetched_at)
    SELECT lpad(n::text, 9, '0'), 'O', '1000', 'SECRET' || n, '', now()
    FROM generate_series(1, :units) n;
    INSERT INTO etablissements (siret, siren, nic, statut_diffusion, enseigne1, content_hash,
      fetched_at)
    SELECT siren || '00001', siren, '00001', 'O', 'CHEZ ' || nom, '', now() FROM unites_legales;
    INSERT INTO pro_localisations (siret, siren, activite_principale, code_commune, slug, nom,
      status)
    SELECT siret, siren, '10.71C', '33063', siret, enseigne1, 'open' FROM etablissements
"""
Put = Callable[[Connection, Mapping[int, str]], object]


def one_statement(connection: Connection, pages: Mapping[int, str]) -> None:
    """Lock and read at once, as one would write it without knowing better."""
    at_once = text(f"{entries.READ} FOR SHARE OF u")
    rows = connection.execute(at_once, {"ids": list(pages)})
    found = [entry_of(IndexedRow._make(row)) for row in rows]
    stored = list(entries.stored_entries(connection, list(pages)).values())
    entries._replace(connection, stored, found)


def erase_beside(engine: Engine, put: Put, units: int) -> None:
    """Let each unit object while indexers put the pages around it."""
    with engine.begin() as connection:
        for statement in _FILL.split(";"):
            connection.execute(text(statement), {"units": units} if ":units" in statement else {})
        pages = connection.execute(text("SELECT siren, id FROM pro_localisations")).all()
    ids = {page.siren: page.id for page in pages}
    order = sorted(ids)
    random.Random(1).shuffle(order)
    place, done = [0], threading.Event()

    def erase() -> None:
        try:
            for place[0], siren in enumerate(order):
                forget(engine, siren, reason="asked")
        finally:
            done.set()

    def index(seed: int) -> None:
        dice = random.Random(seed)
        with engine.connect() as connection:
            while not done.is_set():
                siren = order[min(place[0] + dice.randrange(3), len(order) - 1)]
                cursors.hold(connection)
                put(connection, {ids[siren]: siren})
                connection.commit()

    with ThreadPoolExecutor(_INDEXERS + 1) as pool:
        work = [pool.submit(erase), *(pool.submit(index, seed) for seed in range(_INDEXERS))]
        for each in work:
            each.result(170)


@pytest.mark.parametrize("units", [150, pytest.param(3000, marks=pytest.mark.slow)])
def test_erasures_beside_indexers_leave_no_name(engine: Engine, units: int) -> None:
    erase_beside(engine, entries.put_pages, units)
    assert indexed(engine) == {}
    assert lexicon(engine) == {}
    assert compared(engine).agrees


def test_a_lock_and_a_read_in_one_statement_would_bring_names_back(engine: Engine) -> None:
    """The rows that are not locked are those of the time before the lock was waited for."""
    erase_beside(engine, one_statement, 150)
    assert indexed(engine)
