"""Oppositions and tombstones for the rows of a stock file, in the transaction that stores them.

The locks are those of `services/writer/erasure/tombstones.py`, in its order.
"""

from sqlalchemy import Connection, text

from services.writer.erasure.honour import honour
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
    connection.execute(_BURY[collection], {"keys": keys})


def honour_due(connection: Connection, collection: StockCollection) -> None:
    """Clear what must not be shown in the rows of `stock_due`, which are now stored."""
    _honour(connection, list(connection.execute(_FIND_CONCERNED[collection]).scalars()))


def honour_stored(connection: Connection, collection: StockCollection) -> None:
    """Clear what must not be shown in a table that was empty before the load."""
    statement = text(f"""
        SELECT DISTINCT siren FROM {collection} WHERE siren IN ({_CONCERNED})
    """)
    _honour(connection, list(connection.execute(statement).scalars()))


def _honour(connection: Connection, sirens: list[str]) -> None:
    if sirens:
        honour(connection, sirens)
