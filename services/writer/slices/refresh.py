"""Refreshed records: stored rows and tombstones of an earlier GET yield to them.

A person has asked for what INSEE says now (docs/adr/0023-order-of-versions.md). Oppositions hold.
"""

import datetime as dt
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, text

from services.writer.erasure.tombstones import IS_TOMBSTONE, hold_unites
from services.writer.slices.decode import MappedRow
from shared.db.locks import Lock, share_sql
from shared.sirene.records import OPEN_TO_ALL

_SHARE_REGISTER = text(share_sql(Lock.REGISTER))


def _yielding(table: str, key: str) -> str:
    """Give the rows of other contents a version below every record's; they are written next.

    A row that was P counts as buried, so that nothing takes it for a P of that old version.
    """
    return f"""
        UPDATE {table} o SET date_dernier_traitement = NULL,
          fetched_at = timestamptz '1000-01-01 00:00:00+00',
          buried = CASE WHEN o.statut_diffusion = 'P' THEN true ELSE o.buried END
        FROM unnest(CAST(:keys AS text[]), CAST(:hashes AS text[])) AS n (key, hash)
        WHERE o.{key} = n.key AND o.content_hash <> decode(n.hash, 'hex')
          AND o.fetched_at <= :fetched_at
    """


_UNITES = text(_yielding("unites_legales", "siren"))
_ETABLISSEMENTS = text(_yielding("etablissements", "siret"))
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
    tombstones = {"sirens": sirens, "shown": _shown(rows), "fetched_at": fetched_at}
    connection.execute(_FORGET_TOMBSTONES, tombstones)
    for statement, digests in (
        (_UNITES, {(row.sent.siren, row.sent.unite_hash) for row in rows}),
        (_ETABLISSEMENTS, {(row.siret, row.sent.etablissement_hash) for row in rows}),
    ):
        keys, hashes = zip(*sorted(digests), strict=True)
        yielding = {"keys": list(keys), "hashes": list(hashes), "fetched_at": fetched_at}
        connection.execute(statement, yielding)


def _shown(rows: Iterable[MappedRow]) -> list[str]:
    """Return the sirens and sirets that come as open to all."""
    shown: set[str] = set()
    for row in rows:
        of_unite, of_etablissement = row.sent.statuts
        shown.update([row.sent.siren] if of_unite == OPEN_TO_ALL else ())
        shown.update([row.siret] if of_etablissement == OPEN_TO_ALL else ())
    return sorted(shown)
