"""Refreshed records: stored rows and tombstones of an earlier GET yield to them.

A person has asked for what INSEE says now (docs/adr/0023-order-of-versions.md). Oppositions hold.
A row of the same content is written where it is not what its digest says, and keeps its stamp.
"""

import datetime as dt
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, text

from services.writer.erasure.tombstones import IS_TOMBSTONE, hold_unites
from services.writer.slices.decode import MappedRow
from services.writer.slices.statements import (
    ETABLISSEMENT_FIELDS,
    PERIODE_FIELDS,
    UNITE_FIELDS,
)
from services.writer.sql.names import columns, excluded
from shared.db.locks import Lock, share_sql
from shared.sirene.records import OPEN_TO_ALL

_SHARE_REGISTER = text(share_sql(Lock.REGISTER))


def _yielding(table: str, key: str) -> str:
    """Give the rows of other contents a version below every record's; they are written next.

    A row that was P counts as buried, so that nothing takes it for a P of that old version. A P
    with the digest of a record that INSEE shows was altered here.
    """
    return f"""
        UPDATE {table} o SET date_dernier_traitement = NULL,
          fetched_at = timestamptz '1000-01-01 00:00:00+00',
          buried = CASE WHEN o.statut_diffusion = 'P' THEN true ELSE o.buried END
        FROM unnest(CAST(:keys AS text[]), CAST(:hashes AS text[])) AS n (key, hash)
        WHERE o.{key} = n.key
          AND (o.content_hash <> decode(n.hash, 'hex')
            OR o.statut_diffusion = 'P' AND o.{key} = ANY(:shown))
          AND o.fetched_at <= :fetched_at
    """


_UNITES = text(_yielding("unites_legales", "siren"))
_ETABLISSEMENTS = text(_yielding("etablissements", "siret"))


def _rewriting(new: str, table: str, key: str, names: Sequence[str]) -> str:
    values = [name for name in names if name != key]
    return f"""
        UPDATE {table} o SET ({columns(values)}) = ROW({columns(values, "n.")}), updated_at = now()
        FROM {new} n
        WHERE o.{key} = n.{key} AND o.content_hash = n.content_hash
          AND ({columns(values, "o.")}) IS DISTINCT FROM ({columns(values, "n.")})
        RETURNING o.{key}
    """


_REWRITE_UNITES = text(_rewriting("new_unites", "unites_legales", "siren", UNITE_FIELDS))
_REWRITE_ETABLISSEMENTS = text(f"""
    WITH same AS MATERIALIZED (
      SELECT siret FROM new_etablissements n JOIN etablissements o USING (siret)
      WHERE o.content_hash = n.content_hash),
    rewritten AS (
      {_rewriting("new_etablissements", "etablissements", "siret", ETABLISSEMENT_FIELDS)}),
    periods AS (
      INSERT INTO periodes_etablissements AS o ({columns(PERIODE_FIELDS)})
      SELECT {columns(PERIODE_FIELDS, "n.")}
      FROM new_periodes n JOIN same USING (siret) ORDER BY n.siret, n.rang
      ON CONFLICT (siret, rang) DO UPDATE SET {excluded(PERIODE_FIELDS[2:])}
      WHERE ({columns(PERIODE_FIELDS, "o.")})
        IS DISTINCT FROM ({columns(PERIODE_FIELDS, "excluded.")})
      RETURNING o.siret),
    outdated AS (
      DELETE FROM periodes_etablissements o USING same
      WHERE o.siret = same.siret AND NOT EXISTS (
        SELECT FROM new_periodes n WHERE n.siret = o.siret AND n.rang = o.rang)
      RETURNING o.siret)
    SELECT siret FROM rewritten UNION SELECT siret FROM periods UNION SELECT siret FROM outdated
""")
# The tombstones of a number that INSEE shows now.
_FORGET_TOMBSTONES = text(f"""
    DELETE FROM erasures t
    WHERE t.siren = ANY(:sirens) AND {IS_TOMBSTONE} AND t.fetched_at <= :fetched_at
      AND coalesce(t.siret, t.siren) = ANY(:shown)
""")


def let_yield(connection: Connection, rows: Sequence[MappedRow], fetched_at: dt.datetime) -> None:
    """Prepare the stored rows of these records, in the transaction that writes them.

    What a later GET brought stays as it is: INSEE says more by now than the refresh knows.
    """
    sirens = sorted({row.sent.siren for row in rows})
    connection.execute(_SHARE_REGISTER)
    hold_unites(connection, sirens)
    shown = {"shown": _shown(rows), "fetched_at": fetched_at}
    connection.execute(_FORGET_TOMBSTONES, {"sirens": sirens, **shown})
    for statement, digests in (
        (_UNITES, {(row.sent.siren, row.sent.unite_hash) for row in rows}),
        (_ETABLISSEMENTS, {(row.siret, row.sent.etablissement_hash) for row in rows}),
    ):
        keys, hashes = zip(*sorted(digests), strict=True)
        connection.execute(statement, {"keys": list(keys), "hashes": list(hashes), **shown})


def rewrite(connection: Connection) -> tuple[Sequence[str], Sequence[str]]:
    """Write the staged rows over stored ones with their digest and other values.

    Return the sirens and the sirets of these.
    """
    sirens = connection.scalars(_REWRITE_UNITES).all()
    return sirens, connection.scalars(_REWRITE_ETABLISSEMENTS).all()


def _shown(rows: Iterable[MappedRow]) -> list[str]:
    """Return the sirens and sirets that come as open to all."""
    shown: set[str] = set()
    for row in rows:
        of_unite, of_etablissement = row.sent.statuts
        shown.update([row.sent.siren] if of_unite == OPEN_TO_ALL else ())
        shown.update([row.siret] if of_etablissement == OPEN_TO_ALL else ())
    return sorted(shown)
