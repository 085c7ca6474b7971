"""A certificate of contents finds altered and lost rows of every kind, and a repair mends them."""

from typing import Any

import pytest

from services.fetcher.certificates import comparison
from services.writer.erasure.oppositions import forget
from shared.imports.repairs import RepairOrder
from shared.imports.scope import Scope
from tests.integration.exported import gaps
from tests.integration.fetcher.certificates.conftest import World
from tests.integration.fetcher.certificates.repairs import repair

_TABLES = {
    "unites_legales": "siren",
    "etablissements": "siret",
    "periodes_etablissements": "siret, rang",
    "pro_localisations": "siret",
}


def _contents(world: World) -> dict[str, list[Any]]:
    """Return all rows without their stamps; a page that comes back has a new id."""
    kept = "to_jsonb(t) - '{id,fetched_at,updated_at,opened_at,closed_at}'::text[]"
    return {
        table: [row[0] for row in world.execute(f"SELECT {kept} FROM {table} t ORDER BY {key}")]
        for table, key in _TABLES.items()
    }


def _repair(world: World) -> RepairOrder:
    order = repair(world.engine, certificate_id=None, of_run=None)
    world.work_off()
    return order


def _open_pages(number: int) -> str:
    return f"""SELECT p.siret FROM pro_localisations p WHERE p.status = 'open'
      ORDER BY p.siret LIMIT {number}"""


def test_what_was_imported_agrees_in_its_contents(world: World) -> None:
    found = world.certify(content=True)
    assert (found.status, found.requests) == ("agree", 3 + 4)
    kept = world.certificate(found.id)
    assert (kept["altered"], kept["altered_sirets"], kept["altered_columns"]) == (0, [], {})
    assert kept["windows"][0]["compared"] == "contents"
    plain = world.certificate(world.certify(full=True).id)
    assert (plain["altered"], plain["altered_columns"]) == (None, None)


_CHOSEN = "(SELECT siret FROM etablissements WHERE statut_diffusion = 'O' ORDER BY siret LIMIT 30)"


@pytest.mark.parametrize(
    ("harm", "columns"),
    [
        (
            """UPDATE unites_legales SET denomination = 'FAUX' WHERE siren IN (
                 SELECT siren FROM unites_legales WHERE statut_diffusion = 'O'
                 ORDER BY siren LIMIT 30)""",
            {"unites_legales.denomination": 30},
        ),
        (
            f"UPDATE etablissements SET enseigne1 = 'FAUX' WHERE siret IN {_CHOSEN}",
            {"etablissements.enseigne1": 30},
        ),
        (
            f"""UPDATE etablissements SET date_creation = NULL, code_postal = '00000'
                WHERE siret IN {_CHOSEN}""",
            {"etablissements.code_postal": 30, "etablissements.date_creation": 30},
        ),
        (
            f"UPDATE etablissements SET date_dernier_traitement = NULL WHERE siret IN {_CHOSEN}",
            {"etablissements.date_dernier_traitement": 30},
        ),
        (
            """DELETE FROM periodes_etablissements WHERE (siret, rang) IN (
                 SELECT siret, rang FROM periodes_etablissements ORDER BY siret, rang LIMIT 80)""",
            {"periodes_etablissements (missing)": 80},
        ),
        (
            f"""INSERT INTO periodes_etablissements (siret, siren, rang)
                SELECT siret, left(siret, 9), 90 FROM {_CHOSEN} AS chosen""",
            {"periodes_etablissements (surplus)": 30},
        ),
        (
            f"""UPDATE periodes_etablissements SET activite_principale = '99.99Z'
                WHERE rang = 0 AND siret IN {_CHOSEN}""",
            {"periodes_etablissements.activite_principale": 30},
        ),
        (
            f"""WITH lost AS ({_open_pages(34)}),
                  texts AS (DELETE FROM avis WHERE siret IN (SELECT siret FROM lost))
                DELETE FROM pro_localisations WHERE siret IN (SELECT siret FROM lost)""",
            {"pro_localisations (missing)": 34},
        ),
        (
            f"""UPDATE pro_localisations SET nom = 'FAUX', slug = siret || '-faux'
                WHERE siret IN ({_open_pages(3)})""",
            {"pro_localisations.nom": 3, "pro_localisations.slug": 3},
        ),
        (
            f"""UPDATE pro_localisations SET status = 'closed', closed_at = now()
                WHERE siret IN ({_open_pages(3)})""",
            {"pro_localisations.status": 3},
        ),
        (
            """INSERT INTO pro_localisations (siret, siren, activite_principale, code_commune,
                 slug, status)
               SELECT siret, siren, '10.71C', '33063', siret, 'open' FROM etablissements
               WHERE etat_administratif = 'F' ORDER BY siret LIMIT 2""",
            {"pro_localisations (surplus)": 2},
        ),
    ],
)
def test_each_altered_or_lost_row_is_found_and_comes_back(
    world: World, harm: str, columns: dict[str, int]
) -> None:
    before = _contents(world)
    world.execute(harm)
    assert world.certify(full=True).status == "agree", "numbers alone say nothing of it"
    world.import_()
    assert _contents(world) != before, "an import does not look at them"

    found = world.certify(content=True)

    assert (found.status, found.altered_columns) == ("differ", columns)
    kept = world.certificate(found.id)
    assert (kept["altered_columns"], kept["missing"], kept["surplus"]) == (columns, 0, 0)
    assert found.altered is not None
    assert kept["altered"] == found.altered.count == len(kept["altered_sirets"])
    assert "FAUX" not in str(kept)
    assert gaps(world.engine) == (0, 0, kept["altered"])
    order = _repair(world)
    assert order.sirets == kept["altered"]
    after = _contents(world)
    closed = [each for each in after["pro_localisations"] if each["status"] == "closed"]
    after["pro_localisations"] = [e for e in after["pro_localisations"] if e not in closed]
    assert after == before
    assert len(closed) == columns.get("pro_localisations (surplus)", 0)
    assert world.certify(content=True).status == "agree"
    assert gaps(world.engine) == (0, 0, 0)
    assert repair(world.engine, certificate_id=None, of_run=None).run_id is None


