"""The stored establishments that have left the scopes of a database without a trace.

INSEE keeps no history of addresses, and may put a code right in place: no window of a scope lists
such an establishment any more. Its row stays, so a delta asks for it by its number.
"""

from collections.abc import Sequence

import orjson
from sqlalchemy import Connection, text

from shared.imports.listed import in_a_scope
from shared.imports.scope import Scope

MOST_LEAVERS = 2000
"""Each hundred costs a request. A database that holds more has been given other rows on purpose."""

_HAS_HAD_ACTIVITE = """EXISTS (
  SELECT FROM json_array_elements_text(s.activites) AS activite
  WHERE activite IN (e.activite_principale, e.activite_principale_naf25) OR activite IN (
    SELECT activite_principale FROM periodes_etablissements p WHERE p.siret = e.siret))"""
_IN_A_WHOLE_PLACE = """(coalesce({0}.departement = ANY(CAST(:departements AS text[])), false)
    OR coalesce({0}.code_commune = ANY(CAST(:communes AS text[])), false))"""
# The fetcher's role may read no others.
_COLUMNS = "siret, departement, code_commune, activite_principale, activite_principale_naf25"
# Scopes of whole places, nearly all of them, are judged by the communes that the register has: each
# is one step through the index, so that hardly a row of a scope is read. A commune has one
# département. OFFSET 0 keeps each commune a search of its own.
LEAVERS = text(f"""
    WITH RECURSIVE places AS (
      (SELECT code_commune, departement FROM etablissements
       WHERE code_commune IS NOT NULL ORDER BY code_commune LIMIT 1)
      UNION ALL
      SELECT next.code_commune, next.departement FROM places, LATERAL (
        SELECT code_commune, departement FROM etablissements
        WHERE code_commune > places.code_commune ORDER BY code_commune LIMIT 1) next)
    SELECT e.siret FROM (
      SELECT e.* FROM places, LATERAL (
        SELECT {_COLUMNS} FROM etablissements WHERE code_commune = places.code_commune OFFSET 0) e
      WHERE NOT {_IN_A_WHOLE_PLACE.format("places")}
      UNION ALL
      SELECT {_COLUMNS} FROM etablissements WHERE code_commune IS NULL) e
    WHERE NOT {_IN_A_WHOLE_PLACE.format("e")}
      AND NOT {in_a_scope("narrowed", has_activite=_HAS_HAD_ACTIVITE)}
    LIMIT :most
""")


def read_leavers(connection: Connection, scopes: Sequence[Scope]) -> list[str]:
    """Return the sirets that no window of the scopes lists, by what is stored.

    A closed one does not count: a delta asks for what ever was in a state. None is returned where
    there are more than `MOST_LEAVERS`.
    """
    whole = [each for each in scopes if not (each.activites or each.siret_from or each.siret_to)]
    narrowed = [vars(each) for each in scopes if each not in whole]
    found = connection.scalars(
        LEAVERS,
        {
            "departements": [name for each in whole for name in each.departements],
            "communes": [name for each in whole for name in each.communes],
            "narrowed": orjson.dumps(narrowed).decode(),
            "most": MOST_LEAVERS + 1,
        },
    ).all()
    return [] if len(found) > MOST_LEAVERS else sorted(found)
