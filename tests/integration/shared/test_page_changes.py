"""The log of page changes skips nothing, whatever commits in whatever order."""

from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from sqlalchemy import Connection, Engine, text

from shared.page_changes import (
    KEPT_DAYS,
    START,
    ChangeKind,
    Cursor,
    CursorLost,
    forget_old,
    held_seconds,
    latest,
    read,
)
from shared.page_changes.log import READ

_WRITERS = 3
_PAGES_EACH = 3
_OPEN = text("""
    INSERT INTO pro_localisations (siret, siren, activite_principale, code_commune, slug, status)
    VALUES (:siret, left(:siret, 9), '10.71C', '33063', :siret, 'open')
""")
_CHANGE = text("""
    UPDATE pro_localisations SET libelle_commune = coalesce(libelle_commune, '') || 'x'
    WHERE siret = :siret
""")
_ROWS = text("SELECT xid, pro_localisation_id FROM page_changes ORDER BY 1, 2")


def _siret(number: int) -> str:
    return f"{number:014d}"


def open_pages(engine: Engine, number: int) -> None:
    with engine.begin() as connection:
        for each in range(number):
            connection.execute(_OPEN, {"siret": _siret(each)})


def change(connection: Connection, number: int) -> None:
    connection.execute(_CHANGE, {"siret": _siret(number)})


def rows(engine: Engine) -> list[Cursor]:
    with engine.connect() as connection:
        return [Cursor(*row) for row in connection.execute(_ROWS)]


def up_to(cursor: Cursor, there: list[Cursor]) -> list[Cursor]:
    return [row for row in there if row <= cursor]


@dataclass
class Follower:
    """It has read the log from `start` to `cursor`, and knew these rows when it began."""

    start: Cursor
    known: list[Cursor]
    cursor: Cursor = START
    seen: list[Cursor] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cursor = self.start

    def follow(self, connection: Connection, limit: int) -> int:
        found = read(connection, self.cursor, limit)
        assert len(found.rows) <= limit
        self.seen += [row.cursor for row in found.rows]
        self.cursor = found.next
        return len(found.rows)


class Log(RuleBasedStateMachine):
    """Some writers whose transactions stay open, and readers who follow from any point."""

    engine: Engine

    def __init__(self) -> None:
        super().__init__()
        with self.engine.begin() as connection:
            connection.execute(text("TRUNCATE page_changes, pro_localisations"))
        self.writers: dict[int, Connection] = {}
        self.reader = self.engine.connect()
        self.followers = [Follower(START, [])]

    @rule(writer=st.integers(0, _WRITERS - 1), page=st.integers(0, _PAGES_EACH - 1))
    def write(self, writer: int, page: int) -> None:
        if writer not in self.writers:
            self.writers[writer] = self.engine.connect()
        siret = _siret(writer * _PAGES_EACH + page)
        if not self.writers[writer].execute(_CHANGE, {"siret": siret}).rowcount:
            self.writers[writer].execute(_OPEN, {"siret": siret})

    @rule(writer=st.integers(0, _WRITERS - 1), kept=st.sampled_from([True, True, False]))
    def end(self, writer: int, *, kept: bool) -> None:
        if (connection := self.writers.pop(writer, None)) is not None:
            (connection.commit if kept else connection.rollback)()
            connection.close()

    @rule(number=st.integers(0, 9), limit=st.integers(1, 4))
    def follow(self, number: int, limit: int) -> None:
        self.followers[number % len(self.followers)].follow(self.reader, limit)
        self.reader.commit()

    @rule()
    def join_at_the_end(self) -> None:
        """Begin behind all that is there: whoever reads the pages now sees all of it."""
        cursor = latest(self.reader)
        self.reader.commit()
        self.followers.append(Follower(cursor, up_to(cursor, rows(self.engine))))

    @rule(number=st.integers(0, 9), place=st.integers(0, 99))
    def join_anywhere(self, number: int, place: int) -> None:
        """Begin where another one has been."""
        if seen := self.followers[number % len(self.followers)].seen:
            cursor = seen[place % len(seen)]
            self.followers.append(Follower(cursor, up_to(cursor, rows(self.engine))))

    def teardown(self) -> None:
        for writer in list(self.writers):
            self.end(writer, kept=True)
        with self.reader:
            for follower in self.followers:
                while follower.follow(self.reader, 3):
                    pass
        there = rows(self.engine)
        for follower in self.followers:
            assert follower.known == up_to(follower.start, there)
            assert follower.known + follower.seen == there