def test_a_lost_unit_is_found_once_and_comes_back(world: World) -> None:
    before = _contents(world)
    world.execute(
        """DELETE FROM unites_legales WHERE siren IN (
             SELECT siren FROM unites_legales ORDER BY siren LIMIT 2)"""
    )
    assert world.certify(content=True).altered_columns == {"unites_legales (missing)": 2}
    _repair(world)
    assert _contents(world) == before


def test_a_later_certificate_of_numbers_clears_no_altered_contents(world: World) -> None:
    world.execute("UPDATE unites_legales SET sigle = 'FAUX' WHERE statut_diffusion = 'O'")
    assert world.certify(content=True).status == "differ"
    altered = gaps(world.engine)[2]
    assert altered
    world.certify(full=True)
    assert gaps(world.engine) == (0, 0, altered)


def test_a_page_without_a_row_and_that_of_a_gone_one_are_closed(world: World) -> None:
    """INSEE lists neither siret: no record brings their pages up to date."""
    world.invent("77777777777777")
    world.execute(
        """INSERT INTO absences (siret, siren, answer, first_seen_on, asked_at, page_closed_at)
           VALUES ('77777777777777', '777777777', 'unknown', current_date, now(), now())"""
    )
    for siret in ("00000000000001", "77777777777777", "99999999999999"):
        world.execute(
            """INSERT INTO pro_localisations (siret, siren, activite_principale, code_commune,
                 slug, status)
               VALUES (:siret, left(:siret, 9), '10.71C', '33063', :siret, 'open')""",
            siret=siret,
        )
    # It lies in another département.
    world.execute(
        """UPDATE pro_localisations SET code_commune = '24037' WHERE siret = '99999999999999'"""
    )
    found = world.certify(content=True)
    assert found.altered is not None
    assert found.altered.kept == ["00000000000001", "77777777777777"]
    assert found.altered_columns == {"pro_localisations (surplus)": 2}
    _repair(world)
    left = "SELECT siret FROM pro_localisations WHERE slug = siret AND status = 'open'"
    assert world.execute(left) == [("99999999999999",)]
    again = world.certify(content=True)
    assert (again.status, again.gone) == ("agree", ["77777777777777"])


def test_a_row_that_was_moved_out_of_the_scope_here_comes_back(world: World) -> None:
    siret = world.sirets()[17]
    before = _contents(world)
    world.execute("UPDATE etablissements SET departement = '24' WHERE siret = :s", s=siret)
    found = world.certify(content=True)
    assert (found.missing.kept, found.altered_columns) == (
        [siret],
        {"etablissements.departement": 1},
    )
    assert _repair(world).sirets == 1
    assert _contents(world) == before


def test_a_lost_row_with_its_page_is_missing_and_nothing_else(world: World) -> None:
    (siret,) = world.execute(_open_pages(1))[0]
    before = _contents(world)
    world.delete(siret)
    found = world.certify(content=True)
    assert (found.missing.kept, found.altered_columns) == ([siret], {})
    _repair(world)
    assert _contents(world) == before


