"""`make doctor`: list what this machine lacks; the exit status is 1 where something is missing."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.containers.addresses import doubts, poolers
from deploy.containers.bounds import (
    MOST_LOG_BYTES,
    connections_of,
    log_bytes,
    memory_bytes,
    postgres_connections,
)
from deploy.containers.images import read_images
from deploy.containers.logins import logins_of, superusers_at_work
from deploy.containers.paths import Places, SetupError
from deploy.containers.settings_file import read_settings
from shared.roles.broker_users import BROKER_USERS
from shared.roles.privileges import ROLES, USERS

_LEAST_ENGINE = (25,)
_LEAST_COMPOSE = (2, 26)
_LEAST_FREE_DISK = 20 << 30
_SECRETS = (
    *("postgres_password", "admin_password", "grafana_password", "insee_key"),
    *(f"{role}_password" for role in ROLES),
    *(f"{role}_database_url" for role in USERS),
    *(f"{role}_broker_url" for role in USERS if role in BROKER_USERS),
)
_MAY_BE_EMPTY = ("shard_database_urls", "archive_credentials")
# `shared.db.server_copies` says why.
_SILENT_LOG = ("log_min_error_statement=panic", "log_error_verbosity=terse")
# Ports whose setting is not named after the container.
_PORTS = {15672: "RABBITMQ_MANAGEMENT_PORT"}
# Connections that PostgreSQL keeps for its owner, and some for people.
_SPARE_CONNECTIONS = 10


@dataclass(frozen=True)
class Finding:
    """`good` is None for what could not be examined, and for a `doubt`, which stops nobody."""

    good: bool | None
    text: str
    doubt: bool = False

    def __str__(self) -> str:
        mark = {True: "ok", False: "MISSING", None: "warning" if self.doubt else "?"}[self.good]
        return f"{mark:7} {self.text}"


def examine(places: Places) -> int:
    findings = list(look(places))
    sys.stdout.write("".join(f"{finding}\n" for finding in findings))
    return 1 if any(finding.good is False for finding in findings) else 0


def look(places: Places) -> Iterator[Finding]:
    engine = _engine()
    yield engine
    compose = _compose()
    yield compose
    yield from _files(places)
    yield from _way(places)
    yield _images()
    yield _disk(places)
    if not compose.good or not places.settings.exists():
        yield Finding(None, "memory, ports, logs, connections: unknown without compose and .env")
        return
    try:
        services = _services(places)
    except SetupError as error:
        yield Finding(False, str(error))
        return
    yield _memory(services)
    yield _logs(services)
    yield _connections(services)
    yield _server_log(services)
    running = _is_running(places) if engine.good else False
    if running:
        yield _superusers(places)
    else:
        yield from _ports(services)


def _output(*command: str, cwd: Path | None = None) -> str:
    """Return the output. Raises SetupError with the last line of a command that failed."""
    try:
        result = subprocess.run(  # noqa: S603  # docker, with our own arguments
            command, capture_output=True, text=True, check=False, timeout=60, cwd=cwd
        )
    except OSError as error:
        raise SetupError(f"{command[0]}: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise SetupError(f"{' '.join(command[:2])} does not answer") from None
    if result.returncode != 0:
        said = (result.stderr.strip().splitlines() or ["no message"])[-1]
        raise SetupError(f"{' '.join(command[:2])}: {said}")
    return result.stdout.strip()


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:2])


def _engine() -> Finding:
    if shutil.which("docker") is None:
        return Finding(False, "docker: not installed")
    return _tool("docker engine", _LEAST_ENGINE, "version", "--format", "{{.Server.Version}}")


def _compose() -> Finding:
    return _tool("docker compose", _LEAST_COMPOSE, "compose", "version", "--short")


def _tool(name: str, least: tuple[int, ...], *arguments: str) -> Finding:
    try:
        version = _output("docker", *arguments)
    except SetupError as error:
        return Finding(False, f"{name}: {error}")
    if _version(version) < least:
        return Finding(False, f"{name} {version}: {'.'.join(map(str, least))} or later is needed")
    return Finding(True, f"{name} {version}")


def _files(places: Places) -> Iterator[Finding]:
    try:
        settings = read_settings(places.settings)
    except SetupError as error:
        yield Finding(False, str(error))
        return
    yield Finding(True, ".env")
    uid = settings.get("SIRENADE_UID", "")
    if uid in {"", "0"}:
        yield Finding(False, ".env: SIRENADE_UID must name a user who is not root")
    for name in (*_SECRETS, *_MAY_BE_EMPTY):
        yield _secret(places.secret(name), uid)
    if settings.get("SIRENADE_ARCHIVE_URL"):
        yield from _backups(places, settings, uid)
    if "SIRENADE_SHARD_DATABASE_URLS" in settings:
        text = ".env: SIRENADE_SHARD_DATABASE_URLS counts no more: .secrets/shard_database_urls"
        yield Finding(False, text)
    for text in logins_of(places):
        yield Finding(False, text)


def _backups(places: Places, settings: dict[str, str], uid: str) -> Iterator[Finding]:
    sealed = _secret(places.secret("backup_key"), uid)
    yield sealed
    if not sealed.good:
        yield Finding(
            False, "backups: no key seals them: a restore cannot see whether the store changed one"
        )
    if not settings.get("SIRENADE_BACKUP_ENCRYPT_COMMAND"):
        yield Finding(
            None, "backups: whoever reads the store reads them: SIRENADE_BACKUP_ENCRYPT_COMMAND"
        )


def _secret(path: Path, uid: str) -> Finding:
    shown = f".secrets/{path.name}"
    try:
        status = path.stat()
    except FileNotFoundError:
        return Finding(False, f"{shown}: not there: make init")
    except PermissionError:
        return Finding(None, f"{shown}: only its owner can examine it")
    if status.st_mode & 0o077:
        return Finding(False, f"{shown}: others can read it: chmod 600 {shown}")
    if str(status.st_uid) != uid:
        return Finding(False, f"{shown}: services cannot read it: chown {uid} {shown}")
    if status.st_size == 0 and path.name not in _MAY_BE_EMPTY:
        return Finding(False, f"{shown}: empty")
    return Finding(True, shown)


def _way(places: Places) -> Iterator[Finding]:
    """Say where passwords and keys can be read on their way."""
    if not places.settings.exists():
        return
    found = list(doubts(places))
    yield from (Finding(None, doubt, doubt=True) for doubt in (*found, *poolers(places)))
    if not found:
        yield Finding(True, "passwords: encrypted on their way, or on this machine alone")


def _images() -> Finding:
    images = read_images()
    moving = [image.reference for image in images if not image.digest]
    if moving:
        text = f"images without a digest: {', '.join(moving)}: make images-pin"
        return Finding(None, text, doubt=True)
    return Finding(True, f"images: {len(images)}, each by its digest")


def _disk(places: Places) -> Finding:
    free = shutil.disk_usage(places.root).free
    text = f"disk: {free >> 30} GiB free, {_LEAST_FREE_DISK >> 30} for a start"
    return Finding(free >= _LEAST_FREE_DISK, text)


def _services(places: Places) -> dict[str, Any]:
    """Return the services that `make up` would start. Raises SetupError."""
    text = _output("docker", "compose", "config", "--format", "json", cwd=places.root)
    services: dict[str, Any] = json.loads(text)["services"]
    return services


def _memory(services: dict[str, Any]) -> Finding:
    wanted = memory_bytes(services)
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    text = f"memory: {there >> 20} MiB, and the containers' limits add up to {wanted >> 20}"
    return Finding(there >= wanted, text)


def _logs(services: dict[str, Any]) -> Finding:
    most = log_bytes(services)
    text = (
        f"logs: {most / 1e6:.0f} MB at most with these replicas, {MOST_LOG_BYTES / 1e6:.0f} allowed"
    )
    return Finding(most <= MOST_LOG_BYTES, text)


def _connections(services: dict[str, Any]) -> Finding:
    wanted = sum(connections_of(name, service) for name, service in services.items())
    if "postgres" not in services:
        return Finding(None, f"connections: {wanted}, to a PostgreSQL elsewhere")
    there = postgres_connections(services["postgres"])
    text = f"connections: {wanted} with these replicas, {there} in PostgreSQL"
    return Finding(wanted + _SPARE_CONNECTIONS <= there, text)


def _superusers(places: Places) -> Finding:
    """Say whether a service has logged in as a superuser, whom no privilege holds back."""
    try:
        found = superusers_at_work(lambda *command: _output(*command, cwd=places.root))
    except SetupError as error:
        return Finding(None, f"roles: {error}")
    if found:
        return Finding(False, f"roles: superuser of PostgreSQL: {', '.join(found)}: make up")
    return Finding(True, "roles: no service is a superuser of PostgreSQL")


def _server_log(services: dict[str, Any]) -> Finding:
    if "postgres" not in services:
        text = "PostgreSQL's log: ./sirenade migrate says whether that server quotes rows in it"
        return Finding(None, text)
    command = " ".join(services["postgres"].get("command") or [])
    lacking = [setting for setting in _SILENT_LOG if f"-c{setting}" not in command]
    if lacking:
        return Finding(False, f"PostgreSQL's log quotes people's rows without {', '.join(lacking)}")
    return Finding(True, "PostgreSQL's log quotes no rows")


def _is_running(places: Places) -> bool:
    try:
        return bool(_output("docker", "compose", "ps", "--quiet", cwd=places.root))
    except SetupError:
        return False


def _ports(services: dict[str, Any]) -> Iterator[Finding]:
    for name, service in services.items():
        for port in service.get("ports", []):
            number = int(port["published"])
            free = _is_free(port.get("host_ip", "127.0.0.1"), number)
            variable = _PORTS.get(int(port["target"]), f"{name.upper()}_PORT")
            said = "free" if free else f"taken: set {variable} in .env"
            yield Finding(free, f"port {number} ({name}): {said}")


def _is_free(address: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
