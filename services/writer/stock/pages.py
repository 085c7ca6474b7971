"""Pages and due avis of the establishments that a load brought or changed."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, text

from services.writer.pages.pages import renew_pages
from services.writer.slices.statements import CREATE_NEW
from services.writer.stock.log import StockLoad

_TOUCHED = """
    FROM etablissements e LEFT JOIN unites_legales u USING (siren)
    WHERE e.siret > :after
      AND ((e.fetched_at = ANY(:stamps) AND e.updated_at >= :since)
        OR (u.fetched_at = ANY(:stamps) AND u.updated_at >= :since))
"""
_COUNT = text(f"SELECT count(*) {_TOUCHED}")
_NEXT = text(f"SELECT e.siret {_TOUCHED} ORDER BY e.siret LIMIT :rows")
_LOCK_UNITES = text("""
    SELECT count(*) FROM (
      SELECT 1 FROM unites_legales WHERE siren IN :sirens ORDER BY siren FOR NO KEY UPDATE) locked
""").bindparams(bindparam("sirens", expanding=True))
_KEEP = text("UPDATE stock_loads SET pages_siret = :siret WHERE id = ANY(:ids)")


def count_touched(connection: Connection, loads: Sequence[StockLoad]) -> int:
    """Establishments still to be looked at."""
    return int(connection.scalar(_COUNT, _parameters(loads)) or 0)


def renew_some(
    connection: Connection, loads: Sequence[StockLoad], *, rows: int, sole_traders: bool
) -> str | None:
    """Renew the next establishments' pages and note the last one; None where none are left.

    A row that the API brought meanwhile has its page from there, and is passed over.
    """
    parameters = {**_parameters(loads), "rows": rows}
    sirets: list[str] = list(connection.execute(_NEXT, parameters).scalars())
    if not sirets:
        return None
    connection.execute(_LOCK_UNITES, {"sirens": sorted({siret[:9] for siret in sirets})})
    connection.execute(CREATE_NEW)
    renew_pages(connection, sirets=sirets, sirens=[], sole_traders=sole_traders)
    connection.execute(_KEEP, {"siret": sirets[-1], "ids": [load.id for load in loads]})
    return sirets[-1]


def _parameters(loads: Sequence[StockLoad]) -> dict[str, object]:
    return {
        # Together they tell rows of these loads from older ones, and from newer ones of the API.
        "stamps": [load.fetched_at for load in loads],
        "since": min((load.started_at for load in loads), default=None),
        # A load that was added to an interrupted one begins from the start for both.
        "after": min((load.pages_siret or "" for load in loads), default=""),
    }
