"""A delta brings what INSEE treated since, and its watermark never promises more than is there."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

import pytest

from deploy.local.postgres import RunningPostgres
from services.fetcher.windows import Scope
from services.simulator.server import start_server
from shared.db.engine import make_engine
from shared.delta import COLLECTIONS, set_watermark
from tests.integration.fetcher.bringing import FIRST_DAY, Copy, end_of
from tests.integration.fetcher.conftest import Fetcher, Insee, build_fetcher, simulated

NEXT_DAY = "2026-08-06"


ESTABLISHMENTS = 250


@pytest.fixture
def copy(start_insee: Callable[..., Insee], make_fetcher: Callable[..., Fetcher]) -> Copy:
    """Nothing imported yet."""
    insee = start_insee(establishments=ESTABLISHMENTS)
    return Copy(insee, make_fetcher(insee))


@pytest.fixture(scope="module")
def imported_template(postgres: RunningPostgres, migrated_template: str) -> str:
    """The name of a database into which everything was imported, to be cloned."""
    name = "delta_template"
    url = postgres.create_database(name, template=migrated_template)
    engine = make_engine(url, application_name="test-fetcher", pool_size=4)
    server = start_server(simulated(establishments=ESTABLISHMENTS))
    insee = Insee(server.root)
    copy = Copy(insee, build_fetcher(engine, insee))
    copy.import_everything()
    assert copy.watermarks() == both(FIRST_DAY)
    server.stop()
    engine.dispose()
    return name


@pytest.fixture
def full(
    postgres: RunningPostgres, imported_template: str, start_insee: Callable[..., Insee]
) -> Iterator[Copy]:
    """Everything imported, the watermarks at the first day."""
    url = postgres.create_database("delta", template=imported_template)
    engine = make_engine(url, application_name="test-fetcher", pool_size=8)
    insee = start_insee(establishments=ESTABLISHMENTS)
    yield Copy(insee, build_fetcher(engine, insee))
    engine.dispose()
    postgres.drop_database("delta")


def both(date: datetime) -> dict[str, datetime]:
    return dict.fromkeys(COLLECTIONS, date)


def some_sirets(copy: Copy, number: int) -> list[str]:
    """Open, diffusible, and not treated within the overlap: a delta has no other reason to ask."""
    query = """SELECT siret FROM etablissements e
      WHERE etat_administratif = 'A' AND statut_diffusion = 'O'
        AND date_dernier_traitement < '2026-01-01' ORDER BY siret LIMIT :number"""
    return [row["siret"] for row in copy.rows(query, number=number)]


def test_a_whole_import_leaves_the_watermark_where_insee_was_when_it_was_planned(
    copy: Copy,
) -> None:
    copy.fetcher.store.request_run(Scope(), row_limit=None)
    copy.fetcher.planner.turn()
    # The next day comes while the walk goes on: it may have passed by what that day changes.
    copy.insee.publish(day=NEXT_DAY)
    copy.fetcher.walk_to_the_end()
    assert copy.watermarks() == {}
    copy.write()
    copy.fetcher.planner.turn()
    assert copy.watermarks() == both(FIRST_DAY)


def test_an_import_of_less_than_everything_leaves_no_watermark(copy: Copy) -> None:
    copy.fetcher.request_import("33")
    copy.work_off()
    copy.fetcher.store.request_run(Scope(), row_limit=10)
    copy.work_off()
    assert copy.watermarks() == {}


def test_a_delta_brings_exactly_what_was_treated_since(full: Copy) -> None:
    changed = some_sirets(full, 3)
    for siret in changed:
        full.insee.treat(siret, "2026-08-05T21:00:00.000", numeroVoieEtablissement="1234")
    before = hashes(full)
    full.insee.publish(day=NEXT_DAY)

    run_id = full.delta()

    assert full.run(run_id)["status"] == "complete"
    counted = full.counted(run_id)
    assert (counted["inserted"], counted["updated"]) == (0, 3)
    assert counted["unchanged"] > 0, "the overlap"
    after = hashes(full)
    assert {siret for siret in after if after[siret] != before[siret]} == set(changed)
    assert full.watermarks() == both(end_of(NEXT_DAY))


def hashes(copy: Copy) -> dict[str, bytes]:
    rows = copy.rows(
        "SELECT siret, content_hash || fetched_at::text::bytea AS it FROM etablissements"
    )
    return {row["siret"]: bytes(row["it"]) for row in rows}


def test_what_the_overlap_reads_again_changes_nothing(full: Copy) -> None:
    full.insee.publish(day=NEXT_DAY)
    before = hashes(full)
    counted = full.counted(full.delta(overlap_hours=24 * 20))
    assert counted["received"] == counted["unchanged"] > 0
    assert hashes(full) == before


def test_a_row_that_insee_wrote_late_is_found_by_the_overlap(full: Copy) -> None:
    [siret] = some_sirets(full, 1)
    # Dated before the watermark, and visible only with the next publication.
    full.insee.treat(siret, "2026-08-04T23:00:00.000", numeroVoieEtablissement="77")
    full.insee.publish(day=NEXT_DAY)
    full.delta()
    assert full.one("SELECT numero_voie FROM etablissements WHERE siret = :s", s=siret) == "77"


def test_a_units_rename_reaches_the_pages_of_all_its_establishments(full: Copy) -> None:
    siren = full.one("""
        SELECT siren FROM pro_localisations JOIN unites_legales u USING (siren)
        WHERE status = 'open' AND u.statut_diffusion = 'O' AND u.categorie_juridique <> '1000'
        GROUP BY siren HAVING count(*) > 1 ORDER BY siren LIMIT 1""")
    full.insee.treat(
        siren,
        "2026-08-05T21:00:00.000",
        denominationUniteLegale="LA MAISON RENOMMEE",
        sigleUniteLegale=None,
        denominationUsuelle1UniteLegale=None,
        denominationUsuelle2UniteLegale=None,
        denominationUsuelle3UniteLegale=None,
    )
    full.insee.publish(day=NEXT_DAY)
    pages = "SELECT nom FROM pro_localisations WHERE siren = :siren AND status = 'open'"
    before = [row["nom"] for row in full.rows(pages, siren=siren)]

    run_id = full.delta(overlap_hours=0)

    [batch] = full.batches(run_id)
    assert (batch["collection"], batch["received"]) == ("unites_legales", 1)
    assert full.one("SELECT denomination FROM unites_legales WHERE siren = :s", s=siren) == (
        "LA MAISON RENOMMEE"
    )
    after = [row["nom"] for row in full.rows(pages, siren=siren)]
    assert len(after) == len(before) > 1
    signs = full.rows(
        """SELECT coalesce(denomination_usuelle, enseigne1) AS sign FROM etablissements
           WHERE siren = :s""",
        s=siren,
    )
    own_signs = {row["sign"] for row in signs if row["sign"]}
    assert all("RENOMMEE" in nom.upper() or nom in before for nom in after)
    assert sum("RENOMMEE" in nom.upper() for nom in after) >= len(after) - len(own_signs)


def test_a_closure_closes_the_page(full: Copy) -> None:
    siret = full.one("SELECT min(siret) FROM pro_localisations WHERE status = 'open'")
    full.insee.treat(siret, "2026-08-05T12:00:00.000", etatAdministratifEtablissement="F")
    full.insee.publish(day=NEXT_DAY)
    full.delta()
    status = "SELECT status FROM pro_localisations WHERE siret = :siret"
    assert full.one(status, siret=siret) == "closed"


def test_a_delta_waits_for_insee_to_publish_and_goes_on_when_it_has(full: Copy) -> None:
    run_id = full.order(wait_minutes=60)
    full.fetcher.planner.turn()
    waiting = full.run(run_id)
    assert (waiting["status"], waiting["error"]) == ("pending", None)
    assert "INSEE has published nothing after 2026-08-05 00:05" in waiting["warning"]
    asked = full.insee.quota()["requests"]
    full.fetcher.planner.turn()
    assert full.insee.quota()["requests"] == asked, "it asks every few minutes, not every turn"

    full.insee.publish(day=NEXT_DAY)
    full.rows("UPDATE import_runs SET lease_until = now() WHERE id = :id", id=run_id)
    full.work_off()
    assert full.run(run_id)["status"] == "complete"
    assert full.run(run_id)["warning"] is None
    assert full.watermarks() == both(end_of(NEXT_DAY))


def test_where_nothing_came_in_its_time_a_delta_ends_with_a_warning(full: Copy) -> None:
    run_id = full.order(wait_minutes=60)
    full.fetcher.planner.turn()
    full.rows("UPDATE import_runs SET lease_until = now(), wait_until = now()")
    full.work_off()
    ended = full.run(run_id)
    assert ended["status"] == "complete"
    assert ended["warning"].count("INSEE has published nothing after 2026-08-05 00:05") == 2
    assert full.batches(run_id) == []
    assert full.watermarks() == both(FIRST_DAY)


def test_a_day_that_is_not_found_is_an_empty_day(full: Copy) -> None:
    full.insee.publish(day=NEXT_DAY)
    full.insee.set_faults(days_of_404=[NEXT_DAY])
    run_id = full.delta()
    assert full.run(run_id)["status"] == "complete"
    assert full.batches(run_id) == []
    assert full.watermarks() == both(end_of(NEXT_DAY))


def test_a_window_emptied_between_its_count_and_its_walk_is_complete(full: Copy) -> None:
    full.insee.publish(day=NEXT_DAY)
    [siret] = some_sirets(full, 1)
    full.insee.treat(siret, "2026-08-05T12:00:00.000")
    run_id = full.order()
    full.fetcher.planner.turn()
    full.insee.set_faults(days_of_404=[NEXT_DAY])
    full.work_off()
    assert full.run(run_id)["status"] == "complete"
    assert full.watermarks() == both(end_of(NEXT_DAY))


def test_days_missed_are_made_up_for_by_one_delta(full: Copy) -> None:
    changed = some_sirets(full, 4)
    for day, siret in enumerate(changed, start=5):
        full.insee.treat(siret, f"2026-08-0{day}T21:00:00.000", numeroVoieEtablissement="4321")
    full.insee.publish(day="2026-08-09")
    full.delta()
    query = "SELECT count(*) FROM etablissements WHERE numero_voie = '4321'"
    assert full.one(query) == 4
    assert full.watermarks() == both(end_of("2026-08-09"))


def test_a_failed_batch_leaves_the_watermark_and_the_next_delta_brings_its_days(
    full: Copy,
) -> None:
    [siret] = some_sirets(full, 1)
    full.insee.treat(siret, "2026-08-05T21:00:00.000", numeroVoieEtablissement="99")
    full.insee.publish(day=NEXT_DAY)
    run_id = full.order()
    full.fetcher.planner.turn()
    for batch in full.batches(run_id):
        if batch["collection"] == "etablissements":
            full.fetcher.store.fail_batch(batch["id"], "INSEE answers 400")
    full.work_off()
    assert full.run(run_id)["status"] == "failed"
    assert full.watermarks() == {
        "etablissements": FIRST_DAY,
        "unites_legales": end_of(NEXT_DAY),
    }

    full.insee.publish(day="2026-08-07")
    full.delta(overlap_hours=0)
    assert full.one("SELECT numero_voie FROM etablissements WHERE siret = :s", s=siret) == "99"
    assert full.watermarks() == both(end_of("2026-08-07"))


def test_the_watermark_waits_for_the_last_slice(full: Copy) -> None:
    full.insee.publish(day=NEXT_DAY)
    [siret] = some_sirets(full, 1)
    full.insee.treat(siret, "2026-08-05T12:00:00.000")
    full.order()
    full.fetcher.planner.turn()
    full.fetcher.walk_to_the_end()
    last = full.fetcher.outbox.slices.pop()
    full.write()
    full.fetcher.planner.turn()
    assert FIRST_DAY in full.watermarks().values()
    full.fetcher.outbox.slices.append(last)
    full.write()
    full.fetcher.planner.turn()
    assert full.watermarks() == both(end_of(NEXT_DAY))


def test_a_mass_day_is_cut_into_walks_that_together_are_the_day(
    start_insee: Callable[..., Insee], make_fetcher: Callable[..., Fetcher]
) -> None:
    insee = start_insee(establishments=400)
    copy = Copy(insee, make_fetcher(insee, rows_per_page=10, most_rows_of_delta=20))
    run_id = copy.delta(since=datetime.fromisoformat("2025-12-06"))
    batches = [row for row in copy.batches(run_id) if row["collection"] == "etablissements"]
    assert len(batches) > 5
    assert all(row["expected"] <= 20 and row["siret_from"] < row["siret_to"] for row in batches)
    assert [row["status"] for row in batches] == ["complete"] * len(batches)
    stored = {row["siret"] for row in copy.rows("SELECT siret FROM etablissements")}
    wanted = set(
        insee.sirets("dateDernierTraitementEtablissement:[2025-12-06 TO 2026-08-05T00:05:52.648]")
    )
    units = insee.sirets(
        "dateDernierTraitementUniteLegale:[2025-12-06 TO 2026-08-05T00:05:52.648] "
        "AND etablissementSiege:true"
    )
    assert stored == wanted | set(units)
    assert copy.one(
        "SELECT sum(received_distinct)::int FROM import_batches WHERE collection='etablissements'"
    ) == len(wanted)


def test_a_delta_states_what_is_missing_and_never_a_surplus(full: Copy) -> None:
    full.insee.publish(day=NEXT_DAY)
    run_id = full.delta(overlap_hours=24 * 30)
    for batch in full.batches(run_id):
        assert batch["missing_sirets"] == []
        assert batch["surplus_sirets"] is None


def test_a_first_delta_needs_a_date_once(copy: Copy) -> None:
    run_id = copy.delta()
    failed = copy.run(run_id)
    assert failed["status"] == "failed"
    assert "give --since once" in failed["error"]
    copy.delta(since=datetime.fromisoformat("2026-08-01"))
    assert copy.watermarks() == both(FIRST_DAY)
    copy.insee.publish(day=NEXT_DAY)
    copy.delta()
    assert copy.watermarks() == both(end_of(NEXT_DAY))


def test_a_collection_that_is_down_keeps_its_watermark_and_the_other_goes_on(full: Copy) -> None:
    full.insee.publish(day=NEXT_DAY)
    full.insee.publish(etat="DOWN", collection="Unités Légales")
    run_id = full.delta()
    assert full.run(run_id)["warning"] == ("legal units: INSEE says that the collection is not up")
    assert full.watermarks() == {
        "etablissements": end_of(NEXT_DAY),
        "unites_legales": FIRST_DAY,
    }
    full.insee.publish(etat="UP")
    full.delta()
    assert full.watermarks() == both(end_of(NEXT_DAY))


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"next_html": 1}, "/informations is not as documented"),
        ({"next_errors": 1}, "INSEE answers 503"),
        ({"next_cut": 1}, "no answer"),
    ],
)
def test_a_delta_outlasts_an_insee_that_does_not_say_how_far_it_is(
    full: Copy, fault: dict[str, object], said: str
) -> None:
    full.insee.publish(day=NEXT_DAY)
    full.insee.set_faults(**fault)
    run_id = full.order()
    full.fetcher.planner.turn()
    waiting = full.run(run_id)
    assert waiting["status"] == "pending"
    assert said in waiting["error"] or "the answer is not JSON" in waiting["error"]
    full.rows("UPDATE import_runs SET lease_until = NULL")
    full.work_off()
    assert (full.run(run_id)["status"], full.run(run_id)["error"]) == ("complete", None)
    assert full.watermarks() == both(end_of(NEXT_DAY))


def test_a_wrong_key_is_told_to_who_watches_and_loses_nothing(
    start_insee: Callable[..., Insee], make_fetcher: Callable[..., Fetcher]
) -> None:
    insee = start_insee(key="another")
    copy = Copy(insee, make_fetcher(insee))
    run_id = copy.order(since=datetime.fromisoformat("2026-08-01"))
    copy.fetcher.planner.turn()
    waiting = copy.run(run_id)
    assert waiting["status"] == "pending"
    assert "SIRENADE_INSEE_KEY" in waiting["error"]
    assert copy.watermarks() == {}


def test_deltas_go_one_after_the_other(full: Copy) -> None:
    full.insee.publish(day=NEXT_DAY)
    [siret] = some_sirets(full, 1)
    full.insee.treat(siret, "2026-08-05T12:00:00.000")
    first, second = full.order(), full.order()
    full.fetcher.planner.turn()
    full.fetcher.planner.turn()
    assert full.run(first)["status"] == "running"
    assert full.run(second)["status"] == "pending"
    full.work_off()
    assert full.run(second)["status"] == "complete"
    assert full.batches(second) == []


def test_a_delta_does_not_wait_behind_the_batches_of_an_import(full: Copy) -> None:
    full.fetcher.request_import("33", "24", "40")
    none_at_once = replace(full.fetcher.planner, parallel_batches=0)
    none_at_once.turn()
    full.insee.publish(day=NEXT_DAY)
    [siret] = some_sirets(full, 1)
    full.insee.treat(siret, "2026-08-05T12:00:00.000")
    run_id = full.order(overlap_hours=0)
    none_at_once.turn()
    replace(full.fetcher.planner, parallel_batches=1).turn()
    [running] = full.rows("SELECT run_id FROM import_batches WHERE status = 'running'")
    assert running["run_id"] == run_id


def test_a_window_that_begins_after_the_watermark_moves_nothing(full: Copy) -> None:
    run_id = full.one("INSERT INTO import_runs (status) VALUES ('complete') RETURNING id")
    full.rows(
        """INSERT INTO treatment_windows (run_id, collection, treated_from, treated_until)
           VALUES (:id, 'etablissements', '2026-08-07', '2026-08-08')""",
        id=run_id,
    )
    full.fetcher.planner.turn()
    assert full.watermarks() == both(FIRST_DAY)


def test_a_watermark_that_is_set_is_where_the_next_delta_begins(copy: Copy) -> None:
    date = datetime.fromisoformat("2026-08-01T00:04:00")
    with copy.fetcher.engine.begin() as connection:
        for collection in COLLECTIONS:
            set_watermark(connection, collection, date)
    run_id = copy.delta(overlap_hours=0)
    assert {batch["treated_from"] for batch in copy.batches(run_id)} == {date}
    assert copy.watermarks() == both(FIRST_DAY)
