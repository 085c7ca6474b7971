"""The reviewer at work: relay, broker, actor, generators and store together."""

import datetime as dt
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import dramatiq
import pytest
from pydantic import SecretStr
from sqlalchemy.pool import QueuePool

from deploy.local.postgres import RunningPostgres
from services.reviewer.actors import Crew, declare_actors
from services.reviewer.generators import template
from services.reviewer.generators.template import GeneratedText
from services.reviewer.main import build
from services.reviewer.relay import Relay
from services.reviewer.reviewing import Reviewing
from services.reviewer.settings import ReviewerSettings
from services.reviewer.validation import validate
from shared.broker import make_broker
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.messages import ReviewAvis
from shared.metrics import Metrics
from shared.publishing import publish
from shared.service import Loop, Running, Service
from shared.sirene.facts import Facts

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Register

MakeCrew = Callable[..., Crew]


@pytest.fixture
def make_crew(
    database_url: str, clock: Clock, metrics: Metrics, reviewing: Reviewing
) -> Iterator[MakeCrew]:
    """Crews with an engine of their own, of two connections, and no validator unless given."""
    crews: list[Crew] = []

    def make(
        generate: Callable[[Facts], GeneratedText] = template.generate,
        *,
        generators: int = 4,
        lease_seconds: float = 60,
        reviewing: Reviewing = reviewing,
    ) -> Crew:
        generator = replace(reviewing.generator, generate=generate)
        crews.append(
            Crew(
                engine=make_engine(database_url, application_name=f"crew-{len(crews)}"),
                generators=ThreadPoolExecutor(generators),
                reviewing=replace(reviewing, generator=generator),
                clock=clock,
                metrics=metrics,
                lease_seconds=lease_seconds,
                sole_traders=False,
            )
        )
        return crews[-1]

    yield make
    for crew in crews:
        crew.generators.shutdown()
        crew.engine.dispose()


@contextmanager
def at_work(service: Service, broker: dramatiq.Broker, metrics: Metrics) -> Iterator[None]:
    clock = Clock()
    running = Running([service], broker, clock, metrics)
    running.start()
    try:
        yield
    finally:
        running.stop()


