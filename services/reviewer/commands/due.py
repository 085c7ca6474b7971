"""Due texts, made texts and their providers, read from each shard: the data of a forecast."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, TextClause, text

from services.reviewer.money.forecast import DueGroup, KnownProvider, MadeText
from shared.avis import HUMAN_EDITED, RESET

# The newest attempts are the sample: more would read the whole table.
_NEWEST_ATTEMPTS = 100_000
# Few rows are locked at one time, so that a reviewer never waits long for one.
_MARKED_AT_ONCE = 5000

PLACE = """CASE WHEN left(p.code_commune, 2) IN ('97', '98') THEN left(p.code_commune, 3)
    ELSE left(p.code_commune, 2) END"""
_DUE = f"""
    SELECT p.activite_principale AS activite, {PLACE} AS departement, count(*) AS texts
    FROM avis a JOIN pro_localisations p ON p.id = a.pro_localisation_id
    WHERE {{condition}}
    GROUP BY 1, 2
"""
# A person's words are no prompt's.
_BY_ANOTHER_PROMPT = f"""outcome = 'accepted' AND kind = 'notice'
    AND coalesce(prompt_version, '') NOT IN (:prompt_version, '{HUMAN_EDITED}')"""
_PENDING_GROUPS = text(_DUE.format(condition="outcome = 'pending'"))
_REPLACED_GROUPS = text(_DUE.format(condition=_BY_ANOTHER_PROMPT))
# An accepted text stays until another one replaces it.
_MARK_DUE = text(f"""
    WITH others AS (
      SELECT id FROM avis WHERE {_BY_ANOTHER_PROMPT} ORDER BY id LIMIT :rows
      FOR UPDATE SKIP LOCKED)
    UPDATE avis SET outcome = 'pending', {RESET}
    FROM others WHERE avis.id = others.id
""")
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
# Parked avis go on by themselves: a sample neither takes them nor waits for them.
_IN_NO_BATCH = """NOT EXISTS (SELECT FROM review_batch_lines l
    WHERE l.avis_id = avis.id AND l.claim_token = avis.claim_token)"""
_SAMPLE = text(f"""
    SELECT id FROM avis WHERE outcome = 'pending' AND {_IN_NO_BATCH}
    ORDER BY random() LIMIT :texts
""")
_UNDER_WAY = text(f"""
    SELECT count(*) AS texts FROM avis
    WHERE outcome = 'pending' AND lease_until > clock_timestamp() AND {_IN_NO_BATCH}
""")
# Their old messages may wait in a delay queue; later these find nothing to claim.
_SEND_AGAIN = text("""
    UPDATE avis SET published_at = NULL, updated_at = clock_timestamp()
    WHERE id = ANY(CAST(:ids AS bigint[])) AND outcome = 'pending' AND published_at IS NOT NULL
      AND (lease_until IS NULL OR lease_until < clock_timestamp())
""")


def read_due(engines: Iterable[Engine], prompt_version: str | None = None) -> list[DueGroup]:
    """Count the due avis, or with a prompt the accepted notices that it did not write."""
    statement = _PENDING_GROUPS if prompt_version is None else _REPLACED_GROUPS
    counted: Counter[tuple[str, str]] = Counter()
    for row in _rows(engines, statement, prompt_version=prompt_version):
        counted[row["activite"], row["departement"]] += row["texts"]
    return [DueGroup(*key, texts) for key, texts in counted.items()]


def read_providers_known(control: Connection) -> list[KnownProvider]:
    return [KnownProvider(**row) for row in control.execute(_PROVIDERS).mappings()]


def read_made(engines: Sequence[Engine]) -> list[MadeText]:
    """Return the made texts, the newest first in each shard."""
    newest = _NEWEST_ATTEMPTS // len(engines)
    return [MadeText(**row) for row in _rows(engines, _MADE, newest=newest)]


def choose_sample(engines: Sequence[Engine], texts: int) -> list[int]:
    """Draw due avis at random, the same number from each shard."""
    chosen: list[int] = []
    for number, engine in enumerate(engines):
        part = -(-(texts - len(chosen)) // (len(engines) - number))
        chosen += [row["id"] for row in _rows([engine], _SAMPLE, texts=part)]
    return chosen


def count_under_way(engines: Iterable[Engine]) -> int:
    """Count the texts that reviewers have claimed; a killed one's until the lease ends."""
    return sum(row["texts"] for row in _rows(engines, _UNDER_WAY))


def _rows(engines: Iterable[Engine], statement: TextClause, **values: Any) -> Iterator[RowMapping]:
    for engine in engines:
        with engine.connect() as connection:
            yield from connection.execute(statement, values).mappings()


def send_again(engines: Iterable[Engine], avis_ids: Sequence[int]) -> None:
    """Let the relay publish these avis now, even if their messages still exist."""
    for engine in engines:
        with engine.begin() as connection:
            connection.execute(_SEND_AGAIN, {"ids": list(avis_ids)})


def mark_due(engines: Iterable[Engine], prompt_version: str) -> int:
    """Make the texts of other prompts due; return how many."""
    values = {"prompt_version": prompt_version, "rows": _MARKED_AT_ONCE}
    marked = 0
    for engine in engines:
        rows = _MARKED_AT_ONCE
        while rows == _MARKED_AT_ONCE:
            with engine.begin() as connection:
                rows = connection.execute(_MARK_DUE, values).rowcount
            marked += rows
    return marked
