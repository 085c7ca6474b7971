"""Receivers are told of every change, in order, at least once, and of no name that is erased."""

import datetime as dt
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from services.portal.webhooks import receivers
from services.portal.webhooks.receivers import NewReceiver
from services.portal.webhooks.sender import KEPT_DAYS, WebhookDatabases, WebhookSender
from services.writer.erasure import oppositions
from shared.clock import Clock
from shared.errors import UserError
from shared.http.egress import Egress
from shared.metrics import Metrics
from tests.conditions import wait_until
from tests.environments import python_of
from tests.integration.portal.webhooks import busy_sender
from tests.integration.portal.webhooks.receiving import Receiver, receiving
from tests.integration.writer.desk import Desk, ShardUrls
from tests.integration.writer.records import Records

ON_TWO_SHARDS = True

_ROOT = Path(__file__).resolve().parents[4]
_SIREN = "000000001"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@dataclass
class Office:
    """The register, and a sender that one calls by hand."""

    desk: Desk
    records: Records
    sender: WebhookSender
    metrics: Metrics

    @property
    def control(self) -> Engine:
        return self.desk.shards[0]

    def add(self, receiver: Receiver, name: str = "directory", **wanted: Any) -> str:
        with self.control.begin() as connection:
            asked = NewReceiver(name, receiver.url, **wanted)
            return receivers.add(connection, self.desk.shards, asked)

    def change(self, *numbers: int, **more: Any) -> None:
        self.desk.import_(*(self.records.record(n, **more) for n in numbers))

    def send_until(self, reached: Callable[[], bool]) -> None:
        def sent() -> bool:
            self.sender.step()
            return reached()

        wait_until(sent)

    def listed(self, name: str = "directory") -> dict[str, Any]:
        with self.control.connect() as connection:
            [row] = [row for row in receivers.listed(connection) if row["name"] == name]
        return row

    def make_due(self) -> None:
        self.desk.execute("UPDATE webhook_places SET due_at = now()")


@pytest.fixture
def office(desk: Desk, records: Records) -> Iterator[Office]:
    metrics = Metrics()
    databases = WebhookDatabases(desk.shards[0], desk.shards)
    sender = WebhookSender(databases, Egress(), Clock(), metrics, interval_seconds=0.05)
    yield Office(desk, records, sender, metrics)
    sender.close()


def gauge(office: Office, name: str) -> float:
    collected = office.metrics.registry.get_sample_value(f"sirenade_webhook_{name}")
    assert collected is not None
    return collected


def test_a_receiver_is_told_of_what_changes_from_then_on(
    office: Office, receiver: Receiver
) -> None:
    office.change(1)
    office.add(receiver)
    office.change(2, 3)
    office.send_until(lambda: len(receiver.changes) == 2)
    assert {kind for _, kind in receiver.changes} == {"opened"}
    change = json.loads(receiver.received[0].body)["changements"][0]
    # No name stands in it.
    assert change["page"] == f"/pages/{change['siret']}"
    office.change(2, etat="F", treated="2026-03-01T00:00:00")
    office.send_until(lambda: len(receiver.changes) == 3)
    assert receiver.changes[2][1] == "closed"
    assert len(set(receiver.ids)) == len(receiver.ids)
    assert office.listed()["delivered_at"] is not None


def test_a_receiver_is_told_what_it_asked_for_and_every_erasure(
    office: Office, receiver: Receiver
) -> None:
    office.change(1, 2, siren=_SIREN)
    office.add(receiver, kinds=["closed"])
    office.change(1, siren=_SIREN, enseigne="NEUF", treated="2026-02-01T00:00:00")
    office.change(2, siren=_SIREN, etat="F", treated="2026-02-01T00:00:00")
    office.send_until(lambda: len(receiver.changes) == 1)
    assert receiver.changes[0][1] == "closed"
    oppositions.forget(
        office.desk.home_of({"siret": f"{_SIREN}00001"}), _SIREN, reason="asked", force=True
    )
    office.send_until(lambda: len(receiver.changes) == 3)
    erased = json.loads(receiver.received[-1].body)["changements"]
    assert {(each["genre"], each["page"]) for each in erased} == {("erased", None)}


def test_what_is_erased_before_it_was_told_has_no_name(office: Office, receiver: Receiver) -> None:
    office.add(receiver)
    office.change(1, 2, siren=_SIREN)
    oppositions.forget(
        office.desk.home_of({"siret": f"{_SIREN}00001"}), _SIREN, reason="asked", force=True
    )
    office.send_until(lambda: len(receiver.changes) >= 2)
    assert b"/pages/" not in b"".join(message.body for message in receiver.received)


