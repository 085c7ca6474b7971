"""A provider that one replica has learnt to doubt is doubted by all, and tried out by one."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from sqlalchemy import Engine, text
from structlog.testing import capture_logs

from services.reviewer.money.doubts import Doubts
from services.reviewer.money.rate_limits import open_providers
from services.reviewer.money.shared_meter import SharedMeter
from services.reviewer.providers.limits import CallLimit
from services.reviewer.providers.settings import Provider
from services.reviewer.providers.trust import REFUSALS
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.errors import SlowDown
from shared.metrics import Metrics
from tests.integration.reviewer.chat_reviews import FREE, provider


@pytest.fixture
def known(engine: Engine) -> Provider:
    known = provider("http://localhost:1", price=FREE)
    open_providers(engine, [known], prompt_version="1")
    return known


def replica(engine: Engine, metrics: Metrics | None = None) -> Doubts:
    return Doubts(engine, ["local"], Clock(), metrics or Metrics())


def end_the_doubt_soon(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE review_providers SET doubted_until = clock_timestamp()"))


@pytest.mark.usefixtures("known")
def test_refusals_are_counted_over_all_replicas(engine: Engine) -> None:
    replicas = [replica(engine) for _ in range(4)]
    doubts = [replicas[number % 4].judge("local", accepted=False) for number in range(REFUSALS)]
    assert doubts[:-1] == [0] * (REFUSALS - 1)
    assert 295 < doubts[-1] <= 300
    metrics = Metrics()
    assert 295 < replica(engine, metrics).left_seconds("local") <= 300
    assert metrics.registry.get_sample_value("sirenade_trust_state", {"provider": "local"}) == 2
    # It had read the row before.
    assert replicas[0].judge("local", accepted=True) == 0
    assert replica(engine).left_seconds("local") == 0


@pytest.mark.usefixtures("known")
def test_a_text_that_is_accepted_costs_no_statement() -> None:
    away = make_engine("postgresql://nobody@127.0.0.1:9/none", application_name="x")
    with capture_logs() as events:
        assert replica(away).judge("local", accepted=True) == 0
        assert events == []
        assert replica(away).judge("local", accepted=False) == 0
    assert [event["event"] for event in events] == ["cannot store a verdict"]


def test_what_bills_too_much_is_asked_by_no_replica_and_then_by_one(
    engine: Engine, known: Provider
) -> None:
    meters = [SharedMeter(engine, [known], Clock(), Metrics()) for _ in range(5)]
    assert 295 < meters[0].overbilled(known) <= 300
    assert meters[1].closed_seconds(known) > 295
    for meter in meters[:2]:
        with pytest.raises(SlowDown) as refused:
            meter.reserve(known, tokens=1, cost_eur=Decimal(0))
        assert refused.value.reason == CallLimit.OUT_OF_USE
        assert refused.value.retry_after_seconds > 200
    end_the_doubt_soon(engine)
    meters = [SharedMeter(engine, [known], Clock(), Metrics()) for _ in range(5)]
    assert [meter.closed_seconds(known) for meter in meters] == [0] * 5

    def asks(meter: SharedMeter) -> bool:
        try:
            meter.reserve(known, tokens=1, cost_eur=Decimal(0))
        except SlowDown:
            return False
        return True

    with ThreadPoolExecutor(5) as threads:
        assert sorted(threads.map(asks, meters)) == [False] * 4 + [True]
    assert meters[0].judge(known, accepted=False) == 0, "its bill was in order"
    assert SharedMeter(engine, [known], Clock(), Metrics()).closed_seconds(known) == 0


def test_another_prompt_or_model_is_trusted_anew(engine: Engine, known: Provider) -> None:
    replica(engine).overbilled("local")
    open_providers(engine, [known], prompt_version="1")
    assert replica(engine).left_seconds("local") > 295, "a replica that starts knows it, too"
    open_providers(engine, [known], prompt_version="2")
    assert replica(engine).left_seconds("local") == 0
    replica(engine).overbilled("local")
    open_providers(engine, [known.model_copy(update={"model": "other"})], prompt_version="2")
    assert replica(engine).left_seconds("local") == 0


@pytest.mark.usefixtures("known")
def test_a_doubt_written_by_a_clock_ahead_of_now_is_none(engine: Engine) -> None:
    replica(engine).overbilled("local")
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE review_providers SET doubted_until = now() + interval '1 year'")
        )
    assert replica(engine).left_seconds("local") == 0
