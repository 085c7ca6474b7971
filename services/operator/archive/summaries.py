"""Summaries of days for the archive, as JSON lines: runs, jobs, and numbers at the day's end."""

import datetime as dt
import gzip
from collections.abc import Sequence

import orjson
from sqlalchemy import Connection, text

from services.operator.numbers.stats import read_stats
from shared.archive.storage import Storage
from shared.days import TIME_ZONE

# Days that were missed while the store or the operator was away are put later.
_DAYS = 7

_YESTERDAY = text("SELECT (now() AT TIME ZONE :time_zone)::date - 1")
_RUNS = text("""
    SELECT json_build_object('what', 'run', 'id', r.id, 'kind', r.kind, 'status', r.status,
      'departements', r.departements, 'created_at', r.created_at, 'completed_at', r.completed_at,
      'batches', count(b.id), 'batches_complete', count(b.id) FILTER (WHERE b.status = 'complete'),
      'expected', sum(b.expected), 'received', sum(b.received_distinct))
    FROM import_runs r LEFT JOIN import_batches b ON b.run_id = r.id
    WHERE r.created_at < (:day + interval '1 day') AT TIME ZONE :time_zone
      AND (r.completed_at IS NULL AND r.status IN ('pending', 'running')
        OR r.completed_at >= CAST(:day AS timestamp) AT TIME ZONE :time_zone)
    GROUP BY r.id ORDER BY r.id
""")
_JOBS = text("""
    SELECT json_build_object('what', 'job', 'job', job, 'slot', slot, 'status', status,
      'attempts', attempts, 'finished_at', finished_at, 'result', coalesce(error, result))
    FROM job_slots
    WHERE started_at >= CAST(:day AS timestamp) AT TIME ZONE :time_zone
      AND started_at < (:day + interval '1 day') AT TIME ZONE :time_zone
    ORDER BY started_at, job
""")


def put_summaries(storage: Storage, control: Connection, shards: Sequence[Connection] = ()) -> int:
    """Put each of the last days that the store lacks; return how many."""
    yesterday: dt.date = control.execute(_YESTERDAY, {"time_zone": TIME_ZONE}).scalar_one()
    put = 0
    for age in range(_DAYS):
        day = yesterday - dt.timedelta(days=age)
        key = f"service=summary/date={day}/summary-{day}.jsonl.gz"
        if storage.size_of(key) is None:
            lines = _of_day(control, day)
            if age == 0:
                # The numbers of the whole are only known for now, soon after that day's end.
                lines.append({"what": "stats", "stats": read_stats(control, shards)})
            content = b"".join(orjson.dumps({"day": day, **line}) + b"\n" for line in lines)
            storage.put(key, gzip.compress(content, mtime=0))
            put += 1
    return put


def _of_day(control: Connection, day: dt.date) -> list[dict[str, object]]:
    asked = {"day": day, "time_zone": TIME_ZONE}
    return [*control.execute(_RUNS, asked).scalars(), *control.execute(_JOBS, asked).scalars()]
