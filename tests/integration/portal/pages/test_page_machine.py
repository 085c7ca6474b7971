"""R4: after any operation of the services, the cached page is the one that the rows make."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import text

from services.writer.erasure.oppositions import forget, withdraw
from tests.integration.portal.published import publish
from tests.integration.writer.desk import FETCHED_AT, Desk
from tests.integration.writer.records import Record, Records
from tests.integration.writer.stock.conftest import Stock
from tests.portals import Portal, PortalAnswer, running_portal

_SIRENS = ("000000018", "000000026")
_WHICH = st.sampled_from([(siren, number) for siren in _SIRENS for number in (1, 2)])
_FILE_DATE = dt.date(2026, 9, 1)
_TABLES = """unites_legales, etablissements, periodes_etablissements, pro_localisations,
    page_redirects, avis, avis_attempts, avis_orders, avis_simhashes, oppositions, erasures, turns,
    failed_items, page_reports"""


class _Told(NamedTuple):
    """An establishment as INSEE tells of it."""

    which: tuple[str, int]
    enseigne: str | None
    commune: str
    activite: str
    etat: str
    statut: str
    of_unite: str
    past: bool


_TOLD = st.builds(
    _Told,
    which=_WHICH,
    enseigne=st.sampled_from(["LE FOURNIL", "AU BON PAIN", None]),
    commune=st.sampled_from(["33063", "24322"]),
    activite=st.sampled_from(["10.71C", "56.10A"]),
    etat=st.sampled_from(["A", "A", "F"]),
    statut=st.sampled_from(["O", "O", "P"]),
    of_unite=st.sampled_from(["O", "O", "O", "P"]),
    past=st.booleans(),
)


class Pages(RuleBasedStateMachine):
    """Two units of two establishments, the services that change them, and two portals.

    One has a cache; the other makes every page anew.
    """

    desk: Desk
    records: Records
    stock: Stock
    cached: Portal
    fresh: Portal

    def __init__(self) -> None:
        super().__init__()
        self.desk.execute(f"TRUNCATE {_TABLES}")
        self._hours = 0
        self._asked: set[str] = set()
        self._etags: dict[str, tuple[str, bytes]] = {}

    @rule(told=_TOLD)
    def write(self, told: _Told) -> None:
        """Let the writer store a record that is newer than all before."""
        record = self._record(told)
        self.desk.import_(record, fetched_at=FETCHED_AT.replace(minute=self._hours % 60))

    @rule(told=_TOLD)
    def refresh(self, told: _Told) -> None:
        """Store what INSEE says now, whatever stands."""
        batch = self.desk.batch()
        fetch_id = self.desk.fetch(batch)
        message = self.desk.message([self._record(told)], batch=batch, fetch_id=fetch_id)
        self.desk.write(replace(message, refresh=True))

    @rule(told=st.lists(_TOLD, min_size=1, max_size=2, unique_by=lambda each: each.which[0]))
    def load(self, told: list[_Told]) -> None:
        """Load stock files: swapped in where nothing is stored, else merged."""
        paths = self.stock.write(*map(self._record, told))
        self.stock.load(*paths, force=True, file_date=_FILE_DATE)

    def _record(self, told: _Told) -> Record:
        siren, number = told.which
        self._hours += 1
        day, hour = divmod(self._hours, 24)
        record = self.records.record(
            number,
            siren=siren,
            enseigne=told.enseigne,
            commune=told.commune,
            activite=told.activite,
            etat=told.etat,
            statut=told.statut,
            treated=f"2026-01-{day + 1:02d}T{hour:02d}:00:00",
            unite={"statutDiffusionUniteLegale": told.of_unite},
        )
        if told.past:
            _add_past(record)
        return record

    @rule(words=st.sampled_from(["Un texte sur {}.", "Autre texte sur {}."]))
    def review(self, words: str) -> None:
        publish(self.desk, words)

    @rule(siren=st.sampled_from(_SIRENS))
    def object(self, siren: str) -> None:
        forget(self.desk.engine, siren, reason="test", force=True)

    @rule(siren=st.sampled_from(_SIRENS))
    def stop_objecting(self, siren: str) -> None:
        withdraw(self.desk.engine, siren)

    @rule()
    def hold(self) -> None:
        self.desk.execute(
            "UPDATE avis SET held_because = 'asked', held_at = now() WHERE text IS NOT NULL"
        )

    @rule()
    def release(self) -> None:
        self.desk.execute("UPDATE avis SET held_because = NULL, held_at = NULL")

    @invariant()
    def the_cache_shows_what_the_rows_say(self) -> None:
        slugs = {row["slug"] for row in self.desk.execute("SELECT slug FROM pro_localisations")}
        # The addresses of before are asked for as well: they must not show what was.
        self._asked |= slugs | {f"{siren}0000{n}" for siren in _SIRENS for n in (1, 2)}
        for slug in sorted(self._asked):
            path = f"/pages/{slug}"
            fresh, cached = self.fresh.get(path), self.cached.get(path)
            assert _seen(cached) == _seen(fresh), path
            self._ask_again(path, fresh)

    def _ask_again(self, path: str, fresh: PortalAnswer) -> None:
        """Ask as a client that has the page of before: 304 only where it is still the same."""
        if path in self._etags:
            etag, body = self._etags[path]
            again = self.cached.get(path, If_None_Match=etag)
            assert (again.status == 304) <= (body == fresh.body), path
        if fresh.status == 200:
            self._etags[path] = (fresh.headers["etag"], fresh.body)


def _add_past(record: Record) -> None:
    [period] = record["periodesEtablissement"]
    period["dateDebut"] = "2021-01-01"
    before = {"dateDebut": "2015-01-01", "dateFin": "2020-12-31"}
    record["periodesEtablissement"].append(
        period | before | {"enseigne1Etablissement": "CHEZ LEON"}
    )
    record["nombrePeriodesEtablissement"] = 2


def _seen(answer: PortalAnswer) -> tuple[int, str | None, str | None, bytes]:
    headers = answer.headers
    return answer.status, headers.get("location"), headers.get("etag"), answer.body


@contextmanager
def _portals(url: str) -> Iterator[tuple[Portal, Portal]]:
    # The address is a part of the page: both have the same.
    base = "https://pages.example"
    with (
        running_portal(url, portal_base_url=base) as cached,
        running_portal(url, portal_base_url=base, portal_cache_bytes=0) as fresh,
    ):
        yield cached, fresh


@pytest.mark.timeout(600)
def test_the_cache_shows_what_the_rows_say(
    desk: Desk, records: Records, database_url: str, tmp_path: Path
) -> None:
    stock = Stock(database_url, tmp_path)
    with _portals(database_url) as (cached, fresh):
        services = {"desk": desk, "records": records, "stock": stock}
        kinds = {**services, "cached": cached, "fresh": fresh}
        machine: type[Pages] = type("PagesOfThisTest", (Pages,), kinds)
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=12,
                stateful_step_count=12,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


def test_a_text_that_is_held_leaves_the_page_at_once(
    desk: Desk, records: Records, portal: Portal
) -> None:
    desk.import_(records.record(1, enseigne="LE FOURNIL"))
    publish(desk)
    path = "/pages/le-fournil-bordeaux-00000000100001"
    assert "Un texte sur" in portal.get(path).text
    with desk.engine.begin() as connection:
        connection.execute(text("UPDATE avis SET held_because = 'asked', held_at = now()"))
    assert "Un texte sur" not in portal.get(path).text
