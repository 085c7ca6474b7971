"""`make init`: write `.env` and secret files with random values; existing files stay."""

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from deploy.containers.paths import Places

# Services run as the owner of the secret files, who must not be root.
_ORDINARY_ID = 10001
_USERS = ("sirenade", "admin")
_DEMO_KEY = "a-key-of-the-simulator"

_SETTINGS = """\
# Settings of the containers; `docker compose` reads them. Secrets are files in .secrets.
# Services run as the owner of those files.
SIRENADE_UID={uid}
SIRENADE_GID={gid}

# demo: a simulator instead of INSEE. monitoring: Prometheus, Alertmanager, Grafana.
COMPOSE_PROFILES={profiles}
{insee}
# The limit of your plan at INSEE.
SIRENADE_INSEE_REQUESTS_PER_MINUTE=30

# `make scale-fetcher`, `scale-writer` and `scale-reviewer` change these.
FETCHER_REPLICAS=1
WRITER_REPLICAS=1
REVIEWER_REPLICAS=2

# The memory of PostgreSQL; shared buffers are a quarter of it, the cache three quarters.
#POSTGRES_MEMORY=2g
#POSTGRES_SHARED_BUFFERS=512MB
#POSTGRES_EFFECTIVE_CACHE_SIZE=1536MB
#POSTGRES_WORK_MEM=16MB
#POSTGRES_MAINTENANCE_WORK_MEM=256MB

# Ports on 127.0.0.1: change one that another server has.
#POSTGRES_PORT=5432
#RABBITMQ_PORT=5672
#RABBITMQ_MANAGEMENT_PORT=15672
#PROMETHEUS_PORT=9090
#ALERTMANAGER_PORT=9093
#GRAFANA_PORT=3000

# Archives and backups; .secrets/archive_credentials holds the keys.
# .secrets/backup_key seals backups: keep a copy elsewhere, never in the store.
#SIRENADE_ARCHIVE_URL=s3://bucket/sirenade
#SIRENADE_BACKUP_ENCRYPT_COMMAND=age -r age1…

# Texts by models; .secrets/providers holds this file and the keys that it names.
#SIRENADE_AVIS_PROVIDERS_FILE=/run/providers/providers.toml
"""
_INSEE_DEMO = "SIRENADE_INSEE_URL=http://simulator:8021/api-sirene/3.11"


def make(places: Places, *, demo: bool) -> Iterator[str]:
    """Make the missing files; yield a line about each file."""
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
    # RabbitMQ reads it as another user; hashes of long random passwords reveal nothing.
    yield from maker.secret("rabbitmq_users.json", _rabbitmq_users(passwords), mode=0o644)
    yield from maker.secret("insee_key", _DEMO_KEY if demo else "")
    # The file holds lines NAME=value in the store's names; it is empty without an archive.
    yield from maker.secret("archive_credentials", "")
    yield from maker.secret("backup_key", secrets.token_urlsafe(24))
    # Keys of chat servers; passwords of mail servers; authorities of servers; files of commands.
    secret_folders = (places.secret(name) for name in ("providers", "alertmanager", "certificates"))
    for folder in (*secret_folders, places.root / "files"):
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
        """Give the file to the user of the services; only root can, and only root has to."""
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
        # The umask may have reduced the mode.
        path.chmod(mode)
        self.own(path)
        return f"{shown}: made"


def _owner(places: Places) -> tuple[int, int]:
    """Return the user of the services: the caller, or for root the project's owner or 10001."""
    if os.getuid() != 0:
        return os.getuid(), os.getgid()
    status = places.root.stat()
    if status.st_uid != 0:
        return status.st_uid, status.st_gid
    return _ORDINARY_ID, _ORDINARY_ID


def _rabbitmq_users(passwords: dict[str, str]) -> str:
    """Return two users: `sirenade` for services, without management rights, `admin` for people."""
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
    """Return RabbitMQ's form: four random bytes, then SHA-256 of them and the password."""
    salt = secrets.token_bytes(4)
    digest = hashlib.sha256(salt + password.encode()).digest()
    return base64.b64encode(salt + digest).decode()
