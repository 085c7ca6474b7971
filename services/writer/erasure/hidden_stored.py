"""The stored rows that a P of a slice hides: it becomes no row itself.

It hides the stored O in its place, if it was seen later. What was seen with an O that it hides goes
too, but for what this very GET shows as well.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from services.writer.erasure.tombstones import HIDDEN_HASH, is_person, nulled
from services.writer.sql.pieces import in_pieces
from services.writer.sql.versions import effective, is_hidden_by, is_partial
from shared.sirene.identifiers import siren_of
from shared.sirene.records import PERSONAL_UNITE_FIELDS, SIGN_FIELDS, STREET_FIELDS

# `own`: the P is the establishment's.
_FIND = text(f"""
    WITH hiding AS MATERIALIZED (
      SELECT n.siren, o.fetched_at AS seen_at, {is_hidden_by("o", "n")} AS whole
      FROM new_unites n JOIN unites_legales o USING (siren)
      WHERE {is_partial("n")} AND o.statut_diffusion = 'O'),
    found AS MATERIALIZED (
      SELECT e.siret, e.siren, true AS own
      FROM new_etablissements n JOIN etablissements e USING (siret)
      WHERE {is_partial("n")} AND e.statut_diffusion = 'O'
        AND {effective("n")} < {effective("e")} AND n.fetched_at > e.fetched_at
      UNION ALL
      SELECT e.siret, e.siren, false
      FROM hiding h JOIN etablissements e USING (siren)
      WHERE e.statut_diffusion = 'O' AND (h.whole OR e.fetched_at < h.seen_at) AND NOT EXISTS (
        SELECT FROM new_etablissements n WHERE n.siret = e.siret
          AND (n.content_hash = e.content_hash OR {is_partial("n")} AND {is_hidden_by("e", "n")})))
    SELECT f.siret, bool_or(f.own) AS own, bool_or({is_person("u")}) AS is_person
    FROM found f LEFT JOIN unites_legales u USING (siren)
    GROUP BY f.siret ORDER BY f.siret
""")
_HIDE_UNITES = text(f"""
    UPDATE unites_legales o SET
      {nulled(PERSONAL_UNITE_FIELDS, where=is_person("o"), row="o.")},
      statut_diffusion = 'P', buried = true, content_hash = {HIDDEN_HASH.format("o")},
      updated_at = now()
    FROM new_unites n
    WHERE n.siren = o.siren AND {is_partial("n")} AND o.statut_diffusion = 'O'
      AND {effective("n")} < {effective("o")} AND n.fetched_at > o.fetched_at
    RETURNING o.siren
""")
_HIDE_ETABLISSEMENTS = text(f"""
    WITH found AS MATERIALIZED (
      SELECT * FROM unnest(CAST(:sirets AS text[]), CAST(:own AS boolean[]),
        CAST(:persons AS boolean[])) AS f (siret, own, is_person)),
    periods AS (
      UPDATE periodes_etablissements p SET {nulled(SIGN_FIELDS)}
      FROM found f WHERE p.siret = ANY(:sirets) AND f.siret = p.siret AND f.is_person)
    UPDATE etablissements e SET
      {nulled(SIGN_FIELDS, where="f.is_person", row="e.")}, {nulled(STREET_FIELDS)},
      statut_diffusion = CASE WHEN f.own THEN 'P' ELSE e.statut_diffusion END,
      buried = CASE WHEN f.own THEN true ELSE e.buried END,
      content_hash = {HIDDEN_HASH.format("e")}, updated_at = now()
    FROM found f WHERE e.siret = ANY(:sirets) AND f.siret = e.siret
""")
_KEEP_SAME = text(f"""
    WITH confirmed AS (
      UPDATE etablissements e SET fetched_at = n.fetched_at
      FROM new_etablissements n JOIN new_unites u USING (siren)
      WHERE e.siret = n.siret AND {is_partial("u")} AND e.content_hash = n.content_hash
        AND e.statut_diffusion = 'O' AND e.fetched_at < n.fetched_at)
    -- What was seen since a later P keeps the time of that GET.
    DELETE FROM new_etablissements n
    USING etablissements e JOIN unites_legales u USING (siren)
    WHERE e.siret = n.siret AND e.content_hash = n.content_hash
      AND {is_partial("u")} AND n.fetched_at < u.fetched_at AND u.fetched_at <= e.fetched_at
""")


def hide_stored(connection: Connection) -> Sequence[str]:
    """Hide the rows, some at a time; return the sirens and sirets whose rows are hidden now."""
    # The rows are found first: a unit that is hidden already hides nothing more.
    found = connection.execute(_FIND).all()
    hidden: set[str] = set(connection.scalars(_HIDE_UNITES))
    for some in in_pieces(found):
        columns = {
            "sirets": [row.siret for row in some],
            "own": [row.own for row in some],
            "persons": [row.is_person for row in some],
        }
        connection.execute(_HIDE_ETABLISSEMENTS, columns)
    hidden.update(row.siret if row.own else siren_of(row.siret) for row in found)
    connection.execute(_KEEP_SAME)
    return sorted(hidden)
