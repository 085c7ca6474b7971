"""Daily imports, and days that pass at a call."""

from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from services.fetcher.daily_share import Rhythm, order_daily
from services.fetcher.store import ImportStore
from shared.imports.progress import read_progress
from shared.imports.scope import Scope
from shared.messages import FetchPage
from tests.integration.fetcher.conftest import Fetcher, execute

PARIS = ZoneInfo("Europe/Paris")


def rows_of_today(engine: Engine) -> int:
    with engine.connect() as connection:
        return read_progress(connection).rows_today


def next_day(engine: Engine) -> None:
    """Let a day pass: the shares of today become those of yesterday."""
    execute(engine, "UPDATE import_pages SET share_day = share_day - interval '1 day'")
    execute(engine, "UPDATE import_runs SET resting_until = resting_until - interval '1 day'")


def a_day(fetcher: Fetcher) -> int:
    """Work until nothing moves any more; return the rows of the day."""
    for _ in range(50):
        fetcher.planner.turn()
        fetcher.sweeper.turn()
        if not fetcher.outbox.pages:
            break
        fetcher.walk_to_the_end()
        written(fetcher.engine)
    return rows_of_today(fetcher.engine)


def written(engine: Engine) -> None:
    """Complete the pages, in place of the writer."""
    execute(
        engine,
        "UPDATE import_pages SET slices_done = slices_expected WHERE slices_expected IS NOT NULL",
    )


def daily(fetcher: Fetcher, per_day: int, *departements: str, **rhythm: float) -> int:
    scope = Scope(departements=departements)
    asked = order_daily(fetcher.engine, scope, Rhythm(per_day, **rhythm), row_limit=None)
    return asked.run_id


def planned(engine: Engine, rhythm: Rhythm, *, windows: int) -> list[FetchPage]:
    """Plan a daily run without a fetcher; return the first pages of its windows."""
    run_id = order_daily(engine, Scope(departements=["33"]), rhythm, row_limit=None).run_id
    execute(engine, "UPDATE import_runs SET status = 'running'")
    for number in range(1, windows + 1):
        execute(
            engine,
            "INSERT INTO import_batches (run_id, number, query) VALUES (:run_id, :number, '')",
            run_id=run_id,
            number=number,
        )
    return ImportStore(engine).activate_batches(windows)
