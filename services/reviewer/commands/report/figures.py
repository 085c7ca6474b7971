"""The figures of the report: quality, cost and speed of the texts, from their attempts."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from services.reviewer.texts.subject_rows import read_subjects
from services.reviewer.validation import GROUNDING
from shared.avis import PENDING

_DUPLICATES = ("exact_duplicate", "near_duplicate")
LENGTH_STEP = 25
"""The width of a bar in the histogram of lengths, in characters."""

_OUTCOMES = text("SELECT outcome, count(*) AS avis FROM avis GROUP BY outcome ORDER BY 2 DESC, 1")
_MODELS = text("""
    SELECT model, count(*) AS attempts, count(*) FILTER (WHERE accepted) AS accepted,
      sum(tokens_in)::bigint AS tokens_in, sum(tokens_out)::bigint AS tokens_out,
      sum(cost_eur) AS cost_eur,
      percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_seconds) AS median_seconds,
      percentile_cont(0.95) WITHIN GROUP (ORDER BY latency_seconds) AS p95_seconds
    FROM avis_attempts GROUP BY model ORDER BY 2 DESC, 1
""")
# First attempts show how good a generator is; later ones show what another try brings.
_NUMBERED = """
    numbered AS (
      SELECT a.*, row_number() OVER (PARTITION BY avis_id, facts_hash ORDER BY id) AS number
      FROM avis_attempts a)
"""
_REASONS = text(f"""
    WITH {_NUMBERED}
    SELECT reason, least(number, 3) AS number, count(*) AS times
    FROM numbered CROSS JOIN unnest(reasons) AS reason
    GROUP BY 1, 2
""")
_FIRST = text(f"""
    WITH {_NUMBERED}
    SELECT model, count(*) AS texts, count(*) FILTER (WHERE accepted) AS accepted,
      count(*) FILTER (WHERE NOT reasons && CAST(:grounding AS text[])) AS grounded,
      count(*) FILTER (WHERE reasons && CAST(:duplicates AS text[])) AS duplicates
    FROM numbered WHERE number = 1 AND text IS NOT NULL
    GROUP BY model ORDER BY 2 DESC, 1
""")
_FALLBACKS = text("""
    SELECT count(*) FROM avis
    WHERE outcome = 'accepted' AND digital_source_type = 'algorithmicMedia'
      AND EXISTS (SELECT FROM avis_attempts a WHERE a.avis_id = avis.id AND a.model <> avis.model)
""")
_LENGTHS = text("""
    SELECT length(text) / :step * :step AS characters, count(*) AS texts
    FROM avis WHERE outcome = 'accepted' GROUP BY 1 ORDER BY 1
""")
_MINUTES = text("""
    SELECT date_trunc('minute', attempted_at) AS minute, count(*) AS attempts,
      count(*) FILTER (WHERE accepted) AS accepted, sum(latency_seconds) / 60 AS at_work
    FROM avis_attempts GROUP BY 1 ORDER BY 1
""")
_SOME = text("""
    SELECT id, siret, text, label FROM avis
    WHERE outcome = 'accepted' AND text IS NOT NULL ORDER BY random() LIMIT :number
""")


@dataclass(frozen=True)
class Model:
    """The attempts of one generator; latencies in seconds."""

    model: str
    attempts: int
    accepted: int
    tokens_in: int
    tokens_out: int
    cost_eur: Decimal
    median_seconds: float
    p95_seconds: float

    @property
    def cost_eur_per_1000_accepted(self) -> Decimal | None:
        return self.cost_eur * 1000 / self.accepted if self.accepted else None


@dataclass(frozen=True)
class Minute:
    """`at_work` is the mean number of calls under way."""

    minute: dt.datetime
    attempts: int
    accepted: int
    at_work: float


@dataclass(frozen=True)
class SampleText:
    siret: str
    text: str
    label: str
    facts: Mapping[str, object]


@dataclass(frozen=True)
class First:
    """The first attempts of one generator that brought a text."""

    model: str
    texts: int
    accepted: int
    grounded: int
    duplicates: int


@dataclass(frozen=True)
class TextReport:
    """`reasons` has by code the counts in first, second and later attempts."""

    outcomes: Mapping[str, int]
    models: Sequence[Model]
    firsts: Sequence[First]
    fallbacks: int
    reasons: Mapping[str, tuple[int, int, int]]
    lengths: Mapping[int, int]
    minutes: Sequence[Minute]
    samples: Sequence[SampleText]

    @property
    def first(self) -> First:
        """Add up all generators."""
        return First(
            "all",
            sum(each.texts for each in self.firsts),
            sum(each.accepted for each in self.firsts),
            sum(each.grounded for each in self.firsts),
            sum(each.duplicates for each in self.firsts),
        )

    @property
    def accepted(self) -> int:
        return self.outcomes.get("accepted", 0)

    @property
    def cost_eur(self) -> Decimal:
        return sum((model.cost_eur for model in self.models), Decimal(0))

    @property
    def cost_eur_per_1000_accepted(self) -> Decimal | None:
        accepted = sum(model.accepted for model in self.models)
        return self.cost_eur * 1000 / accepted if accepted else None


def read_report(connection: Connection, *, samples: int) -> TextReport:
    firsts = connection.execute(
        _FIRST, {"grounding": sorted(GROUNDING), "duplicates": list(_DUPLICATES)}
    ).mappings()
    return TextReport(
        outcomes={row.outcome: row.avis for row in connection.execute(_OUTCOMES)},
        models=[Model(**row) for row in connection.execute(_MODELS).mappings()],
        firsts=[First(**row) for row in firsts],
        fallbacks=connection.execute(_FALLBACKS).scalar_one(),
        reasons=_by_reason(connection.execute(_REASONS).all()),
        lengths={
            row.characters: row.texts for row in connection.execute(_LENGTHS, {"step": LENGTH_STEP})
        },
        minutes=[Minute(**row) for row in connection.execute(_MINUTES).mappings()],
        samples=_samples(connection, samples),
    )


def _by_reason(rows: Sequence[Any]) -> dict[str, tuple[int, int, int]]:
    """Return the counts by reason, the most frequent first."""
    times: dict[str, list[int]] = {}
    for row in rows:
        times.setdefault(row.reason, [0, 0, 0])[row.number - 1] += row.times
    ordered = sorted(times.items(), key=lambda item: (-sum(item[1]), item[0]))
    return {reason: (counts[0], counts[1], counts[2]) for reason, counts in ordered}


def _samples(connection: Connection, number: int) -> list[SampleText]:
    rows = connection.execute(_SOME, {"number": number}).all()
    subjects = read_subjects(connection, [row.id for row in rows])
    return [
        SampleText(
            row.siret,
            row.text,
            row.label or "",
            {name: value for name, value in asdict(subject.facts).items() if value is not None},
        )
        for row in rows
        # A unit that objected is not shown, even before its text is erased.
        if (subject := subjects.get(row.id)) is not None
        and subject.outcome(sole_traders=True) == PENDING
    ]
