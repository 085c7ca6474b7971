"""The figures of the report: quality, cost and speed of the texts, from their attempts."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Engine, Row, text

from services.reviewer.contexts.reader import ContextReader
from services.reviewer.texts.subjects import fact_lines
from services.reviewer.validation import GROUNDING
from shared.avis import PENDING
from shared.clock import Clock

_DUPLICATES = ("exact_duplicate", "near_duplicate")
_IDENTITY = [
    *("siret", "siren", "nom", "enseigne", "denomination", "sigle"),
    *("commune", "code_commune", "departement", "categorie_juridique", "tranche_effectifs"),
]
SHORT_LINE = 210
"""A text below this number of characters is a short line: there was little to say."""

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
    WHERE NOT accepted GROUP BY 1, 2
""")
# Only those that brought a text.
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
_KEPT_NEAR = text("""
    SELECT count(*) FROM avis WHERE outcome = 'accepted' AND kind = 'notice' AND (
      SELECT t.reasons && CAST(:duplicates AS text[]) FROM avis_attempts t
      WHERE t.avis_id = avis.id AND t.accepted ORDER BY t.id DESC LIMIT 1)
""")
_LENGTHS = text("""
    SELECT length(text) / :step * :step AS characters, count(*) AS texts
    FROM avis WHERE outcome = 'accepted' GROUP BY 1 ORDER BY 1
""")
# `at_work` is the mean number of calls under way.
_MINUTES = text("""
    SELECT date_trunc('minute', attempted_at) AS minute, count(*) AS attempts,
      count(*) FILTER (WHERE accepted) AS accepted, sum(latency_seconds) / 60 AS at_work
    FROM avis_attempts GROUP BY 1 ORDER BY 1
""")
_HELD = text("""
    SELECT kind, held_because, count(*) AS texts FROM avis WHERE held_because IS NOT NULL
    GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2
""")
# The facts that a text was given, but for those that say who and where it is. An attempt of an
# older release has kept none.
_USEFULNESS = text("""
    WITH texts AS (
      SELECT left(p.activite_principale, 2) AS division, a.text, a.held_because, (
        SELECT (SELECT count(*) FROM jsonb_object_keys(t.facts) AS k (name)
          WHERE name <> ALL (:identity))
        FROM avis_attempts t
        WHERE t.avis_id = a.id AND t.accepted AND t.facts_hash = a.accepted_facts_hash
        ORDER BY t.id DESC LIMIT 1) AS facts
      FROM avis a JOIN pro_localisations p ON p.id = a.pro_localisation_id
      WHERE a.outcome = 'accepted' AND a.kind = 'notice' AND a.text IS NOT NULL)
    SELECT division, count(*) AS texts, avg(facts)::float AS facts,
      count(*) FILTER (WHERE length(text) < :short) AS short, count(held_because) AS held
    FROM texts GROUP BY 1 ORDER BY 2 DESC, 1
""")
# A withdrawn review could not be taken out of a file: syntheses are not drawn.
_SOME = text("""
    SELECT id, siret, text, label FROM avis
    WHERE kind = 'notice' AND outcome = 'accepted' AND text IS NOT NULL
    ORDER BY random() LIMIT :number
""")


@dataclass(frozen=True)
class SampleText:
    siret: str
    text: str
    label: str
    facts: Mapping[str, str]


@dataclass(frozen=True)
class TextReport:
    """Rows are as their statements name their columns; times are in seconds.

    `reasons` has by code the counts in first, second and later attempts that were refused.
    `kept_near` are the accepted texts that are near a neighbour's in all their wordings.
    `held` has by kind and reason the texts that wait for a person.
    """

    outcomes: Mapping[str, int]
    models: Sequence[Row[Any]]
    firsts: Sequence[Row[Any]]
    fallbacks: int
    kept_near: int
    reasons: Mapping[str, tuple[int, int, int]]
    lengths: Mapping[int, int]
    minutes: Sequence[Row[Any]]
    samples: Sequence[SampleText]
    held: Mapping[tuple[str, str], int]
    usefulness: Sequence[Row[Any]]

    @property
    def accepted(self) -> int:
        return self.outcomes.get("accepted", 0)

    @property
    def cost_eur(self) -> Decimal:
        return sum((model.cost_eur for model in self.models), Decimal(0))


def eur_per_1000(cost_eur: Decimal, accepted: int) -> Decimal | None:
    """Return the cost of 1 000 accepted texts; None without any."""
    return cost_eur * 1000 / accepted if accepted else None


def read_report(engine: Engine, *, samples: int) -> TextReport:
    """Read the figures and some texts of a register that is in one database."""
    shown = _samples(engine, samples)
    with engine.connect() as connection:
        return _figures(connection, shown)


def _figures(connection: Connection, samples: Sequence[SampleText]) -> TextReport:
    kinds = {"grounding": sorted(GROUNDING), "duplicates": list(_DUPLICATES)}
    lengths = connection.execute(_LENGTHS, {"step": LENGTH_STEP})
    return TextReport(
        outcomes={row.outcome: row.avis for row in connection.execute(_OUTCOMES)},
        models=connection.execute(_MODELS).all(),
        firsts=connection.execute(_FIRST, kinds).all(),
        fallbacks=connection.execute(_FALLBACKS).scalar_one(),
        kept_near=connection.execute(_KEPT_NEAR, kinds).scalar_one(),
        reasons=_by_reason(connection.execute(_REASONS).all()),
        lengths={row.characters: row.texts for row in lengths},
        minutes=connection.execute(_MINUTES).all(),
        samples=samples,
        held={(row.kind, row.held_because): row.texts for row in connection.execute(_HELD)},
        usefulness=connection.execute(
            _USEFULNESS, {"identity": _IDENTITY, "short": SHORT_LINE}
        ).all(),
    )


def _by_reason(rows: Sequence[Any]) -> dict[str, tuple[int, int, int]]:
    """Return the counts by reason, the most frequent first."""
    times: dict[str, list[int]] = {}
    for row in rows:
        times.setdefault(row.reason, [0, 0, 0])[row.number - 1] += row.times
    ordered = sorted(times.items(), key=lambda item: (-sum(item[1]), item[0]))
    return {reason: (counts[0], counts[1], counts[2]) for reason, counts in ordered}


def _samples(engine: Engine, number: int) -> list[SampleText]:
    with engine.connect() as connection:
        rows = connection.execute(_SOME, {"number": number}).all()
    contexts = ContextReader(engine, [engine], Clock())
    subjects = contexts.subjects(engine, [row.id for row in rows])
    return [
        SampleText(
            row.siret,
            row.text,
            row.label or "",
            fact_lines(asdict(subject.facts)),
        )
        for row in rows
        # A unit that objected is not shown, even before its text is erased.
        if (subject := subjects.get(row.id)) is not None
        and subject.outcome(sole_traders=True) == PENDING
    ]
