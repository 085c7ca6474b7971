"""The rules hold some of the accepted texts for a person."""

from dataclasses import replace
from typing import TYPE_CHECKING

from services.reviewer.store import store
from services.reviewer.texts.holds import HoldRules
from services.reviewer.texts.rulings import AvisResult
from shared.avis import HoldReason

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Desk, Register


def results(desk: "Desk", ids: list[int], *, model: str | None = None) -> list[AvisResult]:
    """Return results by a model, or where there is none by the template after a model."""
    found = []
    for claimed in desk.claim(ids):
        result = desk.result(claimed)
        [own] = result.attempts
        if model is None:
            failed = replace(own, provider="p", text=None, reasons=("empty",))
            found.append(replace(result, attempts=(failed, own)))
        else:
            found.append(replace(result, attempts=(replace(own, provider="p", model=model),)))
    return found


def held(register: "Register") -> list[str | None]:
    return [row["held_because"] for row in register.rows("SELECT * FROM avis ORDER BY id")]


def test_the_first_texts_of_a_new_prompt_version_are_held(
    register: "Register", desk: "Desk"
) -> None:
    rules = HoldRules(first_texts=3)
    first = results(desk, register.add(range(1, 3)), model="m")
    for _ in range(2):
        store(register.engine, first, sole_traders=False, hold_rules=rules)
    then = results(desk, register.add(range(3, 6)), model="m")
    store(register.engine, then, sole_traders=False, hold_rules=rules)
    assert held(register) == ["first_texts"] * 3 + [None] * 2
    later = results(desk, register.add(range(6, 7)), model="m")
    store(register.engine, later, sole_traders=False, hold_rules=rules)
    other = results(desk, register.add(range(7, 8)), model="n")
    store(register.engine, other, sole_traders=False, hold_rules=rules)
    assert held(register)[5:] == [None, "first_texts"]


def test_a_stable_sample_of_the_fallbacks_is_held(register: "Register", desk: "Desk") -> None:
    rules = HoldRules(fallback_share=0.2, first_texts=50)
    store(
        register.engine,
        results(desk, register.add(range(1, 101))),
        sole_traders=False,
        hold_rules=rules,
    )
    sampled = [rules.samples(f"{number:09d}00011") for number in range(1, 101)]
    assert [because == "fallback" for because in held(register)] == sampled
    assert 5 < sum(sampled) < 40
    assert not any(HoldRules().samples(f"{number:014d}") for number in range(100))
    assert all(HoldRules(1.0).samples(f"{number:014d}") for number in range(100))


def test_a_text_by_the_template_alone_is_not_held(register: "Register", desk: "Desk") -> None:
    [claimed] = desk.claim(register.add(range(1, 2)))
    rules = HoldRules(fallback_share=1.0, first_texts=50)
    store(register.engine, [desk.result(claimed)], sole_traders=False, hold_rules=rules)
    assert held(register) == [None]


def test_a_result_may_ask_for_its_hold(register: "Register", desk: "Desk") -> None:
    [claimed] = desk.claim(register.add(range(1, 2)))
    quotation = replace(desk.result(claimed), hold_because=HoldReason.ACCUSATION)
    store(register.engine, [quotation], sole_traders=False)
    assert held(register) == ["accusation"]
