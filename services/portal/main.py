"""The composition root of the portal's web process; it reads the environment here only."""

import logging
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import structlog
from sqlalchemy import Engine
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from services.portal.api.routes import api_routes
from services.portal.elasticsearch.engine import ElasticsearchEngine
from services.portal.index.service import index_kept
from services.portal.index.settings import IndexSettings
from services.portal.pages.bodies import Bodies
from services.portal.pages.documents import Documents
from services.portal.pages.listings import Listings
from services.portal.pages.page_server import PageServer
from services.portal.pages.reports import Reports
from services.portal.pages.routes import PageRoutes
from services.portal.pages.second_level import SecondLevel
from services.portal.pages.sitemaps import Sitemaps
from services.portal.search.asked import Asked
from services.portal.search.postgres import PostgresEngine
from services.portal.settings import PortalSettings
from services.portal.web.access_log import AccessLog
from services.portal.web.answer_times import AnswerTimes
from services.portal.web.app import make_app
from services.portal.web.connections import (
    STATEMENT_TIMEOUT_SECONDS,
    Connections,
    PortalDatabases,
)
from services.portal.web.frame import Frame
from services.portal.web.freshness import RegisterFreshness
from services.portal.web.health import Health
from services.portal.web.redis import Redis
from services.portal.web.server import end_with_parent, serve
from shared.clock import Clock
from shared.db.engine import make_engine, temporary_engine
from shared.db.grants import is_superuser
from shared.db.revision import require_current
from shared.db.shards import require_shards
from shared.db_url import database_address, normalise_url
from shared.errors import UserError
from shared.logs import configure_logs, secrets_of
from shared.metrics import Metrics
from shared.runtime.memory import return_freed_memory
from shared.runtime.service import serve_metrics, warn_of
from shared.settings import load
from shared.sirene import reference
from shared.sirene.names.display import display_form
from shared.terminal.cli import say

log = structlog.get_logger()


class Parts:
    """The parts of the portal, and the application that they make."""

    def __init__(self, settings: PortalSettings, metrics: Metrics, clock: Clock) -> None:
        self.settings = settings
        self.metrics = metrics
        self.clock = clock
        self.databases = open_databases(settings)
        self.freshness = RegisterFreshness(self.databases)
        self.times = AnswerTimes()
        self.documents = Documents(
            settings.base_url,
            index_sole_traders=settings.portal_index_sole_traders,
            version=settings.version,
        )
        self.logs = open_logs(settings)
        bodies = Bodies(settings.portal_cache_bytes)
        self.engine = open_engine(settings, self.databases, metrics)
        self.second_level = open_second_level(settings, metrics, build=self.documents.build)
        self.store = PageServer(self.databases, self.documents, bodies, metrics, self.second_level)

    def routes(self) -> Sequence[BaseRoute]:
        """Return the routes of pages, and of whoever watches."""
        databases, documents = self.databases, self.documents
        return (
            *Health(databases, self.freshness, self.times, self.clock).routes(),
            *PageRoutes(databases, documents, self.store, self.freshness).routes(),
            *Listings(databases, documents, self.engine, self.metrics).routes(),
            *Reports(databases, documents).routes(),
            *Sitemaps(databases, documents).routes(),
            *api_routes(
                databases,
                self.engine,
                self.freshness,
                self.logs,
                self.metrics,
                base_url=self.settings.base_url,
                anonymous_per_minute=self.settings.portal_anonymous_per_minute,
                render=documents.render,
            ),
        )

    def app(self) -> ASGIApp:
        return make_app(
            frame=self._frame,
            routes=self.routes(),
            shown=self.documents.problem,
            at_end=self._close,
        )

    def _close(self) -> None:
        self.databases.close()
        if self.second_level is not None:
            self.second_level.close()
        for log_of_changes in self.logs:
            log_of_changes.dispose()

    def _frame(self, inner: ASGIApp) -> Frame:
        settings = self.settings
        directory = settings.portal_access_log_directory
        log = (
            AccessLog(Path(directory), days=settings.portal_access_log_days) if directory else None
        )
        most = settings.portal_clients
        return Frame(inner, self.metrics, self.times, most_requests=most, access_log=log)