def wait_until(condition: Callable[[], bool], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not reached in time"
        time.sleep(0.05)


def nothing_pending(register: "Register") -> bool:
    return register.rows("SELECT 1 FROM avis WHERE outcome = 'pending' LIMIT 1") == []


def test_every_due_avis_is_accepted_once_by_the_service_as_it_is_built(
    register: "Register", database_url: str, metrics: Metrics
) -> None:
    ids = register.add(range(1, 81))
    register.add(range(81, 84), statut_diffusion="P")
    settings = ReviewerSettings(
        database_url=SecretStr(database_url), broker_url=SecretStr("memory://"), metrics_port=0
    )
    broker = make_broker("memory://")
    engine = make_engine(database_url, application_name="reviewer", pool_size=2)
    service = build(settings, engine=engine, broker=broker, clock=Clock(), metrics=metrics)
    assert service.queue == "sirene.review.v1"
    with at_work(service, broker, metrics):
        wait_until(lambda: nothing_pending(register))
    broker.close()
    engine.dispose()
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


def test_three_reviewers_at_once_write_every_due_avis_exactly_once(
    register: "Register", make_crew: MakeCrew
) -> None:
    """Each of them gets every message, as after a redelivery."""
    ids = register.add(range(1, 121))
    called: list[str] = []

    def generate(facts: Facts) -> GeneratedText:
        called.append(facts.siret)
        return template.generate(facts)

    crews = [make_crew(generate) for _ in range(3)]
    messages = [ids[start : start + 10] for start in range(0, len(ids), 10)]
    with ThreadPoolExecutor() as actors:
        for future in [actors.submit(crew.work, message) for message in messages for crew in crews]:
            future.result()
    assert len(called) == len(set(called)) == len(ids)
    rows = register.rows("SELECT outcome FROM avis")
    assert {row["outcome"] for row in rows} == {"accepted"}
    assert len(register.rows("SELECT 1 FROM avis_attempts")) == len(ids)


def test_nothing_accepted_is_ever_generated_again_when_nothing_changed(
    register: "Register", make_crew: MakeCrew, clock: Clock, metrics: Metrics
) -> None:
    ids = register.add(range(1, 31))
    called: list[str] = []

    def generate(facts: Facts) -> GeneratedText:
        called.append(facts.siret)
        return template.generate(facts)

    crew = make_crew(generate)
    relay = Relay(
        engine=register.engine,
        publish=lambda message: crew.work(message.avis_ids),
        clock=clock,
        metrics=metrics,
        high_water=100,
        stall_seconds=0.001,
    )
    for _ in range(3):
        relay.step()
        crew.work(ids)
        # The writer made them due, and then due for the facts of before.
        register.execute("UPDATE avis SET outcome = 'pending', published_at = NULL")
    relay.step()
    assert len(called) == len(ids)
    assert nothing_pending(register)


def test_a_label_is_dated_as_on_a_calendar_in_paris(
    register: "Register", make_crew: MakeCrew
) -> None:
    [avis_id] = register.add(range(1, 2))
    register.execute("UPDATE etablissements SET fetched_at = '2026-07-31 23:00:00+00'")
    half_past_one = dt.datetime(2026, 8, 14, 23, 30, tzinfo=dt.UTC)
    replace(make_crew(), clock=Clock(now=lambda: half_past_one)).work([avis_id])
    assert register.avis(avis_id)["label"].startswith(
        "Notice générée automatiquement le 15 août 2026 à partir du répertoire Sirene "
        "(Insee, août 2026)."
    )


def test_a_bad_text_is_rejected_and_never_published(
    register: "Register", make_crew: MakeCrew, reviewing: Reviewing, metrics: Metrics
) -> None:
    [avis_id] = register.add(range(1, 2))

    def write_praise(facts: Facts) -> GeneratedText:
        praise = "Je recommande vivement cette entreprise, la meilleure de Bordeaux : 5 étoiles !"
        return replace(template.generate(facts), text=praise)

    strict = replace(reviewing, validate=lambda text, facts: validate(text, facts).reasons)
    make_crew(write_praise, reviewing=strict).work([avis_id])
    row = register.avis(avis_id)
    assert (row["outcome"], row["text"], row["label"]) == ("rejected", None, None)
    [attempt] = register.rows("SELECT * FROM avis_attempts")
    assert {"recommendation", "first_person", "name_missing"} <= set(attempt["reasons"])
    assert not attempt["accepted"]
    [failed] = register.rows("SELECT * FROM failed_items")
    assert (failed["key"], failed["resolved_at"]) == (str(avis_id), None)
    counted = metrics.registry.get_sample_value(
        "sirenade_avis_rejections_total", {"reason": "recommendation"}
    )
    assert counted == 1


def test_a_generator_that_breaks_on_one_avis_writes_the_others(
    register: "Register", make_crew: MakeCrew
) -> None:
    ids = register.add(range(1, 11))

    def generate(facts: Facts) -> GeneratedText:
        if facts.siren == register.siren(4):
            raise KeyError(facts.nom)
        return template.generate(facts)

    make_crew(generate).work(ids)
    rejected = register.rows("SELECT id FROM avis WHERE outcome <> 'accepted'")
    assert [row["id"] for row in rejected] == [ids[3]]
    [failed] = register.rows("SELECT code, message FROM failed_items")
    assert (failed["code"], failed["message"]) == ("generator_failed", "generator_failed: KeyError")


def test_no_connection_is_held_while_a_text_is_made(
    register: "Register", make_crew: MakeCrew
) -> None:
    ids = register.add(range(1, 6))
    held: list[int] = []
    crew = make_crew()
    pool = crew.engine.pool
    assert isinstance(pool, QueuePool)

    def generate(facts: Facts) -> GeneratedText:
        held.append(pool.checkedout())
        return template.generate(facts)

    generator = replace(crew.reviewing.generator, generate=generate)
    replace(crew, reviewing=replace(crew.reviewing, generator=generator)).work(ids)
    assert held == [0] * 5


def test_a_stopping_reviewer_finishes_what_it_began_and_returns_the_rest(
    register: "Register", make_crew: MakeCrew, clock: Clock
) -> None:
    ids = register.add(range(1, 21))
    register.execute("UPDATE avis SET published_at = now()")
    begun: list[str] = []

    def generate(facts: Facts) -> GeneratedText:
        begun.append(facts.siren)
        clock.stopping.set()
        return template.generate(facts)

    make_crew(generate, generators=2).work(ids)
    assert 1 <= len(begun) <= 2
    rows = register.rows("SELECT * FROM avis WHERE outcome = 'pending'")
    assert len(rows) == 20 - len(begun)
    assert all(row["published_at"] is row["lease_until"] is None for row in rows)
    assert {row["attempts"] for row in rows} == {0}


def test_texts_that_would_outlive_their_lease_are_not_begun(
    register: "Register", make_crew: MakeCrew
) -> None:
    ids = register.add(range(1, 11))

    def generate(facts: Facts) -> GeneratedText:
        time.sleep(0.3)
        return template.generate(facts)

    crew = make_crew(generate, generators=1, lease_seconds=2)
    crew.work(ids)
    accepted = len(register.rows("SELECT 1 FROM avis WHERE outcome = 'accepted'"))
    assert 1 <= accepted < 10
    attempts = register.rows("SELECT accepted FROM avis_attempts")
    assert [row["accepted"] for row in attempts] == [True] * accepted


def test_a_text_is_not_generated_again_because_the_database_went_away(
    register: "Register", make_crew: MakeCrew, postgres: RunningPostgres
) -> None:
    [avis_id] = register.add(range(1, 2))
    crew = make_crew()
    name = crew.engine.url.database
    called: list[str] = []

    def allow_connections(answer: str) -> None:
        with postgres.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {answer}")
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
            )

    def generate(facts: Facts) -> GeneratedText:
        called.append(facts.siren)
        allow_connections("false")
        threading.Timer(1.5, allow_connections, ["true"]).start()
        return template.generate(facts)

    generator = replace(crew.reviewing.generator, generate=generate)
    replace(crew, reviewing=replace(crew.reviewing, generator=generator)).work([avis_id])
    assert len(called) == 1
    assert register.avis(avis_id)["outcome"] == "accepted"


def test_a_message_with_unknown_ids_is_done(register: "Register", make_crew: MakeCrew) -> None:
    ids = register.add(range(1, 2))
    make_crew().work([*ids, 999_999])
    assert register.avis(ids[0])["outcome"] == "accepted"


def test_the_actor_works_off_a_real_queue(
    register: "Register", make_crew: MakeCrew, rabbitmq_url: str, clock: Clock, metrics: Metrics
) -> None:
    register.add(range(1, 61))
    broker = make_broker(rabbitmq_url)
    crew = make_crew()
    declare_actors(broker, crew)
    relay = Relay(
        engine=crew.engine,
        publish=lambda message: publish(broker, message),
        clock=clock,
        metrics=metrics,
        high_water=30,
        stall_seconds=900,
    )
    service = Service(
        "reviewer", ReviewAvis.QUEUE, worker_threads=2, loops=(Loop("relay", 0.1, relay.step),)
    )
    with at_work(service, broker, metrics):
        wait_until(lambda: nothing_pending(register))
    broker.close()
    assert len(register.rows("SELECT 1 FROM avis_attempts WHERE accepted")) == 60
