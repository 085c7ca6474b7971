"""The second level on a real Redis: shared, out of reach once erased, and never needed."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from services.portal.pages.second_level import KEPT_SECONDS
from services.writer.erasure.oppositions import forget
from tests.conditions import wait_until
from tests.integration.portal.published import publish
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records
from tests.portals import Portal, running_portal
from tests.servers.redis import RunningRedis, running_redis

_SLUG = "le-fournil-bordeaux-00000000100001"
_PATH = f"/pages/{_SLUG}"
_OTHER = "/pages/au-bon-pain-bordeaux-00000000200002"


@pytest.fixture(scope="module")
def one_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRedis]:
    with running_redis(tmp_path_factory.mktemp("redis")) as redis:
        yield redis


@pytest.fixture
def redis(one_redis: RunningRedis) -> RunningRedis:
    one_redis.ask("FLUSHALL")
    return one_redis


class Portals:
    """Makes portals that share a Redis; each has a cache of its own."""

    def __init__(self, stack: ExitStack, database_url: str, redis_port: int) -> None:
        self._stack = stack
        self._database_url = database_url
        self._redis_port = redis_port

    def another(self, base_url: str = "https://annuaire.example") -> Portal:
        portal = running_portal(
            self._database_url,
            portal_cache_url=f"redis://127.0.0.1:{self._redis_port}",
            portal_base_url=base_url,
        )
        return self._stack.enter_context(portal)


@pytest.fixture
def portals(
    desk: Desk, records: Records, database_url: str, redis: RunningRedis
) -> Iterator[Portals]:
    desk.import_(
        records.record(1, enseigne="LE FOURNIL"), records.record(2, enseigne="AU BON PAIN")
    )
    publish(desk)
    with ExitStack() as stack:
        yield Portals(stack, database_url, redis.port)


def _from(portal: Portal, source: str) -> int:
    value = portal.parts.metrics.registry.get_sample_value
    return round(value("sirenade_portal_pages_total", {"source": source}) or 0)


def _spoiled(portal: Portal) -> int:
    value = portal.parts.metrics.registry.get_sample_value
    return round(value("sirenade_portal_second_level_total", {"outcome": "spoiled"}) or 0)


def _warm(portal: Portal) -> None:
    """Open the connection by a page that is not the one of the test."""
    assert portal.get(_OTHER).status == 200
    redis = portal.parts.second_level
    assert redis is not None
    wait_until(lambda: redis._redis._connection is not None)


def test_a_page_that_one_process_made_another_takes_from_redis(
    portals: Portals, redis: RunningRedis
) -> None:
    first, second = portals.another(), portals.another()
    _warm(first)
    _warm(second)
    made = first.get(_PATH)
    wait_until(redis.names)
    taken = second.get(_PATH)
    assert taken.body == made.body
    assert taken.headers["etag"] == made.headers["etag"]
    assert (_from(first, "redis"), _from(second, "redis")) == (0, 1)
    # A process keeps what it took.
    assert second.get(_PATH).body == made.body
    assert _from(second, "redis") == 1


def test_what_is_kept_ends_within_the_hour_and_its_name_tells_nothing(
    portals: Portals, redis: RunningRedis
) -> None:
    portal = portals.another()
    _warm(portal)
    portal.get(_PATH)
    wait_until(redis.names)
    for name in redis.names():
        assert name.startswith(b"sirenade:page:")
        assert b"fournil" not in name
        assert 0 < int(redis.ask("TTL", name)) <= KEPT_SECONDS


def test_an_erased_name_is_out_of_reach_though_redis_holds_it(
    desk: Desk, portals: Portals, redis: RunningRedis
) -> None:
    first, second = portals.another(), portals.another()
    _warm(first)
    _warm(second)
    assert "Fournil" in first.get(_PATH).text
    wait_until(redis.names)
    forget(desk.engine, "000000001", reason="test", force=True)
    assert any(b"Fournil" in redis.ask("GET", name) for name in redis.names())
    for portal in (first, second):
        assert portal.get(_PATH).status == 410
        page = portal.get("/pages/etablissement-bordeaux-00000000100001")
        assert page.status == 200
        assert "fournil" not in page.text.lower()


@pytest.mark.parametrize("lie", ["another page", "a spoiled one", "nothing of ours"])
def test_a_redis_that_lies_is_not_believed(portals: Portals, redis: RunningRedis, lie: str) -> None:
    first, second = portals.another(), portals.another()
    _warm(first)
    _warm(second)
    made = first.get(_PATH)
    wait_until(lambda: len(redis.names()) > 1)
    kept = {name: redis.ask("GET", name) for name in redis.names()}
    values = list(kept.values())
    told = {
        "another page": values[1:] + values[:1],
        "a spoiled one": [value.replace(b"Fournil", b"Spoiled") + b" " for value in values],
        "nothing of ours": [b""] * len(values),
    }[lie]
    for name, value in zip(kept, told, strict=True):
        redis.ask("SET", name, value)
    assert second.get(_PATH).body == made.body
    assert _from(second, "redis") == 0
    assert _spoiled(second) == 1


def test_another_address_or_password_has_pages_of_its_own(
    portals: Portals, redis: RunningRedis
) -> None:
    first, second = portals.another(), portals.another("https://ailleurs.example")
    _warm(first)
    _warm(second)
    first.get(_PATH)
    wait_until(redis.names)
    assert "https://ailleurs.example/pages/" in second.get(_PATH).text
    assert _from(second, "redis") == 0


def test_a_redis_that_is_slow_is_waited_for_once(portals: Portals, redis: RunningRedis) -> None:
    portal = portals.another()
    _warm(portal)
    os.kill(redis.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert portal.get(_PATH).status == 200
        assert portal.get(f"/pages/x-{_SLUG[-14:]}").status == 301
        assert time.monotonic() - began < 2
    finally:
        os.kill(redis.pid, signal.SIGCONT)


def test_pages_are_served_while_redis_is_away_and_it_is_found_again(
    desk: Desk, records: Records, database_url: str, tmp_path: Path
) -> None:
    desk.import_(records.record(1, enseigne="LE FOURNIL"))
    with running_redis(tmp_path) as first:
        port = first.port
        url = f"redis://127.0.0.1:{port}"
        portal = running_portal(database_url, portal_cache_url=url, portal_cache_bytes=0)
        with portal as started:
            level = started.parts.second_level
            assert level is not None
            level._redis._rest_seconds = 0.1
            wait_until(lambda: started.get(_PATH).status == 200 and _from(started, "redis") > 0)
            os.kill(first.pid, signal.SIGKILL)
            assert all(started.get(_PATH).status == 200 for _ in range(20))
            with running_redis(tmp_path, port=port):
                before = _from(started, "redis")
                wait_until(
                    lambda: started.get(_PATH).status == 200 and _from(started, "redis") > before
                )


@pytest.mark.parametrize("said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"$99999999999\r\n", b"+OK"])
def test_whoever_is_no_redis_is_done_without(
    desk: Desk, records: Records, database_url: str, said: bytes
) -> None:
    desk.import_(records.record(1, enseigne="LE FOURNIL"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_talk, args=(listening, said), daemon=True).start()
        url = f"redis://127.0.0.1:{listening.getsockname()[1]}"
        with running_portal(database_url, portal_cache_url=url, portal_cache_bytes=0) as portal:
            assert all(portal.get(_PATH).status == 200 for _ in range(20))
            assert _from(portal, "redis") == 0


def _talk(listening: socket.socket, said: bytes) -> None:
    while True:
        try:
            client, _ = listening.accept()
            client.recv(1)
            client.sendall(said)
        except OSError:
            return
