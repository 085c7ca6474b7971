"""The server: a process or several behind one socket, until SIGTERM."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from functools import partial

import structlog
from starlette.types import ASGIApp
from uvicorn.supervisors import Multiprocess

from services.portal.settings import PortalSettings
from shared.web.protocol import BoundedConfig
from shared.web.server import BACKLOG, GracefulServer, listen

log = structlog.get_logger()

_KEEP_ALIVE_SECONDS = 15
_STOP_SECONDS = 20
# On a busy machine a process takes longer to start than uvicorn's five seconds, after which it is
# killed as one that hangs, again and again.
_HANGING_SECONDS = 30


def serve(
    settings: PortalSettings,
    make: Callable[[PortalSettings], ASGIApp],
    tell: Callable[[str], None],
) -> None:
    """Serve until SIGTERM.

    `make` makes the application, with the port that it has: a function of a module, since several
    processes are told its name.
    """
    listening = listen(settings.portal_host, settings.portal_port, name="portal")
    port = listening.getsockname()[1]
    settings = settings.model_copy(update={"portal_port": port})
    tell(settings.base_url)
    config = config_of(settings, partial(make, settings))
    if settings.portal_workers > 1:
        Multiprocess(config, sockets=[listening]).run()
    else:
        GracefulServer(config).run(sockets=[listening])


def end_with_parent() -> None:
    """Have one of several processes end where the first one is killed; it would serve on alone."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def config_of(settings: PortalSettings, make: Callable[[], ASGIApp]) -> BoundedConfig:
    return BoundedConfig(
        make,
        factory=True,
        loop="uvloop",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.portal_proxies),
        forwarded_allow_ips=settings.portal_proxies,
        backlog=BACKLOG,
        workers=settings.portal_workers,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_STOP_SECONDS,
        timeout_worker_healthcheck=_HANGING_SECONDS,
        patience_seconds=settings.portal_patience_seconds,
        # Half of them may be idle.
        most_connections=2 * settings.portal_clients,
    )
