"""The portal's index, made of what is stored."""

from collections.abc import Iterable

from sqlalchemy import Engine

from services.portal.index.indexer import Indexer
from shared.clock import Clock
from shared.metrics import Metrics


def index_pages(engines: Iterable[Engine]) -> None:
    """Follow all changes of pages, as the indexer does it, or make the index."""
    metrics = Metrics()
    for engine in engines:
        Indexer(engine, Clock(), metrics).step()
