"""Oppositions and tombstones for the rows of a stock file, in the transaction that stores them.

The locks are those of `services/writer/erasure/tombstones.py`, in its order.
"""

from sqlalchemy import Connection, text

from services.writer.erasure.honour import honour
from services.writer.stock.columns import StockCollection, key_of

_CONCERNED = "SELECT siren FROM oppositions UNION SELECT siren FROM erasures"
# Units with an opposition or a tombstone are not all: a clear establishment may come for a unit
# that is P, and a unit that turns P may have clear establishments, which may be older than the P.
_FIND_CONCERNED = {
    "unites_legales": text(f"""
        SELECT siren FROM stock_due n
        WHERE siren IN ({_CONCERNED}) OR (n.statut_diffusion = 'P' AND EXISTS (
          SELECT FROM etablissements e WHERE e.siren = n.siren AND e.statut_diffusion = 'O'))
    """),
    "etablissements": text(f"""
        SELECT DISTINCT siren FROM stock_due n
        WHERE siren IN ({_CONCERNED}) OR (n.statut_diffusion = 'O' AND EXISTS (
          SELECT FROM unites_legales u WHERE u.siren = n.siren AND u.statut_diffusion = 'P'))
    """),
}


def bury(connection: Connection, collection: StockCollection, keys: list[str]) -> None:
    """Leave tombstones for rows of `stock_due` that turn from O to P."""
    key = key_of(collection)
    siret = "siret" if key == "siret" else "NULL"
    statement = text(f"""
        INSERT INTO erasures (siren, siret, date_dernier_traitement, fetched_at, reason)
        SELECT siren, {siret}, date_dernier_traitement, fetched_at, 'partial_diffusion'
        FROM stock_due WHERE {key} = ANY(:keys)
    """)
    connection.execute(statement, {"keys": keys})


def honour_due(connection: Connection, collection: StockCollection) -> None:
    """Clear what must not be shown in the rows of `stock_due`, which are now stored."""
    honour(connection, connection.scalars(_FIND_CONCERNED[collection]).all())


def honour_stored(connection: Connection, collection: StockCollection) -> None:
    """Clear what must not be shown in a table that was empty before the load."""
    found = text(f"SELECT DISTINCT siren FROM {collection} WHERE siren IN ({_CONCERNED})")
    honour(connection, connection.scalars(found).all())
