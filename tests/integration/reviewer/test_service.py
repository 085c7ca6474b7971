"""The reviewer at work: relay, broker, actor, generators and store together."""

import threading
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.reviewer.actors import declare_actors
from services.reviewer.money.budget import Budget
from services.reviewer.notices import template
from services.reviewer.notices.template import GeneratedText
from services.reviewer.relay import Relay
from shared.broker import make_broker
from shared.broker.envelope import publish
from shared.clock import Clock
from shared.messages import ReviewAvis
from shared.metrics import Metrics
from shared.runtime.service import Loop, Service
from shared.sirene.facts import Facts

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Register
from tests.integration.conftest import WaitFor
from tests.integration.reviewer.chat_server import Response, chat_server, text
from tests.integration.reviewer.reviewers import (
    MakeReviewer,
    at_work,
    nothing_pending,
    reviewer_at_work,
    write_providers,
)


def test_every_due_avis_is_accepted_once_by_the_service_as_it_is_built(
    register: "Register", database_url: str, metrics: Metrics, wait_for: WaitFor
) -> None:
    ids = register.add(range(1, 81), apart=True)
    register.add(range(81, 84), statut_diffusion="P")
    with reviewer_at_work(database_url, metrics) as service:
        assert service.queue == "sirene.review.v1"
        wait_for(lambda: nothing_pending(register), seconds=60)
    accepted = register.rows("SELECT * FROM avis WHERE outcome = 'accepted' ORDER BY id")
    assert [row["id"] for row in accepted] == ids
    assert all("Bordeaux" in row["text"] for row in accepted)
    assert all("(Insee, août 2026)" in row["label"] for row in accepted)
    assert {row["digital_source_type"] for row in accepted} == {"algorithmicMedia"}
    attempts = register.rows("SELECT avis_id, accepted, reasons FROM avis_attempts")
    assert Counter(row["avis_id"] for row in attempts) == Counter(ids)
    assert all(row["accepted"] and row["reasons"] == [] for row in attempts)
    assert (
        metrics.registry.get_sample_value("sirenade_avis_reviewed_total", {"outcome": "accepted"})
        == 80
    )
    assert metrics.registry.get_sample_value("sirenade_generators_busy") == 0


def test_nothing_accepted_is_ever_generated_again_when_nothing_changed(
    register: "Register", make_reviewer: MakeReviewer, clock: Clock, metrics: Metrics
) -> None:
    ids = register.add(range(1, 31))
    called: list[str] = []

    def generate(facts: Facts, year: int) -> GeneratedText:
        called.append(facts.siret)
        return template.generate(facts, year)

    reviewer = make_reviewer(generate)
    relay = Relay(
        engine=register.engine,
        publish=lambda message: reviewer.work(message.avis_ids),
        clock=clock,
        metrics=metrics,
        high_water=100,
        stall_seconds=0.001,
    )
    for _ in range(3):
        relay.step()
        reviewer.work(ids)
        # The writer made them due, and then the facts were the earlier ones again.
        register.execute("UPDATE avis SET outcome = 'pending', published_at = NULL")
    relay.step()
    assert len(called) == len(ids)
    assert nothing_pending(register)


def test_the_actor_works_off_a_real_queue(
    register: "Register",
    make_reviewer: MakeReviewer,
    rabbitmq_url: str,
    clock: Clock,
    metrics: Metrics,
    wait_for: WaitFor,
) -> None:
    register.add(range(1, 61))
    broker = make_broker(rabbitmq_url)
    reviewer = make_reviewer()
    declare_actors(broker, reviewer)
    relay = Relay(
        engine=reviewer.engine,
        publish=lambda message: publish(broker, message),
        clock=clock,
        metrics=metrics,
        high_water=30,
        stall_seconds=900,
    )
    service = Service(
        "reviewer", ReviewAvis.QUEUE, worker_threads=2, loops=(Loop("relay", 0.1, relay.step),)
    )
    with at_work(service, broker, clock, metrics):
        wait_for(lambda: nothing_pending(register), seconds=60)
    broker.close()
    assert len(register.rows("SELECT 1 FROM avis_attempts WHERE accepted")) == 60


def has_left(register: "Register", avis_id: int) -> bool:
    """A claim while the relay marks the row leaves the row with a lease only."""
    row = register.avis(avis_id)
    return row["published_at"] is not None or row["lease_until"] is not None


def test_messages_of_one_avis_each_keep_all_generators_at_work(
    register: "Register",
    database_url: str,
    metrics: Metrics,
    wait_for: WaitFor,
    tmp_path: Path,
) -> None:
    """Avis become due one by one, as establishments come in."""
    generators = 8
    Budget(register.engine).resume(cap_eur=None, keep_cap=False)
    together = threading.Barrier(generators)

    def respond(_: dict[str, Any]) -> Response:
        together.wait(timeout=60)
        return Response(text())

    ids = register.add(range(1, generators + 1), apart=True)
    register.execute("UPDATE avis SET published_at = now()")
    with chat_server(respond) as server:
        file = write_providers(tmp_path / "providers.toml", server.base_url, timeout_seconds=60)
        with reviewer_at_work(
            database_url, metrics, avis_providers_file=file, reviewer_generators=generators
        ):
            for avis_id in ids:
                register.execute("UPDATE avis SET published_at = NULL WHERE id = :id", id=avis_id)
                wait_for(partial(has_left, register, avis_id), seconds=30)
            wait_for(lambda: nothing_pending(register), seconds=60)
    assert len(server.requests) == generators
    rows = register.rows("SELECT DISTINCT model FROM avis WHERE outcome = 'accepted'")
    assert [row["model"] for row in rows] == ["m"]
