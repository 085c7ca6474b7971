"""Logging, each test in a new process: it is configured once for an interpreter."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from shared.archive.settings import ArchiveSettings
from shared.logs import secrets_of
from shared.settings import load

ROOT = Path(__file__).parents[4]

PREAMBLE = """
import logging, structlog
from shared.logs import configure_logs
configure_logs("fetcher")
"""
ACTOR_THAT_FAILS = """
import dramatiq
from dramatiq.brokers.stub import StubBroker
broker = StubBroker(middleware=[])
def write(records):
    raise ValueError(f"cannot write {records}")
actor = dramatiq.actor(broker=broker, actor_name="write", queue_name="q")(write)
worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=10)
worker.start()
message = actor.send("MME DUPONT")
broker.join("q", fail_fast=False)
worker.join()
worker.stop()
"""


def events_of(script: str) -> tuple[list[dict[str, Any]], str]:
    output = subprocess.run(
        [sys.executable, "-c", PREAMBLE + script], capture_output=True, text=True, check=True
    )
    assert output.stderr == ""
    return [json.loads(line) for line in output.stdout.splitlines()], output.stdout


def test_each_event_is_one_json_line_and_secrets_are_not_in_it() -> None:
    (first, second), output = events_of("""
structlog.get_logger().info("connected", insee_key="hunter2", database_url="postgresql://hunter2@x")
logging.getLogger("urllib3").warning("closed: %s", "reason")
""")
    assert first["event"] == "connected"
    assert first["service"] == second["service"] == "fetcher"
    assert first["insee_key"] == first["database_url"] == "[redacted]"
    assert "hunter2" not in output
    assert (second["event"], second["level"]) == ("closed: reason", "warning")


def test_a_failing_actor_is_logged_without_its_message_and_without_its_error_text() -> None:
    (event,), output = events_of(ACTOR_THAT_FAILS)
    assert event["exception"] == "ValueError"
    assert event["at"][-1].endswith(" write")
    assert "write:" in event["event"]
    assert "DUPONT" not in output


def test_an_error_of_postgresql_is_logged_with_its_sqlstate_and_without_its_text() -> None:
    (event,), output = events_of("""
from tests.sqlstates import server_error
try:
    raise server_error("55P03", "DUPONT")
except Exception:
    structlog.get_logger().exception("failed")
""")
    assert event["exception"] == "ServerError 55P03"
    assert "DUPONT" not in output


RECORDS = """
import json, pathlib
people = [json.loads(line) for line in
          pathlib.Path("tests/fixtures/insee/unites_legales.jsonl").open(encoding="utf-8")]
places = [json.loads(line) for line in
          pathlib.Path("tests/fixtures/insee/etablissements.jsonl").open(encoding="utf-8")]
log = structlog.get_logger()
for each in people + places:
    log.info("as they are", what=each, several=[each], **{k: v for k, v in each.items()})
    log.info(f"in a text: {json.dumps(each)}", inner={"deep": {"er": json.dumps(each)}})
    log.info("repr: %r", repr(each), value=repr(each), raw=json.dumps(each).encode())
    logging.getLogger("somebody").warning("cannot read %s", each)
    try:
        raise ValueError(json.dumps(each))
    except ValueError as error:
        log.exception("failed", error=error)
"""
PERSONAL = ("nom", "prenom", "pseudonyme", "denomination", "enseigne", "libelleVoie", "sigle")


def _personal_values(record: Any) -> set[str]:
    """Return all values of fields that may tell the name or the address of a person."""
    if isinstance(record, list):
        return set().union(*map(_personal_values, record))
    if not isinstance(record, dict):
        return set()
    found = set()
    for name, value in record.items():
        if isinstance(value, dict | list):
            found |= _personal_values(value)
        elif isinstance(value, str) and name.startswith(PERSONAL) and not name.startswith("nombre"):
            found.add(value)
    return found


def test_real_records_leave_nobodys_name_or_street_in_whatever_way_they_are_logged() -> None:
    fixtures = ROOT / "tests" / "fixtures" / "insee"
    records = [
        json.loads(line)
        for name in ("unites_legales", "etablissements")
        for line in (fixtures / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    events, output = events_of(RECORDS)
    assert len(events) == 5 * len(records)
    personal = {value for record in records for value in _personal_values(record)}
    assert len(personal) > 50
    words = [value for value in personal if len(value) > 3 and f'"{value}"'.upper() != '"[ND]"']
    assert [word for word in words if word in output] == []


SECRETS = """
import os
from pydantic import SecretStr
from shared.logs import secrets_of
from shared.settings import ServiceSettings, load
settings = load(ServiceSettings, database_url="postgresql://u:p%40ssw0rd-db@h/x",
                broker_url="amqp://u:broker-pw@h/", shard_database_urls="")