def open_logs(settings: PortalSettings) -> list[Engine]:
    """Return an engine of each shard, in order, for its log of changes."""
    seconds = int(STATEMENT_TIMEOUT_SECONDS)
    return [
        make_engine(
            url,
            application_name="sirenade-portal-changes",
            pool_size=1,
            statement_timeout_seconds=seconds,
        )
        for url in settings.shard_urls
    ]


def open_engine(
    settings: PortalSettings, databases: PortalDatabases, metrics: Metrics
) -> PostgresEngine:
    if settings.search_engine == "elasticsearch":
        return ElasticsearchEngine(databases.shards, settings, metrics)
    return PostgresEngine(databases.shards)


def open_second_level(
    settings: PortalSettings, metrics: Metrics, *, build: str
) -> SecondLevel | None:
    """Return the second level of the cache, if there is one.

    All portals of a database have its password: pages are sealed with it.
    """
    url = settings.portal_cache_url.get_secret_value()
    if not url:
        return None
    password = normalise_url(settings.database_url.get_secret_value()).password or ""
    return SecondLevel(Redis(url), metrics, build=build, secret=password.encode())


def open_databases(settings: PortalSettings) -> PortalDatabases:
    """Return the connections; a shard in the control database shares its own."""
    control_url = settings.database_url.get_secret_value()
    control = Connections(control_url, size=settings.portal_connections)
    shards = [
        control
        if database_address(url) == database_address(control_url)
        else Connections(url, size=settings.portal_connections)
        for url in settings.shard_urls
    ]
    return PortalDatabases(control, shards)


def app_of(settings: PortalSettings) -> ASGIApp:
    """Make the application of one process."""
    _set_up(settings)
    end_with_parent()
    _read_tables()
    metrics = Metrics(of={"portal"}, version=settings.version)
    _serve_metrics(settings, metrics)
    return Parts(settings, metrics, Clock()).app()


def _read_tables() -> None:
    """Read now what the first visitors of a process would wait for: two seconds of one core."""
    reference.load()
    Asked.of("boulangerie bordeaux")
    display_form("BOULANGERIE DE LA GARE DE BORDEAUX", code_commune="33063")


def _set_up(settings: PortalSettings) -> None:
    return_freed_memory()
    configure_logs(
        "portal",
        level=settings.log_level,
        directory=settings.log_directory,
        secrets=secrets_of(settings),
    )
    # It would log each refused request.
    logging.getLogger("uvicorn").setLevel(logging.ERROR)


def main(*, with_index: bool = False) -> None:
    """Serve until SIGTERM, after a look at databases and schema.

    `with_index`: this process keeps the index, too, as long as it serves.
    """
    settings = load(PortalSettings)
    _set_up(settings)
    _require_databases(settings)
    warn_of(settings.doubts)
    with index_kept(load(IndexSettings)) if with_index else nullcontext():
        serve(settings, app_of, _tell)


def _tell(address: str) -> None:
    say(f"portal: {address}/")


def _require_databases(settings: PortalSettings) -> None:
    url = settings.database_url.get_secret_value()
    with (
        temporary_engine(url, application_name="sirenade-portal") as engine,
        engine.connect() as connection,
    ):
        require_current(connection)
        if is_superuser(connection):
            log.warning("logged in as a superuser of PostgreSQL: see ./sirenade roles")
    require_shards(settings)


def _serve_metrics(settings: PortalSettings, metrics: Metrics) -> None:
    """Serve /metrics on the port of the settings, or of several processes each on one after it."""
    ports = range(settings.metrics_port, settings.metrics_port + settings.portal_workers)
    for port in ports:
        try:
            serve_metrics(metrics, host=settings.metrics_host, port=port)
        except UserError:
            if port == ports[-1]:
                raise
        else:
            return
