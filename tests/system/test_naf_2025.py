"""The night of NAF 2025 over real processes: before, the night, the delta or the stock, after."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from deploy.local.simulator import DEPARTEMENT
from services.simulator.options import SimulatorOptions
from services.simulator.register.stock_files import write_stock
from shared.imports.orders import order_delta
from shared.imports.progress import Progress
from tests.system.conftest import Processes, StartServices, column, wait_for, wait_for_the_end

_ROWS = 300
_THE_DAY = datetime(2026, 8, 6)  # noqa: DTZ001  INSEE writes French time without an offset
# A page, its words and its text; attempts are what could be paid for.
_PAGES = text("""
    SELECT p.siret, p.id, p.slug, p.status, p.opened_at, p.libelle_activite AS words,
      p.activite_principale AS code, a.id AS avis_id, a.outcome, a.text, a.accepted_at,
      (SELECT count(*) FROM avis_attempts t WHERE t.avis_id = a.id) AS attempts
    FROM pro_localisations p LEFT JOIN avis a ON a.pro_localisation_id = p.id
""")
_KEPT = ("id", "slug", "status", "opened_at", "avis_id")
Pages = Mapping[str, Mapping[str, Any]]


def _pages(engine: Engine) -> Pages:
    with engine.connect() as connection:
        return {row["siret"]: dict(row) for row in connection.execute(_PAGES).mappings()}


def _take_stock(processes: Processes, folder: Path, form: str) -> None:
    folder.mkdir()
    options = SimulatorOptions(
        establishments=_ROWS, departements=[DEPARTEMENT], naf_2025=form, day="2026-08-05"
    )
    files = [str(file.path) for file in write_stock(folder, options).values()]
    subprocess.run(
        [sys.executable, "-m", "services.writer", "stock", *files],
        env=processes.environment,
        cwd=processes.cwd,
        check=True,
        timeout=120,
    )


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("form", "way"),
    [
        ("new-period", "delta"),
        ("in-place", "stock"),
        ("other-name", "delta"),
        ("old-name", "stock"),
        ("keys-gone", "stock"),
        ("key-added", "delta"),
    ],
)
def test_no_page_is_lost_no_text_vanishes_and_equal_words_are_paid_once(
    engine: Engine,
    rabbitmq_url: str,
    start_services: StartServices,
    progress: Callable[[], Progress],
    request_import: Callable[..., None],
    tmp_path: Path,
    form: str,
    way: str,
) -> None:
    insee, processes = start_services(
        *("fetcher-1", "writer-1", "reviewer-1"),
        broker_url=rabbitmq_url,
        establishments=_ROWS,
        requests_per_minute=600,
    )
    request_import(DEPARTEMENT)
    wait_for(lambda: progress().received == _ROWS, seconds=90, what="the import")
    wait_for_the_end(progress, seconds=120)
    before = _pages(engine)
    written = {siret for siret, page in before.items() if page["text"]}
    assert len(written) > 20

    assert processes.terminate("reviewer-1", seconds=30) == 0
    insee.play_naf_2025(form)
    if way == "delta":
        with engine.begin() as connection:
            order_delta(connection, since=_THE_DAY, overlap_hours=0)
        wait_for(lambda: column(engine, "SELECT 1 FROM watermarks"), seconds=120, what="the delta")
        wait_for(lambda: progress().runs_open == 0, seconds=60, what="the end of the delta")
    else:
        _take_stock(processes, tmp_path / "stock", form)

    night = _pages(engine)
    assert {siret: [page[name] for name in _KEPT] for siret, page in night.items()} == {
        siret: [page[name] for name in _KEPT] for siret, page in before.items()
    }
    assert {siret for siret, page in night.items() if page["words"] is None} == set()
    recoded = {siret for siret in night if night[siret]["code"] != before[siret]["code"]}
    other = {siret for siret in night if night[siret]["words"] != before[siret]["words"]}
    assert written & recoded - other, "some re-coded pages keep their words"
    assert written & other, "some say others"
    for siret in written:
        assert night[siret]["text"] == before[siret]["text"]
        assert night[siret]["accepted_at"] == before[siret]["accepted_at"]
        expected = "pending" if siret in other else "accepted"
        assert night[siret]["outcome"] == expected

    processes.start("reviewer-1")
    wait_for_the_end(progress, seconds=120)
    after = _pages(engine)
    for siret in written:
        assert after[siret]["outcome"] == "accepted"
        assert after[siret]["text"]
        is_renewed = after[siret]["attempts"] > before[siret]["attempts"]
        assert is_renewed == (siret in other)
