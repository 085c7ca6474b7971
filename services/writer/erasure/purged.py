"""Pages of persons whom INSEE has purged: the records are open to all, but name nobody any more."""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from services.writer.erasure.erase import erase_page_names
from shared.avis import NO_TEXT, RESET
from shared.db.neighbours import neighbourhood

_ERASE_TEXTS = text(f"""
    WITH texts AS (
      UPDATE avis SET
        outcome = CASE outcome WHEN 'accepted' THEN 'pending' ELSE outcome END, {NO_TEXT}, {RESET}
      FROM (
        SELECT id FROM avis WHERE siret = ANY(:sirets) AND text IS NOT NULL
        ORDER BY id FOR UPDATE) found
      WHERE avis.id = found.id),
    attempts AS (
      UPDATE avis_attempts SET text = NULL
      WHERE avis_id IN (SELECT id FROM avis WHERE siret = ANY(:sirets)) AND text IS NOT NULL),
    simhashes AS (
      DELETE FROM avis_simhashes kept
      USING avis a JOIN pro_localisations p ON p.id = a.pro_localisation_id
      WHERE a.siret = ANY(:sirets) AND kept.avis_id = a.id AND kept.place = {neighbourhood("p")})
    DELETE FROM page_redirects WHERE siret = ANY(:sirets)
""")
_NAMED_PAGES = text("""
    SELECT id FROM pro_localisations WHERE siret = ANY(:sirets) AND nom IS NOT NULL
    ORDER BY siret FOR UPDATE
""")


def unname(connection: Connection, sirets: Sequence[str]) -> None:
    """Take the person's name off these pages, their texts and the slugs that lead to them.

    What the attempts cost stays. The caller then decides which texts are due, as of changed facts.
    """
    if not sirets:
        return
    numbers = {"sirets": list(sirets)}
    connection.execute(_ERASE_TEXTS, numbers)
    erase_page_names(connection, connection.scalars(_NAMED_PAGES, numbers).all())
