"""`make init`: `.env` and the secret files, with random values; what is there stays as it is."""

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from deploy.containers.paths import Places

# Not root: services run as the owner of the secret files.
_ORDINARY_ID = 10001
_USERS = ("sirenade", "admin")
_DEMO_KEY = "a-key-of-the-simulator"

_SETTINGS = """\
# Settings of the containers; `docker compose` reads them. Secrets are files in .secrets.
# Whom services run as: the owner of those files.
SIRENADE_UID={uid}
SIRENADE_GID={gid}

# demo: a simulator in INSEE's place. monitoring: Prometheus, Alertmanager, Grafana.
COMPOSE_PROFILES={profiles}
{insee}
# What INSEE's plan allows.
SIRENADE_INSEE_REQUESTS_PER_MINUTE=30

# `make scale-fetcher`, `scale-writer` and `scale-reviewer` change these.
FETCHER_REPLICAS=1
WRITER_REPLICAS=1
REVIEWER_REPLICAS=2

# PostgreSQL: a quarter and three quarters of what it may use of this machine's memory.
#POSTGRES_MEMORY=2g
#POSTGRES_SHARED_BUFFERS=512MB
#POSTGRES_EFFECTIVE_CACHE_SIZE=1536MB
#POSTGRES_WORK_MEM=16MB
#POSTGRES_MAINTENANCE_WORK_MEM=256MB

# Ports on 127.0.0.1, where another server has one of them.
#POSTGRES_PORT=5432
#RABBITMQ_PORT=5672
#RABBITMQ_MANAGEMENT_PORT=15672
#PROMETHEUS_PORT=9090
#ALERTMANAGER_PORT=9093
#GRAFANA_PORT=3000

# Archives of logs and daily summaries, backups; .secrets/archive_credentials has their keys.
#SIRENADE_ARCHIVE_URL=s3://bucket/sirenade

# Texts by models: .secrets/providers holds the file and the keys that it names.
#SIRENADE_AVIS_PROVIDERS_FILE=/run/providers/providers.toml
"""
_INSEE_DEMO = "SIRENADE_INSEE_URL=http://simulator:8021/api-sirene/3.11"


def make(places: Places, *, demo: bool) -> Iterator[str]:
    """Make what is missing, and tell it line by line."""
    uid, gid = _owner(places)
    places.secrets.mkdir(mode=0o700, exist_ok=True)
    places.secrets.chmod(0o700)
    maker = _Maker(places, uid, gid)
    maker.own(places.secrets)
    yield from maker.settings(demo=demo)
    for name in ("postgres_password", "rabbitmq_password", "admin_password", "grafana_password"):
        yield from maker.secret(name, secrets.token_urlsafe(24))
    database = maker.read("postgres_password")
    yield from maker.secret(
        "database_url", f"postgresql://sirenade:{database}@postgres:5432/sirenade"
    )
    broker = maker.read("rabbitmq_password")
    yield from maker.secret("broker_url", f"amqp://sirenade:{broker}@rabbitmq:5672/sirenade")
    passwords = {"sirenade": broker, "admin": maker.read("admin_password")}
    # The hashes of long random passwords tell nothing, and RabbitMQ reads them as another user.
    yield from maker.secret("rabbitmq_users.json", _rabbitmq_users(passwords), mode=0o644)
    yield from maker.secret("insee_key", _DEMO_KEY if demo else "")
    # Lines NAME=value, with the names of the store; empty where nothing is archived.
    yield from maker.secret("archive_credentials", "")
    # Keys of chat servers, passwords of mail servers; what commands read and write.
    for folder in (
        places.secret("providers"),
        places.secret("alertmanager"),
        places.root / "files",
    ):
        if not folder.exists():
            folder.mkdir(mode=0o700)
            maker.own(folder)
    if not maker.read("insee_key"):
        yield f"now put the key of INSEE's portal into {places.secret('insee_key')}"


class _Maker:
    def __init__(self, places: Places, uid: int, gid: int) -> None:
        self._places = places
        self._uid, self._gid = uid, gid

    def own(self, path: Path) -> None:
        """Give it to the user that services run as; only root can, and only root has to."""
        if os.geteuid() == 0:
            os.chown(path, self._uid, self._gid)

    def read(self, name: str) -> str:
        return self._places.secret(name).read_text(encoding="utf-8").strip()

    def secret(self, name: str, value: str, *, mode: int = 0o600) -> Iterator[str]:
        path = self._places.secret(name)
        yield self._write(path, value + "\n" if value else "", mode)

    def settings(self, *, demo: bool) -> Iterator[str]:
        text = _SETTINGS.format(
            uid=self._uid,
            gid=self._gid,
            profiles="demo,monitoring" if demo else "monitoring",
            insee=_INSEE_DEMO if demo else f"#{_INSEE_DEMO}",
        )
        yield self._write(self._places.settings, text, 0o600)

    def _write(self, path: Path, text: str, mode: int) -> str:
        shown = path.relative_to(self._places.root)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        except FileExistsError:
            return f"{shown}: stays as it is"
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        # Whatever the umask says.
        path.chmod(mode)
        self.own(path)
        return f"{shown}: made"


def _owner(places: Places) -> tuple[int, int]:
    """Whom services run as: the caller; for root, the project's owner or an id of our own."""
    if os.getuid() != 0:
        return os.getuid(), os.getgid()
    status = places.root.stat()
    if status.st_uid != 0:
        return status.st_uid, status.st_gid
    return _ORDINARY_ID, _ORDINARY_ID


def _rabbitmq_users(passwords: dict[str, str]) -> str:
    """`sirenade` for the services, without the management's rights; `admin` for people."""
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    return json.dumps(
        {
            "users": [
                {
                    "name": name,
                    "password_hash": _password_hash(passwords[name]),
                    "hashing_algorithm": "rabbit_password_hashing_sha256",
                    "tags": ["administrator"] if name == "admin" else [],
                }
                for name in _USERS
            ],
            "permissions": [{"user": name, "vhost": "sirenade", **everything} for name in _USERS],
        },
        indent=1,
    )


def _password_hash(password: str) -> str:
    """As RabbitMQ keeps it: four random bytes, then SHA-256 of them and the password."""
    salt = secrets.token_bytes(4)
    digest = hashlib.sha256(salt + password.encode()).digest()
    return base64.b64encode(salt + digest).decode()
