"""The engine that asks Elasticsearch for ids, and PostgreSQL what they are.

Every id is read in PostgreSQL under the same terms before it counts: a page that was erased, or
lost its name, is told by nothing. Totals and facets are of PostgreSQL's own entries. While
Elasticsearch is away, PostgreSQL finds the ids as well.
"""

import threading
import time
from collections.abc import Sequence
from typing import Any

import structlog

from services.portal.elasticsearch.indexes import alias_of
from services.portal.elasticsearch.queries import search_body
from services.portal.elasticsearch.server import (
    SEARCH_BOUNDS,
    ElasticsearchAway,
    ElasticsearchRefusal,
    ElasticsearchServer,
)
from services.portal.search.conditions import Circle
from services.portal.search.lexicon import Ask
from services.portal.search.postgres import PostgresEngine, SearchShard
from services.portal.search.source import FoundRows, GinSource, confirmed_rows
from services.portal.search.terms import Terms
from services.portal.settings import SearchSettings
from shared.metrics import Metrics

log = structlog.get_logger()

_REST_SECONDS = 5.0
_CONNECTIONS = 16


class ElasticsearchEngine(PostgresEngine):
    """Searches as PostgreSQL's engine does, but for the entries that have words."""

    def __init__(
        self, shards: Sequence[SearchShard], settings: SearchSettings, metrics: Metrics
    ) -> None:
        self.server = ElasticsearchServer(settings, SEARCH_BOUNDS, pool_size=_CONNECTIONS)
        aliases = [alias_of(settings.elasticsearch_index, at) for at in range(len(shards))]
        ids = IdSearch(self.server, ",".join(aliases))
        absence = Absence()
        super().__init__(shards, lambda ask: ElasticsearchSource(ask, ids, absence, metrics))


class IdSearch:
    """Asks for ids in the indexes of all shards."""

    def __init__(self, server: ElasticsearchServer, indexes: str) -> None:
        self._server = server
        # An answer of a part of the index would be taken for the whole.
        self._path = f"/{indexes}/_search?allow_partial_search_results=false"

    def ids(
        self, terms: Terms, circle: Circle | None, limit: int, *, estimated: float
    ) -> Sequence[int]:
        """Return the best ids. Raises ElasticsearchAway, ElasticsearchRefusal."""
        body = search_body(terms, circle, limit, estimated=estimated)
        found = self._server.ask("POST", self._path, body).json
        try:
            if found["timed_out"] or found["_shards"]["failed"]:
                raise ElasticsearchAway("answers a part alone")
            return [int(hit["_id"]) for hit in found["hits"]["hits"]]
        except (KeyError, TypeError, ValueError):
            raise ElasticsearchAway("answers no hits") from None


class Absence:
    """Remembers for some seconds that Elasticsearch is away; then one search tries it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_away = False
        self._until = float("-inf")

    def may_ask(self) -> bool:
        with self._lock:
            now = time.monotonic()
            if now < self._until:
                return False
            if self._is_away:
                self._until = now + _REST_SECONDS
            return True

    def begin(self, why: str) -> None:
        with self._lock:
            was_away, self._is_away = self._is_away, True
            self._until = time.monotonic() + _REST_SECONDS
        if not was_away:
            log.warning("PostgreSQL answers all searches", because=why)

    def end(self) -> None:
        with self._lock:
            was_away, self._is_away = self._is_away, False
            self._until = float("-inf")
        if was_away:
            log.info("Elasticsearch answers searches again")


class ElasticsearchSource:
    """Finds entries by the ids of Elasticsearch, those alone that PostgreSQL confirms."""

    def __init__(self, ask: Ask, ids: IdSearch, absence: Absence, metrics: Metrics) -> None:
        self._ask = ask
        self._ids = ids
        self._absence = absence
        self._metrics = metrics
        self._instead = GinSource(ask)

    def rows(
        self, terms: Terms, circle: Circle | None, limit: int, *, estimated: float
    ) -> FoundRows:
        ids = self._asked_ids(terms, circle, limit, estimated=estimated)
        if ids is None:
            self._metrics.portal_searches_instead.inc()
            return self._instead.rows(terms, circle, limit, estimated=estimated)
        if not ids:
            return FoundRows([], is_cut=False)
        rows = confirmed_rows(self._ask, ids, terms, circle)
        # The rest of the square around a circle may be shown, but is not meant.
        if circle is None:
            self._metrics.portal_hits_dropped.inc(len(ids) - len(rows))
        return FoundRows(rows, is_cut=len(ids) >= limit)

    def _asked_ids(self, *asked: Any, estimated: float) -> Sequence[int] | None:
        """Return the ids, or None where Elasticsearch is away."""
        if not self._absence.may_ask():
            return None
        try:
            ids = self._ids.ids(*asked, estimated=estimated)
        except (ElasticsearchAway, ElasticsearchRefusal) as error:
            self._absence.begin(str(error))
            return None
        self._absence.end()
        return ids
