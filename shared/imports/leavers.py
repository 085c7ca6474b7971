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
# Scopes of whole places, nearly all of them, are judged by two arrays.
_READ = text(f"""
    SELECT e.siret FROM etablissements e
    WHERE NOT (coalesce(e.departement = ANY(CAST(:departements AS text[])), false)
        OR coalesce(e.code_commune = ANY(CAST(:communes AS text[])), false))
      AND NOT {in_a_scope("narrowed", has_activite=_HAS_HAD_ACTIVITE)}
    ORDER BY e.siret LIMIT :most
""")


def read_leavers(connection: Connection, scopes: Sequence[Scope]) -> list[str]:
    """Return the sirets that no window of the scopes lists, by what is stored.

    A closed one does not count: a delta asks for what ever was in a state. None is returned where
    there are more than `MOST_LEAVERS`.
    """
    whole = [each for each in scopes if not (each.activites or each.siret_from or each.siret_to)]
    narrowed = [vars(each) for each in scopes if each not in whole]
    found = connection.scalars(
        _READ,
        {
            "departements": [name for each in whole for name in each.departements],
            "communes": [name for each in whole for name in each.communes],
            "narrowed": orjson.dumps(narrowed).decode(),
            "most": MOST_LEAVERS + 1,
        },
    ).all()
    return [] if len(found) > MOST_LEAVERS else list(found)
