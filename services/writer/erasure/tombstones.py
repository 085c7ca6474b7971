"""Oppositions and tombstones keep people's data out; the locks here make both hold.

Locks are taken in this order: the register (shared by slices, exclusive for `forget`), a slice's
new first and last siren, the units' rows, then the sirens (to erase, and to keep a raw record).
"""

from collections.abc import Sequence

from sqlalchemy import Connection, TextClause, text

from services.writer.erasure.letter_records import Silenced
from services.writer.sql.prepared import Prepared
from shared.db.locks import Lock, LockFamily, hold, hold_one_sql, share_sql
from shared.sirene.records import PERSONAL_UNITE_FIELDS, SIGN_FIELDS, SOLE_TRADER, STREET_FIELDS


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


# A hidden record has a hash of its own, so that the record counts as changed once nothing hides it.
HIDDEN_HASH = "content_hash || '\\x00'::bytea"

# The first row is not newer than the second one by INSEE's treatment dates.
OLDER_OR_EQUAL = (
    "coalesce({0}.date_dernier_traitement, '-infinity')"
    " <= coalesce({1}.date_dernier_traitement, '-infinity')"
)
# A tombstone `t` keeps out the records that are as old as itself, or older.
IS_TOMBSTONE = "t.reason = 'partial_diffusion' AND t.fetched_at IS NOT NULL"

# `hidden`: `HIDE` concerns a staged unit. `turned`: `BURY` does. Nearly every slice has neither.
FIND_HIDDEN = Prepared(
    "find_hidden",
    """
    SELECT EXISTS (SELECT FROM new_unites n
        WHERE EXISTS (SELECT FROM oppositions o WHERE o.siren = n.siren)
          OR EXISTS (SELECT FROM erasures t WHERE t.siren = n.siren)
          OR n.statut_diffusion = 'O' AND 'P' = (
            SELECT u.statut_diffusion FROM unites_legales u WHERE u.siren = n.siren)) AS hidden,
      EXISTS (SELECT FROM new_unites n
        WHERE n.statut_diffusion = 'P' AND 'O' = (
          SELECT u.statut_diffusion FROM unites_legales u WHERE u.siren = n.siren))
      OR EXISTS (SELECT FROM new_etablissements n
        WHERE n.statut_diffusion = 'P' AND 'O' = (
          SELECT e.statut_diffusion FROM etablissements e WHERE e.siret = n.siret)) AS turned
    """,
)

# `late`: the stored unit is P and not older. `buried`: a tombstone is not older, and the row
# becomes P, unless a stored P keeps it out anyway: as a P it would count as new. An establishment
# that comes with its unit in the same GET is as old as the unit, whatever its own date says.
HIDE: TextClause = text(f"""
    WITH units AS MATERIALIZED (
      SELECT n.siren, o.siren IS NOT NULL AS opposed,
        {is_person("n")} AS is_person,
        n.statut_diffusion = 'O' AND EXISTS (
          SELECT FROM unites_legales u WHERE u.siren = n.siren AND u.statut_diffusion = 'P'
            AND {OLDER_OR_EQUAL.format("n", "u")}) AS late,
        n.statut_diffusion = 'O' AND EXISTS (
          SELECT FROM erasures t WHERE t.siren = n.siren AND t.siret IS NULL
            AND {IS_TOMBSTONE} AND {OLDER_OR_EQUAL.format("n", "t")}) AS buried
      FROM new_unites n LEFT JOIN oppositions o USING (siren)),
    hidden_units AS (
      UPDATE new_unites n SET
        {nulled(PERSONAL_UNITE_FIELDS, where="u.opposed OR u.is_person", row="n.")},
        statut_diffusion = CASE WHEN u.buried AND NOT u.late THEN 'P' ELSE n.statut_diffusion END,
        content_hash = n.{HIDDEN_HASH}
      FROM units u WHERE u.siren = n.siren AND (u.opposed OR u.late OR u.buried)),
    hidden AS (
      SELECT e.siret, o.siren IS NOT NULL AS opposed, coalesce(u.is_person, true) AS is_person,
        coalesce(u.late OR u.buried, false) AS late, e.statut_diffusion = 'O' AND EXISTS (
          SELECT FROM erasures t WHERE t.siren = e.siren AND t.siret = e.siret
            AND {IS_TOMBSTONE} AND {OLDER_OR_EQUAL.format("e", "t")}) AND NOT EXISTS (
          SELECT FROM etablissements s WHERE s.siret = e.siret AND s.statut_diffusion = 'P'
            AND {OLDER_OR_EQUAL.format("e", "s")}) AS buried
      FROM new_etablissements e LEFT JOIN units u USING (siren)
      LEFT JOIN oppositions o USING (siren)),
    hidden_periodes AS (
      UPDATE new_periodes n SET
        {nulled(SIGN_FIELDS, where="h.opposed OR h.is_person", row="n.")}
      FROM hidden h WHERE h.siret = n.siret AND (h.opposed OR h.late OR h.buried))
    UPDATE new_etablissements n SET
      {nulled(SIGN_FIELDS, where="h.opposed OR h.is_person", row="n.")}, {nulled(STREET_FIELDS)},
      statut_diffusion = CASE WHEN h.buried THEN 'P' ELSE n.statut_diffusion END,
      content_hash = n.{HIDDEN_HASH}
    FROM hidden h WHERE h.siret = n.siret AND (h.opposed OR h.late OR h.buried)
""")


def _turned_partial(new: str, table: str, key: str) -> str:
    """Select the rows that turn from O to P with this slice, in the order of `versions.Version`."""
    return f"""
        FROM {new} n JOIN {table} o USING ({key})
        WHERE n.statut_diffusion = 'P' AND o.statut_diffusion = 'O'
          AND {OLDER_OR_EQUAL.format("o", "n")}
    """


BURY = text(f"""
    INSERT INTO erasures (siren, siret, date_dernier_traitement, fetched_at, reason)
    SELECT n.siren, NULL, n.date_dernier_traitement, n.fetched_at, 'partial_diffusion'
    {_turned_partial("new_unites", "unites_legales", "siren")}
    UNION ALL
    SELECT n.siren, n.siret, n.date_dernier_traitement, n.fetched_at, 'partial_diffusion'
    {_turned_partial("new_etablissements", "etablissements", "siret")}
""")

_WITHHELD = text(f"""
    {HOLD_SIRENS};
    SELECT s.siren AS key FROM unnest(CAST(:sirens AS text[])) AS s (siren)
    LEFT JOIN unites_legales u USING (siren)
    WHERE u.statut_diffusion = 'P'
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


def withheld(connection: Connection, *, sirens: Sequence[str], sirets: Sequence[str]) -> Silenced:
    """Return which of these must not be kept as raw records; hold the sirens against an erasure.

    An older record of a unit that is open to all again may be kept: INSEE shows it.
    """
    if not sirens and not sirets:
        return Silenced()
    numbers = {"all": list(sirens), "sirens": list(sirens), "sirets": list(sirets)}
    found = frozenset(connection.execute(_WITHHELD, numbers).scalars())
    return Silenced(
        frozenset(key for key in found if key in set(sirens)),
        frozenset(key for key in found if key in set(sirets)),
    )
