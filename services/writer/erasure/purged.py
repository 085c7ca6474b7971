"""Persons whom INSEE has purged: their records are open to all, but name nobody any more."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection

from services.writer.erasure import places
from services.writer.erasure.letter_records import Silenced
from services.writer.sql.prepared import Prepared
from shared.avis import RESET_WITHOUT_TEXT
from shared.sirene.identifiers import siren_of

# A text about the present facts, which name nobody, stays.
_UNNAME = f"""
    WITH facts AS MATERIALIZED (
      SELECT left(words, 14) AS siret, substr(words, 15) AS facts_hash
      FROM unnest(CAST(:facts AS text[])) AS words),
    texts AS (
      UPDATE avis SET
        outcome = CASE outcome WHEN 'accepted' THEN 'pending' ELSE outcome END,
        {RESET_WITHOUT_TEXT}
      FROM (
        SELECT a.id FROM avis a JOIN facts f USING (siret)
        WHERE a.siret = ANY (ARRAY(SELECT siret FROM facts)) AND a.text IS NOT NULL
          AND left(a.accepted_facts_hash, 64) IS DISTINCT FROM f.facts_hash
        ORDER BY a.id FOR UPDATE OF a) found
      WHERE avis.id = found.id
      RETURNING avis.siren, avis.id),
    attempts AS (
      UPDATE avis_attempts t SET text = NULL, facts = NULL FROM avis a JOIN facts f USING (siret)
      WHERE a.siret = ANY (ARRAY(SELECT siret FROM facts)) AND t.avis_id = a.id
        AND num_nonnulls(t.text, t.facts) > 0 AND left(t.facts_hash, 64) <> f.facts_hash),
    {places.LINES},
    {places.simhashes_of("id = ANY (ARRAY(SELECT id FROM texts))")},
    {places.ITEMS},
    {places.ORDERS},
    {places.REDIRECTS},
    {places.LETTERS},
    pages AS (
      SELECT id FROM pro_localisations
      WHERE siret = ANY(CAST(:named AS text[])) AND nom IS NOT NULL ORDER BY siret FOR UPDATE)
    SELECT 'pages' AS name, id FROM pages UNION ALL SELECT 'letters', id FROM letters
"""
_HOLD_AND_UNNAME = Prepared("unname", _UNNAME, first=[places.HOLD])


class Purged(NamedTuple):
    """An establishment of a purged person, with the hash of its present facts.

    `loses_name`: its page has a name that the record has no more.
    """

    siret: str
    facts_hash: str
    loses_name: bool


def unname(connection: Connection, purged: Iterable[Purged]) -> None:
    """Take the person's name out of all that was made of these records and of the units' others.

    What the attempts cost stays, and so does the sign of a page. The caller holds the units, and
    then decides which texts are due, as of changed facts.
    """
    found = list(purged)
    if not found:
        return
    units = Silenced(frozenset(siren_of(each.siret) for each in found))
    rows = _HOLD_AND_UNNAME.run(
        connection,
        {
            **places.parameters_of(units),
            "facts": places.literal(each.siret + each.facts_hash for each in found),
            "named": places.literal(each.siret for each in found if each.loses_name),
        },
    ).all()
    places.erase_page_names(connection, [row.id for row in rows if row.name == "pages"])
    places.cut_letters(connection, units, [row.id for row in rows if row.name == "letters"])
