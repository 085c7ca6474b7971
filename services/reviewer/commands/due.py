"""Due texts as orders take them: a sample, those under way, those of another prompt."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Engine, text

from shared.avis import RESET
from shared.money.due import BY_ANOTHER_PROMPT, rows_of

# Few rows are locked at one time, so that a reviewer never waits long for one.
_MARKED_AT_ONCE = 5000

# An accepted text stays until another one replaces it.
_MARK_DUE = text(f"""
    WITH others AS (
      SELECT id FROM avis WHERE {BY_ANOTHER_PROMPT} ORDER BY id LIMIT :rows
      FOR UPDATE SKIP LOCKED)
    UPDATE avis SET outcome = 'pending', {RESET}
    FROM others WHERE avis.id = others.id
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


def choose_sample(engines: Sequence[Engine], texts: int) -> list[int]:
    """Draw due avis at random, the same number from each shard."""
    chosen: list[int] = []
    for number, engine in enumerate(engines):
        part = -(-(texts - len(chosen)) // (len(engines) - number))
        chosen += [row["id"] for row in rows_of([engine], _SAMPLE, texts=part)]
    return chosen


def count_under_way(engines: Iterable[Engine]) -> int:
    """Count the texts that reviewers have claimed; a killed one's until the lease ends."""
    return sum(row["texts"] for row in rows_of(engines, _UNDER_WAY))


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