def test_an_import_under_way_is_no_difference(world: World) -> None:
    """The walk has passed the rows when their import is written."""
    before = _contents(world)
    world.execute("UPDATE etablissements SET enseigne1 = 'OLD', content_hash = '\\x01'")
    world.on_page = lambda listed, _: world.import_() if listed == 650 else None
    found = world.certify(content=True)
    assert (found.status, found.altered_columns) == ("agree", {})
    assert _contents(world) == before


def test_people_who_are_hidden_here_are_no_difference(world: World) -> None:
    masked = world.execute("SELECT count(*) FROM etablissements WHERE statut_diffusion = 'P'")
    assert masked[0][0] > 0
    forgotten, treated, buried = (
        row[0]
        for row in world.execute(
            """SELECT DISTINCT siren FROM etablissements e JOIN unites_legales u USING (siren)
               WHERE e.statut_diffusion = 'O' AND u.statut_diffusion = 'O' AND e.siege
               ORDER BY siren LIMIT 3"""
        )
    )
    forget(world.engine, forgotten, reason="asked")
    # INSEE hid it in between, and a later GET showed it again under an older date.
    shown = world.insee._ask(f"/api-sirene/3.11/siren/{buried}")["uniteLegale"]
    assert shown
    world.insee.treat(buried, "2026-08-05T00:05:52", statutDiffusionUniteLegale="P")
    world.import_()
    world.insee.treat(buried, "2020-01-01T00:00:00", statutDiffusionUniteLegale="O")
    found = world.certify(content=True)
    assert (found.status, found.altered_columns) == ("agree", {})
    # A name that stands where it must not is one.
    world.execute("UPDATE unites_legales SET nom = 'FAUX' WHERE siren = :s", s=forgotten)
    found = world.certify(content=True)
    assert found.altered_columns == {"unites_legales.nom": 1}
    _repair(world)
    assert world.certify(content=True).status == "agree"
    # INSEE hides one now, under an old date: it must not be shown here any longer.
    world.insee.treat(treated, "2020-01-01T00:00:00", statutDiffusionUniteLegale="P")
    found = world.certify(content=True)
    assert found.altered_columns["unites_legales.statut_diffusion"] == 1


def test_what_a_stock_file_does_not_have_is_no_difference(world: World) -> None:
    """Its rows have an empty digest, no periods, and lack the columns that a file may lack."""
    before = _contents(world)
    for table in ("unites_legales", "etablissements"):
        world.execute(
            f"UPDATE {table} SET content_hash = '', activite_principale_naf25 = NULL,"
            " caractere_employeur = NULL"
        )
    world.execute("DELETE FROM periodes_etablissements")
    assert world.certify(content=True).status == "agree"
    world.execute("UPDATE etablissements SET code_commune = NULL WHERE siege")
    columns = world.certify(content=True).altered_columns
    assert columns.keys() == {"etablissements.code_commune"}
    world.import_()
    assert _contents(world) == before, "the first record of the API brings all"
    assert world.certify(content=True).status == "agree"


def test_a_stored_version_that_is_newer_is_no_difference(world: World) -> None:
    siret = world.sirets()[3]
    world.insee.treat(siret, "2026-08-05T00:00:00", trancheEffectifsEtablissement="11")
    world.import_()
    world.insee.treat(siret, "2026-08-01T00:00:00", trancheEffectifsEtablissement="12")
    assert world.certify(content=True).status == "agree"
    world.insee.treat(siret, "2026-08-05T00:00:01", trancheEffectifsEtablissement="21")
    found = world.certify(content=True)
    assert found.altered_columns["etablissements.tranche_effectifs"] == 1


def test_more_than_are_kept_are_counted_by_column_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "MOST_SIRETS_KEPT", 3)
    world.execute("UPDATE etablissements SET region = '99'")
    found = world.certify(content=True)
    assert found.altered_columns == {"etablissements.region": 650}
    kept = world.certificate(found.id)
    assert (kept["altered"], len(kept["altered_sirets"])) == (650, 3)
    order = repair(world.engine, certificate_id=None, of_run=None)
    assert (order.sirets, order.left) == (3, 647)


def test_a_unit_in_two_windows_counts_once_by_column(world: World) -> None:
    world.execute(
        """UPDATE unites_legales SET denomination = 'FAUX' WHERE siren = (
             SELECT siren FROM etablissements ORDER BY siret LIMIT 1)"""
    )
    (commune,) = world.execute("SELECT code_commune FROM etablissements ORDER BY siret LIMIT 1")[0]
    found = world.certify(Scope(departements=["33"], communes=[commune]), content=True)
    assert [each.altered and each.altered.sirets.count for each in found.findings] == [1, 1]
    assert found.altered_columns == {"unites_legales.denomination": 1}