def test_a_message_that_is_refused_is_sent_again_as_it_was(
    office: Office, receiver: Receiver
) -> None:
    office.add(receiver)
    office.change(1)
    receiver.status = 503
    receiver.headers = {"Retry-After": "3600"}
    office.send_until(lambda: office.listed()["failures"] == 1)
    [due] = office.desk.execute(
        "SELECT due_at > now() + interval '50 minutes' AS late FROM webhook_places"
        " WHERE failures > 0"
    )
    assert due["late"]
    # A change meanwhile is another message.
    office.change(1, enseigne="NEUF", treated="2026-02-01T00:00:00")
    receiver.status, receiver.headers = 200, {}
    office.make_due()
    office.send_until(lambda: len(receiver.received) == 3)
    assert receiver.ids[0] == receiver.ids[1] != receiver.ids[2]
    assert receiver.received[0].changes == receiver.received[1].changes
    assert [kind for _, kind in receiver.changes] == ["opened", "opened", "changed"]
    # An answer is noted a moment after it came.
    wait_until(lambda: _noted(office) == ["delivered", "delivered", "refused"])
    assert office.listed()["failing_since"] is None


def _noted(office: Office) -> list[str]:
    with office.control.connect() as connection:
        rows = receivers.attempts(connection, "directory", most=10)
    return [row["outcome"] for row in rows]


@pytest.mark.parametrize(
    ("status", "failing", "because"),
    [(410, "now()", "gone"), (500, "now() - interval '6 days'", "5 days")],
)
def test_a_receiver_that_is_gone_is_paused_and_resumed(
    status: int, failing: str, because: str, office: Office, receiver: Receiver
) -> None:
    office.add(receiver)
    office.desk.execute(f"UPDATE webhook_places SET failing_since = {failing}")
    office.change(1)
    receiver.status = status
    office.send_until(lambda: office.listed()["paused_because"] is not None)
    assert because in office.listed()["paused_because"]
    # It does not drop out of its alert by that.
    office.sender.step()
    assert gauge(office, "paused_receivers") == 1
    assert gauge(office, "failing_seconds") > 0
    assert gauge(office, "oldest_undelivered_seconds") > 0
    # The message that was begun is sent again as it was.
    office.change(2)
    receiver.status = 200
    with office.control.begin() as connection:
        assert receivers.resume(connection, office.desk.shards, "directory")
    office.send_until(lambda: len(receiver.received) == 3)
    office.send_until(lambda: gauge(office, "oldest_undelivered_seconds") == 0)
    assert gauge(office, "paused_receivers") == gauge(office, "failing_seconds") == 0
    assert receiver.ids.count(receiver.ids[0]) == 2
    assert [len(message.changes) for message in receiver.received] == [1, 1, 1]


def test_a_receiver_whose_place_is_kept_no_more_is_paused(
    office: Office, receiver: Receiver
) -> None:
    office.add(receiver)
    office.change(1)
    office.desk.execute("UPDATE webhook_places SET position = '1.1'")
    office.send_until(lambda: office.listed()["paused_because"] is not None)
    office.sender.step()
    assert gauge(office, "failing_seconds") > 0
    with office.control.begin() as connection:
        assert not receivers.resume(connection, office.desk.shards, "directory")
    office.change(2)
    office.send_until(lambda: len(receiver.changes) == 1)


def test_a_receiver_that_a_person_paused_is_in_no_alert(office: Office, receiver: Receiver) -> None:
    office.add(receiver)
    office.change(1)
    office.desk.execute("UPDATE webhook_places SET failing_since = now() - interval '2 days'")
    office.sender.step()
    with office.control.begin() as connection:
        receivers.pause(connection, "directory")
    office.sender.step()
    for name in ("paused_receivers", "failing_seconds", "oldest_undelivered_seconds"):
        assert gauge(office, name) == 0


def test_a_date_at_which_to_come_again_is_read_by_the_clock_of_its_server(
    office: Office, receiver: Receiver
) -> None:
    office.add(receiver)
    office.change(1)
    receiver.status = 503
    theirs = dt.datetime.now(dt.UTC) + dt.timedelta(hours=7)
    receiver.headers = {
        "Date": format_datetime(theirs, usegmt=True),
        "Retry-After": format_datetime(theirs + dt.timedelta(hours=1), usegmt=True),
    }
    office.send_until(lambda: office.listed()["failures"] == 1)
    [due] = office.desk.execute(
        "SELECT extract(epoch FROM due_at - now()) AS seconds FROM webhook_places"
        " WHERE failures > 0"
    )
    assert 3500 < due["seconds"] <= 3600


