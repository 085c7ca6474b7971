"""The operator's jobs. Each is one transaction, and says in one line what it did."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog
from sqlalchemy import Connection, Engine, text

from services.operator.archive.logs import put_logs
from services.operator.archive.summaries import put_summaries
from services.operator.console.journal import purge_journal
from services.operator.failures import items, retries
from services.operator.jobs import slots
from services.operator.jobs.schedule import Schedule, daily_at
from services.operator.jobs.slots import FaultFound
from services.operator.numbers.reconcile import reconcile
from services.operator.reports.store import purge_reports
from services.operator.settings import OperatorSettings
from shared import page_changes
from shared.archive.vault import open_archive
from shared.days import FRANCE, TIME_ZONE
from shared.db.locks import Lock, hold
from shared.db.quotations import expire
from shared.db.shards import connected
from shared.imports import orders
from shared.imports.statement import StatementSubject, in_one_line, read_statement
from shared.imports.treatments import COLLECTIONS
from shared.imports.watermarks import read_watermarks, unmeasured_since, unmeasured_words

log = structlog.get_logger()

RETENTION_DAYS = 30
# 30 requests of 100 sirets: a fifteenth of the public quota of 15 minutes.
_ITEMS_PER_TURN = 3000
_RETRY_EVERY_15_MINUTES = Schedule("*/15 * * * *")
_HOURLY = Schedule("20 * * * *")
# A statement ends within a minute and a job has few; a longer job has a lease of its own.
_LEASE_SECONDS = 600.0
# After this time no further file is begun.
_ARCHIVE_SECONDS = 240.0
# The reconciliation reads whole tables.
_RECONCILE_SECONDS = 4 * 3600.0
# Batches that ended at midnight are committed by 00:05.
_AFTER_MIDNIGHT = daily_at("00:05")
_SUNDAY_NIGHT = Schedule("10 2 * * 0")

_YESTERDAY = text("SELECT (now() AT TIME ZONE :time_zone)::date - 1")
_DELTA_UNDER_WAY = text("""
    SELECT min(id) FROM import_runs WHERE kind = 'delta' AND status IN ('pending', 'running')
""")


@dataclass(frozen=True)
class Job:
    """`work` gets an open transaction that it must not end, and returns what it did in one line.

    The line is a FaultFound where a person must look.
    """

    name: str
    schedule: Schedule
    work: Callable[[Connection], str]
    lease_seconds: float = _LEASE_SECONDS


def make_jobs(
    settings: OperatorSettings, shards: Sequence[Engine] = (), readers: Sequence[Engine] = ()
) -> tuple[Job, ...]:
    """Make all jobs.

    `shards` are the shards in other databases than the one with the slots. `readers` reach all
    databases, that one first, with connections of their own.
    """
    delta = partial(order_delta, wait_minutes=settings.delta_wait_minutes)
    count = partial(count_anew, readers=readers)
    return (
        Job("delta", daily_at(settings.delta_at), delta),
        Job("retry", _RETRY_EVERY_15_MINUTES, _on_all(shards, retry_failed)),
        Job("purge", daily_at(settings.purge_at), _on_all(shards, purge_old)),
        Job("reviews", daily_at(settings.reviews_expire_at), _on_all(shards, expire_reviews)),
        # The statement knows the sirets of one database only.
        *([] if shards else [Job("statement", _AFTER_MIDNIGHT, state_yesterday)]),
        Job("archive", _HOURLY, partial(archive, settings=settings, shards=shards)),
        Job("reconcile", _SUNDAY_NIGHT, count, lease_seconds=_RECONCILE_SECONDS),
    )


def _on_all(shards: Sequence[Engine], work: Callable[..., str]) -> Callable[[Connection], str]:
    """Give the job a transaction in each shard beside its own, which ends last."""

    def work_on_all(connection: Connection) -> str:
        with connected(shards, write=True) as others:
            return work(connection, *others)

    return work_on_all


def _wait_in_transaction(connection: Connection, seconds: float) -> None:
    """Let the job's transaction stay idle for this long while other connections work."""
    connection.execute(
        text("SELECT set_config('idle_in_transaction_session_timeout', :limit, true)"),
        {"limit": f"{seconds:.0f}s"},
    )


