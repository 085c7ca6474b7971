"""A page from Redis, one that Redis lacks, and one without Redis: whether the second level pays.

No process keeps a page itself, so that each request is one that the first level has missed.
"""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg2
import pytest

from shared.db_url import normalise_url
from tests.benchmarks.figures import Figures
from tests.benchmarks.portal.costs import Costs
from tests.benchmarks.portal.load import load
from tests.benchmarks.portal.register import load_register
from tests.benchmarks.sizes import pick
from tests.portals import Server, started_portal
from tests.servers.redis import RunningRedis, running_redis

_PAGES = pick(quick=4_000, normal=20_000)
_ASKED_OFTEN = 500
_SECONDS = pick(quick=2, normal=5)
_ROUNDS = pick(quick=1, normal=3)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@contextlib.contextmanager
def _portal(database_url: str, folder: Path, redis: RunningRedis | None) -> Iterator[Server]:
    settings = {"PORTAL_CACHE_BYTES": "0"}
    if redis is not None:
        settings["PORTAL_CACHE_URL"] = f"redis://127.0.0.1:{redis.port}"
    with started_portal(folder, database_url, **settings) as server:
        yield server._replace(beside=() if redis is None else (redis.pid,))


def test_when_redis_pays(database_url: str, tmp_path: Path, figures: Figures) -> None:
    load_register(database_url, tmp_path, pages=_PAGES)
    url = normalise_url(database_url).set(drivername="postgresql")
    with (
        contextlib.closing(
            psycopg2.connect(url.render_as_string(hide_password=False))
        ) as connection,
        running_redis(tmp_path) as redis,
        _portal(database_url, tmp_path, None) as without,
        _portal(database_url, tmp_path, redis) as with_redis,
    ):
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT '/pages/' || slug FROM pro_localisations"
                " WHERE status = 'open' AND nom IS NOT NULL ORDER BY md5(siret)"
            )
            paths = [path for (path,) in cursor.fetchall()]
        often = paths[:_ASKED_OFTEN]
        # All connections are open before they are counted.
        for server in (without, with_redis):
            load(server.address, often, tmp_path, seconds=1)
        made, lacking, found = Costs(), Costs(), Costs()
        for _ in range(_ROUNDS):
            made.measure(without, connection, paths, tmp_path, seconds=_SECONDS)
            redis.ask("FLUSHALL")
            lacking.measure(with_redis, connection, paths, tmp_path, seconds=_SECONDS)
            # Once to fill it, once to be measured.
            load(with_redis.address, often, tmp_path, seconds=_SECONDS)
            found.measure(with_redis, connection, often, tmp_path, seconds=_SECONDS)
    _tell({"made from rows": made, "missing in Redis": lacking, "from Redis": found})
    share = max(lacking.us - made.us, 0) / (lacking.us - found.us)
    figures.add("redis.made from rows", made.us, unit="CPU µs/page", note=str(made))
    figures.add("redis.found", found.us / made.us, unit="of made", goal="<= 0.8", note=str(found))
    figures.add("redis.missing", lacking.us / made.us, unit="of made", note=str(lacking))
    figures.add("redis.pays from a share found of", share, note="of the misses of the first level")


def _tell(costs: Mapping[str, Costs]) -> None:
    for name, each in costs.items():
        print(f"\n{name}: {each}")  # noqa: T201  a benchmark's result
