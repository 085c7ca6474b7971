"""A delta as a person orders it, checked before anything is kept, and what came of it."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Engine, text

from services.fetcher.plan.deltas import DeltaOrder, NoWatermark
from shared.days import FRANCE
from shared.db.migrate import require_current
from shared.errors import UserError
from shared.imports.orders import order_delta
from shared.imports.treatments import COLLECTIONS
from shared.imports.watermarks import read_watermarks, settle_windows

# INSEE's register is computerised since 1973: before that nothing was treated.
_FIRST_YEAR = 1973
_MAX_OVERLAP_HOURS = 24 * 366
_MAX_WAIT_MINUTES = 24 * 60

_WARNING = text("SELECT warning FROM import_runs WHERE id = :run_id")


def checked_order(*, since: str | None, overlap_hours: float, wait_minutes: float) -> DeltaOrder:
    """Raises UserError for what is no date, and for times out of reason."""
    if not 0 <= overlap_hours <= _MAX_OVERLAP_HOURS:
        raise UserError(f"--overlap-hours {overlap_hours:g}: use 0 to {_MAX_OVERLAP_HOURS}")
    if not 0 <= wait_minutes <= _MAX_WAIT_MINUTES:
        raise UserError(f"--wait-minutes {wait_minutes:g}: use 0 to {_MAX_WAIT_MINUTES}")
    start = None if since is None else _checked_date(since)
    return DeltaOrder(start, overlap_hours, wait_minutes * 60)


def _checked_date(written: str) -> datetime:
    """As INSEE's own dates: Paris time without an offset."""
    try:
        instant = datetime.fromisoformat(written)
        if instant.tzinfo is not None:
            instant = instant.astimezone(FRANCE).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise UserError(
            f"--since {written!r} is no date: use 2026-08-01 or 2026-08-01T06:00, Paris time"
        ) from None
    if instant.year < _FIRST_YEAR:
        raise UserError(f"--since {written}: nothing was treated before {_FIRST_YEAR}")
    return instant


def request(engine: Engine, order: DeltaOrder) -> int:
    """Keep the order in the database. Raises UserError where it cannot begin anywhere."""
    with engine.begin() as connection:
        require_current(connection)
        # What was complete a moment ago counts, whether or not a fetcher has looked since.
        settle_windows(connection)
        known = read_watermarks(connection)
        unknown = [each for each in COLLECTIONS if each not in known]
        if unknown and order.since is None:
            raise UserError(str(NoWatermark(unknown[0])))
        return order_delta(
            connection,
            since=order.since,
            overlap_hours=order.overlap_hours,
            wait_minutes=order.wait_seconds / 60,
        )


def outcome(engine: Engine, run_id: int) -> Iterator[str]:
    """Say how far the register is complete now, after the run's warning if it has one."""
    with engine.begin() as connection:
        settle_windows(connection)
        warning = connection.execute(_WARNING, {"run_id": run_id}).scalar_one()
        known = read_watermarks(connection)
    if warning:
        yield f"warning: {warning}"
    for collection, watermark in sorted(known.items()):
        until = watermark.treated_until.isoformat(sep=" ", timespec="seconds")
        yield f"{collection}: complete up to {until}, Paris time"
