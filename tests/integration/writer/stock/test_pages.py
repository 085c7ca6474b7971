"""The pages of many establishments at once are those that each of them would get alone."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from services.writer.erasure.tombstones import hold_unites
from services.writer.pages.pages import renew_many, renew_pages
from services.writer.slices.statements import CREATE_NEW
from services.writer.stock import pages
from services.writer.stock.renewers.group import BEGIN
from services.writer.stock.view import View
from shared.sirene.identifiers import siren_of
from tests.integration.writer.desk import Desk
from tests.integration.writer.stock.conftest import ESTABLISHMENTS, Stock

Renew = Callable[[Connection, Sequence[str]], None]

_KEPT = {
    "pages": """
        SELECT siret, siren, activite_principale, code_commune, slug, nom, nom_source,
          libelle_activite, libelle_commune, status, closed_at IS NULL AS never_closed
        FROM pro_localisations""",
    "avis": """
        SELECT p.siret AS of_page, a.siret, a.siren, a.kind, a.outcome, a.facts_hash,
          a.accepted_facts_hash, a.text, a.claim_token, a.attempts
        FROM avis a LEFT JOIN pro_localisations p ON p.id = a.pro_localisation_id""",
    "redirects": "SELECT slug, siret, siren, to_siret FROM page_redirects",
    "units": "SELECT t::text FROM unites_legales t",
    "establishments": "SELECT t::text FROM etablissements t",
    "reviews": "SELECT siret, siren FROM sources",
    "tombstones": "SELECT siren, siret, date_dernier_traitement, fetched_at FROM erasures",
    "failed": "SELECT t::text FROM failed_items t",
}


def _one_by_one(connection: Connection, sirets: Sequence[str]) -> None:
    hold_unites(connection, sorted({siren_of(siret) for siret in sirets}))
    connection.execute(CREATE_NEW)
    renew_pages(connection, sirets=sirets, sirens=[], sole_traders=False)


def _all_at_once(connection: Connection, sirets: Sequence[str]) -> None:
    connection.execute(BEGIN)
    renew_many(connection, sirets, sole_traders=False)


def _found(engine: Engine, renew: Renew, sirets: Sequence[str]) -> dict[str, list[Any]]:
    """Return what the tables hold after the renewal, which is then taken back."""
    with engine.connect() as connection:
        renew(connection, sirets)
        return {
            name: sorted(map(repr, connection.execute(text(statement))))
            for name, statement in _KEPT.items()
        }


def _someone_for_each_case(desk: Desk) -> None:
    """Oppose, withhold, close, move and review some establishments of the register."""
    desk.execute("""
        INSERT INTO oppositions (siren, reason)
        SELECT siren, 'demande' FROM unites_legales WHERE right(siren, 2) < '07'
    """)
    desk.execute("""
        INSERT INTO absences (siret, siren, answer, asked_at, page_closed_at)
        SELECT siret, siren, 'unknown',
          CASE WHEN siret < '5' THEN now() ELSE timestamptz '2000-01-01' END, now()
        FROM etablissements WHERE substr(siret, 8, 2) BETWEEN '10' AND '19'
    """)
    desk.execute("""
        INSERT INTO sources (digest, siret, siren, url, licence, author_label, published_on,
          verification, verbatim)
        SELECT sha256(siret::bytea), siret, siren, 'https://example.org', 'ODbL', 'A.',
          current_date, 'none', 'Bien.'
        FROM etablissements WHERE substr(siret, 8, 2) BETWEEN '20' AND '40'
    """)
    desk.execute("""
        UPDATE unites_legales SET nom = '[ND]', prenom1 = NULL, prenom_usuel = NULL,
          nom_usage = NULL, denomination = NULL, sigle = NULL
        WHERE substr(siren, 8, 2) BETWEEN '41' AND '50'
    """)
    desk.execute("""
        INSERT INTO failed_items (kind, key, siren, code, message, payload)
        SELECT 'write', siret, siren, 'bad_date', 'a bad date', 'DUPONT'
        FROM etablissements WHERE substr(siret, 8, 2) BETWEEN '31' AND '60'
    """)
    desk.execute("DELETE FROM unites_legales WHERE substr(siren, 8, 2) BETWEEN '51' AND '54'")


def _compare(engine: Engine, sirets: Sequence[str]) -> dict[str, list[Any]]:
    alone, together = (_found(engine, renew, sirets) for renew in (_one_by_one, _all_at_once))
    for name, rows in alone.items():
        assert together[name] == rows, name
    return together


@pytest.mark.one_role
def test_many_at_once_get_the_rows_that_each_gets_alone(
    engine: Engine, desk: Desk, stock: Stock, stock_files: dict[str, list[str]]
) -> None:
    stock.load(*stock_files["csv"], pages=False)
    _someone_for_each_case(desk)
    sirets = desk.sirets()
    found = _compare(engine, sirets)
    outcomes = {"pending", "skipped_sole_trader", "skipped_opposition", "skipped_non_diffusible"}
    assert all(any(outcome in row for row in found["avis"]) for outcome in outcomes)
    assert any("synthese" in row for row in found["avis"])


@pytest.mark.one_role
def test_many_at_once_change_the_pages_that_stand_as_each_would_alone(
    engine: Engine, desk: Desk, stock: Stock, stock_files: dict[str, list[str]]
) -> None:
    stock.load(*stock_files["csv"])
    _someone_for_each_case(desk)
    for change in (
        "enseigne1 = 'AU FOURNIL', enseigne2 = NULL WHERE right(siret, 1) = '1'",
        "etat_administratif = 'F' WHERE substr(siret, 9, 1) IN ('2', '3')",
        "etat_administratif = 'A' WHERE substr(siret, 9, 1) IN ('4', '5')",
        "code_commune = '33063', libelle_commune = 'BORDEAUX' WHERE substr(siret, 8, 1) = '6'",
        "statut_diffusion = 'P' WHERE substr(siret, 8, 1) = '8'",
    ):
        desk.execute(f"UPDATE etablissements SET {change}")
    desk.execute("UPDATE unites_legales SET statut_diffusion = 'P' WHERE substr(siren, 8, 1) = '9'")
    desk.execute("DELETE FROM pro_localisations WHERE substr(siret, 7, 1) IN ('1', '2')")
    desk.execute("""
        DELETE FROM avis a WHERE NOT EXISTS (
          SELECT FROM pro_localisations p WHERE p.id = a.pro_localisation_id)
    """)
    _compare(engine, desk.sirets())


def test_progress_counts_what_is_committed(
    desk: Desk,
    stock: Stock,
    stock_files: dict[str, list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[tuple[int, int]] = []

    def note(view: View, rows: int, _share: float | None) -> None:
        if view._phase == "pages and due avis":
            (done,) = desk.execute("""
                SELECT count(*) AS n FROM etablissements e
                WHERE siret <= (SELECT min(pages_siret) FROM stock_loads)
            """)
            told.append((rows, done["n"]))

    monkeypatch.setattr(View, "advance", note)
    monkeypatch.setattr(pages, "_PAGE_ROWS", 20)
    stock.load(*stock_files["csv"])
    assert len(told) > ESTABLISHMENTS // 20
    assert all(rows == done for rows, done in told)
    assert told[-1] == (ESTABLISHMENTS, ESTABLISHMENTS)
