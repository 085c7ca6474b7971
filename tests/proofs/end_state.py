"""The end state of a proof, read from the database as sets."""

from sqlalchemy import Engine, text

from services.operator.numbers.reconcile import reconcile
from shared.imports.progress import read_progress
from tests.proofs.promises import EndState

# A receipt counts where its GET is still that of its INSEE page.
_SETS = text("""
    WITH listed AS MATERIALIZED (
      SELECT DISTINCT r.batch_id, s AS siret FROM slice_receipts r
      JOIN import_pages p ON p.batch_id = r.batch_id AND p.number = r.page
        AND p.fetch_id = r.fetch_id, unnest(r.sirets) s),
    -- By batch: what a delta brought again makes up for nothing that another did not.
    batches AS (
      SELECT b.expected, count(l.siret) AS listed
      FROM import_batches b LEFT JOIN listed l ON l.batch_id = b.id GROUP BY b.id)
    SELECT (SELECT count(*) FROM etablissements) AS stored,
      (SELECT count(*) - count(DISTINCT siret) FROM etablissements) AS duplicates,
      (SELECT count(*) FROM (SELECT siret FROM listed
         EXCEPT SELECT siret FROM etablissements) gone) AS lost,
      (SELECT count(*) FROM (SELECT siret FROM etablissements
         EXCEPT SELECT siret FROM listed) more) AS surplus,
      (SELECT coalesce(sum(greatest(0, expected - listed)), 0)::bigint FROM batches) AS unlisted
""")
_TWICE = text("""
    SELECT count(*) FROM (SELECT FROM avis_attempts WHERE accepted
      GROUP BY avis_id HAVING count(*) > 1) twice
""")


def texts_made_twice(engine: Engine) -> int:
    """Count the texts that were accepted more than once: each cost its provider's price again."""
    with engine.connect() as connection:
        return connection.scalar(_TWICE) or 0


def read_facts(engine: Engine, *, promised_rows: int, rests: bool) -> EndState:
    with engine.connect() as connection:
        sets = connection.execute(_SETS).one()
        slot_use = None if rests else read_progress(connection).slot_use
    with engine.connect() as connection:
        agree = reconcile(connection).agrees
    return EndState(
        promised_rows=promised_rows,
        stored=sets.stored,
        # Rows received and not stored, and rows never received.
        missing=sets.lost + sets.unlisted,
        surplus=sets.surplus,
        duplicates=sets.duplicates,
        counters_agree=agree,
        slot_use=slot_use,
    )
