"""Oppositions and tombstones keep people's data out; the locks here make both hold.

Locks are taken in this order: the register (shared by slices, exclusive for `forget`), a slice's
new first and last siren, the units' rows, then the sirens (to erase, and to keep a raw record).
"""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from services.writer.erasure.letter_records import Silenced
from services.writer.sql.prepared import Prepared
from shared.db.locks import Lock, LockFamily, hold, hold_one_sql, share_sql
from shared.sirene.records import NAMES_OF_A_PERSON, SOLE_TRADER


def _hold_sirens(family: LockFamily, parameter: str) -> str:
    return f"""
        SELECT {hold_one_sql(family, "siren")}
        FROM (SELECT DISTINCT s::int AS siren FROM unnest(CAST(:{parameter} AS text[])) AS s
          ORDER BY 1) sirens
    """


HOLD_SIRENS = _hold_sirens(LockFamily.SIREN, "all")

# The neighbouring slices may have the first and the last unit of a slice too. Where two slices find
# the same unit new at one time, the second waits here for the commit of the first, and then sees
# the unit. `sirens` are all units without a row. `hidden`: an opposition or a tombstone concerns
# one of them. `awaited`: one of them has stored establishments, as from a stock file.
HOLD_EDGES = Prepared(
    "hold_edges",
    """
    SELECT coalesce((SELECT array_agg(siren) FROM unites_legales
        WHERE siren = ANY(CAST(:edges AS text[]))), '{}') AS made,
      EXISTS (SELECT FROM unnest(string_to_array(:sirens, ' ')) AS n (siren)
        WHERE EXISTS (SELECT FROM oppositions o WHERE o.siren = n.siren)
          OR EXISTS (SELECT FROM erasures t WHERE t.siren = n.siren)) AS hidden,
      EXISTS (SELECT FROM unnest(string_to_array(:sirens, ' ')) AS n (siren)
        WHERE EXISTS (SELECT FROM etablissements e WHERE e.siren = n.siren)) AS awaited
    """,
    first=[
        # A unit without a row cannot be locked. Without this lock, a slice that looked for
        # oppositions before one was recorded could insert the unit afterwards.
        Prepared("share_register", share_sql(Lock.REGISTER)),
        Prepared("hold_edge_locks", _hold_sirens(LockFamily.SLICE_EDGE, "edges")),
    ],
)


def nulled(names: Sequence[str], *, where: str | None = None, row: str = "") -> str:
    """Return the assignments that empty the columns; `where` is a condition, `row` the prefix."""
    kept = "NULL" if where is None else "CASE WHEN {0} THEN NULL ELSE {1}{2} END"
    return ", ".join(f"{name} = {kept.format(where, row, name)}" for name in names)


def is_person(unite: str) -> str:
    """Return the condition that the unit is a sole trader, or of a legal form that is not known."""
    return f"coalesce({unite}.categorie_juridique, '{SOLE_TRADER}') = '{SOLE_TRADER}'"


def is_purged(unite: str) -> str:
    """Return the condition that a person's record names nobody, as `pages.subjects` finds it."""
    names = ", ".join(f"{unite}.{name}" for name in NAMES_OF_A_PERSON)
    return f"({is_person(unite)} AND num_nonnulls({names}) = 0)"


# A hidden record has a hash of its own, so that the record counts as changed once nothing hides it.
# The hash of a row from a stock file is empty.
HIDDEN_HASH = "substr({0}.content_hash, 1, 16) || '\\x00'::bytea"

# A tombstone `t` keeps out the records that its P hides.
IS_TOMBSTONE = "t.reason = 'partial_diffusion' AND t.fetched_at IS NOT NULL"


_WITHHELD = text(f"""
    {HOLD_SIRENS};
    SELECT s.siren AS key FROM unnest(CAST(:sirens AS text[])) AS s (siren)
    LEFT JOIN unites_legales u USING (siren)
    WHERE u.statut_diffusion = 'P'
      OR CAST(:purged AS boolean) AND u.siren IS NOT NULL AND {is_purged("u")}
      OR EXISTS (SELECT FROM oppositions o WHERE o.siren = s.siren)
      OR u.siren IS NULL AND EXISTS (SELECT FROM erasures t
        WHERE t.siren = s.siren AND t.siret IS NULL AND {IS_TOMBSTONE})
    UNION ALL
    SELECT s.siret FROM unnest(CAST(:sirets AS text[])) AS s (siret)
    LEFT JOIN etablissements e USING (siret)
    WHERE e.statut_diffusion = 'P'
      OR e.siret IS NULL AND EXISTS (SELECT FROM erasures t
        WHERE t.siren = left(s.siret, 9) AND t.siret = s.siret AND {IS_TOMBSTONE})
""")


_HOLD_UNITES = text("""
    SELECT 1 FROM unites_legales WHERE siren = ANY(:sirens) ORDER BY siren FOR NO KEY UPDATE
""")


def hold_register(connection: Connection) -> None:
    """Wait for the slices that are being written; others wait until the transaction ends."""
    connection.execute(text("SET LOCAL lock_timeout = '60s'"))
    hold(connection, Lock.REGISTER)


def hold_unites(connection: Connection, sirens: Sequence[str]) -> None:
    """Lock the rows of the units, in the order of their sirens, until the transaction ends."""
    connection.execute(_HOLD_UNITES, {"sirens": sirens})


def withheld(
    connection: Connection,
    *,
    sirens: Sequence[str],
    sirets: Sequence[str],
    with_purged: bool = False,
) -> Silenced:
    """Return which of these must be erased; hold the sirens against an erasure.

    An older record of a unit that is open to all again may be kept: INSEE shows it. With the
    purged persons, whose register is clear, these are those whose raw records must not be kept.
    """
    if not sirens and not sirets:
        return Silenced()
    numbers = {"all": list(sirens), "sirens": list(sirens), "sirets": list(sirets)}
    found = frozenset(connection.execute(_WITHHELD, {**numbers, "purged": with_purged}).scalars())
    return Silenced(
        frozenset(key for key in found if key in set(sirens)),
        frozenset(key for key in found if key in set(sirets)),
    )
