"""A delta brings all rows that INSEE treated since, and no others."""

from datetime import datetime

import pytest

from shared.imports.watermarks import set_watermark
from tests.integration.fetcher.conftest import MakeFetcher, StartInsee
from tests.integration.fetcher.register_copy import FIRST_DAY, NEXT_DAY, Copy, both, end_of


def test_a_delta_brings_exactly_what_was_treated_since(full: Copy) -> None:
    changed = full.some_sirets(3)
    for siret in changed:
        full.insee.treat(siret, "2026-08-05T21:00:00.000", numeroVoieEtablissement="1234")
    before = hashes(full)
    full.insee.publish(day=NEXT_DAY)

    run_id = full.delta()

    assert full.run(run_id)["status"] == "complete"
    counted = full.counted(run_id)
    assert (counted["inserted"], counted["updated"]) == (0, 3)
    assert counted["unchanged"] > 0, "the overlap"
    for batch in full.batches(run_id):
        # A row that INSEE treats again meanwhile leaves the window, and is no surplus.
        assert (batch["missing_sirets"], batch["surplus_sirets"]) == ([], None)
    after = hashes(full)
    assert {siret for siret in after if after[siret] != before[siret]} == set(changed)
    assert full.watermarks() == both(end_of(NEXT_DAY))


def hashes(copy: Copy) -> dict[str, bytes]:
    rows = copy.rows(
        "SELECT siret, content_hash || fetched_at::text::bytea AS it FROM etablissements"
    )
    return {row["siret"]: bytes(row["it"]) for row in rows}


def test_a_row_that_insee_wrote_late_is_found_by_the_overlap(full: Copy) -> None:
    [siret] = full.some_sirets(1)
    # The row is dated before the watermark, and comes only with the next publication.
    full.insee.treat(siret, "2026-08-04T23:00:00.000", numeroVoieEtablissement="77")
    full.insee.publish(day=NEXT_DAY)
    full.delta()
    assert full.one("SELECT numero_voie FROM etablissements WHERE siret = :s", s=siret) == "77"


def test_a_units_rename_reaches_the_pages_of_all_its_establishments(full: Copy) -> None:
    siren = full.one("""
        SELECT siren FROM pro_localisations JOIN unites_legales u USING (siren)
          JOIN etablissements e USING (siret, siren)
        WHERE status = 'open' AND u.statut_diffusion = 'O' AND u.categorie_juridique <> '1000'
        GROUP BY siren
        -- None of them has a sign of its own, which its page would show instead.
        HAVING count(*) > 1 AND count(coalesce(e.enseigne1, e.denomination_usuelle)) = 0
        ORDER BY siren LIMIT 1""")
    full.insee.treat(
        siren,
        "2026-08-05T21:00:00.000",
        denominationUniteLegale="LA MAISON RENOMMEE",
        denominationUsuelle1UniteLegale=None,
    )
    full.insee.publish(day=NEXT_DAY)

    run_id = full.delta(overlap_hours=0)

    [batch] = full.batches(run_id)
    held = full.one("SELECT count(*) FROM etablissements WHERE siren = :siren", siren=siren)
    assert (batch["collection"], batch["received"]) == ("unites_legales", held)
    pages = full.rows(
        "SELECT nom FROM pro_localisations WHERE siren = :siren AND status = 'open'", siren=siren
    )
    assert len(pages) > 1
    assert {page["nom"] for page in pages} == {"LA MAISON RENOMMEE"}


def test_a_unit_without_a_head_office_in_the_register_is_renamed(full: Copy) -> None:
    siret = full.one("""
        SELECT min(siret) FROM etablissements
          JOIN unites_legales u USING (siren) JOIN pro_localisations p USING (siret, siren)
        WHERE p.status = 'open' AND u.statut_diffusion = 'O' AND u.categorie_juridique <> '1000'
        GROUP BY siren HAVING count(*) = 1 AND count(coalesce(enseigne1, denomination_usuelle)) = 0
        ORDER BY siren LIMIT 1""")
    siren = siret[:9]
    full.insee.treat(siret, "2024-01-05T10:00:00.000", etablissementSiege=False)
    full.insee.treat(
        siren,
        "2026-08-05T21:00:00.000",
        denominationUniteLegale="NOUVEAU NOM",
        denominationUsuelle1UniteLegale=None,
    )
    full.insee.publish(day=NEXT_DAY)
    full.delta()
    stored = "SELECT denomination FROM unites_legales WHERE siren = :siren"
    assert full.one(stored, siren=siren) == "NOUVEAU NOM"
    page = "SELECT nom FROM pro_localisations WHERE siret = :siret AND status = 'open'"
    assert full.one(page, siret=siret) == "NOUVEAU NOM"


