"""A private RabbitMQ node: own ports, data, cookie and epmd; never the system's service."""

import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from urllib.parse import urlsplit

import pika
import pika.exceptions
import requests

from deploy.local import processes
from deploy.local.errors import LocalServerError
from tests.certificates import Authority
from tests.servers.rabbitmq_admin import RabbitmqAdmin, RabbitmqServer
from tests.servers.rabbitmq_binaries import RabbitmqBinaries, find_or_fetch_rabbitmq

_USER = "sirenade"
_START_SECONDS = 90.0
_STOP_SECONDS = 30.0
_START_ATTEMPTS = 3


@dataclass(frozen=True)
class Ports:
    amqp: int
    management: int
    distribution: int
    epmd: int
    metrics: int
    amqps: int
    management_tls: int


@dataclass
class RunningRabbitmq(RabbitmqServer):
    directory: Path
    binaries: RabbitmqBinaries = field(repr=False)
    ports: Ports
    end_with_parent: bool = False
    in_cluster: bool = False
    """Its epmd is the one of the cluster, which others start."""
    ready_since: float = 0.0
    """Its start on the monotonic clock."""
    _node: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _epmd: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def is_running(self) -> bool:
        return self._node is not None and self._node.poll() is None

    @property
    def ca_file(self) -> Path:
        """The authority that has signed the node's certificate, which names `localhost`."""
        return self.directory / "ca.pem"

    def encrypted(self, url: str, *, host: str = "localhost") -> str:
        """Return the URL of a vhost as the one of the listener that speaks TLS."""
        parts = urlsplit(url)
        login = parts.netloc.rpartition("@")[0]
        return f"amqps://{login}@{host}:{self.ports.amqps}{parts.path}"

    @property
    def pid(self) -> int:
        if self._node is None:
            raise LocalServerError("this RabbitMQ node does not run")
        return self._node.pid

    def ctl(self, *arguments: str) -> str:
        """Return the output of `rabbitmqctl`, a call of two seconds: `admin` needs milliseconds."""
        command = [str(self.binaries.ctl), "-q", *arguments]
        result = subprocess.run(
            command, env=self.environment(), capture_output=True, text=True, check=False
        )
        if result.returncode != 0:
            raise LocalServerError(f"rabbitmqctl {arguments[0]}: {result.stderr.strip()}")
        return result.stdout

    @contextmanager
    def hung(self) -> Iterator[None]:
        """Stop the node, which keeps its sockets, until the block ends."""
        for pid in self._family():
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in self._family():
                os.kill(pid, signal.SIGCONT)

    def kill(self) -> None:
        """Kill the node and its helpers, as when the machine loses power."""
        processes.kill_all(self._family())
        processes.reap(self._node)
        processes.reap(self._epmd)
        self._node = self._epmd = None

    def stop(self) -> None:
        """Stop the node in order, then its epmd. Does nothing when it is down."""
        if self._node is not None and self.is_running():
            self._node.send_signal(signal.SIGTERM)
            processes.wait_until_gone([self._node.pid], seconds=_STOP_SECONDS)
        self.kill()

    def restart(self) -> None:
        """Start again on the same ports and data, after an orderly stop if it still runs."""
        self.stop()
        if not self.start():
            raise LocalServerError(f"RabbitMQ does not start again: see {self.directory / 'log'}")

    def start(self) -> bool:
        """Start and wait until it serves AMQP and HTTP; False when it ends or is not up in time."""
        environment = self.environment()

        def begin(*command: str) -> subprocess.Popen[bytes]:
            return processes.start_server(
                list(command),
                log=self.directory / "log" / "out",
                env=environment,
                parent_death_signal=signal.SIGKILL if self.end_with_parent else None,
            )

        if not self.in_cluster and (epmd := shutil.which("epmd", path=environment["PATH"])):
            # It starts here, in the foreground: the one that Erlang starts would be nobody's child.
            self._epmd = begin(epmd, "-address", "127.0.0.1", "-port", str(self.ports.epmd))
        self._node = begin(str(self.binaries.server))
        if processes.wait_while_alive(self._node.pid, self._answers, seconds=_START_SECONDS):
            self.ready_since = time.monotonic()
            return True
        self.kill()
        return False

    def _answers(self) -> bool:
        """Return whether AMQP and HTTP answer."""
        if processes.port_is_free(self.ports.amqp):
            return False
        try:
            pika.BlockingConnection(pika.URLParameters(self.url)).close()
            self.admin.overview()
        except (pika.exceptions.AMQPError, requests.RequestException):
            return False
        return True

    def _family(self) -> list[int]:
        pids = processes.processes_with(environment=f"{processes.HOME_MARK}={self.directory}")
        for process in (self._node, self._epmd):
            if process is not None and process.poll() is None:
                pids.extend(processes.with_children(process.pid))
        return sorted(set(pids))

    def environment(self) -> dict[str, str]:
        home, ports = self.directory, self.ports
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("RABBITMQ_", "ERL_"))
        }
        return inherited | {
            "PATH": os.pathsep.join([*map(str, self.binaries.path), os.environ["PATH"]]),
            "LD_LIBRARY_PATH": os.pathsep.join(map(str, self.binaries.libraries)),
            "LANG": "C.UTF-8",
            "HOME": str(home),
            processes.HOME_MARK: str(home),
            # The script becomes the node itself, instead of a shell that waits for it.
            "RUNNING_UNDER_SYSTEMD": "true",
            "RABBITMQ_NODENAME": f"sirenade{ports.amqp}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(ports.amqp),
            "RABBITMQ_DIST_PORT": str(ports.distribution),
            "RABBITMQ_MNESIA_BASE": str(home / "data"),
            "RABBITMQ_LOG_BASE": str(home / "log"),
            "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(home / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_PID_FILE": str(home / "pid"),
            "RABBITMQ_SCHEMA_DIR": str(home / "schema"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(home / "config"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "+S 2:2 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}"
                + (" -kernel net_ticktime 10" if self.in_cluster else "")
            ),
            "ERL_EPMD_PORT": str(ports.epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }


def start_rabbitmq(
    directory: Path, *, end_with_parent: bool = False, with_metrics: bool = False
) -> RunningRabbitmq:
    """Start a node on free ports in `directory`, with its management API.

    A node that an earlier process left there is killed first. `end_with_parent` (Linux) must come
    from a thread that lives as long as its process.
    """
    binaries = find_or_fetch_rabbitmq()
    directory = directory.absolute()
    (directory / "log").mkdir(parents=True, exist_ok=True)
    processes.kill_all(processes.processes_with(environment=f"{processes.HOME_MARK}={directory}"))
    password = secrets.token_urlsafe(18)
    for _ in range(_START_ATTEMPTS):
        ports = Ports(*(processes.free_port() for _ in fields(Ports)))
        # The node's name holds its port: data of other ports belong to another node.
        shutil.rmtree(directory / "data", ignore_errors=True)
        write_files(directory, ports, password, with_metrics=with_metrics)
        url, admin = address_of(ports, password)
        running = RunningRabbitmq(url, admin, directory, binaries, ports, end_with_parent)
        if running.start():
            return running
    raise LocalServerError(f"RabbitMQ does not start: see {directory / 'log'}")


def address_of(ports: Ports, password: str) -> tuple[str, RabbitmqAdmin]:
    url = f"amqp://{_USER}:{password}@127.0.0.1:{ports.amqp}/%2F"
    return url, RabbitmqAdmin(f"http://127.0.0.1:{ports.management}", _USER, password)


def write_files(
    directory: Path,
    ports: Ports,
    password: str,
    *,
    with_metrics: bool = False,
    cookie: str = "",
    further: str = "",
) -> None:
    """Write the files of a node; all nodes of a cluster have one cookie."""
    _write_secret(directory / ".erlang.cookie", cookie or secrets.token_hex(20), mode=0o400)
    issued = Authority(directory).issue("localhost")
    metrics = f"prometheus.tcp.ip = 127.0.0.1\nprometheus.tcp.port = {ports.metrics}\n"
    plugins = "rabbitmq_management,rabbitmq_prometheus" if with_metrics else "rabbitmq_management"
    (directory / "enabled_plugins").write_text(f"[{plugins}].\n")
    _write_secret(
        directory / "rabbitmq.conf",
        f"""listeners.tcp.1 = 127.0.0.1:{ports.amqp}
listeners.ssl.1 = 127.0.0.1:{ports.amqps}
ssl_options.certfile = {issued.certificate}
ssl_options.keyfile = {issued.key}
management.tcp.ip = 127.0.0.1
management.tcp.port = {ports.management}
management.ssl.ip = 127.0.0.1
management.ssl.port = {ports.management_tls}
management.ssl.certfile = {issued.certificate}
management.ssl.keyfile = {issued.key}
default_user = {_USER}
default_pass = {password}
log.file = {directory}/log/rabbit.log
log.console = false
vm_memory_high_watermark.absolute = 512MiB
disk_free_limit.absolute = 50MB
raft.wal_max_size_bytes = 67108864
collect_statistics_interval = 1000
{metrics if with_metrics else ""}{further}""",
        mode=0o600,
    )


def _write_secret(path: Path, text: str, *, mode: int) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)
