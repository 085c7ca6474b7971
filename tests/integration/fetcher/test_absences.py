"""A number with a page that INSEE no longer lists is asked for, and its page closes."""

from collections.abc import Callable
from typing import Any

import pytest

from services.fetcher.lookups import AbsenceWatch
from shared.imports.absences import ask_for, record_presence
from shared.imports.scope import Scope
from tests.integration.fetcher.conftest import Fetcher, Insee
from tests.integration.fetcher.register_copy import Copy

_UNKNOWN = "99999999999999"


@pytest.fixture
def copy(start_insee: Callable[..., Insee], make_fetcher: Callable[..., Fetcher]) -> Copy:
    """Return the first hundred establishments of a register with duplicates."""
    insee = start_insee(establishments=20_000)
    copy = Copy(insee, make_fetcher(insee))
    copy.fetcher.order(Scope(), row_limit=100)
    copy.work_off()
    return copy


def watch(copy: Copy, *, per_day: int = 10) -> AbsenceWatch:
    return AbsenceWatch(copy.fetcher.engine, copy.fetcher.walker.sender, per_day)


def rename(copy: Copy, siret: str) -> None:
    """Give the first open page and its establishment another number."""
    old = copy.one("SELECT min(siret) FROM pro_localisations WHERE status = 'open'")
    for table in ("etablissements", "pro_localisations", "avis"):
        copy.rows(
            f"UPDATE {table} SET siret = :siret, siren = left(:siret, 9) WHERE siret = :old",
            siret=siret,
            old=old,
        )


def status(copy: Copy, siret: str) -> Any:
    return copy.one("SELECT status FROM pro_localisations WHERE siret = :siret", siret=siret)


def a_day_passes(copy: Copy) -> None:
    copy.rows("""
        UPDATE absences SET first_seen_on = first_seen_on - 1, asked_at = asked_at - interval '25 h'
    """)


def test_a_duplicate_s_page_leads_to_the_establishment_that_insee_names(copy: Copy) -> None:
    duplicate, target = next(iter(copy.insee._ask("/__specials")["doublons"].items()))
    siret = f"{duplicate}00011"
    rename(copy, siret)
    with copy.fetcher.engine.begin() as connection:
        ask_for(connection, sirens=[duplicate])
    watch(copy).turn()
    assert status(copy, siret) == "closed"
    assert copy.one("SELECT left(to_siret, 9) FROM page_redirects") == target
    assert copy.one("SELECT siren_or_siret FROM redirections") == siret


def test_numbers_that_a_certificate_lists_as_missing_at_insee_are_asked_for_on_two_days(
    copy: Copy,
) -> None:
    rename(copy, _UNKNOWN)
    assert copy.surplus(Scope(siret_from="99999999900000")) == [_UNKNOWN]
    before = copy.insee.quota()["requests"]
    for _ in range(3):
        watch(copy).turn()
    assert copy.insee.quota()["requests"] == before + 1, "once a day"
    assert status(copy, _UNKNOWN) == "open"
    a_day_passes(copy)
    watch(copy, per_day=0).turn()
    assert status(copy, _UNKNOWN) == "open"
    watch(copy).turn()
    assert status(copy, _UNKNOWN) == "closed"


def close_for_absence(copy: Copy) -> str:
    siret: str = copy.one("SELECT min(siret) FROM pro_localisations WHERE status = 'open'")
    copy.rows(
        """
        INSERT INTO absences VALUES (:siret, left(:siret, 9), 'unknown', NULL, '2026-01-01',
          now() - interval '31 days', now())
        """,
        siret=siret,
    )
    copy.rows("UPDATE pro_localisations SET status = 'closed' WHERE siret = :siret", siret=siret)
    return siret


def test_a_number_that_insee_lists_again_is_fetched_and_has_its_page_again(copy: Copy) -> None:
    siret = close_for_absence(copy)
    watch(copy).turn()
    copy.work_off()
    assert status(copy, siret) == "open"
    assert copy.rows("SELECT FROM absences") == []


def test_a_kill_before_a_number_is_fetched_again_loses_nothing(copy: Copy) -> None:
    siret = close_for_absence(copy)
    with copy.fetcher.engine.begin() as connection:
        assert record_presence(connection, siret)
    # The process ends here, and another one looks for what is due.
    watch(copy).turn()
    copy.work_off()
    assert status(copy, siret) == "open"
    assert copy.rows("SELECT FROM absences") == []


def test_an_insee_that_gives_no_answer_is_asked_again_on_the_next_day(copy: Copy) -> None:
    rename(copy, _UNKNOWN)
    with copy.fetcher.engine.begin() as connection:
        ask_for(connection, sirets=[_UNKNOWN])
    copy.insee.set_faults(next_errors=10)
    watch(copy).turn()
    assert status(copy, _UNKNOWN) == "open"
    assert copy.one("SELECT answer IS NULL AND asked_at IS NOT NULL FROM absences")
