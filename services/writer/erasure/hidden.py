"""Records that a P hides, or an opposition; tombstones of each P that is no row any more.

A row is the record of the highest version. It is *buried* where it is an O and a P hides it: it
then has the status P, keeps its own version, and shows nothing
(docs/adr/0023-order-of-versions.md).
"""

from sqlalchemy import TextClause, text

from services.writer.erasure.tombstones import HIDDEN_HASH, IS_TOMBSTONE, is_person, nulled
from services.writer.sql.prepared import Prepared
from services.writer.sql.versions import (
    effective,
    is_covered_by,
    is_hidden_by,
    is_partial,
    version,
)
from shared.sirene.records import PERSONAL_UNITE_FIELDS, SIGN_FIELDS, STREET_FIELDS

# `hidden`: `HIDE` may concern a staged row. `turned`: `BURY` and `hide_stored` may. Nearly every
# slice has neither.
FIND_HIDDEN = Prepared(
    "find_hidden",
    f"""
    SELECT EXISTS (SELECT FROM new_unites n
        WHERE EXISTS (SELECT FROM oppositions o WHERE o.siren = n.siren)
          OR EXISTS (SELECT FROM erasures t WHERE t.siren = n.siren)
          OR n.statut_diffusion = 'O' AND 'P' = (
            SELECT u.statut_diffusion FROM unites_legales u WHERE u.siren = n.siren))
      OR EXISTS (SELECT FROM new_etablissements n
        WHERE n.statut_diffusion = 'O' AND 'P' = (
          SELECT e.statut_diffusion FROM etablissements e WHERE e.siret = n.siret)) AS hidden,
      EXISTS (SELECT FROM new_unites n
        WHERE n.statut_diffusion = 'P' AND (
          SELECT u.statut_diffusion = 'O' OR u.buried OR NOT {is_covered_by("u", "n")}
          FROM unites_legales u WHERE u.siren = n.siren))
      OR EXISTS (SELECT FROM new_etablissements n
        WHERE n.statut_diffusion = 'P' AND (
          SELECT e.statut_diffusion = 'O' OR e.buried OR NOT {is_covered_by("e", "n")}
          FROM etablissements e WHERE e.siret = n.siret))
      OR EXISTS (SELECT FROM new_unites u JOIN new_etablissements n USING (siren)
        WHERE u.statut_diffusion = 'P' AND n.statut_diffusion = 'O' AND n.fetched_at > (
          SELECT e.fetched_at FROM etablissements e
          WHERE e.siret = n.siret AND e.content_hash = n.content_hash)) AS turned
    """,
)


def _is_buried(new: str, table: str, key: str, tombstone: str) -> str:
    """Return the condition that the row of the table, or a tombstone `t`, hides the new O."""
    return f"""
        ({new}.statut_diffusion = 'O' AND (EXISTS (
          SELECT FROM {table} s
          WHERE s.{key} = {new}.{key} AND {is_partial("s")} AND {is_hidden_by(new, "s")})
        OR EXISTS (
          SELECT FROM erasures t
          WHERE {tombstone} AND {IS_TOMBSTONE} AND {is_hidden_by(new, "t")})))
    """


_OF_UNITE = "t.siren = n.siren AND t.siret IS NULL"
_OF_ETABLISSEMENT = "t.siren = n.siren AND t.siret = n.siret"

