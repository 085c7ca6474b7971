"""The progress and cost of the texts of a run, read while they are made."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from sqlalchemy import Engine, text

from services.reviewer.batches.figures import BatchedTexts, read_batched
from services.reviewer.money.budget import BudgetState, read_budget

_PENDING = text("SELECT count(*) FROM avis WHERE outcome = 'pending'")
_PENDING_OF_SAMPLE = text("""
    SELECT count(*) FROM avis
    WHERE outcome = 'pending' AND id = ANY(CAST(:sample_ids AS bigint[]))
""")
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
    """`texts`, `accepted`, `re_asked`, `fallbacks`, `cost_eur` count from the first reading on."""

    budget: BudgetState
    pending: int
    texts: int = 0
    accepted: int = 0
    re_asked: int = 0
    fallbacks: int = 0
    cost_eur: Decimal = Decimal(0)
    batched: BatchedTexts = field(default_factory=BatchedTexts)

    def share(self, texts: int) -> float | None:
        """Return the share among the texts made so far; None before the first."""
        return texts / self.texts if self.texts else None

    def projected_eur(self, text_eur: Decimal | None) -> Decimal | None:
        """Return the cost in the end, from the texts made so far or else from `text_eur`."""
        if self.texts:
            text_eur = self.cost_eur / self.texts
        return None if text_eur is None else self.budget.spent_eur + self.pending * text_eur


@dataclass
class RunReader:
    """Adds up the texts from now on. `pending` counts the sample only, where there is one."""

    control: Engine
    shards: Sequence[Engine]
    sample_ids: Sequence[int] | None = None
    _seen: dict[int, int] = field(default_factory=dict)
    _sum: RunReading | None = None

    def start(self) -> None:
        for number, engine in enumerate(self.shards):
            with engine.connect() as connection:
                self._seen[number] = connection.execute(_NEWEST).scalar_one()

    def read(self) -> RunReading:
        with self.control.connect() as connection:
            budget = read_budget(connection)
        total = replace(self._sum or RunReading(budget=budget, pending=0), budget=budget, pending=0)
        for number, engine in enumerate(self.shards):
            total = self._add(total, number, engine)
        total = replace(total, batched=read_batched(self.shards))
        self._sum = total
        return total

    def _add(self, total: RunReading, number: int, engine: Engine) -> RunReading:
        with engine.connect() as connection:
            made = connection.execute(_MADE_SINCE, {"seen": self._seen[number]}).one()
            if self.sample_ids is None:
                pending = connection.execute(_PENDING).scalar_one()
            else:
                ids = {"sample_ids": list(self.sample_ids)}
                pending = connection.execute(_PENDING_OF_SAMPLE, ids).scalar_one()
        self._seen[number] = made.seen
        return replace(
            total,
            pending=total.pending + pending,
            texts=total.texts + made.texts,
            accepted=total.accepted + made.accepted,
            re_asked=total.re_asked + made.re_asked,
            fallbacks=total.fallbacks + made.fallbacks,
            cost_eur=total.cost_eur + made.cost_eur,
        )
