"""A watermark never promises rows that are not stored."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from services.writer.stock import command
from services.writer.stock.loader import StockOptions
from shared import days
from shared.clock import utc_now
from shared.imports.scope import Scope
from shared.imports.treatments import COLLECTIONS
from shared.imports.watermarks import set_watermark
from tests.integration.fetcher.register_copy import FIRST_DAY, NEXT_DAY, Copy, both, end_of

STOCK = Path(__file__).parents[3] / "fixtures/register/05_stock_future_treatment"


def test_a_whole_import_leaves_the_watermark_where_insee_was_when_it_was_planned(
    copy: Copy,
) -> None:
    copy.fetcher.order(Scope())
    copy.fetcher.planner.turn()
    # The next day comes during the walk, which may have passed the rows that this day changes.
    copy.insee.publish(day=NEXT_DAY)
    copy.fetcher.walk_to_the_end()
    assert copy.watermarks() == {}
    copy.write()
    copy.fetcher.planner.turn()
    assert copy.watermarks() == both(FIRST_DAY)


def test_an_import_of_less_than_a_scope_leaves_no_watermark(copy: Copy) -> None:
    copy.fetcher.order_departements("33", row_limit=10)
    copy.work_off()
    copy.fetcher.order(Scope(sirets=copy.some_sirets(1)))
    copy.work_off()
    copy.fetcher.order(Scope(), row_limit=10)
    copy.work_off()
    assert copy.watermarks() == {}


def test_a_bad_answer_loses_no_watermark(copy: Copy) -> None:
    copy.insee.set_faults(next_html=1)
    run_id = copy.import_everything()
    waiting = copy.run(run_id)
    assert waiting["status"] == "pending"
    assert "the answer is not JSON" in waiting["error"]
    copy.rows("UPDATE import_runs SET lease_until = NULL")
    copy.work_off()
    assert (copy.run(run_id)["status"], copy.run(run_id)["warning"]) == ("complete", None)
    assert copy.watermarks() == both(FIRST_DAY)


def test_an_import_goes_on_where_insee_never_says_how_far_it_is(copy: Copy) -> None:
    copy.fetcher.planner = replace(copy.fetcher.planner, most_unanswered=2)
    copy.insee.set_faults(next_html=2)
    run_id = copy.import_everything()
    copy.rows("UPDATE import_runs SET lease_until = NULL")
    copy.work_off()
    assert copy.run(run_id)["status"] == "complete"
    assert "give the first delta --since 2" in copy.run(run_id)["warning"]
    assert copy.watermarks() == {}


def test_a_failed_batch_leaves_the_watermark_and_the_next_delta_brings_its_days(full: Copy) -> None:
    [siret] = full.some_sirets(1)
    full.insee.treat(siret, "2026-08-05T21:00:00.000", numeroVoieEtablissement="99")
    full.insee.publish(day=NEXT_DAY)
    run_id = full.order()
    full.fetcher.planner.turn()
    for batch in full.batches(run_id):
        if batch["collection"] == "etablissements":
            full.fetcher.pages.fail_batch(batch["id"], "INSEE answers 400")
    full.work_off()
    assert full.run(run_id)["status"] == "failed"
    assert full.watermarks() == {"etablissements": FIRST_DAY, "unites_legales": end_of(NEXT_DAY)}

    full.insee.publish(day="2026-08-07")
    full.delta(overlap_hours=0)
    assert full.one("SELECT numero_voie FROM etablissements WHERE siret = :s", s=siret) == "99"
    assert full.watermarks() == both(end_of("2026-08-07"))


def test_the_watermark_waits_for_the_last_slice(full: Copy) -> None:
    full.insee.publish(day=NEXT_DAY)
    [siret] = full.some_sirets(1)
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


@pytest.mark.slow
def test_a_collection_that_is_down_keeps_its_watermark_and_the_other_goes_on(full: Copy) -> None:
    full.insee.publish(day=NEXT_DAY)
    full.insee.publish(etat="DOWN", collection="Unités Légales")
    run_id = full.delta()
    assert full.run(run_id)["warning"] == ("legal units: INSEE says that the collection is not up")
    assert full.watermarks() == {"etablissements": end_of(NEXT_DAY), "unites_legales": FIRST_DAY}
    full.insee.publish(etat="UP")
    full.delta()
    assert full.watermarks() == both(end_of(NEXT_DAY))


def test_a_watermark_is_never_later_than_today(copy: Copy) -> None:
    today = days.end_of(days.day_in_france(utc_now()))
    far = today + timedelta(days=100)
    with copy.fetcher.engine.begin() as connection:
        set_watermark(connection, "etablissements", far)
    assert copy.watermarks() == {"etablissements": today}
    copy.insee.publish(day=str(far.date()))
    copy.import_everything()
    assert copy.watermarks() == both(today)


def test_a_stored_watermark_in_the_future_is_brought_back_and_told_once(full: Copy) -> None:
    far = datetime.fromisoformat("2026-08-20")
    full.rows(
        """UPDATE watermarks SET treated_until = :far, moved_at = '2026-08-06 22:30Z'
           WHERE collection = 'etablissements'""",
        far=far,
    )
    with capture_logs() as logs:
        full.fetcher.planner.turn()
        found = full.watermarks()
    # The day in France on which it was set.
    set_on = datetime.fromisoformat("2026-08-07T23:59:59")
    assert found == {"etablissements": set_on, "unites_legales": FIRST_DAY}
    [line] = [each for each in logs if "in the future" in each["event"]]
    assert (line["collection"], line["was"], line["now"]) == (
        ("etablissements", str(far), str(set_on))
    )


def test_a_load_of_stock_with_a_future_treatment_loses_no_day(
    copy: Copy, database_url: str
) -> None:
    files = [str(path) for path in sorted(STOCK.glob("Stock*.csv"))]
    loads = command.load(database_url, files, StockOptions(file_date=date(2026, 12, 31)))
    assert [load.rows for load in loads] == [3, 3]
    assert copy.watermarks() == both(datetime.fromisoformat("2026-11-20T10:00:00"))
    copy.insee.publish(day="2026-11-27")
    run_id = copy.delta()
    closing = datetime.fromisoformat("2026-11-26T10:00:00")
    windows = copy.rows(
        """SELECT collection FROM treatment_windows WHERE run_id = :run
             AND :closing BETWEEN treated_from AND treated_until ORDER BY 1""",
        run=run_id,
        closing=closing,
    )
    assert [each["collection"] for each in windows] == ["etablissements", "unites_legales"]
    assert copy.watermarks() == both(end_of("2026-11-27"))


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
