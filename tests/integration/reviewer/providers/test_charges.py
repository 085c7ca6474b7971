"""The charges of a call, and providers that are left alone for what they bill or write."""

import json

import pytest
from structlog.testing import capture_logs

from services.reviewer.providers.limits import Reservation
from services.reviewer.providers.settings import TokenUsage
from shared.metrics import Metrics
from tests.integration.reviewer.chat_reviews import (
    RecordingMeter,
    make_author,
    provider,
    within,
)
from tests.integration.reviewer.chat_server import Response, completion, phrases, text
from tests.integration.reviewer.providers.conftest import BAD, FACTS, Servers, review


def test_an_ok_without_an_answer_is_tried_again_and_not_billed(
    servers: Servers, meter: RecordingMeter
) -> None:
    server = servers.start(
        Response(b"<html>nginx</html>"), Response(b'{"error": {"code": 502}}'), Response(text())
    )
    [attempt] = review(meter, provider(server.base_url))
    assert attempt.accepted
    assert [meter.settled[id_] is None for id_ in range(3)] == [True, True, False]
    assert (attempt.tokens_in, attempt.unanswered) == (1200, 0)


def test_a_failure_that_tells_its_usage_is_billed_that_much(
    servers: Servers, meter: RecordingMeter
) -> None:
    usage = {"prompt_tokens": 1200, "completion_tokens": 7}
    failures = (
        Response(text(finish_reason="error", usage=usage)),
        Response(json.dumps({"error": {"code": "server_error"}, "usage": usage}).encode(), 500),
    )
    server = servers.start(*failures, Response(text()))
    [attempt] = review(meter, provider(server.base_url))
    assert attempt.accepted
    assert (attempt.tokens_in, attempt.tokens_out) == (3 * 1200, 7 + 7 + 120)
    assert attempt.unanswered == 0
    assert attempt.cost_eur == meter.cost_eur


def test_a_gateway_that_waited_no_longer_is_charged_as_an_answer_that_was_cut(
    servers: Servers, meter: RecordingMeter
) -> None:
    server = servers.start(Response(status=504), Response(status=524), Response(text()))
    [attempt] = review(meter, provider(server.base_url))
    assert attempt.accepted
    assert attempt.unanswered == 2
    assert attempt.tokens_out == 600 + 600 + 120
    assert attempt.cost_eur == meter.cost_eur


def test_zero_usage_is_estimated_and_less_than_usual_is_raised_to_it(
    servers: Servers, meter: RecordingMeter
) -> None:
    usages = [
        None,
        {"prompt_tokens": 0, "completion_tokens": 0},
        {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    ]
    server = servers.start(*(Response(text(usage=usage)) for usage in usages))
    author = make_author([provider(server.base_url)], meter, Metrics())
    attempts = [author.write(FACTS, within(20)).made[0] for _ in usages]
    assert len({(each.tokens_in, each.tokens_out) for each in attempts}) == 1
    assert attempts[0].tokens_in > 500


def test_thoughts_in_the_total_only_are_billed(servers: Servers, meter: RecordingMeter) -> None:
    usage = {"prompt_tokens": 1200, "completion_tokens": 120, "total_tokens": 1700}
    server = servers.start(Response(text(usage=usage)))
    [attempt] = review(meter, provider(server.base_url))
    assert (attempt.tokens_in, attempt.tokens_out) == (1200, 500)


@pytest.mark.parametrize(
    ("tokens_out", "counted"), [(1200, 1200), (99_999, 99_999), (100_001, 600), (2**40, 600)]
)
def test_a_provider_that_bills_more_than_a_call_can_take_is_left_alone_and_told_of(
    servers: Servers, tokens_out: int, counted: int
) -> None:
    usage = {"prompt_tokens": 1200, "completion_tokens": tokens_out}
    server = servers.start(Response(text(usage=usage)))
    author = make_author([provider(server.base_url)], OverbilledMeter(), Metrics())
    with capture_logs() as events:
        [attempt] = author.write(FACTS, within(20)).made
        assert attempt.accepted
        assert attempt.tokens_out == counted
        assert author.write(FACTS, within(20)).slow_down is not None
    assert len(server.requests) == 1
    [told] = [event for event in events if event["event"] == "a provider is out of use"]
    assert "max_tokens" in told["reason"]


class OverbilledMeter(RecordingMeter):
    """Takes what is above the reservation."""

    def settle(self, reservation: Reservation, usage: TokenUsage | None) -> None:
        del reservation, usage


def test_a_model_that_thinks_aloud_is_read_to_the_end(
    servers: Servers, meter: RecordingMeter
) -> None:
    server = servers.start(Response(completion(f"<think>Bon, {{NOM}}…</think>\n{phrases()}")))
    [attempt] = review(meter, provider(server.base_url))
    assert attempt.accepted


def test_a_provider_whose_texts_are_all_refused_is_doubted_and_told_of(
    servers: Servers, meter: RecordingMeter
) -> None:
    """Twenty refused texts and those on their way are paid for, not all."""
    server = servers.start(Response(completion("Certainement !")))
    author = make_author([provider(server.base_url)], meter, Metrics(), outage_seconds=0)
    with capture_logs() as events:
        written = [author.write(FACTS, within(20)).made for _ in range(30)]
    assert len(server.requests) == 20
    assert all(made[-1].accepted and made[-1].model == "template" for made in written)
    told = [event for event in events if "texts are all refused" in event["event"]]
    assert [(event["log_level"], event["next_in_seconds"]) for event in told] == [("error", 300)]


def test_a_provider_that_is_only_refused_at_times_is_not_doubted(
    servers: Servers, meter: RecordingMeter
) -> None:
    server = servers.start(*[Response(text(BAD))] * 19, Response(text()), Response(text(BAD)))
    author = make_author([provider(server.base_url)], meter, Metrics())
    for _ in range(12):
        author.write(FACTS, within(20))
    assert len(server.requests) > 30
