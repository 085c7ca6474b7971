"""`make init`: write `.env` and secret files with random values; existing files stay."""

import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from deploy.containers.paths import Places
from deploy.containers.versions import version_here
from shared.roles.broker_users import BROKER_USERS, BrokerUser, password_hash
from shared.roles.privileges import ROLES, USERS
from shared.roles.statements import DEFAULT_PREFIX

# Services run as the owner of the secret files, who must not be root.
_ORDINARY_ID = 10001
_PASSWORDS = ("postgres_password", "admin_password", "grafana_password")
_DEMO_KEY = "a-key-of-the-simulator"

_SETTINGS = """\
# Settings of the containers; `docker compose` reads them. Secrets are files in .secrets.
# Services run as the owner of those files.
SIRENADE_UID={uid}
SIRENADE_GID={gid}

# The tag of the images: `make upgrade` and `make rollback` change it.
SIRENADE_VERSION={version}

# demo: a simulator instead of INSEE. monitoring: Prometheus, Alertmanager, Grafana.
# portal: pages and search for readers. console: the console of operators and editors.
COMPOSE_PROFILES={profiles}
{insee}
# The limit of your plan at INSEE.
SIRENADE_INSEE_REQUESTS_PER_MINUTE=30

# `make scale-fetcher`, `scale-writer`, `scale-reviewer` and `scale-portal` change these.
FETCHER_REPLICAS=1
WRITER_REPLICAS=1
REVIEWER_REPLICAS=2
PORTAL_REPLICAS=1

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
#PORTAL_PORTS=8080-8083
#CONSOLE_PORT=8090

# Searches in Elasticsearch; .secrets/elasticsearch_api_key holds the key, or …_password.
#SIRENADE_SEARCH_ENGINE=elasticsearch
#SIRENADE_ELASTICSEARCH_URL=https://HOST:9200

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
    for name in (*_PASSWORDS, *(f"{role}_password" for role in ROLES)):
        yield from maker.secret(name, secrets.token_urlsafe(24))
    yield from _urls(maker)
    # RabbitMQ reads it as another user; hashes of long random passwords reveal nothing.
    yield from maker.secret("rabbitmq_accounts.json", _rabbitmq_accounts(maker), mode=0o644)
    # The nodes of a cluster know each other by it: deploy/compose/ha.
    yield from maker.secret("rabbitmq_cookie", secrets.token_hex(20))
    # The databases of the register where there are several, between commas and without users.
    yield from maker.secret("shard_database_urls", "")
    # Empty where Elasticsearch is switched off; of the two one is filled.
    yield from maker.secret("elasticsearch_api_key", "")
    yield from maker.secret("elasticsearch_password", "")
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
            version=version_here(),
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


def _urls(maker: _Maker) -> Iterator[str]:
    """Make the URLs with which each role logs in; `admin` is PostgreSQL's superuser."""
    servers = "postgres:5432/sirenade", "rabbitmq:5672/sirenade"
    database = f"postgresql://sirenade:{maker.read('postgres_password')}@{servers[0]}"
    yield from maker.secret("admin_database_url", database)
    for role in USERS:
        login = f"{DEFAULT_PREFIX}{role}:{maker.read(f'{role}_password')}"
        yield from maker.secret(f"{role}_database_url", f"postgresql://{login}@{servers[0]}")
        if role in BROKER_USERS:
            yield from maker.secret(f"{role}_broker_url", f"amqp://{login}@{servers[1]}")


def _rabbitmq_accounts(maker: _Maker) -> str:
    """Return the users of the services, and `admin` for people."""
    everything = BrokerUser(".*", ".*", ".*", "administrator")
    accounts = {"admin": (everything, maker.read("admin_password"))} | {
        f"{DEFAULT_PREFIX}{role}": (user, maker.read(f"{role}_password"))
        for role, user in BROKER_USERS.items()
    }
    users = [
        {
            "name": name,
            **password_hash(password, secrets.token_bytes(4)),
            "tags": [user.tag] if user.tag else [],
        }
        for name, (user, password) in accounts.items()
    ]
    permissions = [
        {"user": name, "vhost": "sirenade", **user.permissions}
        for name, (user, _) in accounts.items()
    ]
    return json.dumps({"users": users, "permissions": permissions}, indent=1)
