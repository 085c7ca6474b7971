"""The progress and cost of the texts of a run, read while they are made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, text

from services.reviewer.batches.figures import BatchedTexts, read_batched
from services.reviewer.commands.renewals import RenewalPace
from shared.imports.progress import THROTTLED
from shared.money.budget import BudgetState, read_budget

_PENDING = """
    SELECT count(*) AS texts, count(renewal_rank) AS renewals FROM avis WHERE outcome = 'pending'"""
_PENDING_OF_SAMPLE = f"{_PENDING} AND id = ANY(CAST(:sample_ids AS bigint[]))"
_THROTTLED = text(f"SELECT {THROTTLED}")
_NEWEST = text("SELECT coalesce(max(id), 0) FROM avis_attempts")
# All attempts of a text are stored in one transaction, so that a reading never sees a part.
_MADE_SINCE = text("""
    WITH made AS (
      SELECT max(id) AS id, count(*) AS calls, sum(cost_eur) AS cost_eur,
        (array_agg(provider ORDER BY id DESC))[1] AS provider,
        (array_agg(accepted ORDER BY id DESC))[1] AS accepted
      FROM avis_attempts WHERE id > :seen
      GROUP BY avis_id)
    SELECT count(*) AS texts, count(*) FILTER (WHERE accepted) AS accepted,
      count(*) FILTER (WHERE calls > 1) AS re_asked,
      count(*) FILTER (WHERE accepted AND provider IS NULL) AS fallbacks,
      coalesce(sum(cost_eur), 0) AS cost_eur, coalesce(max(id), :seen) AS seen
    FROM made
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReading:
    """`texts`, `accepted`, `re_asked`, `fallbacks`, `cost_eur` count from the first reading on.

    `renewals` are among the pending.
    """

    budget: BudgetState
    pending: int
    renewals: int = 0
    texts: int = 0
    accepted: int = 0
    re_asked: int = 0
    fallbacks: int = 0
    cost_eur: Decimal = Decimal(0)
    batched: BatchedTexts = field(default_factory=BatchedTexts)
    throttled: Mapping[str, float] = field(default_factory=dict)

    @property
    def pace(self) -> RenewalPace:
        return RenewalPace(self.renewals, self.budget.renewals_per_day)

    def share(self, texts: int) -> float | None:
        """Return the share among the texts made so far; None before the first."""
        return texts / self.texts if self.texts else None

    def projected_eur(self, text_eur: Decimal | None) -> Decimal | None:
        """Return the cost in the end, from the texts made so far or else from `text_eur`."""
        if self.texts:
            text_eur = self.cost_eur / self.texts
        return None if text_eur is None else self.budget.spent_eur + self.pending * text_eur


class RunReader:
    """Adds up the texts from now on. `pending` counts the sample only, where there is one."""

    def __init__(
        self, control: Engine, shards: Sequence[Engine], sample_ids: list[int] | None
    ) -> None:
        self._control = control
        self._shards = shards
        self._pending = text(_PENDING if sample_ids is None else _PENDING_OF_SAMPLE)
        self._sample = {} if sample_ids is None else {"sample_ids": sample_ids}
        self._seen: list[int] = []
        self._made: dict[str, Any] = {}
        for engine in shards:
            with engine.connect() as connection:
                self._seen.append(connection.execute(_NEWEST).scalar_one())

    def read(self) -> RunReading:
        with self._control.connect() as connection:
            budget = read_budget(connection)
            throttled = connection.execute(_THROTTLED).scalar_one()
        pending = renewals = 0
        for number, engine in enumerate(self._shards):
            with engine.connect() as connection:
                made = connection.execute(_MADE_SINCE, {"seen": self._seen[number]}).mappings()
                counts = dict(made.one())
                due = connection.execute(self._pending, self._sample).one()
            pending, renewals = pending + due.texts, renewals + due.renewals
            self._seen[number] = counts.pop("seen")
            self._made = {name: self._made.get(name, 0) + counts[name] for name in counts}
        batched = read_batched(self._shards)
        return RunReading(
            budget=budget,
            pending=pending,
            renewals=renewals,
            batched=batched,
            throttled=throttled,
            **self._made,
        )
