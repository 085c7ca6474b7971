"""The editors' screens among ten thousand held texts: each answers within 200 ms."""

import os
import time
from collections.abc import Sequence

import psutil  # type: ignore[import-untyped]  # it ships no types
import pytest
from sqlalchemy import text

from services.operator.console import accounts
from shared.db.engine import make_engine
from tests.benchmarks.figures import Figures
from tests.benchmarks.sizes import pick
from tests.consoles import Visitor, running_console

TEXTS = pick(quick=50_000, normal=500_000)
HELD = 10_000
CALLS = pick(quick=20, normal=60)
_PAGES = """
    INSERT INTO pro_localisations (siret, siren, activite_principale, code_commune, slug, nom,
      libelle_activite, libelle_commune, status)
    SELECT lpad(n::text, 9, '0') || '00011', lpad(n::text, 9, '0'),
      CASE n % 3 WHEN 0 THEN '10.71C' ELSE '43.32A' END, lpad((n % 95 + 1)::text, 2, '0') || '063',
      'page-' || n, 'ATELIER ' || n, 'Travaux de menuiserie', 'Bordeaux', 'open'
    FROM generate_series(1, :texts) AS n
"""
_AVIS = """
    INSERT INTO avis (pro_localisation_id, siret, siren, kind, outcome, facts_hash,
      accepted_facts_hash, text, label, model, prompt_version, accepted_at, held_because, held_at)
    SELECT id, siret, siren, 'notice',
      CASE WHEN id % 10 = 0 THEN 'pending' WHEN id % 1000 = 1 THEN 'rejected' ELSE 'accepted' END,
      md5(siret), md5(siret), repeat('Un atelier à Bordeaux. ', 15), 'Notice.', 'm', 'p', now(),
      CASE WHEN id % (:texts / :held) = 0 THEN 'first_texts' END,
      CASE WHEN id % (:texts / :held) = 0 THEN now() - make_interval(secs => id) END
    FROM pro_localisations
"""
_ATTEMPTS = """
    INSERT INTO avis_attempts (avis_id, siren, provider, model, prompt_version, facts_hash, facts,
      text, accepted, reasons, latency_seconds)
    SELECT id, siren, 'alpha', 'm', 'p', facts_hash, '{"nom": "Atelier"}', text, true, '{}', 1
    FROM avis
"""
_ORDERS = """
    INSERT INTO avis_orders (siret, siren, kind, verb, ordered_by, reason, override, status)
    SELECT siret, siren, kind, 'hold', 'ada', 'read', false, 'done' FROM avis
    WHERE held_because IS NOT NULL
"""
_REPORTS = """
    INSERT INTO page_reports (siret, siren, kind, message)
    SELECT siret, siren, CASE WHEN id % 2 = 0 THEN 'error' ELSE 'opposition' END, 'Retirez-moi.'
    FROM avis WHERE held_because IS NOT NULL
"""
_PROVIDER = """
    INSERT INTO review_providers (name, listed, model, weight, max_parallel, charges)
    VALUES ('alpha', true, 'm', 1, 1, true)
"""
_BACKENDS = "SELECT pid FROM pg_stat_activity WHERE application_name = 'sirenade-console'"
_SCREENS = {
    "texts": "/textes",
    "texts, rare in a département": "/textes?departement=2B",
    "texts, held": "/textes?retenu=tous",
    "texts, rejected": "/textes?etat=rejected",
    "one text": "/textes/00000005000011/notice",
    "queue": "/file",
    "queue, one reason": "/file?retenu=asked",
    "rules": "/file/regles",
    "money": "/argent",
    "people": "/personnes",
    "unit": "/personnes/unite/000000050",
}


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_each_screen_of_editors_answers_within_200_ms(database_url: str, figures: Figures) -> None:
    engine = make_engine(
        database_url, application_name="benchmark", pool_size=2, statement_timeout_seconds=600
    )
    with engine.begin() as connection:
        for statement in (_PAGES, _AVIS, _ATTEMPTS, _ORDERS, _REPORTS, _PROVIDER):
            connection.execute(text(statement), {"texts": TEXTS, "held": HELD})
        password = accounts.put_account(connection, "ada", "admin")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    with running_console(database_url) as console:
        visitor = console.visitor()
        assert visitor.log_in("ada", password).status == 200
        for name, path in _SCREENS.items():
            before = cpu_seconds(database_url)
            found = sorted(measured(visitor, path))
            cpu = (cpu_seconds(database_url) - before) / (CALLS + 1)
            p95 = found[len(found) * 95 // 100]
            of = f"editors.{name}, {TEXTS // 1000}k texts, {HELD // 1000}k held"
            figures.add(f"{of}, p95", 1000 * p95, unit="ms", goal="<= 200")
            figures.add(f"{of}, CPU", 1000 * cpu, unit="CPU ms/call")
            print(f"{of}: p95 {1000 * p95:.0f} ms, CPU {1000 * cpu:.0f} ms")  # noqa: T201  a result
    engine.dispose()


def cpu_seconds(database_url: str) -> float:
    """Return the CPU of this process, which is the console's, and of its backends."""
    engine = make_engine(database_url, application_name="benchmark", pool_size=1)
    with engine.connect() as connection:
        pids = connection.scalars(text(_BACKENDS)).all()
    engine.dispose()
    times = [psutil.Process(pid).cpu_times() for pid in (os.getpid(), *pids)]
    return float(sum(each.user + each.system for each in times))


def measured(visitor: Visitor, path: str) -> Sequence[float]:
    assert visitor.get(path).status == 200, path
    seconds = []
    for _ in range(CALLS):
        begun = time.perf_counter()
        visitor.get(path)
        seconds.append(time.perf_counter() - begun)
    return seconds
