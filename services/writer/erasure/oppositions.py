"""Oppositions: recorded together with an erasure, withdrawn, carried over a restore."""

import datetime as dt
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Connection, Engine, text

from services.writer.erasure.honour import honour
from services.writer.erasure.staged import clear_staged
from services.writer.erasure.tombstones import hold_register, hold_unites
from services.writer.sql.conflicts import retry_conflicts
from shared.controls import shown_json
from shared.db.restore_marks import clear_mark
from shared.errors import UserError
from shared.sirene.identifiers import has_valid_check_digit, is_siren, is_siret, siren_of

SIRENS_AT_ONCE = 500
_ATTEMPTS = 5

_IS_STORED = text("SELECT EXISTS (SELECT FROM unites_legales WHERE siren = :siren)")
_OPPOSE = text("""
    INSERT INTO oppositions (siren, reason) VALUES (:siren, :reason)
    ON CONFLICT (siren) DO NOTHING RETURNING 1
""")
_BURY = text("""
    INSERT INTO erasures (siren, date_dernier_traitement, fetched_at, reason)
    SELECT s.siren, u.date_dernier_traitement, u.fetched_at, 'opposition'
    FROM (VALUES (:siren)) AS s (siren) LEFT JOIN unites_legales u USING (siren)
""")
_WITHDRAW = text("DELETE FROM oppositions WHERE siren = :siren RETURNING 1")
_NOTE_WITHDRAWAL = text("INSERT INTO erasures (siren, reason) VALUES (:siren, 'withdrawal')")

_EXPORT = text("""
    SELECT json_build_object('siren', siren, 'recorded_at', recorded_at, 'reason', reason)
    FROM oppositions WHERE siren = :siren OR CAST(:siren AS text) IS NULL
    UNION ALL
    SELECT json_build_object('siren', siren, 'siret', siret, 'erased_at', erased_at,
      'date_dernier_traitement', date_dernier_traitement, 'fetched_at', fetched_at,
      'because', reason)
    FROM erasures WHERE siren = :siren OR CAST(:siren AS text) IS NULL
""")
# A restored dump may bring back an opposition that was withdrawn after the dump.
_APPLY_OPPOSITIONS = text("""
    INSERT INTO oppositions (siren, recorded_at, reason)
    SELECT siren, recorded_at, reason FROM json_to_recordset(CAST(:lines AS json))
      AS n (siren text, recorded_at timestamptz, reason text)
    WHERE recorded_at IS NOT NULL
    ON CONFLICT (siren) DO NOTHING
""")
_APPLY_ERASURES = text("""
    INSERT INTO erasures (siren, siret, erased_at, date_dernier_traitement, fetched_at, reason)
    SELECT n.siren, n.siret, n.erased_at, n.date_dernier_traitement, n.fetched_at, n.because
    FROM json_to_recordset(CAST(:lines AS json)) AS n (siren text, siret text,
      erased_at timestamptz, date_dernier_traitement timestamp, fetched_at timestamptz,
      because text)
    WHERE n.erased_at IS NOT NULL AND NOT EXISTS (
      SELECT FROM erasures t WHERE t.siren = n.siren AND t.siret IS NOT DISTINCT FROM n.siret
        AND t.erased_at = n.erased_at AND t.reason = n.because)
    ORDER BY n.erased_at
""")
_APPLY_WITHDRAWALS = text("""
    DELETE FROM oppositions o USING erasures t
    WHERE t.siren = o.siren AND t.reason = 'withdrawal' AND t.erased_at > o.recorded_at
      AND o.siren = ANY(:sirens)
""")

_REASONS = frozenset({"partial_diffusion", "opposition", "withdrawal"})
Entry = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """`is_new` is False where the opposition stood already; `erased` counts rows by table."""

    siren: str
    is_new: bool
    is_stored: bool
    erased: dict[str, int] = field(default_factory=dict)


def checked_siren(words: str) -> str:
    """Take spaces out; raise UserError for anything but nine digits."""
    siren = "".join(words.split())
    if is_siret(siren):
        raise UserError(f"{siren} is a siret: an opposition is the unit's, {siren_of(siren)}")
    if not is_siren(siren):
        raise UserError(f"{words[:40]!r} is not a siren: nine digits")
    return siren


def forget(engine: Engine, siren: str, *, reason: str, force: bool = False) -> Forgotten:
    """Record the opposition and erase all that is kept of the unit, in one transaction.

    A second one clears what an interrupted `stock` left of it. Raises UserError for a number that
    is not stored and has a wrong check digit: after a typing mistake the person who objects would
    stay in the register.
    """
    work = partial(_forget, siren=siren, reason=reason, force=force)
    # The merge of a stock file takes its locks in another order.
    forgotten = retry_conflicts(engine, work, attempts=_ATTEMPTS)
    forgotten.erased.update(clear_staged(engine, [siren]))
    return forgotten


