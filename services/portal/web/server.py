"""The server: a process or several behind one socket, until SIGTERM."""

import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType

import structlog
import uvicorn
from starlette.types import ASGIApp
from uvicorn.supervisors import Multiprocess

from services.portal.settings import PortalSettings
from services.portal.web.protocol import BoundedConfig
from shared.errors import UserError

log = structlog.get_logger()

_BACKLOG = 1024
_KEEP_ALIVE_SECONDS = 15
_STOP_SECONDS = 20
# On a busy machine a process takes longer to start than uvicorn's five seconds, after which it is
# killed as one that hangs, again and again.
_HANGING_SECONDS = 30


class PortalServer(uvicorn.Server):
    """uvicorn's server, which raises the signal again after a stop in good order: this one not."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(_number: int, _frame: FrameType | None) -> None:
            self.should_exit = True

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        yield


def serve(
    settings: PortalSettings,
    make: Callable[[PortalSettings], ASGIApp],
    tell: Callable[[str], None],
) -> None:
    """Serve until SIGTERM.

    `make` makes the application, with the port that it has: a function of a module, since several
    processes are told its name.
    """
    listening = listen(settings.portal_host, settings.portal_port)
    port = listening.getsockname()[1]
    settings = settings.model_copy(update={"portal_port": port})
    tell(settings.base_url)
    config = config_of(settings, partial(make, settings))
    if settings.portal_workers > 1:
        Multiprocess(config, sockets=[listening]).run()
    else:
        PortalServer(config).run(sockets=[listening])


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
        backlog=_BACKLOG,
        workers=settings.portal_workers,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_STOP_SECONDS,
        timeout_worker_healthcheck=_HANGING_SECONDS,
        patience_seconds=settings.portal_patience_seconds,
        # Half of them may be idle.
        most_connections=2 * settings.portal_clients,
    )


def listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        raise UserError(
            f"the portal cannot listen on {host}:{port} ({error.strerror}): "
            "set SIRENADE_PORTAL_PORT to a free port, or to 0 for any"
        ) from None
    listening.listen(_BACKLOG)
    listening.set_inheritable(True)
    return listening
