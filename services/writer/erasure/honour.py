"""Oppositions and tombstones, honoured in what is stored. Each function is idempotent."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, text

from services.writer.erasure.erase import erase
from services.writer.erasure.letter_records import Silenced
from services.writer.erasure.tombstones import (
    HIDDEN_HASH,
    IS_TOMBSTONE,
    hold_unites,
    is_person,
    nulled,
    withheld,
)
from services.writer.sql.pieces import fit_in_one, in_pieces
from services.writer.sql.versions import is_hidden_by
from shared.sirene.records import PERSONAL_UNITE_FIELDS, SIGN_FIELDS, STREET_FIELDS


def _is_buried(row: str, same: str) -> str:
    """Return the condition that a tombstone `t` hides the row; `same` says whose it is."""
    return f"""
        ({row}.statut_diffusion = 'O' AND EXISTS (
          SELECT FROM erasures t
          WHERE t.siren = {row}.siren AND {same} AND {IS_TOMBSTONE} AND {is_hidden_by(row, "t")}))
    """


_HONOUR_UNITES = text(f"""
    UPDATE unites_legales n SET
      {nulled(PERSONAL_UNITE_FIELDS, where="h.opposed OR h.is_person", row="n.")},
      statut_diffusion = CASE WHEN h.buried THEN 'P' ELSE n.statut_diffusion END,
      buried = h.buried OR n.buried,
      content_hash = {HIDDEN_HASH.format("n")}, updated_at = now()
    FROM (
      SELECT u.siren, o.siren IS NOT NULL AS opposed, {is_person("u")} AS is_person,
        {_is_buried("u", "t.siret IS NULL")} AS buried
      FROM unites_legales u LEFT JOIN oppositions o USING (siren)
      WHERE u.siren = ANY(:sirens)) h
    WHERE h.siren = n.siren AND (h.buried
      OR h.opposed AND num_nonnulls({", ".join(PERSONAL_UNITE_FIELDS)}) > 0)
    RETURNING n.siren
""")
_HONOUR_ETABLISSEMENTS = text(f"""
    UPDATE etablissements n SET
      {nulled(SIGN_FIELDS, where="h.is_person", row="n.")}, {nulled(STREET_FIELDS)},
      statut_diffusion = 'P', buried = true,
      content_hash = {HIDDEN_HASH.format("n")}, updated_at = now()
    FROM (
      SELECT e.siret, {is_person("u")} AS is_person
      FROM etablissements e LEFT JOIN unites_legales u USING (siren)
      WHERE e.siret = ANY(:sirets) AND {_is_buried("e", "t.siret = e.siret")}) h
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
_SIRETS = text("SELECT siret FROM etablissements WHERE siren = ANY(:sirens)")
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
    cleared = Counter(unites_legales=len(connection.execute(_HONOUR_UNITES, those).all()))
    sirets = connection.execute(_BURIED_SIRETS, those).scalars().all()
    for some in in_pieces(sirets):
        found = connection.execute(_HONOUR_ETABLISSEMENTS, {"sirets": some})
        cleared["etablissements"] += len(found.all())
    silenced = withheld(connection, sirens=those["sirens"], sirets=sirets)
    return +(cleared + erase(connection, _with_sirets(connection, silenced)))


def _with_sirets(connection: Connection, silenced: Silenced) -> Silenced:
    """Name the establishments of units that have too many for one statement."""
    if not silenced.sirens:
        return silenced
    those = {"sirens": sorted(silenced.sirens)}
    sirets = connection.execute(_SIRETS, those).scalars().all()
    if fit_in_one(sirets):
        return silenced
    return Silenced(silenced.sirens, silenced.sirets.union(sirets))


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
