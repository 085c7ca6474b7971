"""The author goes from facts to a verdict, without a database."""

import datetime as dt
import itertools
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from services.reviewer.notices import template
from services.reviewer.notices.template import GeneratedText
from services.reviewer.texts.attempts import Attempt
from services.reviewer.texts.author import Author, one_at_a_time
from services.reviewer.validation import Verdict, validate
from shared.clock import Clock
from shared.sirene.facts import Facts

FACTS = Facts(
    siret="55210055400013",
    siren="552100554",
    nom="ATELIER DUPONT",
    commune="Bordeaux",
    code_commune="33063",
    activite="Travaux de menuiserie bois et PVC",
)
NOW = dt.datetime(2026, 11, 30, tzinfo=dt.UTC)


def author(*reasons: str) -> Author:
    ticks = itertools.chain((10.0, 10.0), itertools.repeat(10.5))
    clock = Clock(now=lambda: NOW, monotonic_seconds=lambda: next(ticks))
    return Author(lambda *_: Verdict(reasons), clock)


def test_a_text_without_reasons_against_it_is_accepted_with_its_provenance() -> None:
    [attempt] = author().write(FACTS).made
    generated = template.generate(FACTS, NOW.year)
    assert attempt.accepted
    assert attempt.text == generated.text
    assert attempt.digital_source_type == "algorithmicMedia"
    assert (attempt.model, attempt.prompt_version) == ("template", generated.prompt_version)
    assert attempt.latency_seconds == 0.5


@pytest.mark.parametrize("reasons", [("rating",), ("empty", "too_short")])
def test_one_reason_is_enough_to_reject(reasons: tuple[str, ...]) -> None:
    [attempt] = author(*reasons).write(FACTS).made
    assert not attempt.accepted
    assert attempt.reasons == reasons


def test_a_generator_that_breaks_is_an_attempt_without_a_text() -> None:
    def broken(facts: Facts, _year: int) -> GeneratedText:
        raise KeyError(facts.nom)

    with capture_logs() as events:
        [attempt] = replace(author(), generate=broken).write(FACTS).made
    assert not attempt.accepted
    assert attempt.text is None
    [event] = events
    assert event["error"] == "KeyError"
    assert re.fullmatch(r"tests/unit/reviewer/texts/test_author\.py:\d+", event["at"][-1])
    assert "DUPONT" not in str(event)
    assert (attempt.reasons, attempt.error) == (("generator_failed",), "KeyError")


def test_no_text_is_never_accepted() -> None:
    attempt = Attempt(model="m", prompt_version="p", reasons=(), latency_seconds=0)
    assert not attempt.accepted


def test_the_offline_generator_passes_the_validator() -> None:
    strict = Author(validate, Clock())
    [attempt] = strict.write(FACTS).made
    assert attempt.reasons == ()


def test_answers_that_come_together_are_judged_one_after_another() -> None:
    inside = threading.Semaphore(1)
    together = threading.Barrier(8)

    def judge(text: str, _facts: Facts, _declared: object = ()) -> Verdict:
        # The lock is free only if no other thread is inside; the wait lets them run.
        if not inside.acquire(blocking=False):
            return Verdict(("beside another",))
        threading.Event().wait(0.002)
        inside.release()
        return Verdict((text,))

    judge_in_turn = one_at_a_time(judge)

    def answer(text: str) -> Verdict:
        together.wait(timeout=10)
        return judge_in_turn(text, FACTS)

    texts = [str(number) for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(answer, texts)) == [Verdict((text,)) for text in texts]


def test_a_judge_that_breaks_gives_the_turn_on() -> None:
    def judge(_text: str, _facts: Facts, _declared: object = ()) -> Verdict:
        raise KeyError("rule")

    judge_in_turn = one_at_a_time(judge)
    for _ in range(2):
        with pytest.raises(KeyError):
            judge_in_turn("", FACTS)