def test_a_departement_that_is_none_is_refused(office: Office, receiver: Receiver) -> None:
    with pytest.raises(UserError, match="is no département: 999"):
        office.add(receiver, departements=["33", "999"])
    assert office.desk.number("webhooks") == 0


def test_a_receiver_that_never_answers_does_not_delay_the_others(
    office: Office, receiver: Receiver
) -> None:
    over = threading.Event()
    with receiving() as hung:
        hung.wait = lambda: (over.wait(30), None)[1]
        office.add(hung, "hung")
        office.add(receiver, "well")
        for number in range(1, 6):
            office.change(number)
            told = number
            office.send_until(lambda told=told: len(receiver.changes) == told)  # type: ignore[misc]
        assert len(hung.received) <= 2
        over.set()


def test_a_sender_that_is_killed_before_it_notes_the_answer_sends_the_same_again(
    office: Office, receiver: Receiver, shard_urls: ShardUrls
) -> None:
    office.add(receiver)
    answered = threading.Event()
    receiver.wait = lambda: (answered.wait(30), None)[1]
    office.change(1)
    command = [sys.executable, "-m", busy_sender.__name__, *shard_urls]
    process = subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE)
    wait_until(lambda: len(receiver.received) == 1)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    assert process.stdout is not None
    process.stdout.close()
    answered.set()
    office.change(1, enseigne="NEUF", treated="2026-02-01T00:00:00")
    # Nobody else sends before the claim has ended.
    office.sender.step()
    assert len(receiver.received) == 1
    office.make_due()
    office.send_until(lambda: len(receiver.received) == 3)
    assert receiver.ids[0] == receiver.ids[1]
    assert receiver.received[0].changes == receiver.received[1].changes
    assert receiver.changes[2][1] == "changed"


def test_a_sender_that_stops_begins_no_other_message(office: Office, receiver: Receiver) -> None:
    answered = threading.Event()
    receiver.wait = lambda: (answered.wait(30), None)[1]
    clock = Clock()
    databases = WebhookDatabases(office.control, office.desk.shards)
    sender = WebhookSender(databases, Egress(), clock, Metrics(), interval_seconds=0.05)
    office.add(receiver)
    office.change(1)
    sender.step()
    wait_until(lambda: len(receiver.received) == 1)
    office.change(1, enseigne="NEUF", treated="2026-02-01T00:00:00")
    clock.stopping.set()
    answered.set()
    sender.close()
    assert len(receiver.received) == 1
    # Another sender goes on at once.
    office.send_until(lambda: len(receiver.received) == 2)


def test_addresses_of_one_s_own_network_are_refused(office: Office, receiver: Receiver) -> None:
    for url in ("http://example.com/x", "https://10.0.0.1/", "https://localhost/", "ftp://a.b/"):
        with pytest.raises(UserError):
            receivers.check_address(url, private=False)
    receivers.check_address("https://example.com/changes", private=False)
    office.add(receiver)
    office.change(1)
    databases = WebhookDatabases(office.control, office.desk.shards)
    sender = WebhookSender(
        databases, Egress(public_only=True), Clock(), Metrics(), interval_seconds=0.05
    )
    sender.step()
    sender.close()
    assert receiver.received == []
    assert office.listed()["failures"] == 1


def test_old_attempts_are_forgotten_and_a_receiver_whole(
    office: Office, receiver: Receiver
) -> None:
    office.add(receiver)
    office.change(1)
    office.send_until(lambda: office.listed()["delivered_at"] is not None)
    office.desk.execute(
        f"UPDATE webhook_attempts SET attempted_at = now() - interval '{KEPT_DAYS + 1} days'"
    )
    office.sender.step()
    with office.control.begin() as connection:
        assert receivers.attempts(connection, "directory", most=10) == []
        receivers.remove(connection, "directory")
        assert receivers.listed(connection) == []


_CHECK = """
import json, sys
from standardwebhooks import Webhook

sent = json.load(sys.stdin)
print(json.dumps(Webhook(sent["secret"]).verify(sent["body"], sent["headers"])))
"""


def test_a_library_of_others_takes_the_signature(office: Office, receiver: Receiver) -> None:
    secret = office.add(receiver)
    office.change(1)
    office.send_until(lambda: len(receiver.received) == 1)
    message = receiver.received[0]
    sent = {"secret": secret, "body": message.body.decode(), "headers": dict(message.headers)}
    checked = subprocess.run(
        [str(python_of("webhooks")), "-c", _CHECK],
        input=json.dumps(sent),
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr[-2000:]
    assert json.loads(checked.stdout)["type"] == "pages.changed"
