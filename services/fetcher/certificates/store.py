"""Certificates in PostgreSQL, and the stored rows that they compare with INSEE's list."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Engine, TextClause, text

from services.fetcher.certificates.comparison import Tally, WindowFinding, by_column, united
from services.fetcher.plan.windows import Window
from shared.imports import absences
from shared.imports.listed import listed
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
    WHERE id = :certificate
""")
_CLOSE = text("""
    UPDATE certificates
    SET status = :status, windows = CAST(:windows AS jsonb),
        informations_after = :informations_after, expected = :expected, stored = :stored,
        missing = :missing, surplus = :surplus, missing_sirets = :missing_sirets,
        surplus_sirets = :surplus_sirets, gone_sirets = :gone_sirets,
        altered = :altered, altered_sirets = :altered_sirets,
        altered_columns = CAST(:altered_columns AS jsonb),
        finished_at = clock_timestamp()
    WHERE id = :certificate
""")
# Sirets that INSEE, asked by number, did not list, and that no walk has fetched since.
_GONE = text(f"""
    WITH {ASKED}
    SELECT a.siret FROM asked a JOIN etablissements e USING (siret)
    WHERE a.is_unlisted AND e.fetched_at < a.completed_at
      AND (CAST(:sirets AS text[]) IS NULL OR a.siret = ANY(:sirets))
    ORDER BY a.siret
""")
# A NULL lies in no window that names a value, as at INSEE.
_EQUAL = {name: name for name in ("departement", "code_commune")} | {
    "etat_administratif": listed("etat_administratif", "etablissements")
}
_ACTIVITE = listed("activite_principale", "etablissements")
_IN_WINDOW = " AND ".join(
    [f"(CAST(:{name} AS text) IS NULL OR {value} = :{name})" for name, value in _EQUAL.items()]
    + [
        f"""(CAST(:activite_principale AS text) IS NULL
          OR :activite_principale IN ({_ACTIVITE}, activite_principale_naf25))""",
        "(CAST(:siret_from AS text) IS NULL OR siret >= :siret_from)",
        "(CAST(:siret_to AS text) IS NULL OR siret <= :siret_to)",
    ]
)
_COUNT = text(f"SELECT count(*) FROM etablissements WHERE {_IN_WINDOW}")
_SIRETS = text(f"""
    SELECT siret FROM etablissements
    WHERE {_IN_WINDOW} AND siret > :above AND (CAST(:up_to AS text) IS NULL OR siret <= :up_to)
    ORDER BY siret
""")
_STILL_STORED = text(f"""
    SELECT siret FROM etablissements WHERE siret = ANY(:sirets) AND {_IN_WINDOW}
""")
_FAILED_ITEMS = text("""
    SELECT count(*) FROM failed_items
    WHERE kind = 'write' AND resolved_at IS NULL AND key = ANY(:sirets)
""")


@dataclass(frozen=True)
class Outcome:
    """A finished certificate; one that is `void` has a `reason`.

    Counts of overlapping windows are summed; their sets of sirets are a union.
    """

    id: int
    status: str
    reason: str | None
    informations_before: datetime
    informations_after: datetime | None
    requests: int
    findings: Sequence[WindowFinding] = ()
    failed_items: int = 0
    """Missing sirets with an open failed item: received, and refused by the writer."""

    @property
    def expected(self) -> int:
        return sum(each.expected for each in self.findings)

    @property
    def stored(self) -> int:
        return sum(each.stored for each in self.findings)

    @property
    def missing(self) -> Tally:
        return united(each.missing for each in self.findings)

    @property
    def surplus(self) -> Tally:
        return united(each.surplus for each in self.findings)

    @property
    def altered(self) -> Tally | None:
        """The sirets whose contents differ; None where contents were not compared."""
        if any(each.altered is None for each in self.findings):
            return None
        return united(each.altered.sirets for each in self.findings if each.altered is not None)

    @property
    def altered_columns(self) -> dict[str, int]:
        """The rows that differ, by column."""
        return by_column(self.findings)

    @property
    def gone(self) -> list[str]:
        return united(Tally(each.gone) for each in self.findings).kept

    def as_dict(self) -> dict[str, object]:
        """Return what is printed of a certificate; most of it is kept as well."""
        altered = self.altered
        return {
            "certificate": self.id,
            "status": self.status,
            "reason": self.reason,
            "informations_before": self.informations_before,
            "informations_after": self.informations_after,
            "requests": self.requests,
            "expected": self.expected,
            "stored": self.stored,
            "missing": self.missing.count,
            "surplus": self.surplus.count,
            "altered": None if altered is None else altered.count,
            "windows": [as_dict(each) for each in self.findings],
            "missing_sirets": self.missing.kept,
            "surplus_sirets": self.surplus.kept,
            "gone_sirets": self.gone,
            "altered_sirets": None if altered is None else altered.kept,
            "altered_columns": None if altered is None else self.altered_columns,
            "failed_items": self.failed_items,
        }


