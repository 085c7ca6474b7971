"""The databases of the register: one, or several by siren (docs/adr/0011-shards.md).

A shard in the control database shares its engine; with default settings that is the only shard.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, text

from shared.db.engine import make_engine, temporary_engine
from shared.db.revision import require_current
from shared.db.tables import metadata
from shared.db_url import database_address
from shared.errors import UserError
from shared.settings import DatabaseSettings
from shared.sharding import SHARD_TABLES, buckets_of, route

# Identities of a shard begin at its first bucket. They are unique over all shards, also after the
# number of shards is doubled, and below 2^53, up to which readers of JSON are exact.
_IDS_PER_BUCKET_BITS = 46

_PLACE = text("SELECT shard, shards FROM shard_place")
_FORGET_PLACE = text("DELETE FROM shard_place")
_TAKE_PLACE = text("INSERT INTO shard_place (shard, shards) VALUES (:shard, :shards)")
_HAS_OTHERS = text("""
    SELECT EXISTS (SELECT FROM unites_legales
      WHERE get_byte(sha256(siren::bytea), 0) % 64 <> ALL(CAST(:own AS int[])))
""")
# It never moves a sequence back: lower numbers were given already.
_START_SEQUENCE = text("""
    SELECT setval(pg_get_serial_sequence(:table, :column), CAST(:first_id AS bigint), false)
    FROM pg_sequences
    WHERE (quote_ident(schemaname) || '.' || quote_ident(sequencename))::regclass
        = pg_get_serial_sequence(:table, :column)::regclass
      AND coalesce(last_value, 0) < :first_id
""")
_SEQUENCES = tuple(
    (name, column.name)
    for name in sorted(SHARD_TABLES)
    for column in metadata.tables[name].columns
    if column.identity is not None
)


def open_shards(
    settings: DatabaseSettings,
    control: Engine,
    *,
    application_name: str,
    pool_size: int,
    statement_timeout_seconds: int = 60,
) -> tuple[Engine, ...]:
    """Return one engine for each shard, in order, with at most `pool_size` connections."""
    return tuple(
        control
        if database_address(url) == database_address(control.url)
        else make_engine(
            url,
            application_name=application_name,
            pool_size=pool_size,
            statement_timeout_seconds=statement_timeout_seconds,
        )
        for url in settings.shard_urls
    )


def remote_urls(settings: DatabaseSettings) -> list[str]:
    """Return the URLs of the shards outside the control database."""
    control = database_address(settings.database_url.get_secret_value())
    return [url for url in settings.shard_urls if database_address(url) != control]


def url_for(settings: DatabaseSettings, siren: str) -> str:
    """Return the URL of the database that holds this unit."""
    urls = settings.shard_urls
    return urls[route(siren, len(urls))]


def connection_to(
    settings: DatabaseSettings, connections: Iterable[Connection], siren: str
) -> Connection:
    """Return the connection to the database that holds this unit."""
    address = database_address(url_for(settings, siren))
    return next(each for each in connections if database_address(each.engine.url) == address)


@contextmanager
def connected(
    engines: Iterable[Engine], *, write: bool = False
) -> Iterator[tuple[Connection, ...]]:
    """Connect to each engine; with `write` in transactions, of which the first commits last."""
    with ExitStack() as stack:
        yield tuple(
            stack.enter_context(engine.begin() if write else engine.connect()) for engine in engines
        )


def require_shards(settings: DatabaseSettings) -> None:
    """Raise UserError where a shard's schema is not current, or its place is another one."""
    urls = settings.shard_urls
    for number, url in enumerate(urls):
        with _connected(url) as connection:
            require_current(connection)
            if _place(connection) != _wanted(number, len(urls)):
                raise UserError(
                    f"the database of shard {number} of {len(urls)} is another one's: "
                    "check SIRENADE_SHARD_DATABASE_URLS and its order, then ./sirenade migrate"
                )


def has_one_database(settings: DatabaseSettings) -> bool:
    return len(settings.shard_urls) == 1 and not remote_urls(settings)


def require_one_database(settings: DatabaseSettings) -> None:
    """Raise UserError for several databases, where a command needs the whole register in one."""
    if not has_one_database(settings):
        raise UserError(
            "this command needs the register in one database; SIRENADE_SHARD_DATABASE_URLS names "
            "several (docs/adr/0011-shards.md)"
        )


def take_places(settings: DatabaseSettings) -> None:
    """Give each shard its place. Raises UserError where a database holds units of another shard."""
    control_url = settings.database_url.get_secret_value()
    urls = settings.shard_urls
    if database_address(control_url) not in map(database_address, urls):
        with _connected(control_url, marked_too=True) as connection:
            _require_own(connection, "the control database", range(0))
    for number, url in enumerate(urls):
        with _connected(url, marked_too=True) as connection:
            take_place(connection, number, len(urls))


@contextmanager
def _connected(url: str, *, marked_too: bool = False) -> Iterator[Connection]:
    options: dict[str, Any] = {"statement_timeout_seconds": 0, "marked_too": marked_too}
    with (
        temporary_engine(url, application_name="sirenade-shards", **options) as engine,
        engine.begin() as connection,
    ):
        yield connection


def _require_own(connection: Connection, name: str, buckets: range) -> None:
    if connection.scalar(_HAS_OTHERS, {"own": list(buckets)}):
        raise UserError(
            f"{name} holds units of other shards: check the order of "
            "SIRENADE_SHARD_DATABASE_URLS, or move them first (docs/adr/0011-shards.md)"
        )


def _place(connection: Connection) -> tuple[int, int] | None:
    row = connection.execute(_PLACE).one_or_none()
    return None if row is None else (row.shard, row.shards)


def _wanted(shard: int, shards: int) -> tuple[int, int] | None:
    return (shard, shards) if shards > 1 else None


def take_place(connection: Connection, shard: int, shards: int) -> None:
    """Make a database this shard. Raises UserError where it holds units of another one."""
    if _place(connection) == _wanted(shard, shards):
        return
    buckets = buckets_of(shard, shards)
    _require_own(connection, f"the database of shard {shard} of {shards}", buckets)
    connection.execute(_FORGET_PLACE)
    if _wanted(shard, shards) is not None:
        connection.execute(_TAKE_PLACE, {"shard": shard, "shards": shards})
    first_id = (buckets[0] << _IDS_PER_BUCKET_BITS) + 1
    for table, column in _SEQUENCES:
        names = {"table": table, "column": column, "first_id": first_id}
        connection.execute(_START_SEQUENCE, names)