# An establishment that comes with a hidden unit in the same GET is as old as the unit, whatever its
# own date says. The stored row stays where it has the same content and was seen since the last P.
HIDE: TextClause = text(f"""
    WITH units AS MATERIALIZED (
      SELECT n.siren, o.siren IS NOT NULL AS opposed, {is_person("n")} AS is_person,
        {_is_buried("n", "unites_legales", "siren", _OF_UNITE)} AS buried,
        greatest(
          (SELECT u.fetched_at FROM unites_legales u WHERE u.siren = n.siren AND {is_partial("u")}),
          (SELECT max(t.fetched_at) FROM erasures t WHERE {_OF_UNITE} AND {IS_TOMBSTONE}))
          AS masked_at
      FROM new_unites n LEFT JOIN oppositions o USING (siren)),
    hidden_units AS (
      UPDATE new_unites n SET
        {nulled(PERSONAL_UNITE_FIELDS, where="u.opposed OR u.is_person", row="n.")},
        statut_diffusion = CASE WHEN u.buried THEN 'P' ELSE n.statut_diffusion END,
        buried = u.buried, content_hash = {HIDDEN_HASH.format("n")}
      FROM units u WHERE u.siren = n.siren AND (u.opposed OR u.buried)),
    hidden AS MATERIALIZED (
      SELECT n.siret, o.siren IS NOT NULL AS opposed, coalesce(u.is_person, true) AS is_person,
        coalesce(u.buried, false) AS with_unit,
        {_is_buried("n", "etablissements", "siret", _OF_ETABLISSEMENT)} AS buried,
        EXISTS (SELECT FROM etablissements s
          WHERE s.siret = n.siret AND s.content_hash = n.content_hash
            AND s.fetched_at >= u.masked_at) AS seen_since
      FROM new_etablissements n LEFT JOIN units u USING (siren)
      LEFT JOIN oppositions o USING (siren)),
    hidden_periodes AS (
      UPDATE new_periodes n SET
        {nulled(SIGN_FIELDS, where="h.opposed OR h.is_person", row="n.")}
      FROM hidden h WHERE h.siret = n.siret AND (h.opposed OR h.with_unit OR h.buried)),
    same AS (
      DELETE FROM new_etablissements n USING hidden h
      WHERE h.siret = n.siret AND h.with_unit AND h.seen_since AND NOT (h.opposed OR h.buried))
    UPDATE new_etablissements n SET
      {nulled(SIGN_FIELDS, where="h.opposed OR h.is_person", row="n.")}, {nulled(STREET_FIELDS)},
      statut_diffusion = CASE WHEN h.buried THEN 'P' ELSE n.statut_diffusion END,
      buried = h.buried, content_hash = {HIDDEN_HASH.format("n")}
    FROM hidden h WHERE h.siret = n.siret
      AND (h.opposed OR h.buried OR h.with_unit AND NOT h.seen_since)
""")


def _bury(new: str, table: str, key: str, same: str) -> str:
    """Select each P that hides a row, or that another version keeps out of its row.

    A tombstone that hides as much makes a second one needless.
    """
    siret = "{0}.siret" if key == "siret" else "NULL"

    def select(loser: str, where: str) -> str:
        its = siret.format(loser)
        return f"""
        SELECT {loser}.siren, {its}, {loser}.date_dernier_traitement, {loser}.fetched_at,
          'partial_diffusion'
        FROM {new} n JOIN {table} o USING ({key})
        WHERE {is_partial(loser)} AND ({where})
        """

    def is_new(loser: str) -> str:
        return f"""NOT EXISTS (SELECT FROM erasures t
          WHERE t.siren = {loser}.siren AND {same.format(loser)}
            AND {IS_TOMBSTONE} AND {is_covered_by(loser, "t")})"""

    turned = f"o.statut_diffusion = 'O' AND {effective('n')} >= {effective('o')}"
    lost = f"""NOT {version("n")} > {version("o")} AND {is_new("n")}
          AND NOT ({is_partial("o")} AND {is_covered_by("n", "o")})"""
    replaced = f"""{version("n")} > {version("o")} AND {is_new("o")}
          AND NOT ({is_partial("n")} AND {is_covered_by("o", "n")})"""
    return f"{select('n', f'{turned} OR {lost}')} UNION ALL {select('o', replaced)}"


BURY = text(f"""
    INSERT INTO erasures (siren, siret, date_dernier_traitement, fetched_at, reason)
    {_bury("new_unites", "unites_legales", "siren", "t.siret IS NULL")}
    UNION ALL
    {_bury("new_etablissements", "etablissements", "siret", "t.siret = {0}.siret")}
""")
