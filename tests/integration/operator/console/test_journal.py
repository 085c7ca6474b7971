"""The journal: who did what, in numbers."""

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from services.operator.console import journal
from tests.integration.operator.console.conftest import LogIn


def test_the_journal_says_who_did_what(log_in: LogIn) -> None:
    visitor = log_in("reader")
    words = visitor.get("/journal").words
    assert "reader login" in words


def test_pages_go_by_keys(log_in: LogIn, engine: Engine) -> None:
    visitor = log_in("reader")
    with engine.begin() as connection:
        for number in range(150):
            journal.note(connection, "claire", "avis.hold", f"avis {number}")
    first = visitor.get("/journal")
    assert "avis 149" in first.words
    assert "avis 49 " not in first.words
    _, _, rest = first.text.partition('rel="next" href="')
    assert "avis 49 " in visitor.get(rest.partition('"')[0]).words


@pytest.mark.parametrize("subject", ["Dupont", "rené", "<b>", "x" * 201, "é"])
def test_a_name_is_no_subject(engine: Engine, subject: str) -> None:
    with engine.begin() as connection:
        with pytest.raises(ValueError, match="numbers"):
            journal.note(connection, "claire", "avis.hold", subject)
        with pytest.raises(IntegrityError):
            connection.execute(
                text("INSERT INTO console_actions (login, action, subject) VALUES ('x', 'y', :s)"),
                {"s": subject},
            )


def test_lines_go_after_a_year_and_sessions_after_their_end(log_in: LogIn, engine: Engine) -> None:
    log_in("reader")
    with engine.begin() as connection:
        connection.execute(text("UPDATE console_actions SET done_at = now() - interval '366 days'"))
        connection.execute(text("UPDATE console_sessions SET expires_at = now() - interval '1s'"))
        journal.note(connection, "claire", "avis.hold", "avis 1")
        assert journal.purge_journal(connection) == 2
        assert [
            line.subject for line in journal.read_journal(connection, before=None, limit=9)
        ] == ["avis 1"]
