"""The pro_localisations and due avis of the establishments that a load brought or changed."""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from services.writer.erasure.tombstones import hold_unites
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
_KEEP = text("UPDATE stock_loads SET pages_siret = :siret WHERE id = ANY(:ids)")


def count_touched(connection: Connection, loads: Sequence[StockLoad]) -> int:
    """Count the establishments whose pages are still to be renewed."""
    return int(connection.scalar(_COUNT, _parameters(loads)) or 0)


def renew_some(
    connection: Connection, loads: Sequence[StockLoad], *, rows: int, sole_traders: bool
) -> str | None:
    """Renew the pages of the next establishments; return the last siret, None where none is left.

    The siret is noted on the loads. Rows that the API brought meanwhile have their pages already,
    and are skipped.
    """
    parameters = {**_parameters(loads), "rows": rows}
    sirets: list[str] = list(connection.execute(_NEXT, parameters).scalars())
    if not sirets:
        return None
    hold_unites(connection, sorted({siret[:9] for siret in sirets}))
    connection.execute(CREATE_NEW)
    renew_pages(connection, sirets=sirets, sirens=[], sole_traders=sole_traders)
    connection.execute(_KEEP, {"siret": sirets[-1], "ids": [load.id for load in loads]})
    return sirets[-1]


def _parameters(loads: Sequence[StockLoad]) -> dict[str, object]:
    return {
        # Stamps and start together tell the rows of these loads from older rows and from newer rows
        # of the API.
        "stamps": [load.fetched_at for load in loads],
        "since": min((load.started_at for load in loads), default=None),
        # A second load that joins an interrupted one begins at the start for both.
        "after": min((load.pages_siret or "" for load in loads), default=""),
    }