class CertificateStore:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def open(self, scopes: Sequence[Scope], informations: datetime) -> int:
        """Insert a certificate that claims nothing until it is closed; return its id."""
        wanted = [{k: v for k, v in asdict(each).items() if v} for each in scopes]
        scope = wanted[0] if len(wanted) == 1 else {"scopes": wanted}
        return self._scalar(_OPEN, scope=json.dumps(scope), informations_before=informations)

    def void(self, certificate: int, reason: str, *, after: datetime | None = None) -> None:
        self._execute(_VOID, certificate=certificate, reason=reason, informations_after=after)

    def close(self, outcome: Outcome) -> None:
        values = outcome.as_dict()
        as_json = {name: json.dumps(values[name]) for name in ("windows", "altered_columns")}
        if outcome.altered is None:
            del as_json["altered_columns"]
        with self._engine.begin() as connection:
            connection.execute(_CLOSE, values | as_json)
            # Each is asked for by number: it may be a duplicate, or known no more.
            absences.ask_for(connection, sirets=[*outcome.surplus.kept, *outcome.gone])

    def count(self, window: Window) -> int:
        return self._scalar(_COUNT, **vars(window))

    def sirets(self, window: Window, *, above: str, up_to: str | None) -> Iterator[str]:
        """Stream a stretch of the window's sirets in their order, as they are stored now."""
        stretch = {**vars(window), "above": above, "up_to": up_to}
        # Short transactions on purpose: a snapshot held for an hour would hold back vacuum.
        with self._engine.connect().execution_options(
            stream_results=True, yield_per=_ROWS_AT_ONCE
        ) as connection:
            yield from connection.scalars(_SIRETS, stretch)

    def still_stored(self, window: Window, sirets: Sequence[str]) -> set[str]:
        """Return the sirets that are rows of the window now."""
        found: set[str] = set()
        with self._engine.connect() as connection:
            for start in range(0, len(sirets), _ROWS_AT_ONCE):
                some = {"sirets": list(sirets[start : start + _ROWS_AT_ONCE])}
                found.update(connection.scalars(_STILL_STORED, vars(window) | some))
        return found

    def gone(self, sirets: Sequence[str] | None) -> list[str]:
        """Return the sirets that INSEE, asked by number after they were stored, did not list.

        None looks at all that were ever asked for by number.
        """
        wanted = {"sirets": None if sirets is None else list(sirets)}
        with self._engine.connect() as connection:
            return list(connection.scalars(_GONE, wanted))

    def failed_items(self, sirets: Sequence[str]) -> int:
        return self._scalar(_FAILED_ITEMS, sirets=list(sirets))

    def _execute(self, statement: TextClause, **parameters: object) -> None:
        with self._engine.begin() as connection:
            connection.execute(statement, parameters)

    def _scalar(self, statement: TextClause, **parameters: object) -> int:
        with self._engine.begin() as connection:
            number: int = connection.execute(statement, parameters).scalar_one()
        return number


def as_dict(finding: WindowFinding) -> dict[str, object]:
    """Return what is kept and printed of a window; the sirets are kept once for all windows."""
    window = finding.window
    return {
        "query": window.query,
        "departement": window.departement,
        "commune": window.code_commune,
        "expected": finding.expected,
        "stored": finding.stored,
        "compared": finding.compared,
        "missing": finding.missing.count,
        "surplus": finding.surplus.count,
        "altered": None if finding.altered is None else finding.altered.sirets.count,
        "gone": finding.gone_stored,
    }
