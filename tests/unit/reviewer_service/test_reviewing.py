"""From facts to verdict, without a database."""

from dataclasses import replace

import pytest

from services.reviewer.generators import template
from services.reviewer.generators.template import GeneratedText
from services.reviewer.reviewing import Attempt, Generator, Reviewing
from services.reviewer.validation import validate
from shared.sirene.facts import Facts

FACTS = Facts(
    siret="55210055400013",
    siren="552100554",
    nom="ATELIER DUPONT",
    commune="Bordeaux",
    code_commune="33063",
    activite="Travaux de menuiserie bois et PVC",
    activite_code="43.32A",
)


def reviewing(generator: Generator, *reasons: str) -> Reviewing:
    ticks = iter((10.0, 10.5))
    return Reviewing(generator, lambda _text, _facts: reasons, lambda: next(ticks))


TEMPLATE = Generator(template.MODEL, template.PROMPT_VERSION, template.generate)


def test_a_text_without_reasons_against_it_is_accepted_with_its_provenance() -> None:
    [attempt] = reviewing(TEMPLATE).review(FACTS)
    generated = template.generate(FACTS)
    assert attempt.accepted
    assert attempt.text == generated.text
    assert attempt.digital_source_type == "algorithmicMedia"
    assert (attempt.model, attempt.prompt_version) == ("template", generated.prompt_version)
    assert attempt.latency_seconds == 0.5


@pytest.mark.parametrize("reasons", [("rating",), ("empty", "too_short")])
def test_one_reason_is_enough_to_reject(reasons: tuple[str, ...]) -> None:
    [attempt] = reviewing(TEMPLATE, *reasons).review(FACTS)
    assert not attempt.accepted
    assert attempt.reasons == reasons


def test_a_generator_that_breaks_is_an_attempt_without_a_text() -> None:
    def broken(facts: Facts) -> GeneratedText:
        raise KeyError(facts.nom)

    [attempt] = reviewing(replace(TEMPLATE, generate=broken)).review(FACTS)
    assert not attempt.accepted
    assert attempt.text is None
    assert (attempt.reasons, attempt.error) == (("generator_failed",), "KeyError")


def test_no_text_is_never_accepted() -> None:
    attempt = Attempt(model="m", prompt_version="p", reasons=(), latency_seconds=0)
    assert not attempt.accepted


def test_the_offline_generator_passes_the_validator() -> None:
    ticks = iter((0.0, 1.0))
    strict = Reviewing(
        TEMPLATE, lambda text, facts: validate(text, facts).reasons, lambda: next(ticks)
    )
    [attempt] = strict.review(FACTS)
    assert attempt.reasons == ()