configure_logs("fetcher", secrets=secrets_of(settings) | {"3f2a-insee-key-77"})
log = structlog.get_logger()
log.info("asked with 3f2a-insee-key-77", header={"X-INSEE-Api-Key-Integration": "3f2a"})
log.info("p@ssw0rd-db and p%40ssw0rd-db and broker-pw", settings=repr(settings), s=settings)
log.info("urls", at="postgresql://somebody:hunter2@db/x", q="https://x/y?a=1&api_key=hunter3&b=2")
log.info("header", value="Authorization: Bearer abcdefgh12345678", other="sk-proj-0123456789abcdef")
log.info("write to jean.dupont@example.org", tokens_in=12, secret=SecretStr("hunter4"))
logging.getLogger("urllib3").warning("Retry: %s", "/siret?token=hunter5")
"""


def test_what_is_secret_of_the_settings_is_known_in_parts_too() -> None:
    settings = load(
        ArchiveSettings,
        database_url="postgresql://u:p%40ss@h/x?sslmode=require",
        archive_credentials="# of S3\naws_region=eu-west-3\naws_secret_access_key = hunter22\n",
    )
    found = secrets_of(settings)
    assert {"p%40ss", "p@ss", "hunter22"} < found
    assert not {"require", "eu-west-3"} & found


def test_secrets_are_taken_out_by_value_form_and_name() -> None:
    events, output = events_of(SECRETS)
    assert events[-2]["tokens_in"] == 12
    assert events[2]["q"] == "https://x/y?a=1&api_key=[redacted]&b=2"
    for secret in (
        *("3f2a", "p@ssw0rd-db", "p%40ssw0rd-db", "broker-pw", "hunter", "abcdefgh1234"),
        *("sk-proj", "jean.dupont"),
    ):
        assert secret not in output, secret


THREE_HOPS = """
import dramatiq, time
from shared.broker import make_broker
from shared.messages import FetchPage, ReviewAvis, WriteSlice
from shared.metrics import Metrics
from shared.runtime.middleware import ActorMetrics
from shared.broker.envelope import publish
log = structlog.get_logger()
broker = make_broker("memory://", extra_middleware=[ActorMetrics(Metrics())])
def fetch_page(**wire):
    structlog.contextvars.bind_contextvars(run_id=9)
    log.info("fetched")
    publish(broker, WriteSlice(batch_id=7, page=2, fetch_id=5, slice=0,
        fetched_at="2026-11-23T12:00:00+00:00", records="[]"))
def write_slice(**wire):
    log.info("written")
    publish(broker, ReviewAvis([1]))
def review_avis(**wire):
    log.info("reviewed")
for actor, message in ((fetch_page, FetchPage), (write_slice, WriteSlice),
                       (review_avis, ReviewAvis)):
    dramatiq.actor(broker=broker, actor_name=message.ACTOR, queue_name=message.QUEUE)(actor)
worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=10)
worker.start()
publish(broker, FetchPage(7, 2))
for queue in (FetchPage.QUEUE, WriteSlice.QUEUE, ReviewAvis.QUEUE):
    broker.join(queue)
worker.join()
worker.stop()
broker.close()
"""


def test_a_run_is_named_in_the_lines_of_all_that_its_messages_lead_to() -> None:
    events, _ = events_of(THREE_HOPS)
    fetched, written, reviewed = events
    assert fetched["run_id"] == written["run_id"] == reviewed["run_id"] == 9
    assert (fetched["batch_id"], fetched["page"], fetched["attempt"]) == (7, 2, 1)
    assert (written["batch_id"], written["fetch_id"], written["slice"]) == (7, 5, 0)
    assert {"service", "replica", "message_id", "actor", "level", "timestamp"} <= reviewed.keys()
    assert "fetch_id" not in reviewed


def test_a_word_of_a_stranger_steers_no_terminal_and_forges_no_line() -> None:
    (event,), output = events_of(r"""
words = "A\x1b]0;T\x07\x9b\x7f\nB\u2028"
structlog.get_logger().info("said \u202e", message=words, **{"k\u2066": 1})
""")
    assert output.rstrip("\n").isprintable()
    assert event["event"] == "said \u202e"
    assert event["message"] == "A\x1b]0;T\x07\x9b\x7f\nB\u2028"
    assert event["k\u2066"] == 1
