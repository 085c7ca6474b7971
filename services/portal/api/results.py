"""The rows of what a search found, read from the register when it has answered."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from services.portal.api.models import Resultat
from services.portal.api.statements import RESULT_COLUMNS, RESULTS
from services.portal.search.engine import Hit
from services.portal.web.connections import PortalDatabases
from shared.metrics import Metrics

ResultRow = Mapping[str, Any]


class Results:
    """Reads rows by the ids of hits."""

    def __init__(self, databases: PortalDatabases, metrics: Metrics) -> None:
        self._databases = databases
        self._metrics = metrics

    async def rows(self, hits: Sequence[Hit]) -> list[ResultRow]:
        """Return the rows of hits in their order, without those that may not be shown any more."""
        of_shard: dict[int, list[int]] = {}
        for hit in hits:
            of_shard.setdefault(self._databases.number_of(hit.siret), []).append(hit.id)
        found = await asyncio.gather(
            *(self._databases.shards[n].run(RESULTS, (ids,)) for n, ids in of_shard.items())
        )
        rows = [dict(zip(RESULT_COLUMNS, row, strict=True)) for part in found for row in part]
        by_id = {row["id"]: row for row in rows}
        self._metrics.portal_hits_dropped.inc(len(hits) - len(by_id))
        return [by_id[hit.id] for hit in hits if hit.id in by_id]

    async def of(self, hits: Sequence[Hit]) -> list[Resultat]:
        distances = {hit.id: hit.distance_m for hit in hits}
        return [_result(row, distances[row["id"]]) for row in await self.rows(hits)]


def _result(row: ResultRow, distance_m: int | None) -> Resultat:
    return Resultat(
        distance_m=distance_m,
        **{name: row[name] for name in Resultat.model_fields if name != "distance_m"},
    )