def _forget(connection: Connection, *, siren: str, reason: str, force: bool) -> Forgotten:
    hold_register(connection)
    is_stored: bool = connection.execute(_IS_STORED, {"siren": siren}).scalar_one()
    if not (is_stored or force or has_valid_check_digit(siren)):
        raise UserError(
            f"{siren} is not stored, and its check digit is wrong: --force records it anyway"
        )
    # A reviewer that holds the row has seen no opposition: its text is erased below.
    hold_unites(connection, [siren])
    opposition = {"siren": siren, "reason": reason}
    is_new = connection.execute(_OPPOSE, opposition).one_or_none() is not None
    erased = honour(connection, [siren])
    if is_new or erased:
        connection.execute(_BURY, {"siren": siren})
    return Forgotten(siren, is_new=is_new, is_stored=is_stored, erased=dict(erased))


def withdraw(engine: Engine, siren: str) -> bool:
    """End an opposition: the next import brings the data back. Returns False where none stood."""
    with engine.begin() as connection:
        hold_register(connection)
        withdrawn = connection.execute(_WITHDRAW, {"siren": siren}).one_or_none() is not None
        if withdrawn:
            connection.execute(_NOTE_WITHDRAWAL, {"siren": siren})
    return withdrawn


def export_lines(connection: Connection, siren: str | None = None) -> Iterator[str]:
    """Yield oppositions and tombstones as lines of JSON: numbers, dates and reasons, no name.

    They are those of one unit, or of all.
    """
    streamed = connection.execution_options(stream_results=True)
    for exported in streamed.scalars(_EXPORT, {"siren": siren}):
        yield shown_json(json.dumps(exported, ensure_ascii=False))


def read_lines(lines: Iterable[str]) -> dict[str, list[Entry]]:
    """Read exported lines by siren; raise UserError that names the first line that is not one."""
    by_siren: dict[str, list[Entry]] = defaultdict(list)
    for number, line in enumerate(lines, start=1):
        if line.strip():
            entry = _entry(line)
            if entry is None:
                raise UserError(f"line {number} is not a line of an export: nothing was applied")
            by_siren[str(entry["siren"])].append(entry)
    return by_siren


def apply(engine: Engine, by_siren: dict[str, list[Entry]]) -> Iterator[Counter[str]]:
    """Record what is missing and erase again, in groups; yield the cleared rows of each group.

    Rows that are newer than their tombstone stay: INSEE opened them again. A second run changes
    nothing more; an interrupted run begins again at the start. The mark of a restored database ends
    with the last group.
    """
    sirens = sorted(by_siren)
    for start in range(0, max(len(sirens), 1), SIRENS_AT_ONCE):
        group = sirens[start : start + SIRENS_AT_ONCE]
        is_last = start + SIRENS_AT_ONCE >= len(sirens)
        with engine.begin() as connection:
            hold_register(connection)
            lines = {"lines": json.dumps([entry for siren in group for entry in by_siren[siren]])}
            connection.execute(_APPLY_OPPOSITIONS, lines)
            connection.execute(_APPLY_ERASURES, lines)
            connection.execute(_APPLY_WITHDRAWALS, {"sirens": group})
            cleared = honour(connection, group)
            if is_last:
                clear_mark(connection)
        yield cleared
    # A dump that somebody made by hand may hold staging tables.
    yield clear_staged(engine)


def _entry(line: str) -> Entry | None:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or not is_siren(str(entry.get("siren"))):
        return None
    if not all(value is None or isinstance(value, str) for value in entry.values()):
        return None
    if "recorded_at" in entry:
        is_whole = isinstance(entry.get("reason"), str) and _is_instant(entry["recorded_at"])
    else:
        siret, treated, fetched = (
            entry.get(name) for name in ("siret", "date_dernier_traitement", "fetched_at")
        )
        is_whole = (
            entry.get("because") in _REASONS
            and _is_instant(entry.get("erased_at"))
            and (siret is None or (is_siret(siret) and siren_of(siret) == entry["siren"]))
            and all(date is None or _is_instant(date) for date in (treated, fetched))
        )
    return entry if is_whole else None


def _is_instant(value: str | None) -> bool:
    try:
        dt.datetime.fromisoformat(value or "")
    except ValueError:
        return False
    return True