def archive(connection: Connection, settings: OperatorSettings, shards: Sequence[Engine]) -> str:
    """Archive log files and summaries; files beyond its time wait for the next slot."""
    if not settings.archive_url:
        return "no archive is configured: set SIRENADE_ARCHIVE_URL"
    _wait_in_transaction(connection, _LEASE_SECONDS)
    storage = open_archive(settings)
    with connected(shards) as others:
        summaries = put_summaries(storage, connection, others)
    logs = put_logs(storage, settings.log_directory, seconds=_ARCHIVE_SECONDS)
    return f"{logs.in_one_line()}, {summaries} days summed up"


def count_anew(connection: Connection, readers: Sequence[Engine]) -> str:
    """Compare counters with rows, like `./sirenade reconcile`, which says more."""
    _wait_in_transaction(connection, _RECONCILE_SECONDS)
    with connected(readers) as (control, *shards):
        found = reconcile(control, shards)
    if found.agrees:
        return f"zero difference, {found.batches} batches compared"
    wrong = [each for each in found.totals if each.difference]
    names = ", ".join(f"{each.counter} {each.counted}, really {each.real}" for each in wrong)
    differing = f"{len(found.differing)} differ in {found.batches} batches"
    result = f"the counters are wrong: {differing} ({names})"
    log.warning("counters differ from rows", differing=len(found.differing))
    return FaultFound(result)


def order_delta(connection: Connection, *, wait_minutes: float) -> str:
    """Order a delta unless one is under way; it brings every day that was missed."""
    hold(connection, Lock.DELTAS)
    if (run_id := connection.execute(_DELTA_UNDER_WAY).scalar()) is not None:
        return f"the delta of run {run_id} is still under way: no second one is ordered"
    unknown = [name for name in COLLECTIONS if name not in read_watermarks(connection)]
    if unknown:
        if (since := unmeasured_since(connection)) is not None:
            return FaultFound(unmeasured_words(since))
        return f"no watermark for {' and '.join(unknown)}: load the register"
    return f"run {orders.order_delta(connection, wait_minutes=wait_minutes)} is ordered"


def retry_failed(*connections: Connection) -> str:
    closed = retries.close_no_longer_due(connections)
    retry = retries.retry_due(connections, limit=_ITEMS_PER_TURN)
    counts = {
        f"fetched again in run {retry.run_id}": len(retry.fetched),
        "on their way already": len(retry.under_way),
        "due for review again": len(retry.reviewed),
        "closed, no longer due": closed + len(retry.no_longer_due),
    }
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "nothing due"


def purge_old(*connections: Connection) -> str:
    purged = items.purge(connections, older_than_days=RETENTION_DAYS)
    slots.purge(connections[0], older_than_days=RETENTION_DAYS)
    reports = purge_reports(connections)
    lines = purge_journal(connections[0])
    changes = sum(page_changes.forget_old(connection) for connection in connections)
    return (
        f"deleted: {purged} resolved items, {reports} reports of readers, {changes} page changes, "
        f"{lines} lines of the console"
    )


def expire_reviews(*connections: Connection) -> str:
    """Delete what sites keep no longer: what quoted it goes, and is due again without it."""
    today = datetime.now(FRANCE).date()
    gone = sum(expire(connection, today) for connection in connections)
    return f"{gone} reviews deleted that their sites keep no longer"


def state_yesterday(connection: Connection) -> str:
    """State whether yesterday's batches are complete; `./sirenade statement --day` says more."""
    day = connection.execute(_YESTERDAY, {"time_zone": TIME_ZONE}).scalar_one()
    statement = read_statement(connection, StatementSubject(day=day), by_departement=False)
    if not statement.batches:
        return f"no batch ended on {day}"
    line = in_one_line(statement)
    if statement.is_kept:
        return line
    log.warning("the day is incomplete", day=str(day), statement=line)
    return FaultFound(line)
