"""The sweep over accepted texts: those whose context says something else now become due.

What has become unknown says nothing else: the text keeps its hash, and waits for better knowledge.

A batch reads without a lock, and then writes with its place in the sweep, in one transaction: a
kill in between costs the batch, which is read again. Reviewers of all replicas take turns.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, Engine, Row, text

from services.reviewer.contexts.reader import ContextReader
from services.reviewer.texts.subject_rows import read_subjects
from services.reviewer.texts.subjects import AvisSubject
from shared.avis import HUMAN_EDITED, PENDING, RESET
from shared.clock import Clock
from shared.db.locks import Lock, try_hold
from shared.sirene.context import context_hash, is_other

log = structlog.get_logger()

BATCH = 500
_STEP_SECONDS = 20.0

# A register that is complete anew brings counts to many texts.
_NEWS = text("""
    SELECT greatest(
      (SELECT max(finished_at) FROM stock_loads WHERE status IN ('stored', 'complete')),
      (SELECT max(finished_at) FROM certificates WHERE status = 'agree'))
""")
_BEGIN = text("""
    INSERT INTO context_sweeps (began_at)
    SELECT :now WHERE NOT EXISTS (SELECT FROM context_sweeps
      WHERE ended_at IS NULL OR began_at > CAST(:now AS timestamptz) - interval '1 day'
        AND NOT coalesce(began_at <= CAST(:news AS timestamptz), false))
""")
_OPEN = text("SELECT id, after_id FROM context_sweeps WHERE ended_at IS NULL ORDER BY id LIMIT 1")
# Nobody overwrites a person's words, and a synthese tells no context.
_NEXT = text(f"""
    SELECT id, context_hash FROM avis
    WHERE id > :after_id AND outcome = 'accepted' AND kind = 'notice'
      AND model IS DISTINCT FROM '{HUMAN_EDITED}'
    ORDER BY id LIMIT :rows
""")
_MOVE_ON = text("""
    UPDATE context_sweeps SET after_id = :last_id, checked = checked + :checked,
      ended_at = CASE WHEN :is_last THEN CAST(:now AS timestamptz) END
    WHERE id = :id AND after_id = :after_id AND ended_at IS NULL
""")
_MAKE_DUE = text(f"""
    WITH others AS (
      SELECT a.id FROM avis a
      JOIN unnest(CAST(:ids AS bigint[]), CAST(:hashes AS text[])) AS read (id, context_hash)
        ON read.id = a.id
      WHERE a.outcome = 'accepted' AND a.context_hash IS NOT DISTINCT FROM read.context_hash
      ORDER BY a.id FOR UPDATE OF a)
    UPDATE avis SET outcome = 'pending', context_hash = NULL, {RESET}
    FROM others WHERE avis.id = others.id
""")
_COUNT_DUE = text("UPDATE context_sweeps SET made_due = made_due + :made_due WHERE id = :id")
_ASK = text("""
    INSERT INTO context_sweeps (began_at)
    SELECT clock_timestamp()
    WHERE NOT EXISTS (SELECT FROM context_sweeps WHERE ended_at IS NULL)
""")


@dataclass(frozen=True)
class ContextSweep:
    """Sweeps each shard once a day, and after a stock load or a certificate."""

    reader: ContextReader
    clock: Clock
    sole_traders: bool
    rows: int = BATCH

    def step(self) -> None:
        """Do some batches in each shard that has a sweep to do."""
        with self.reader.control.connect() as control:
            news = control.scalar(_NEWS)
        for shard in self.reader.shards:
            begun = self.clock.monotonic_seconds()
            with shard.begin() as connection:
                if try_hold(connection, Lock.CONTEXTS):
                    connection.execute(_BEGIN, {"now": self.clock.now(), "news": news})
            while self.sweep_on(shard) and not self.clock.stopping.is_set():
                if self.clock.monotonic_seconds() > begun + _STEP_SECONDS:
                    break

    def sweep_on(self, shard: Engine) -> bool:
        """Do the next batch of the shard's sweep; return False where none is left to do."""
        with shard.connect() as connection:
            sweep = connection.execute(_OPEN).one_or_none()
            if sweep is None:
                return False
            asked = {"after_id": sweep.after_id, "rows": self.rows}
            kept = connection.execute(_NEXT, asked).all()
            subjects = self._writable(connection, kept)
        described = self.reader.describe(subjects)
        hashes = {row.id: row.context_hash for row in kept}
        stale = [
            (avis_id, hashes[avis_id])
            for avis_id, subject in described.items()
            if is_other(hashes[avis_id], context_hash(subject.context, subject.unknown))
        ]
        return self._write(shard, sweep, kept, stale)

    def _writable(
        self, connection: Connection, kept: Sequence[Row[tuple[object, ...]]]
    ) -> dict[int, AvisSubject]:
        """Return the subjects about which a text may be written: the writer sees to the others."""
        subjects = read_subjects(connection, [row.id for row in kept])
        return {
            avis_id: subject
            for avis_id, subject in subjects.items()
            if subject.outcome(sole_traders=self.sole_traders) is PENDING
        }

    def _write(
        self,
        shard: Engine,
        sweep: Row[tuple[object, ...]],
        kept: Sequence[Row[tuple[object, ...]]],
        stale: Sequence[tuple[int, str | None]],
    ) -> bool:
        """Make the stale texts due and move on, unless another reviewer did so meanwhile."""
        is_last = len(kept) < self.rows
        with shard.begin() as connection:
            if not try_hold(connection, Lock.CONTEXTS):
                return False
            place = {
                "id": sweep.id,
                "after_id": sweep.after_id,
                "last_id": kept[-1].id if kept else sweep.after_id,
                "checked": len(kept),
                "is_last": is_last,
                "now": self.clock.now(),
            }
            if connection.execute(_MOVE_ON, place).rowcount == 0:
                return False
            if stale:
                ids, hashes = zip(*stale, strict=True)
                read = {"ids": list(ids), "hashes": list(hashes)}
                made_due = connection.execute(_MAKE_DUE, read).rowcount
                connection.execute(_COUNT_DUE, {"id": sweep.id, "made_due": made_due})
        if is_last:
            log.info("sweep of contexts ended", sweep_id=sweep.id)
        return not is_last


def ask_for_sweep(connection: Connection) -> bool:
    """Begin a sweep of this database unless one is under way; return whether it began."""
    return connection.execute(_ASK).rowcount > 0
