"""Due texts, made texts and their providers, read from each shard: the data of a forecast."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, TextClause, text

from shared.avis import HUMAN_EDITED
from shared.money.forecast import DueGroup, KnownProvider, MadeText

# The newest attempts are the sample: more would read the whole table.
_NEWEST_ATTEMPTS = 100_000
PLACE = """CASE WHEN left(p.code_commune, 2) IN ('97', '98') THEN left(p.code_commune, 3)
    ELSE left(p.code_commune, 2) END"""
_DUE = f"""
    SELECT p.activite_principale AS activite, {PLACE} AS departement, count(*) AS texts
    FROM avis a JOIN pro_localisations p ON p.id = a.pro_localisation_id
    WHERE {{condition}}
    GROUP BY 1, 2
"""
# A person's words are no prompt's.
BY_ANOTHER_PROMPT = f"""outcome = 'accepted' AND kind = 'notice'
    AND coalesce(prompt_version, '') NOT IN (:prompt_version, '{HUMAN_EDITED}')"""
_PENDING_GROUPS = text(_DUE.format(condition="outcome = 'pending'"))
_REPLACED_GROUPS = text(_DUE.format(condition=BY_ANOTHER_PROMPT))
_PROVIDERS = text("""
    SELECT name, model, prompt_version, weight, max_parallel, charges, requests_per_minute,
           tokens_per_minute
    FROM review_providers WHERE listed ORDER BY weight DESC, name
""")
# The attempts of a text are stored together; the text counts for the first provider.
_MADE = text("""
    SELECT (array_agg(provider ORDER BY id))[1] AS provider, prompt_version,
      count(*) AS calls, coalesce(sum(tokens_in), 0) AS tokens_in,
      coalesce(sum(tokens_out), 0) AS tokens_out, coalesce(sum(cost_eur), 0) AS cost_eur,
      sum(latency_seconds) AS latency_seconds
    FROM (SELECT * FROM avis_attempts ORDER BY id DESC LIMIT :newest) newest
    WHERE provider IS NOT NULL
    GROUP BY avis_id, facts_hash, prompt_version
    ORDER BY max(id) DESC
""")


def read_due(engines: Iterable[Engine], prompt_version: str | None = None) -> list[DueGroup]:
    """Count the due avis, or with a prompt the accepted notices that it did not write."""
    statement = _PENDING_GROUPS if prompt_version is None else _REPLACED_GROUPS
    counted: Counter[tuple[str, str]] = Counter()
    for row in rows_of(engines, statement, prompt_version=prompt_version):
        counted[row["activite"], row["departement"]] += row["texts"]
    return [DueGroup(*key, texts) for key, texts in counted.items()]


def read_providers_known(control: Connection) -> list[KnownProvider]:
    return [KnownProvider(**row) for row in control.execute(_PROVIDERS).mappings()]


def read_made(engines: Sequence[Engine], *, newest: int = _NEWEST_ATTEMPTS) -> list[MadeText]:
    """Return the made texts, the newest first in each shard."""
    newest //= len(engines)
    return [MadeText(**row) for row in rows_of(engines, _MADE, newest=newest)]


def rows_of(
    engines: Iterable[Engine], statement: TextClause, **values: Any
) -> Iterator[RowMapping]:
    for engine in engines:
        with engine.connect() as connection:
            yield from connection.execute(statement, values).mappings()
