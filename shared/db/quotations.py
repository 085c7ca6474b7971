"""The erasure of what syntheses quote, wherever their words are kept.

Reviews are withdrawn, changed by their authors, or no longer allowed: the caller deletes or changes
the rows of `sources`. One list of places, for reviewer and writer.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, text

from shared.avis import RESET_WITHOUT_TEXT

# A page that is closed meanwhile gets its outcome from the reviewer, as every avis that is due.
_ERASE = text(f"""
    WITH found AS (
      SELECT id FROM avis WHERE siret = ANY(:sirets) AND kind = 'synthese'
      ORDER BY id FOR UPDATE),
    texts AS (
      UPDATE avis SET
        outcome = CASE outcome WHEN 'accepted' THEN 'pending' ELSE outcome END, {RESET_WITHOUT_TEXT}
      FROM found WHERE avis.id = found.id AND avis.text IS NOT NULL),
    attempts AS (
      UPDATE avis_attempts SET text = NULL
      FROM found WHERE avis_id = found.id AND text IS NOT NULL),
    orders AS (
      -- People tell in them what they think of the quotation.
      DELETE FROM avis_orders WHERE siret = ANY(:sirets) AND kind = 'synthese')
    UPDATE failed_items SET payload = NULL, message = 'erased'
    WHERE kind = 'review' AND key IN (SELECT id::text FROM found)
      AND (payload IS NOT NULL OR message <> 'erased')
""")


def erase_quotations(connection: Connection, sirets: Iterable[str]) -> None:
    """Take the syntheses of these establishments away, with the texts of their attempts.

    What the attempts were and what was said against them stays.
    """
    wanted = sorted(set(sirets))
    if wanted:
        connection.execute(_ERASE, {"sirets": wanted})
