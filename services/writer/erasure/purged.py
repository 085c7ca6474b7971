"""Persons whom INSEE has purged: their records are open to all, but name nobody any more.

The parts of the erasure's statement that differ for them: what cost something stays, and so does
the sign of a page and a text about the present facts, which name nobody.
"""

from collections.abc import Collection
from typing import NamedTuple

from services.writer.erasure import places
from services.writer.erasure.letter_records import Silenced
from shared.avis import RESET_WITHOUT_TEXT
from shared.sirene.identifiers import siren_of

PARTS = (
    """
    facts AS MATERIALIZED (
      SELECT left(words, 14) AS siret, substr(words, 15) AS facts_hash
      FROM unnest(CAST(:facts AS text[])) AS words)
    """,
    f"""
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
      RETURNING avis.siren, avis.id)
    """,
    """
    attempts AS (
      UPDATE avis_attempts t SET text = NULL, facts = NULL FROM avis a JOIN facts f USING (siret)
      WHERE a.siret = ANY (ARRAY(SELECT siret FROM facts)) AND t.avis_id = a.id
        AND num_nonnulls(t.text, t.facts) > 0 AND left(t.facts_hash, 64) <> f.facts_hash
      RETURNING t.siren)
    """,
    """
    pages AS (
      SELECT id, siren FROM pro_localisations
      WHERE siret = ANY(CAST(:named AS text[])) AND nom IS NOT NULL ORDER BY siret FOR UPDATE)
    """,
)
LOST_TEXTS = "id = ANY (ARRAY(SELECT id FROM texts))"


class Purged(NamedTuple):
    """An establishment of a purged person, with the hash of its present facts.

    `loses_name`: its page has a name that the record has no more.
    """

    siret: str
    facts_hash: str
    loses_name: bool


def units_of(purged: Collection[Purged]) -> Silenced:
    """Return the units, of which no raw record may be kept."""
    return Silenced(frozenset(siren_of(each.siret) for each in purged))


def parameters_of(purged: Collection[Purged]) -> dict[str, str]:
    return {
        **places.parameters_of(units_of(purged)),
        "facts": places.literal(each.siret + each.facts_hash for each in purged),
        "named": places.literal(each.siret for each in purged if each.loses_name),
    }
