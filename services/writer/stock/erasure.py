"""Oppositions and tombstones hold for what a stock file brings, in the transaction that brings it.

The locks are those of `services/writer/erasure/tombstones.py`, in its order.
"""

from sqlalchemy import Connection, text

from services.writer.erasure.honour import honour
from services.writer.erasure.tombstones import SHARE_REGISTER, hold_register
from services.writer.stock.columns import StockCollection

_BURY = {
    "unites_legales": text("""
        INSERT INTO erasures (siren, date_dernier_traitement, fetched_at, reason)
        SELECT siren, date_dernier_traitement, fetched_at, 'partial_diffusion'
        FROM stock_due WHERE siren = ANY(:keys)
    """),
    "etablissements": text("""
        INSERT INTO erasures (siren, siret, date_dernier_traitement, fetched_at, reason)
        SELECT siren, siret, date_dernier_traitement, fetched_at, 'partial_diffusion'
        FROM stock_due WHERE siret = ANY(:keys)
    """),
}
_TOLD = "SELECT siren FROM oppositions UNION SELECT siren FROM erasures"
# Beside those who said so: a clear establishment of a unit that is P, and a P unit's clear
# establishments, which may be older than the P.
_CONCERNED_OF_DUE = {
    "unites_legales": text(f"""
        SELECT siren FROM stock_due n
        WHERE siren IN ({_TOLD}) OR (n.statut_diffusion = 'P' AND EXISTS (
          SELECT FROM etablissements e WHERE e.siren = n.siren AND e.statut_diffusion = 'O'))
    """),  # noqa: S608  made of the text above
    "etablissements": text(f"""
        SELECT DISTINCT siren FROM stock_due n
        WHERE siren IN ({_TOLD}) OR (n.statut_diffusion = 'O' AND EXISTS (
          SELECT FROM unites_legales u WHERE u.siren = n.siren AND u.statut_diffusion = 'P'))
    """),  # noqa: S608  made of the text above
}


def share_register(connection: Connection) -> None:
    """As a slice does: nobody's opposition is recorded between our look and our commit."""
    connection.execute(text(SHARE_REGISTER))


def hold_whole_register(connection: Connection) -> None:
    """As `forget` does: no slice is under way, and none begins."""
    hold_register(connection)


def bury(connection: Connection, collection: StockCollection, keys: list[str]) -> None:
    """Leave tombstones for rows of `stock_due` that turn from O to P."""
    connection.execute(_BURY[collection], {"keys": keys})


def honour_due(connection: Connection, collection: StockCollection) -> None:
    """Clear what the rows of `stock_due`, now stored, must not show."""
    _honour(connection, list(connection.execute(_CONCERNED_OF_DUE[collection]).scalars()))


def honour_stored(connection: Connection, collection: StockCollection) -> None:
    """The same for a whole table that was empty before."""
    statement = text(f"""
        SELECT DISTINCT siren FROM {collection} WHERE siren IN ({_TOLD})
    """)  # noqa: S608  a table of ours
    _honour(connection, list(connection.execute(statement).scalars()))


def _honour(connection: Connection, sirens: list[str]) -> None:
    if sirens:
        honour(connection, sirens)
