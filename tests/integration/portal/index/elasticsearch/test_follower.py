"""Elasticsearch follows the pages: what changes, what is erased, and after it was away."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text

from services.portal.elasticsearch.bulk import write
from services.portal.elasticsearch.server import ElasticsearchAway
from services.portal.index import cursors, rebuild
from services.portal.index.elasticsearch import snapshots
from services.portal.index.elasticsearch.check import DocumentDifferences, compare_documents
from services.portal.index.elasticsearch.follower import Follower
from services.portal.index.elasticsearch.places import LOG, held
from services.writer.erasure.oppositions import forget
from tests.integration.portal.elastic import Elastic, Fault, Middleman, found_ids
from tests.integration.portal.search.invented import invent, store
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records
from tests.integration.writer.scene import LATER, NATURAL, SIREN, Scene


@pytest.fixture
def follower(engine: Engine, elastic: Elastic) -> Follower:
    return elastic.follower(engine)


@pytest.fixture
def scene(desk: Desk, records: Records, follower: Follower) -> Scene:
    scene = Scene(desk, records, NATURAL)
    desk.import_(scene.clear(1), scene.clear(2), scene.bystander(), sole_traders=True)
    follower.step()
    assert len(found_ids(follower.indexes, "names", "zorglub")) == 2
    return scene


@pytest.fixture
def open_transaction(engine: Engine) -> Iterator[None]:
    """Hold the log up, as a load of stock files does."""
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_current_xact_id()"))
        yield
        connection.rollback()


def _compared(follower: Follower) -> DocumentDifferences:
    return compare_documents(follower.engine, follower.indexes)


def _agrees(follower: Follower, pages: int) -> bool:
    return _compared(follower) == DocumentDifferences(pages=pages, documents=pages)


def _lag(follower: Follower) -> float:
    with follower.engine.connect() as connection:
        return cursors.lag_seconds(connection, LOG)


def test_pages_become_documents_and_follow_their_changes(
    desk: Desk, records: Records, follower: Follower
) -> None:
    desk.import_(records.record(1, enseigne="LE FOURNIL"), records.record(2, enseigne="LE MOULIN"))
    follower.step()
    assert _agrees(follower, 2)
    assert len(found_ids(follower.indexes, "names", "fournil")) == 1
    renamed = records.record(1, enseigne="LE PETRIN", treated="2026-02-01T00:00:00")
    desk.import_(renamed, fetched_at=LATER)
    follower.step()
    assert found_ids(follower.indexes, "names", "fournil") == []
    assert len(found_ids(follower.indexes, "names", "petrin")) == 1
    assert _agrees(follower, 2)


def test_an_erasure_reaches_it_at_the_next_step(scene: Scene, follower: Follower) -> None:
    forget(scene.desk.engine, SIREN, reason="asked")
    follower.step()
    assert found_ids(follower.indexes, "names", "zorglub") == []
    assert found_ids(follower.indexes, "place", "33990") == []
    assert _agrees(follower, 1)


@pytest.mark.usefixtures("open_transaction")
def test_an_erasure_does_not_wait_for_the_order_of_the_log(
    scene: Scene, follower: Follower
) -> None:
    forget(scene.desk.engine, SIREN, reason="asked")
    follower.step()
    assert _lag(follower) > 0, "the log is held up"
    assert found_ids(follower.indexes, "names", "zorglub") == []
    assert len(found_ids(follower.indexes, "names", "passant")) == 1


def test_what_was_erased_ahead_may_come_back_without_its_name(
    desk: Desk, records: Records, follower: Follower, engine: Engine
) -> None:
    scene = Scene(desk, records, NATURAL)
    desk.import_(scene.clear(1, enseigne="LE FOURNIL"), sole_traders=True)
    follower.step()
    nobody = {name: None for name in NATURAL if name.startswith(("nom", "prenom"))}
    purged = scene.clear(1, enseigne="LE FOURNIL", treated="2026-02-01T00:00:00")
    purged["uniteLegale"] |= nobody
    purged["periodesEtablissement"][1]["enseigne1Etablissement"] = None
    with engine.connect() as holding:
        holding.execute(text("SELECT pg_current_xact_id()"))
        scene.turn(purged)
        follower.step()
        assert found_ids(follower.indexes, "names", "zorglub") == []
        holding.rollback()
    follower.step()
    assert len(found_ids(follower.indexes, "names", "fournil")) == 1
    assert found_ids(follower.indexes, "names", "zorglub") == []
    assert _agrees(follower, 1)


@pytest.mark.parametrize("is_held_up", [False, True])
def test_a_write_that_was_read_before_an_erasure_and_comes_after_it_is_refused(
    scene: Scene, follower: Follower, engine: Engine, *, is_held_up: bool
) -> None:
    with engine.connect() as slow, engine.connect() as holding:
        if is_held_up:
            holding.execute(text("SELECT pg_current_xact_id()"))
        with slow.begin():
            ids = list(slow.scalars(text("SELECT id FROM pro_localisations")))
        with slow.begin():
            late = snapshots.operations_of(slow, ids)
        forget(scene.desk.engine, SIREN, reason="asked")
        follower.step()
        holding.rollback()
    write(follower.indexes.server, follower.indexes.served, late, lambda _: None)
    assert found_ids(follower.indexes, "names", "zorglub") == []
    follower.step()
    assert _agrees(follower, 1)


def test_erasures_beside_several_followers_leave_no_name(engine: Engine, elastic: Elastic) -> None:
    """No lock keeps them apart here: versions do (R3)."""
    invented = invent(60)
    store(engine, invented)
    followers = [elastic.follower(engine) for _ in range(3)]
    for each in followers:
        each.indexes = followers[0].indexes
    followers[0].step()
    done = threading.Event()

    def put() -> None:
        alias = followers[0].indexes.served
        with engine.connect() as connection:
            while not done.is_set():
                with connection.begin():
                    ids = list(connection.scalars(text("SELECT id FROM pro_localisations")))
                with connection.begin():
                    operations = snapshots.operations_of(connection, ids)
                write(followers[0].indexes.server, alias, operations, lambda _: None)

    def erase() -> None:
        try:
            for each in invented:
                forget(engine, each.siret[:9], reason="asked")
                followers[1].step()
        finally:
            done.set()

    with ThreadPoolExecutor(3) as pool:
        for work in [pool.submit(erase), pool.submit(put), pool.submit(put)]:
            work.result(170)
    followers[2].step()
    assert _compared(followers[0]) == DocumentDifferences()


def test_while_it_is_away_nothing_is_lost(
    scene: Scene, elastic: Elastic, engine: Engine, between: Middleman
) -> None:
    follower = elastic.follower(engine, elasticsearch_url=between.url)
    follower.step()
    between.faults.append(Fault("_bulk", 503, times=99))
    forget(scene.desk.engine, SIREN, reason="asked")
    for _ in range(2):
        with pytest.raises(ElasticsearchAway):
            follower.step()
    assert _lag(follower) > 0
    between.faults.clear()
    follower.step()
    assert _lag(follower) == 0
    assert found_ids(follower.indexes, "names", "zorglub") == []


def test_changes_that_are_known_no_more_lead_to_a_new_index(
    desk: Desk, records: Records, follower: Follower
) -> None:
    desk.import_(records.record(1))
    follower.step()
    before = follower.indexes.name_of(follower.indexes.served)
    desk.import_(records.record(2))
    desk.execute("TRUNCATE page_changes")
    desk.execute("UPDATE search_cursors SET position = '1.1' WHERE consumer = 'elasticsearch'")
    follower.step()
    assert follower.indexes.name_of(follower.indexes.served) != before
    assert _agrees(follower, 2)


def test_a_server_that_lost_its_indexes_gets_them_again(
    desk: Desk, records: Records, follower: Follower
) -> None:
    desk.import_(records.record(1))
    follower.step()
    follower.indexes.delete(follower.indexes.served)
    follower.step()
    assert _agrees(follower, 1)


@pytest.mark.one_role
def test_a_rebuild_goes_on_beside_changes_and_searches(
    desk: Desk, engine: Engine, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild, "STEP", 10)
    store(engine, invent(45))
    follower.step()
    indexes = follower.indexes
    old = indexes.name_of(indexes.served)
    follower.order_rebuild()
    for part in range(3):
        with held(engine) as connection:
            assert connection is not None
            assert follower._turn(connection)
        # One of those that the new index has already, and one that it has not yet.
        desk.execute(
            "UPDATE pro_localisations SET nom = 'BIDULE' WHERE id IN"
            f" (SELECT id FROM pro_localisations ORDER BY id LIMIT 1 OFFSET {part})"
        )
        desk.execute(
            "UPDATE pro_localisations SET nom = 'BIDULE' WHERE id IN"
            f" (SELECT id FROM pro_localisations ORDER BY id DESC LIMIT 1 OFFSET {part})"
        )
        assert indexes.name_of(indexes.served) == old, "searches go to the old one until the end"
    assert follower.is_rebuilt()
    follower.step()
    assert not follower.is_rebuilt()
    assert indexes.name_of(indexes.served) != old
    assert indexes.name_of(indexes.coming) is None
    assert len(found_ids(indexes, "names", "bidule")) == 6
    assert _agrees(follower, 45)
    assert indexes.server.ask("GET", f"/{old}", also={404}).status == 404


@pytest.mark.one_role
def test_a_rebuild_that_was_killed_goes_on_where_it_was(
    engine: Engine, elastic: Elastic, between: Middleman, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild, "STEP", 10)
    store(engine, invent(45))
    killed = elastic.follower(engine, elasticsearch_url=between.url)
    with held(engine) as connection:
        assert connection is not None
        for _ in range(3):
            assert killed._turn(connection)
    coming = killed.indexes.name_of(killed.indexes.coming)
    assert coming is not None
    # It ends after the swap, before anybody could note it.
    monkeypatch.setattr(killed, "_note_swap", _killed)
    with pytest.raises(KeyboardInterrupt):
        killed.step()
    other = elastic.follower(engine)
    other.step()
    assert other.indexes.name_of(other.indexes.served) == coming
    assert not other.is_rebuilt()
    assert _agrees(other, 45)


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_only_one_writes_at_a_time(
    desk: Desk, records: Records, follower: Follower, engine: Engine
) -> None:
    desk.import_(records.record(1))
    with held(engine) as connection:
        assert connection is not None
        follower.step()
        assert follower.indexes.name_of(follower.indexes.served) is None
    follower.step()
    assert _agrees(follower, 1)


def test_several_shards_have_an_index_each(engine: Engine, elastic: Elastic) -> None:
    store(engine, invent(5))
    for shard in range(2):
        elastic.follower(engine, shard).step()
        assert _agrees(elastic.follower(engine, shard), 5)
        with engine.begin() as connection:
            # The other shard has a database of its own.
            connection.execute(text("DELETE FROM search_cursors WHERE consumer LIKE 'elastic%'"))


def test_metrics_tell_lag_and_documents(scene: Scene, follower: Follower) -> None:
    def value(name: str, **labels: str) -> float | None:
        return follower.metrics.registry.get_sample_value(name, labels)

    assert value("sirenade_elasticsearch_documents_total", result="put") == 3
    forget(scene.desk.engine, SIREN, reason="asked")
    follower.step()
    assert value("sirenade_elasticsearch_documents_total", result="emptied") == 2
    assert value("sirenade_elasticsearch_documents_total", result="refused") == 0
    assert value("sirenade_elasticsearch_lag_seconds", shard="0") == 0
