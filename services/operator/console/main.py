"""The console, put together from its settings."""

import logging
from collections.abc import Sequence
from contextlib import suppress

import structlog
from sqlalchemy import Engine

from services.operator.console.app import ConsoleApp
from services.operator.console.databases import open_databases, open_lookout
from services.operator.console.screens import SCREENS
from services.operator.console.settings import ConsoleSettings
from shared.clock import Clock
from shared.db.grants import is_superuser
from shared.db.revision import require_current
from shared.db.shards import connected, require_shards
from shared.logs import configure_logs, secrets_of
from shared.metrics import Metrics
from shared.runtime.memory import return_freed_memory
from shared.runtime.service import serve_metrics, warn_of
from shared.settings import load
from shared.terminal.cli import say
from shared.web.protocol import BoundedConfig
from shared.web.server import BACKLOG, GracefulServer, listen

log = structlog.get_logger()

_KEEP_ALIVE_SECONDS = 15
_STOP_SECONDS = 20
_PATIENCE_SECONDS = 15.0


def main() -> None:
    """Serve until SIGTERM, after a look at databases and schema."""
    settings = load(ConsoleSettings)
    _set_up(settings)
    engines = open_databases(settings)
    _require_databases(settings, engines)
    warn_of(settings.doubts)
    listening = listen(settings.console_host, settings.console_port, name="console")
    settings = settings.model_copy(update={"console_port": listening.getsockname()[1]})
    metrics = Metrics(of=(), version=settings.version)
    serve_metrics(metrics, host=settings.metrics_host, port=settings.metrics_port)
    say(f"console: {settings.base_url}/")
    app = ConsoleApp(settings, engines, SCREENS, open_lookout(settings, Clock()))
    with suppress(KeyboardInterrupt):
        GracefulServer(config_of(settings, app)).run(sockets=[listening])


def config_of(settings: ConsoleSettings, app: ConsoleApp) -> BoundedConfig:
    return BoundedConfig(
        app.asgi(),
        loop="uvloop",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        # A header of a proxy names accounts by the address that it comes from.
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_STOP_SECONDS,
        patience_seconds=_PATIENCE_SECONDS,
        most_connections=2 * settings.console_clients,
    )


def _set_up(settings: ConsoleSettings) -> None:
    return_freed_memory()
    configure_logs(
        "console",
        level=settings.log_level,
        directory=settings.log_directory,
        secrets=secrets_of(settings),
    )
    # It would log each refused request.
    logging.getLogger("uvicorn").setLevel(logging.ERROR)


def _require_databases(settings: ConsoleSettings, engines: Sequence[Engine]) -> None:
    with connected(engines) as connections:
        for connection in connections:
            require_current(connection)
        if is_superuser(connections[0]):
            log.warning("logged in as a superuser of PostgreSQL: see ./sirenade roles")
    require_shards(settings)