def test_whoever_follows_from_any_point_has_what_the_table_has(engine: Engine) -> None:
    run_state_machine_as_test(
        type("OfEngine", (Log,), {"engine": engine}),
        settings=settings(
            max_examples=60,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        ),
    )


def test_an_open_transaction_holds_the_log_up_and_loses_nothing(engine: Engine) -> None:
    open_pages(engine, 2)
    with engine.connect() as reader, engine.connect() as slow, engine.connect() as quick:
        start = latest(reader)
        reader.commit()
        change(slow, 0)
        change(quick, 1)
        quick.commit()
        assert read(reader, start, 10).rows == []
        assert held_seconds(reader) > 0
        reader.commit()
        slow.commit()
        found = read(reader, start, 10)
        assert held_seconds(reader) == 0
    assert [(row.siret, row.siren, row.kind) for row in found.rows] == [
        (_siret(0), "000000000", ChangeKind.CHANGED),
        (_siret(1), "000000000", ChangeKind.CHANGED),
    ]
    assert found.next == found.rows[-1].cursor == rows(engine)[-1]


def test_a_transaction_has_one_row_for_a_page(engine: Engine) -> None:
    open_pages(engine, 2)
    with engine.begin() as connection:
        for siret in (0, 1, 0, 1, 1):
            change(connection, siret)
        connection.execute(text("UPDATE pro_localisations SET status = 'closed'"))
        connection.execute(text("UPDATE pro_localisations SET libelle_activite = 'x'"))
    with engine.connect() as reader:
        found = read(reader, None, 10).rows
    assert [row.kind for row in found] == ["opened", "opened", "closed", "closed"]
    assert found[2].cursor.xid == found[3].cursor.xid > found[1].cursor.xid


def test_a_server_that_crashed_in_a_transaction_has_no_row_of_it(engine: Engine) -> None:
    open_pages(engine, 1)
    before = rows(engine)
    with engine.connect() as victim, engine.begin() as other:
        change(victim, 0)
        pid = victim.scalar(text("SELECT pg_backend_pid()"))
        other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
        victim.invalidate()
    assert rows(engine) == before
    with engine.connect() as reader:
        assert len(read(reader, None, 10).rows) == 1


def test_a_cursor_whose_row_is_gone_is_lost_and_not_taken_for_another_place(
    engine: Engine,
) -> None:
    open_pages(engine, 3)
    [first, second, third] = rows(engine)
    with engine.begin() as connection:
        connection.execute(
            text("DELETE FROM page_changes WHERE pro_localisation_id = :id"),
            {"id": second.pro_localisation_id},
        )
    with engine.connect() as reader:
        for cursor in (second, Cursor(1, 1), Cursor(third.xid + 2**40, 1)):
            with pytest.raises(CursorLost, match=str(cursor)):
                read(reader, cursor, 1)
        assert read(reader, first, 1).next == third
        assert read(reader, third, 1).next == third


def test_rows_are_forgotten_after_their_days_but_for_the_last_one(engine: Engine) -> None:
    open_pages(engine, 3)
    with engine.begin() as connection:
        assert forget_old(connection) == 0
        connection.execute(
            text("UPDATE page_changes SET changed_at = now() - make_interval(days => :days)"),
            {"days": KEPT_DAYS + 1},
        )
        assert forget_old(connection) == 2
    [last] = rows(engine)
    with engine.connect() as reader:
        assert latest(reader) == last
        assert read(reader, last, 10).rows == []
        with pytest.raises(CursorLost):
            read(reader, Cursor(last.xid, last.pro_localisation_id - 1), 10)
        assert [row.cursor for row in read(reader, START, 10).rows] == [last]


def test_a_reader_does_not_sort_the_log(engine: Engine) -> None:
    open_pages(engine, 1)
    with engine.begin() as connection:
        connection.execute(
            text("""
            INSERT INTO page_changes (xid, pro_localisation_id, siret, kind)
            SELECT n, n, '00000000000000', 'changed' FROM generate_series(1, 20000) n
            """)
        )
        connection.execute(text("ANALYZE page_changes"))
        explained = connection.execute(
            text(f"EXPLAIN {READ.text}"), {"xid": 10_000, "pro_localisation_id": 1, "rows": 100}
        )
        plan = "\n".join(explained.scalars())
    assert "Index" in plan
    assert "Sort" not in plan
