"""Certificates in PostgreSQL, and the stored side of what they compare."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, func, select, text

from services.fetcher.certificates.comparison import (
    CertificateVerdict,
    Tally,
    WindowFinding,
    united,
)
from services.fetcher.plan.windows import Window
from shared.db.tables import etablissements
from shared.imports.scope import Scope
from shared.imports.statement import ASKED

_ROWS_AT_ONCE = 5000

_OPEN = text("""
    INSERT INTO certificates (scope, informations_before)
    VALUES (CAST(:scope AS jsonb), :informations_before) RETURNING id
""")
_VOID = text("""
    UPDATE certificates
    SET status = 'void', reason = :reason, informations_after = :informations_after,
        finished_at = clock_timestamp()
    WHERE id = :id
""")
_CLOSE = text("""
    UPDATE certificates
    SET status = :status, windows = CAST(:windows AS jsonb),
        informations_after = :informations_after, expected = :expected, stored = :stored,
        missing = :missing, surplus = :surplus, missing_sirets = :missing_sirets,
        surplus_sirets = :surplus_sirets, gone_sirets = :gone_sirets,
        finished_at = clock_timestamp()
    WHERE id = :id
""")
# Asked for by number and not listed, and not fetched again since.
_GONE = text(f"""
    WITH {ASKED}
    SELECT a.siret FROM asked a JOIN etablissements e USING (siret)
    WHERE a.is_unlisted AND e.fetched_at < a.completed_at
      AND (CAST(:sirets AS text[]) IS NULL OR a.siret = ANY(:sirets))
    ORDER BY a.siret
""")  # noqa: S608  # made of constants only
_FAILED_ITEMS = text("""
    SELECT count(*) FROM failed_items
    WHERE kind = 'write' AND resolved_at IS NULL AND key = ANY(:sirets)
""")


@dataclass(frozen=True)
class Outcome:
    """A finished certificate; `status` is `void` where its reason says why."""

    id: int
    status: CertificateVerdict | str
    reason: str | None
    informations_before: datetime
    informations_after: datetime | None
    requests: int
    findings: Sequence[WindowFinding] = ()
    failed_items: int = 0
    """How many of the missing are open failed items: received, and refused by the writer."""

    @property
    def missing(self) -> Tally:
        return united(each.missing for each in self.findings)

    @property
    def surplus(self) -> Tally:
        return united(each.surplus for each in self.findings)

    @property
    def gone(self) -> list[str]:
        return united(Tally(each.gone) for each in self.findings).kept


class CertificateStore:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def open(self, scope: Scope, informations: datetime) -> int:
        """Leave a row that claims nothing until it is closed."""
        wanted = {name: value for name, value in asdict(scope).items() if value}
        return self._scalar(_OPEN, scope=_json(wanted), informations_before=informations)

    def void(self, certificate: int, reason: str, *, informations: datetime | None = None) -> None:
        self._execute(_VOID, id=certificate, reason=reason, informations_after=informations)

    def close(
        self,
        certificate: int,
        status: CertificateVerdict,
        findings: Sequence[WindowFinding],
        *,
        informations: datetime,
    ) -> None:
        """Counts of windows that overlap are summed as they are; their sets are a union."""
        missing = united(each.missing for each in findings)
        surplus = united(each.surplus for each in findings)
        self._execute(
            _CLOSE,
            id=certificate,
            status=status,
            windows=_json([as_dict(each) for each in findings]),
            informations_after=informations,
            expected=sum(each.expected for each in findings),
            stored=sum(each.stored for each in findings),
            missing=missing.count,
            surplus=surplus.count,
            missing_sirets=missing.kept,
            surplus_sirets=surplus.kept,
            gone_sirets=united(Tally(each.gone) for each in findings).kept,
        )

    # ── The stored side ──

    def count(self, window: Window) -> int:
        wanted = select(func.count()).select_from(etablissements).where(*_in(window))
        with self._engine.connect() as connection:
            return connection.execute(wanted).scalar_one()

    def sirets(self, window: Window, *, above: str, up_to: str | None) -> Iterator[str]:
        """Stream a stretch of the window's sirets in their order, as they are stored now."""
        column = etablissements.c.siret
        wanted = select(column).where(*_in(window), column > above).order_by(column)
        if up_to is not None:
            wanted = wanted.where(column <= up_to)
        # Short transactions on purpose: a snapshot held for an hour would hold back vacuum.
        with self._engine.connect().execution_options(
            stream_results=True, yield_per=_ROWS_AT_ONCE
        ) as connection:
            yield from connection.execute(wanted).scalars()

    def still_stored(self, window: Window, sirets: Sequence[str]) -> set[str]:
        """Those that are rows of the window now."""
        column = etablissements.c.siret
        found: set[str] = set()
        with self._engine.connect() as connection:
            for start in range(0, len(sirets), _ROWS_AT_ONCE):
                some = list(sirets[start : start + _ROWS_AT_ONCE])
                wanted = select(column).where(column.in_(some), *_in(window))
                found.update(connection.execute(wanted).scalars())
        return found

    def gone(self, sirets: Sequence[str] | None) -> list[str]:
        """Those that INSEE was asked for by number, after they were stored, and did not list.

        Of these, or of all that were ever asked for so.
        """
        wanted = {"sirets": None if sirets is None else list(sirets)}
        with self._engine.connect() as connection:
            return list(connection.execute(_GONE, wanted).scalars())

    def failed_items(self, sirets: Sequence[str]) -> int:
        return self._scalar(_FAILED_ITEMS, sirets=list(sirets))

    def _execute(self, statement: Any, **parameters: object) -> None:
        with self._engine.begin() as connection:
            connection.execute(statement, parameters)

    def _scalar(self, statement: Any, **parameters: object) -> int:
        with self._engine.begin() as connection:
            number: int = connection.execute(statement, parameters).scalar_one()
        return number


def as_dict(finding: WindowFinding) -> dict[str, object]:
    """What of a window is kept, and printed as JSON; its sirets are kept once for all windows."""
    window = finding.window
    return {
        "query": window.query,
        "departement": window.departement,
        "commune": window.code_commune,
        "expected": finding.expected,
        "stored": finding.stored,
        "compared": "sirets" if finding.is_walked else "counts",
        "missing": finding.missing.count,
        "surplus": finding.surplus.count,
        "gone": finding.gone_stored,
    }


def _in(window: Window) -> list[ColumnElement[bool]]:
    """The window in our own columns: a NULL is in no window that names a value, here as there."""
    columns = etablissements.c
    conditions = [
        columns[name] == value
        for name in ("departement", "code_commune", "activite_principale", "etat_administratif")
        if (value := getattr(window, name)) is not None
    ]
    if window.siret_from is not None:
        conditions.append(columns.siret >= window.siret_from)
    if window.siret_to is not None:
        conditions.append(columns.siret <= window.siret_to)
    return conditions


def _json(value: object) -> str:
    return json.dumps(value)
