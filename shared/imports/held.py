"""The scopes that a database has been asked to hold: what its imports were ordered for.

A delta and a certificate go by them. A stock file is the whole register.
"""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime

import orjson
from sqlalchemy import Connection, text

from shared.imports.listed import in_a_scope, listed
from shared.imports.scope import Scope

_READ = text("""
    SELECT departements, communes, activites, etat_administratif, siret_from, siret_to, sirets,
      bool_or(row_limit IS NULL) AS is_whole
    FROM import_runs
    WHERE kind = 'scope' AND sirets = '{}' AND status NOT IN ('failed', 'cancelled')
    GROUP BY departements, communes, activites, etat_administratif, siret_from, siret_to, sirets
    ORDER BY min(id)
""")
# A comparison brings nothing.
_LOADED = "stock_loads WHERE way <> 'compare'"
_HAS_STOCK = text(f"""
    SELECT EXISTS (SELECT FROM {_LOADED} AND status NOT IN ('refused', 'abandoned'))
""")
# Rows of another scope, imported before windows were kept, have a date that nobody knows.
_IS_FIRST = text(f"""
    SELECT NOT EXISTS (SELECT FROM watermarks) AND NOT EXISTS (SELECT FROM {_LOADED})
      AND EXISTS (SELECT FROM import_runs WHERE id = :run_id AND kind = 'scope')
      AND NOT EXISTS (
        SELECT FROM import_runs mine JOIN import_runs other ON other.id <> mine.id
        WHERE mine.id = :run_id AND other.kind = 'scope' AND other.sirets = '{{}}'
          AND other.status NOT IN ('pending', 'failed', 'cancelled')
          AND NOT EXISTS (SELECT FROM treatment_windows w WHERE w.run_id = other.id)
          AND (other.departements, other.communes, other.activites, other.etat_administratif,
              other.siret_from, other.siret_to)
            IS DISTINCT FROM (mine.departements, mine.communes, mine.activites,
              mine.etat_administratif, mine.siret_from, mine.siret_to))
""")
_OPEN_WINDOWS = text("""
    SELECT collection, min(treated_until) AS treated_until FROM treatment_windows
    WHERE treated_from IS NULL AND settled_at IS NULL
      AND run_id NOT IN (SELECT id FROM import_runs WHERE status = 'cancelled')
    GROUP BY collection
""")
_ETAT, _ACTIVITE = (listed(name, "e") for name in ("etat_administratif", "activite_principale"))
# An establishment is still in a scope by what holds today, and already by what begins on a later
# day: it is outside where neither is.
_HAS_ACTIVITE = """
  ARRAY[e.activite_principale, newest.activite, e.activite_principale_naf25]
    && ARRAY(SELECT json_array_elements_text(s.activites))"""
_HAS_ETAT = """(s.etat_administratif IS NULL
  OR s.etat_administratif IN (e.etat_administratif, newest.etat))"""
_COUNT_OUTSIDE = text(f"""
    SELECT count(*) FROM (
      SELECT DISTINCT unnest(r.sirets) AS siret
      FROM slice_receipts r JOIN import_batches b ON b.id = r.batch_id WHERE b.run_id = :run_id
    ) received JOIN etablissements e USING (siret)
      CROSS JOIN LATERAL (SELECT {_ETAT} AS etat, {_ACTIVITE} AS activite OFFSET 0) newest
    WHERE NOT {in_a_scope("scopes", has_activite=_HAS_ACTIVITE, more=_HAS_ETAT)}
""")


def read_held(connection: Connection) -> list[Scope]:
    """Return the scopes; `[Scope()]` is the whole register, as where nothing was ordered yet.

    A sample of the whole register (`--limit`) holds no more than other imports say.
    """
    everything = [Scope()]
    if connection.execute(_HAS_STOCK).scalar_one():
        return everything
    held = []
    for row in connection.execute(_READ).mappings():
        scope = Scope(**{each.name: row[each.name] for each in fields(Scope)})
        if not is_everything([scope]):
            held.append(scope)
        elif row["is_whole"]:
            return everything
    return held or everything


def is_everything(scopes: Sequence[Scope]) -> bool:
    return any(not any(vars(scope).values()) for scope in scopes)


def in_words(scopes: Sequence[Scope]) -> str:
    """Name the scopes by their codes: `33, 24, 75056 with 10.71C`."""
    return ", ".join(dict.fromkeys(map(_words_of, scopes)))


def _words_of(scope: Scope) -> str:
    if is_everything([scope]):
        return "all of France"
    places = ", ".join([*scope.departements, *scope.communes]) or "all of France"
    state = {"A": "open", "F": "closed"}.get(scope.etat_administratif or "")
    span = f"{scope.siret_from or ''}-{scope.siret_to or ''}".strip("-")
    narrow = " ".join(each for each in (*scope.activites, state, span) if each)
    return f"{places} with {narrow}" if narrow else places


def first_windows(connection: Connection, run_id: int) -> dict[str, datetime] | None:
    """Return how far the open first imports are complete, by collection, where this is one of them.

    The first imports of a database set its watermarks, to the earliest of their dates. None where
    there are watermarks already: they stay, as the next delta brings this import's scope as well.
    """
    if not connection.execute(_IS_FIRST, {"run_id": run_id}).scalar_one():
        return None
    return {row.collection: row.treated_until for row in connection.execute(_OPEN_WINDOWS)}


def count_outside(connection: Connection, run_id: int, scopes: Sequence[Scope]) -> int:
    """Count the establishments that a run received, and that are in none of the scopes any more."""
    asked = {"run_id": run_id, "scopes": orjson.dumps([vars(each) for each in scopes]).decode()}
    found: int = connection.execute(_COUNT_OUTSIDE, asked).scalar_one()
    return found
