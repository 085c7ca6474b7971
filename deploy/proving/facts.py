"""The end state of a proof, read from the database as sets."""

from sqlalchemy import Engine, text

from deploy.proving.promises import Facts
from services.operator.reconciling import reconcile
from shared.progress import read_progress

# A receipt counts where its GET is still its page's.
_SETS = text("""
    WITH listed AS MATERIALIZED (
      SELECT DISTINCT s AS siret FROM slice_receipts r
      JOIN import_pages p ON p.batch_id = r.batch_id AND p.number = r.page
        AND p.fetch_id = r.fetch_id, unnest(r.sirets) s)
    SELECT (SELECT count(*) FROM etablissements) AS stored,
      (SELECT count(*) - count(DISTINCT siret) FROM etablissements) AS duplicates,
      (SELECT count(*) FROM listed) AS listed,
      (SELECT count(*) FROM (SELECT siret FROM listed
         EXCEPT SELECT siret FROM etablissements) gone) AS lost,
      (SELECT count(*) FROM (SELECT siret FROM etablissements
         EXCEPT SELECT siret FROM listed) more) AS surplus,
      (SELECT coalesce(sum(expected), 0)::bigint FROM import_batches) AS expected
""")


def read_facts(engine: Engine, *, promised_rows: int, rests: bool) -> Facts:
    with engine.connect() as connection:
        sets = connection.execute(_SETS).one()
        slot_use = None if rests else read_progress(connection).slot_use
    with engine.connect() as connection:
        agree = reconcile(connection).agrees
    return Facts(
        promised_rows=promised_rows,
        stored=sets.stored,
        # Received and not stored, and never received at all.
        missing=sets.lost + max(0, sets.expected - sets.listed),
        surplus=sets.surplus,
        duplicates=sets.duplicates,
        counters_agree=agree,
        slot_use=slot_use,
    )
