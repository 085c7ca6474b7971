"""SQL of claims and results; rows travel as one JSON parameter."""

from collections.abc import Iterable, Mapping, Sequence

import orjson
from sqlalchemy import Connection, TextClause, text

from shared import avis
from shared.db.neighbours import neighbourhood

CLAIM = text("""
    WITH open AS (
        SELECT id FROM avis
        WHERE id = ANY(CAST(:ids AS bigint[])) AND outcome = 'pending'
          AND (lease_until IS NULL OR lease_until < clock_timestamp())
        ORDER BY id
        FOR UPDATE SKIP LOCKED
    )
    UPDATE avis SET
        claim_token = CAST(:token AS uuid),
        lease_until = clock_timestamp() + make_interval(secs => :lease_seconds),
        attempts = attempts + 1,
        updated_at = clock_timestamp()
    FROM open WHERE avis.id = open.id
    RETURNING avis.id, avis.attempts, avis.accepted_facts_hash, avis.context_hash, avis.model,
              avis.prompt_version, avis.text IS NOT NULL AS has_text
""")

LOCK = text("""
    SELECT id, outcome, claim_token FROM avis
    WHERE id = ANY(CAST(:ids AS bigint[]))
    ORDER BY id
    FOR UPDATE
""")

RELEASE = text("""
    WITH left_over AS (
        SELECT id, coalesce(claim_token = ANY(CAST(:tokens AS uuid[])), false) AS own FROM avis
        WHERE id = ANY(CAST(:ids AS bigint[])) AND outcome = 'pending'
          AND (claim_token = ANY(CAST(:tokens AS uuid[]))
               OR lease_until IS NULL OR lease_until < clock_timestamp())
        ORDER BY id
        -- It waits: a row skipped while the relay marks it would stay published without a message.
        FOR UPDATE
    )
    UPDATE avis SET
        published_at = CASE WHEN NOT :resend THEN published_at END,
        claim_token = NULL,
        lease_until = NULL,
        attempts = greatest(0, attempts - CASE WHEN own THEN 1 ELSE 0 END),
        updated_at = clock_timestamp()
    FROM left_over WHERE avis.id = left_over.id
""")

EXTEND = text("""
    UPDATE avis SET lease_until = clock_timestamp() + make_interval(secs => :lease_seconds)
    WHERE id = ANY(CAST(:ids AS bigint[])) AND claim_token = ANY(CAST(:tokens AS uuid[]))
      AND outcome = 'pending'
""")


def _update(columns: Sequence[str], more: str, *, read: Sequence[str] = ()) -> TextClause:
    """Return an update of these columns, all texts, and of what `more` sets from `read`, too."""
    return text(f"""
        UPDATE avis SET {", ".join(f"{column} = new.{column}" for column in columns)}, {more}
        FROM json_to_recordset(CAST(:rows AS json))
            AS new(id bigint, {", ".join(f"{column} text" for column in (*columns, *read))})
        WHERE avis.id = new.id
    """)


ACCEPT = _update(
    (
        *("text", "label", "digital_source_type", "model", "prompt_version", "facts_hash"),
        *("context_hash", "display_name"),
    ),
    f"""outcome = 'accepted', accepted_facts_hash = new.facts_hash,
        json_ld = CAST(new.json_ld AS jsonb), accepted_at = clock_timestamp(), {avis.SETTLE},
        held_because = coalesce(avis.held_because, new.because),
        held_at = CASE WHEN avis.held_because IS NULL AND new.because IS NOT NULL
          THEN clock_timestamp() ELSE avis.held_at END""",
    # A text is stored and held in one step: no page shows it in between, and no change is noted.
    read=["json_ld", "because"],
)
MAKE_DUE = _update(("facts_hash",), avis.RESET)
SETTLE = _update(("outcome",), avis.SETTLE)

ERASE_TEXTS = text(f"""
    UPDATE avis SET {avis.NO_TEXT} WHERE id = ANY(CAST(:ids AS bigint[]))
""")

ERASE_SIMHASHES = text(f"""
    DELETE FROM avis_simhashes kept
    USING avis JOIN pro_localisations p ON p.id = avis.pro_localisation_id
    WHERE avis.id = ANY(CAST(:ids AS bigint[]))
      AND kept.place = {neighbourhood("p")} AND kept.avis_id = avis.id
""")

KEEP_ATTEMPTS = text("""
    INSERT INTO avis_attempts (avis_id, siren, attempted_at, model, prompt_version, facts_hash,
                               facts, text, accepted, reasons, latency_seconds,
                               provider, tokens_in, tokens_out, tokens_cached, cost_eur,
                               unanswered)
    SELECT avis_id, siren, attempted_at, model, prompt_version, facts_hash,
           facts, text, accepted, reasons, latency_seconds,
           provider, tokens_in, tokens_out, tokens_cached, cost_eur, unanswered
    FROM json_to_recordset(CAST(:rows AS json)) AS new(
        avis_id bigint, siren text, model text, prompt_version text, facts_hash text,
        attempted_at timestamptz, facts jsonb, unanswered integer,
        text text, accepted boolean, reasons text[], latency_seconds double precision,
        provider text, tokens_in integer, tokens_out integer, tokens_cached integer,
        cost_eur numeric)
""")

FAIL_ITEMS = text("""
    INSERT INTO failed_items (kind, key, siren, code, message)
    SELECT 'review', key, siren, code, message
    FROM json_to_recordset(CAST(:rows AS json)) AS new(
        key text, siren text, code text, message text)
    ON CONFLICT (kind, key) WHERE resolved_at IS NULL DO UPDATE SET
        code = excluded.code,
        message = excluded.message,
        attempts = failed_items.attempts + 1
""")

RESOLVE_FAILED_ITEMS = text("""
    UPDATE failed_items SET resolved_at = clock_timestamp()
    WHERE kind = 'review' AND key = ANY(:keys) AND resolved_at IS NULL
""")


def execute_rows(
    connection: Connection, statement: TextClause, rows: Iterable[Mapping[str, object]]
) -> None:
    """Execute a statement that reads `:rows`; without rows send nothing."""
    storable = list(rows)
    if storable:
        connection.execute(statement, {"rows": to_rows(storable)})


def to_rows(rows: Iterable[Mapping[str, object]]) -> str:
    """Return the JSON for a statement's `:rows`."""
    storable = [{name: _storable(value) for name, value in row.items()} for row in rows]
    return orjson.dumps(storable).decode()


def _storable(value: object) -> object:
    """Replace characters that a PostgreSQL text cannot hold; a generator may write any."""
    if not isinstance(value, str):
        return value
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
