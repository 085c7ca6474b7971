"""Figures of batches: texts that wait, texts that are in one, and the times of both."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Engine, Row, text

from shared.backoff import doubling
from shared.terminal.words import thousands

_STATES = text("""
    SELECT state, count(*) AS batches, coalesce(sum(texts), 0) AS texts,
      min(submitted_at) AS submitted_at, max(expires_at) AS expires_at
    FROM review_batches WHERE finished_at IS NULL GROUP BY state
""")
_WAITING = text("SELECT count(*) FROM review_batch_lines WHERE batch_id IS NULL")

CROWDED = ("token_limit_exceeded", "request_limit_exceeded", "rate_limit_exceeded")
"""Codes of servers that take no more for now: smaller batches may find room."""

# One provider's load: what stands against new batches, and for how long.
_LOAD = text("""
    SELECT
      (SELECT count(*) FROM review_batch_lines WHERE batch_id IS NULL AND provider = :provider)
        AS waiting,
      (SELECT count(*) FROM review_batches WHERE finished_at IS NULL AND provider = :provider)
        AS open_batches,
      (SELECT coalesce(max(extract(epoch FROM next_at - clock_timestamp())), 0)::float
        FROM review_batches
        WHERE finished_at IS NULL AND provider = :provider AND failures >= :failures)
        AS failing_seconds,
      (SELECT CASE WHEN count(*) > 0 THEN greatest(1, min(texts) / 2) END FROM review_batches
        WHERE provider = :provider AND finished_at > clock_timestamp() - interval '1 day'
          AND failed_because = ANY(CAST(:crowded AS text[]))) AS most_texts,
      count(*) AS ends,
      count(*) FILTER (WHERE answered = 0 OR spent_eur > cost_eur) AS bad_ends,
      coalesce(sum(answered), 0) AS refused,
      coalesce(bool_and(coalesce(failed_because, '') = ANY(CAST(:crowded AS text[]))), false)
        AS crowded,
      coalesce(extract(epoch FROM clock_timestamp() - max(finished_at)), 0)::float AS age_seconds
    FROM review_batches b
    WHERE provider = :provider AND finished_at IS NOT NULL
      AND (accepted = 0 OR spent_eur > cost_eur)
      AND (state <> 'cancelled' OR submitted_at IS NOT NULL)
      AND finished_at > coalesce((
        SELECT max(finished_at) FROM review_batches
        WHERE provider = :provider AND accepted > 0 AND spent_eur <= cost_eur), '-infinity')
""")

_FAILURES = 3
# A provider is doubted after this many texts since the last one that was accepted.
_REFUSALS = 20
_MOST_CLOSED_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class BatchedTexts:
    """`submitted_at` is that of the oldest batch; by `expected_by` the last one must have ended."""

    waiting: int = 0
    batches: int = 0
    texts: int = 0
    submitted_at: dt.datetime | None = None
    expected_by: dt.datetime | None = None

    def as_dict(self) -> dict[str, Any] | None:
        """Return None where no text waits and none is in a batch."""
        if self.waiting + self.texts == 0:
            return None
        times = {"submitted_at": _told(self.submitted_at), "expected_by": _told(self.expected_by)}
        return {**asdict(self), **times}


@dataclass(frozen=True, slots=True)
class ProviderLoad:
    """A provider's load in one shard; `closed_seconds` is the time until the next batch.

    A provider that is `crowded` is closed and well: texts wait for it. `most_texts` is the size of
    a batch that may find room there, None where nothing speaks for a smaller one.
    """

    waiting: int
    open_batches: int
    closed_seconds: float
    crowded: bool
    most_texts: int | None


def read_states(engines: Iterable[Engine]) -> dict[str, tuple[int, int]]:
    """Return batches that have not ended and their texts, by state; `waiting` has texts only."""
    found: dict[str, tuple[int, int]] = {"waiting": (0, 0), "ready": (0, 0), "submitted": (0, 0)}
    for waiting, rows in map(_read, engines):
        counted = [(row.state, row.batches, int(row.texts)) for row in rows]
        for state, batches, texts in (*counted, ("waiting", 0, waiting)):
            found[state] = (found[state][0] + batches, found[state][1] + texts)
    return found


def read_batched(engines: Iterable[Engine]) -> BatchedTexts:
    total = BatchedTexts()
    for waiting, rows in map(_read, engines):
        begun = [total.submitted_at, *(row.submitted_at for row in rows)]
        ends = [total.expected_by, *(row.expires_at for row in rows)]
        total = BatchedTexts(
            total.waiting + waiting,
            total.batches + sum(row.batches for row in rows),
            total.texts + sum(int(row.texts) for row in rows),
            min(filter(None, begun), default=None),
            max(filter(None, ends), default=None),
        )
    return total


def _read(engine: Engine) -> tuple[int, Sequence[Row[Any]]]:
    with engine.connect() as connection:
        return connection.execute(_WAITING).scalar_one(), connection.execute(_STATES).all()


def read_load(engine: Engine, provider: str, *, poll_seconds: float) -> ProviderLoad:
    """Return the load. All processes leave a server alone whose batches fail, longer each time."""
    with engine.connect() as connection:
        values = {"provider": provider, "failures": _FAILURES, "crowded": list(CROWDED)}
        row = connection.execute(_LOAD, values).one()
    closed = row.failing_seconds
    bad_ends = row.ends if row.refused >= _REFUSALS else row.bad_ends
    if bad_ends:
        backoff = doubling(poll_seconds, bad_ends, most=_MOST_CLOSED_SECONDS)
        closed = max(closed, backoff - row.age_seconds)
    return ProviderLoad(
        waiting=row.waiting,
        open_batches=row.open_batches,
        closed_seconds=max(0.0, closed),
        crowded=row.crowded and row.failing_seconds <= 0,
        most_texts=row.most_texts,
    )


def batches_line(told: Mapping[str, Any]) -> str:
    """Return `BatchedTexts.as_dict` as a sentence, in local time."""
    waiting = f"{thousands(told['waiting'])} wait for a batch"
    if not told["texts"]:
        return waiting
    number = told["batches"]
    line = f"{thousands(told['texts'])} in {number} batch{'es' * (number > 1)}, {waiting}"
    if told["submitted_at"]:
        line += f"; submitted from {_moment(told['submitted_at'])}"
    return f"{line}, expected by {_moment(told['expected_by'])}"


def _moment(told: str) -> str:
    return dt.datetime.fromisoformat(told).astimezone().strftime("%d/%m %H:%M")


def _told(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")
