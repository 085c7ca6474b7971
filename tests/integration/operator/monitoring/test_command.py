"""The monitor shows what real servers hold, and outlives them."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.postgres import RunningPostgres, start_postgres
from services.operator.monitoring.monitor import Monitor
from services.operator.monitoring.queues import Queue, QueueReader, Queues
from services.operator.monitoring.readings import Reader
from services.operator.monitoring.recorder import Outside
from shared.broker import ReliableBroker, make_broker, ready_messages
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.db.migrate import upgrade
from shared.http.egress import Egress
from shared.imports.orders import order_import
from shared.imports.scope import Scope
from shared.messages import FETCH_QUEUE, WRITE_QUEUE
from tests.integration.commands import Sirenade
from tests.integration.conftest import WaitFor
from tests.integration.reviewer.conftest import Register
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records
from tests.servers.rabbitmq_admin import RabbitmqServer

Start = Callable[[], RunningPostgres]

_NOWHERE = "http://127.0.0.1:1"
_SECRET = "a-secret-word"


@pytest.fixture
def broker_url(rabbitmq_url: str) -> str:
    """Two messages to fetch, a delayed one and a dead letter; no message to write."""
    broker = make_broker(rabbitmq_url)
    assert isinstance(broker, ReliableBroker)
    for queue in (FETCH_QUEUE, WRITE_QUEUE):
        ready_messages(broker, queue)
    for _ in range(2):
        broker.publish_body(FETCH_QUEUE, b"{}")
    broker.publish_body(FETCH_QUEUE, b"{}", due_ms=2**42)
    with broker.connection.channel() as channel:
        channel.basic_publish("", f"{FETCH_QUEUE}.XQ", b"{}")
    broker.close()
    return rabbitmq_url


def _depths(in_progress: int | None) -> Queues:
    return Queues(
        (
            Queue(FETCH_QUEUE, ready=2, in_progress=in_progress, delayed=1, dead=1, consumers=0),
            Queue(WRITE_QUEUE, ready=0, in_progress=in_progress, delayed=0, dead=0, consumers=0),
        )
    )


def test_the_depths_of_queues_are_those_of_the_management_api(
    broker_url: str, rabbitmq: RabbitmqServer, wait_for: WaitFor
) -> None:
    """The API counts anew every few seconds."""
    reader = QueueReader(broker_url, rabbitmq.admin.base_url, Egress())
    wait_for(lambda: reader.read() == _depths(0), seconds=60)


def test_without_the_management_api_the_queues_themselves_are_asked(
    broker_url: str, wait_for: WaitFor
) -> None:
    reader = QueueReader(broker_url, _NOWHERE, Egress())
    wait_for(lambda: reader.read() == _depths(None), seconds=30)


@pytest.mark.parametrize(
    "url", [f"amqp://somebody:{_SECRET}@127.0.0.1:1/", "amqp://guest:guest@nowhere.invalid/"]
)
def test_a_broker_that_is_away_is_one_line_without_a_secret(url: str) -> None:
    found = QueueReader(url, "", Egress()).read()
    assert found.queues == ()
    assert found.note is not None
    assert found.note.startswith("RabbitMQ does not answer: ")
    assert _SECRET not in found.note


def test_json_is_a_line_for_each_look_and_one_for_the_summary(
    sirenade: Sirenade, broken: dict[str, Any], broker_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert broken["kind"] == "write"
    monkeypatch.setenv("SIRENADE_BROKER_URL", broker_url)
    monkeypatch.setenv("SIRENADE_MONITOR_RABBITMQ_URL", _NOWHERE)
    monkeypatch.setenv("SIRENADE_MONITOR_PROMETHEUS_URL", _NOWHERE)
    answer = sirenade("monitor", "--duration", 1, "--interval", 1, "--json")
    assert answer.status == 0
    *looks, summary = [json.loads(line) for line in answer.out.splitlines()]
    assert len(looks) >= 2
    assert {look["event"] for look in looks} == {"progress"}
    last = looks[-1]
    assert last["rows"]["received"] == 2
    assert last["failed_items_open"] == {"write": 1, "review": 0}
    assert last["queues"][0]["name"] == FETCH_QUEUE
    assert last["note"].startswith("Prometheus does not answer")
    assert [alert["name"] for alert in last["alerts"]] == [
        "SirenadeFailedItems",
        "SirenadeDeadLetters",
        "SirenadeFreshnessUnmeasured",
    ]
    assert (summary["event"], summary["rows"], summary["failed_items_open"]) == ("summary", 0, 1)


def test_without_a_terminal_it_prints_a_line_and_the_summary(
    sirenade: Sirenade, broken: dict[str, Any]
) -> None:
    assert broken
    answer = sirenade("monitor", "--duration", 1)
    assert "2 of" in answer.err
    assert "SirenadeFailedItems: 1 failed items are open" in answer.err
    assert "mean rate" in answer.out


def test_once_it_prints_one_look_and_no_summary(sirenade: Sirenade) -> None:
    (look,) = sirenade("monitor", "--once", "--json").out.splitlines()
    assert json.loads(look)["event"] == "progress"


def test_status_prints_the_progress_in_one_line(sirenade: Sirenade, broken: dict[str, Any]) -> None:
    assert broken
    answer = sirenade("status", "--once")
    (line,) = answer.err.splitlines()
    assert line.startswith("2 of ")
    assert "requests, 0 × 429, avis 0 of " in line
    assert "failed items 1, nothing says how fresh the register is" in line
    assert answer.out == ""


def test_status_and_monitor_say_that_texts_are_paused(sirenade: Sirenade, desk: Desk) -> None:
    desk.execute("UPDATE review_budget SET status = 'paused', paused_because = 'asked'")
    assert "texts are paused (somebody asked for it)" in sirenade("status", "--once").err
    (look,) = sirenade("monitor", "--once", "--json").out.splitlines()
    assert json.loads(look)["spend"]["paused_because"] == "asked"


@pytest.mark.parametrize("per_day", [0, 500])
def test_status_and_monitor_end_where_only_renewals_at_a_rate_wait(
    sirenade: Sirenade, desk: Desk, register: Register, per_day: int
) -> None:
    register.add(range(1, 4))
    desk.execute("UPDATE avis SET renewal_rank = id")
    desk.execute("UPDATE review_budget SET renewals_per_day = :per_day", per_day=per_day)
    assert "renewals: 3 wait, " in sirenade("status").err
    looks = sirenade("monitor", "--until-done", "--json").out.splitlines()
    assert len(looks) == 2, "one look and the summary"
    assert json.loads(looks[0])["avis"]["renewals_at_a_rate"] == 3


@pytest.mark.parametrize("command", ["monitor", "status"])
def test_a_run_that_does_not_exist_is_a_mistake(sirenade: Sirenade, command: str) -> None:
    answer = sirenade(command, "--run", 99)
    assert answer.status == 2
    assert "there is no run 99" in answer.err


@pytest.mark.parametrize("shard_urls", [2], indirect=True)
def test_what_is_in_shards_is_added_up(sirenade: Sirenade, desk: Desk, records: Records) -> None:
    good = [records.record(number) for number in range(1, 39)]
    bad = [records.record(number, treated="no date at all") for number in (50, 51)]
    desk.import_(*good, *bad, departement=None)
    told = json.loads(
        sirenade("monitor", "--duration", 1, "--until-done", "--json").out.splitlines()[0]
    )
    assert told["avis"]["pending"] == 38
    assert sum(told["failed_items_open"].values()) == 2


def test_each_rejected_attempt_is_counted_once(desk: Desk, register: Register) -> None:
    avis = register.add(range(1, 2))[0]

    def attempt(*reasons: str, accepted: bool = False) -> None:
        desk.execute(
            "INSERT INTO avis_attempts (avis_id, siren, model, prompt_version, facts_hash,"
            " accepted, reasons, latency_seconds)"
            " VALUES (:avis, '000000001', 'm', 'p', 'f', :accepted, CAST(:reasons AS text[]), 0)",
            avis=avis,
            accepted=accepted,
            reasons=list(reasons),
        )

    reader = Reader([desk.engine], None)
    attempt("near_duplicate")
    assert reader.read().rejections == {"near_duplicate": 1}
    assert reader.read().rejections == {"near_duplicate": 1}
    attempt("near_duplicate", "bad_number")
    attempt("near_duplicate", accepted=True)
    assert reader.read().rejections == {"near_duplicate": 2, "bad_number": 1}


@pytest.fixture
def start(servers_directory: Path) -> Iterator[Start]:
    """Start a server that a test may kill; a second start has the same port and data."""
    started: list[RunningPostgres] = []

    def start_it() -> RunningPostgres:
        folder = servers_directory / "mortal"
        started.append(start_postgres(folder, name="mortal", end_with_parent=True))
        return started[-1]

    yield start_it
    for running in started:
        running.kill()
    shutil.rmtree(started[0].directory)


@pytest.mark.one_role
def test_a_database_that_is_away_for_a_while_is_said_and_asked_again(start: Start) -> None:
    server = start()
    url = server.create_database("watched")
    upgrade(url)
    engine = make_engine(url, application_name="tests", pool_size=1)
    notes = iter(["before", "meanwhile", "still", "after"])
    monitor = Monitor(
        Reader([engine], None), lambda: Outside(Queues(note=next(notes)), [], None), Clock()
    )

    def away() -> str | None:
        monitor.look()
        return monitor.away

    assert away() is None
    server.kill()
    said = away()
    assert said is not None
    assert said.startswith("the database does not answer since ")
    assert away() == said, "since when it is away, not since the last look"
    assert monitor.snapshot is not None
    assert monitor.snapshot.queues_note == "still", "what else is there is looked at all the same"
    start()
    with engine.begin() as connection:
        order_import(connection, Scope(departements=["33"]))
    assert away() is None
    assert monitor.snapshot.runs_open == 1
    engine.dispose()
