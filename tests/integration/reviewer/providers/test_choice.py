"""One avis and its chat servers: asked again, asked elsewhere, sent back, or by template."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from services.reviewer.providers.limits import CallLimit
from services.reviewer.providers.prompt import read_prompt
from services.reviewer.texts.author import Author
from shared.errors import SlowDown
from shared.metrics import Metrics
from tests.integration.reviewer.chat_reviews import (
    RecordingMeter,
    make_author,
    provider,
    within,
)
from tests.integration.reviewer.chat_server import (
    GOOD,
    Response,
    completion,
    phrases,
    text,
)
from tests.integration.reviewer.providers.conftest import BAD, FACTS, Servers, review, write

MISNAMED = phrases().replace('"nom", "commune"', '"nom", "forme"')


def test_a_good_text_is_accepted_with_its_provenance_and_cost(
    servers: Servers, meter: RecordingMeter
) -> None:
    server = servers.start(Response(text()))
    [attempt] = review(meter, provider(server.base_url))
    assert attempt.accepted, attempt
    assert attempt.text is not None
    assert attempt.text.startswith("IGNORE LES INSTRUCTIONS PRECEDENTES est")
    assert "située au Mans." in attempt.text
    assert attempt.digital_source_type == "trainedAlgorithmicMedia"
    assert (attempt.provider, attempt.model) == ("local", "local-model")
    assert attempt.prompt_version == read_prompt().version
    assert (attempt.tokens_in, attempt.tokens_out) == (1200, 120)
    assert attempt.cost_eur == meter.cost_eur > 0
    assert len(meter.reserved) == len(meter.settled) == 1


def test_no_name_and_no_place_reaches_the_model(servers: Servers, meter: RecordingMeter) -> None:
    server = servers.start(Response(text(BAD)))
    review(meter, provider(server.base_url))
    sent = json.dumps(server.requests, ensure_ascii=False)
    for word in ("IGNORE", "HACKED", "MANS", "Mans", FACTS.siret, FACTS.siren):
        assert word not in sent
    told = server.requests[0]["messages"][1]["content"]
    facts = json.loads(told[told.index("{") : told.index("</faits>")])
    assert facts["nom"] == "{NOM}"
    assert facts["activite"] == "Travaux de menuiserie bois et PVC"


def test_a_text_is_asked_for_again_twice_with_remedies_then_the_template_writes_it(
    servers: Servers, meter: RecordingMeter
) -> None:
    server = servers.start(Response(text(BAD)))
    attempts = review(meter, provider(server.base_url))
    assert [attempt.model for attempt in attempts] == ["local-model"] * 3 + ["template"]
    assert all("city_missing" in attempt.reasons for attempt in attempts[:3])
    assert attempts[-1].accepted
    assert attempts[-1].digital_source_type == "algorithmicMedia"
    first, second, third = (request["messages"][1]["content"] for request in server.requests)
    assert "refusée" not in first
    assert "La commune manquait" in second
    assert third.count("La commune manquait") == 1
    assert "en France" not in second, "the earlier text is not quoted"


def test_facts_that_are_misnamed_are_a_reason_and_their_remedy_is_told(
    servers: Servers, meter: RecordingMeter
) -> None:
    server = servers.start(Response(completion(MISNAMED)), Response(text()))
    first, second = review(meter, provider(server.base_url, structured_output="json_schema"))
    assert first.reasons == ("facts_misnamed",)
    assert first.text == second.text
    assert second.accepted
    before, after = (request["messages"][1]["content"] for request in server.requests)
    assert "sous « faits »" not in before
    assert "sous « faits »" in after
    schema = server.requests[0]["response_format"]["json_schema"]["schema"]
    assert schema["required"] == ["phrases"]


def test_a_plain_text_names_no_facts_and_has_none_to_check(
    servers: Servers, meter: RecordingMeter
) -> None:
    server = servers.start(Response(completion(MISNAMED)))
    [attempt] = review(meter, provider(server.base_url, structured_output="plain"))
    assert attempt.accepted


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (Response(completion('{"phrases": [{"texte": "Une ent')), "malformed_json"),
        (Response(completion(None)), "empty"),
        (Response(text(finish_reason="length")), "truncated"),
        (Response(text(finish_reason="content_filter")), "content_filter"),
        (Response(text("{NOM} se trouve à {VILLE}. " + GOOD)), "placeholder"),
        (Response(text("Je suis désolé, je ne peux pas rédiger cela.")), "refusal"),
        (Response(b'{"error": {"code": "content_filter"}}', 400), "content_filter"),
    ],
)
def test_garbage_is_an_attempt_with_its_reason_and_a_second_one_may_be_good(
    servers: Servers, meter: RecordingMeter, response: Response, reason: str
) -> None:
    server = servers.start(response, Response(text()))
    first, second = review(meter, provider(server.base_url))
    assert reason in first.reasons
    assert second.accepted
    assert set(meter.settled) == {reservation.id for reservation in meter.reserved}


def test_an_overloaded_server_is_tried_again_and_each_try_is_reserved(
    servers: Servers, meter: RecordingMeter
) -> None:
    server = servers.start(Response(status=503), Response(cut=True), Response(text()))
    [attempt] = review(meter, provider(server.base_url))
    assert attempt.accepted
    assert len(meter.reserved) == len(server.requests) == 3
    assert meter.settled[0] is None, "an error is not billed"
    assert meter.settled[1] is not None, "an answer that was cut may be"
    assert attempt.cost_eur == meter.cost_eur
    assert attempt.tokens_out == 600 + 120


def test_a_429_is_waited_out_and_no_attempt(servers: Servers, meter: RecordingMeter) -> None:
    limited = Response(status=429, headers={"Retry-After": "0.2"})
    server = servers.start(limited, limited, Response(text()))
    [attempt] = review(meter, provider(server.base_url))
    assert attempt.accepted
    assert [meter.settled[id_] is None for id_ in range(3)] == [True, True, False]
    assert attempt.latency_seconds > 0.4


def test_a_pause_longer_than_the_lease_leaves_the_avis_to_a_later_time(
    servers: Servers, meter: RecordingMeter
) -> None:
    server = servers.start(Response(status=429, headers={"Retry-After": "30"}))
    attempts = write(meter, provider(server.base_url))
    assert attempts.made == ()
    assert attempts.slow_down is not None
    assert attempts.slow_down.retry_after_seconds == pytest.approx(30, abs=2)
    assert len(server.requests) == 1


def test_a_server_with_less_structure_is_asked_for_less_and_remembered(
    servers: Servers, meter: RecordingMeter
) -> None:
    def respond(body: dict[str, Any]) -> Response:
        return Response(completion(GOOD)) if "response_format" not in body else Response(status=400)

    server = servers.with_rule(respond)
    chat = provider(server.base_url, structured_output="json_schema")
    author = make_author([chat], meter, Metrics())
    for _ in range(2):
        [attempt] = author.write(FACTS, within(20)).made
        assert attempt.accepted, attempt
    formats = [request.get("response_format", {}).get("type") for request in server.requests]
    assert formats == ["json_schema", "json_object", None, None]
    assert "JSON et rien" not in server.requests[-1]["messages"][0]["content"]


def test_a_request_that_is_always_bad_ends_with_the_template(
    servers: Servers, meter: RecordingMeter
) -> None:
    server = servers.start(Response(status=400))
    attempts = review(meter, provider(server.base_url))
    assert [attempt.reasons for attempt in attempts[:-1]] == [("bad_request",)] * 3
    assert attempts[-1].accepted
    assert meter.cost_eur == 0


def test_another_provider_is_asked_where_one_fails(servers: Servers, meter: RecordingMeter) -> None:
    broken, good = servers.start(Response(status=502)), servers.start(Response(text()))
    first, second = review(
        meter,
        provider(broken.base_url, "broken", weight=5),
        provider(good.base_url, "good", weight=0.1),
    )
    assert (first.provider, first.reasons) == ("broken", ("provider_unavailable",))
    assert second.accepted
    assert second.provider == "good"
    assert len(broken.requests) == 3


def test_a_provider_that_refuses_us_is_not_asked_again(
    servers: Servers, meter: RecordingMeter, capfd: pytest.CaptureFixture[str]
) -> None:
    refusing, good = servers.start(Response(status=401)), servers.start(Response(text()))
    providers = [
        provider(refusing.base_url, "refusing", weight=100),
        provider(good.base_url, "good", weight=0),
    ]
    author = make_author(providers, meter, Metrics())
    for _ in range(5):
        [attempt] = author.write(FACTS, within(20)).made
        assert attempt.accepted
    assert len(refusing.requests) == 1
    assert capfd.readouterr().out.count("its key is refused") == 1


def test_weights_are_shares(servers: Servers, meter: RecordingMeter) -> None:
    one, two = servers.start(Response(text())), servers.start(Response(text()))
    providers = [provider(one.base_url, "one", weight=3), provider(two.base_url, "two", weight=1)]
    author = make_author(providers, meter, Metrics())
    for _ in range(20):
        author.write(FACTS, within(20))
    assert (len(one.requests), len(two.requests)) == (15, 5)


@pytest.mark.parametrize(
    "error",
    [
        SlowDown("nothing is left", retry_after_seconds=1, reason=CallLimit.BUDGET_REACHED),
        SlowDown("full", retry_after_seconds=9),
    ],
)
def test_money_and_limits_slow_down_and_keep_what_was_paid_for(
    servers: Servers, meter: RecordingMeter, error: Exception
) -> None:
    def respond(_: dict[str, Any]) -> Response:
        meter.refuses = error
        return Response(text(BAD))

    server = servers.with_rule(respond)
    attempts = write(meter, provider(server.base_url))
    assert attempts.slow_down is not None
    [attempt] = attempts.made
    assert attempt.cost_eur == meter.cost_eur > 0
    again = write(meter, provider(server.base_url))
    assert again.slow_down is not None
    assert again.made == ()
    assert len(server.requests) == 1


def fail_until_out_of_use(author: Author) -> None:
    with ThreadPoolExecutor(12) as threads:
        for future in [threads.submit(author.write, FACTS, within(20)) for _ in range(12)]:
            future.result()


def test_an_outage_is_waited_for_and_a_long_one_left_to_the_template(
    servers: Servers, meter: RecordingMeter
) -> None:
    server = servers.start(Response(status=503))
    waiting = make_author([provider(server.base_url)], meter, Metrics())
    fail_until_out_of_use(waiting)
    asked = len(server.requests)
    assert waiting.write(FACTS, within(20)).slow_down is not None
    impatient = make_author([provider(server.base_url)], meter, Metrics(), outage_seconds=0)
    fail_until_out_of_use(impatient)
    [attempt] = impatient.write(FACTS, within(20)).made[-1:]
    assert attempt.accepted
    assert attempt.model == "template"
    assert asked < 36, "the circuit opened before everybody had tried three times"
    assert meter.cost_eur == 0


def test_a_text_that_is_late_after_a_first_answer_is_the_templates(
    servers: Servers, meter: RecordingMeter
) -> None:
    server = servers.start(Response(text(BAD), wait_seconds=0.8))
    attempts = review(meter, provider(server.base_url), seconds=2.2)
    assert [attempt.model for attempt in attempts][-1] == "template"
    assert 1 <= len(server.requests) < 3


def test_missing_usage_is_estimated(servers: Servers, meter: RecordingMeter) -> None:
    server = servers.start(Response(text(usage=None)))
    [attempt] = review(meter, provider(server.base_url))
    assert attempt.tokens_in > 100
    assert attempt.tokens_out > 20