def test_a_record_that_both_windows_hold_is_fetched_once(full: Copy) -> None:
    [siret] = full.some_sirets(1)
    for number in (siret, siret[:9]):
        full.insee.treat(number, "2026-08-05T21:00:00.000")
    full.insee.publish(day=NEXT_DAY)
    run_id = full.delta(overlap_hours=0)
    received = {each["collection"]: each["received"] for each in full.batches(run_id)}
    others = full.one(
        "SELECT count(*) - 1 FROM etablissements WHERE siren = :siren", siren=siret[:9]
    )
    assert received == {"etablissements": 1} | ({"unites_legales": others} if others else {})


def test_a_closure_closes_the_page(full: Copy) -> None:
    siret = full.one("SELECT min(siret) FROM pro_localisations WHERE status = 'open'")
    full.insee.treat(siret, "2026-08-05T12:00:00.000", etatAdministratifEtablissement="F")
    full.insee.publish(day=NEXT_DAY)
    full.delta()
    status = "SELECT status FROM pro_localisations WHERE siret = :siret"
    assert full.one(status, siret=siret) == "closed"


def test_a_day_that_is_not_found_is_an_empty_day(full: Copy) -> None:
    full.insee.publish(day=NEXT_DAY)
    full.insee.set_faults(days_of_404=[NEXT_DAY])
    run_id = full.delta()
    assert full.run(run_id)["status"] == "complete"
    assert full.batches(run_id) == []
    assert full.watermarks() == both(end_of(NEXT_DAY))


@pytest.mark.slow
def test_a_window_emptied_between_its_count_and_its_walk_is_complete(full: Copy) -> None:
    full.insee.publish(day=NEXT_DAY)
    [siret] = full.some_sirets(1)
    full.insee.treat(siret, "2026-08-05T12:00:00.000")
    run_id = full.order()
    full.fetcher.planner.turn()
    full.insee.set_faults(days_of_404=[NEXT_DAY])
    full.work_off()
    assert full.run(run_id)["status"] == "complete"
    assert full.watermarks() == both(end_of(NEXT_DAY))


def test_days_missed_are_made_up_for_by_one_delta(full: Copy) -> None:
    changed = full.some_sirets(4)
    for day, siret in enumerate(changed, start=5):
        full.insee.treat(siret, f"2026-08-0{day}T21:00:00.000", numeroVoieEtablissement="4321")
    full.insee.publish(day="2026-08-09")
    full.delta()
    query = "SELECT count(*) FROM etablissements WHERE numero_voie = '4321'"
    assert full.one(query) == 4
    assert full.watermarks() == both(end_of("2026-08-09"))


def test_a_mass_day_is_cut_into_walks_that_together_are_the_day(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    insee = start_insee(establishments=400)
    copy = Copy(insee, make_fetcher(insee, rows_per_page=30, most_rows_of_delta=30))
    with copy.fetcher.engine.begin() as connection:
        set_watermark(connection, "etablissements", datetime.fromisoformat("2025-12-06"))
        set_watermark(connection, "unites_legales", FIRST_DAY)
    run_id = copy.delta(overlap_hours=0)
    batches = copy.batches(run_id)
    assert len(batches) > 3
    assert all(row["expected"] <= 30 and row["siret_from"] < row["siret_to"] for row in batches)
    assert {row["status"] for row in batches} == {"complete"}
    stored = {row["siret"] for row in copy.rows("SELECT siret FROM etablissements")}
    assert stored == insee.sirets(
        "dateDernierTraitementEtablissement:[2025-12-06 TO 2026-08-05T00:05:52.648]"
    )
    assert sum(row["received_distinct"] for row in batches) == len(stored)
    assert copy.watermarks() == both(FIRST_DAY)
