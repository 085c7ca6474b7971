"""The speed of templates: seen in this database where it has enough texts of them, else assumed."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, text

from services.reviewer.notices import template

# The sample run of docs/benchmarks.md, on 2 cores.
_ASSUMED_PER_SECOND = 170.0
# Some more minutes than are asked for, at several times the assumed speed.
_NEWEST_ATTEMPTS = 400_000
_BUSIEST_MINUTES = 5
# Less in a minute tells how much was due, and not how fast it could have been written.
_LEAST_IN_A_MINUTE = 600

_MINUTES = text("""
    SELECT date_trunc('minute', attempted_at) AS minute, count(*) AS texts
    FROM (SELECT attempted_at, prompt_version, accepted FROM avis_attempts
      ORDER BY id DESC LIMIT :newest) newest
    WHERE accepted AND prompt_version = :prompt_version
    GROUP BY 1
""")


@dataclass(frozen=True, slots=True)
class TemplateSpeed:
    texts_per_second: float
    was_seen: bool

    @property
    def source(self) -> str:
        if self.was_seen:
            return f"seen here in the {_BUSIEST_MINUTES} busiest minutes of the newest texts"
        return "assumed, from docs/benchmarks.md: too few texts were written here"

    def hours(self, texts: int) -> float:
        return texts / self.texts_per_second / 3600

    def as_dict(self) -> dict[str, Any]:
        source = "seen" if self.was_seen else "assumed"
        return {"texts_per_second": round(self.texts_per_second, 1), "source": source}


def read_template_speed(engines: Iterable[Engine]) -> TemplateSpeed:
    """Return the speed of all reviewers together, over all shards."""
    values = {"newest": _NEWEST_ATTEMPTS, "prompt_version": template.PROMPT_VERSION}
    texts: Counter[Any] = Counter()
    for engine in engines:
        with engine.connect() as connection:
            for row in connection.execute(_MINUTES, values):
                texts[row.minute] += row.texts
    busiest = [number for _, number in texts.most_common(_BUSIEST_MINUTES)]
    if len(busiest) < _BUSIEST_MINUTES or busiest[-1] < _LEAST_IN_A_MINUTE:
        return TemplateSpeed(_ASSUMED_PER_SECOND, was_seen=False)
    return TemplateSpeed(sum(busiest) / (60 * len(busiest)), was_seen=True)
