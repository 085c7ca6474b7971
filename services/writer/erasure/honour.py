"""Oppositions and tombstones, honoured in what is stored. Each function is idempotent."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, text

from services.writer.erasure.erase import erase
from services.writer.erasure.tombstones import (
    HIDDEN_HASH,
    IS_TOMBSTONE,
    OLDER_OR_EQUAL,
    hold_unites,
    is_person,
    nulled,
    withheld,
)
from shared.sirene.records import PERSONAL_UNITE_FIELDS, SIGN_FIELDS, STREET_FIELDS


def _join_tombstone(row: str, same: str) -> str:
    """Join the newest tombstone `t` that is not older than the row; `same` is its condition."""
    return f"""
    LEFT JOIN LATERAL (
      SELECT t.* FROM erasures t
      WHERE t.siren = {row}.siren AND {same} AND {row}.statut_diffusion = 'O'
        AND {IS_TOMBSTONE} AND {OLDER_OR_EQUAL.format(row, "t")}
      ORDER BY coalesce(t.date_dernier_traitement, '-infinity') DESC, t.fetched_at DESC
      LIMIT 1) t ON true
    """


def _as_buried(condition: str) -> str:
    """Return assignments that give a row its tombstone's version, so that a newer record wins."""
    return f"""
        statut_diffusion = CASE WHEN {condition} THEN 'P' ELSE n.statut_diffusion END,
        date_dernier_traitement = CASE WHEN {condition} THEN h.treated_at
          ELSE n.date_dernier_traitement END,
        fetched_at = CASE WHEN {condition} THEN h.buried_at ELSE n.fetched_at END,
        content_hash = n.{HIDDEN_HASH}, updated_at = now()
    """


_HONOUR_UNITES = text(f"""
    UPDATE unites_legales n SET
      {nulled(PERSONAL_UNITE_FIELDS, where="h.opposed OR h.is_person", row="n.")},
      {_as_buried("h.buried_at IS NOT NULL")}
    FROM (
      SELECT u.siren, o.siren IS NOT NULL AS opposed,
        {is_person("u")} AS is_person,
        t.date_dernier_traitement AS treated_at, t.fetched_at AS buried_at
      FROM unites_legales u LEFT JOIN oppositions o USING (siren)
      {_join_tombstone("u", "t.siret IS NULL")}
      WHERE u.siren = ANY(:sirens)) h
    WHERE h.siren = n.siren AND (h.buried_at IS NOT NULL
      OR h.opposed AND num_nonnulls({", ".join(PERSONAL_UNITE_FIELDS)}) > 0)
    RETURNING n.siren
""")
_HONOUR_ETABLISSEMENTS = text(f"""
    UPDATE etablissements n SET
      {nulled(SIGN_FIELDS, where="h.is_person", row="n.")}, {nulled(STREET_FIELDS)},
      {_as_buried("true")}
    FROM (
      SELECT e.siret, {is_person("u")} AS is_person,
        t.date_dernier_traitement AS treated_at, t.fetched_at AS buried_at
      FROM etablissements e LEFT JOIN unites_legales u USING (siren)
      {_join_tombstone("e", "t.siret = e.siret")}
      WHERE e.siren = ANY(:sirens) AND t.siren IS NOT NULL) h
    WHERE h.siret = n.siret
    RETURNING n.siren
""")
_BURY_UNREAD = text("""
    INSERT INTO erasures (siren, siret, date_dernier_traitement, fetched_at, reason)
    SELECT u.siren, NULL, u.date_dernier_traitement, :fetched_at, 'partial_diffusion'
    FROM unites_legales u
    WHERE u.siren = ANY(:keys) AND u.statut_diffusion = 'O' AND u.fetched_at <= :fetched_at
    UNION ALL
    SELECT e.siren, e.siret, e.date_dernier_traitement, :fetched_at, 'partial_diffusion'
    FROM etablissements e
    WHERE e.siret = ANY(:keys) AND e.statut_diffusion = 'O' AND e.fetched_at <= :fetched_at
""")
_BURIED_SIRETS = text("""
    SELECT DISTINCT siret FROM erasures WHERE siren = ANY(:sirens) AND siret IS NOT NULL
""")


def honour(connection: Connection, sirens: Sequence[str]) -> Counter[str]:
    """Clear what is stored of these units and must not be shown; return the cleared rows by table.

    It is for data that comes by another way than a slice: an opposition, a restored dump, a stock
    file. For an opposition the caller holds the register.
    """
    if not sirens:
        return Counter()
    those = {"sirens": sorted(set(sirens))}
    hold_unites(connection, those["sirens"])
    cleared = Counter(
        unites_legales=len(connection.execute(_HONOUR_UNITES, those).all()),
        etablissements=len(connection.execute(_HONOUR_ETABLISSEMENTS, those).all()),
    )
    sirets = connection.execute(_BURIED_SIRETS, those).scalars().all()
    silenced = withheld(connection, sirens=those["sirens"], sirets=sirets)
    return +(cleared + erase(connection, silenced))


def withdraw_unread(
    connection: Connection, numbers: Iterable[str], *, fetched_at: dt.datetime
) -> None:
    """Erase the sirens and sirets whose record could not be written, but is masked by INSEE.

    Rows of a later GET stay: the date of such a record may be unreadable.
    """
    keys = sorted(set(numbers))
    if not keys:
        return
    connection.execute(_BURY_UNREAD, {"keys": keys, "fetched_at": fetched_at})
    honour(connection, [key[:9] for key in keys])
