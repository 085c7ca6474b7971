"""The validator names the faults of a bank that was frozen before its rules were tuned."""

import pytest

from services.reviewer.validation import validate
from tests.mutations.bank import CODES, RESERVED, TUNING, mutants
from tests.mutations.bases import handwritten
from tests.mutations.prose import prose_scores, refused_prose
from tests.mutations.scores import (
    duplicate_recalls,
    false_rejects,
    near_neighbours,
    recalls,
)

_DOCUMENTED = frozenset(
    """
    empty truncated too_short too_long not_french markup control_chars mojibake placeholder
    prompt_leak meta_talk repetition all_caps malformed_json refusal
    name_missing city_missing wrong_city activity_missing wrong_activity wrong_legal_form
    wrong_headcount wrong_status ungrounded_number ungrounded_date ungrounded_entity
    ungrounded_terms
    first_person fake_experience rating superlative recommendation price_claim health_claim
    certification_claim negative_claim contact_data person_name masked_data sensitive profanity
    injection_suspect
    """.split()  # noqa: SIM905 a word list
)


def test_the_bank_has_faults_for_every_code_that_a_text_alone_can_earn() -> None:
    assert set(CODES) == _DOCUMENTED


def test_the_bank_is_the_same_at_every_run() -> None:
    once, again = (
        [one.text for code in CODES for one in mutants(code, TUNING, 2)] for _ in range(2)
    )
    assert once == again


def test_faults_of_the_tuning_half_are_named() -> None:
    missed = {score.code: score.named for score in recalls(TUNING, count=40) if score.named < 0.98}
    assert missed == {}


def test_good_texts_of_the_tuning_half_pass() -> None:
    assert false_rejects(TUNING, count=400) <= 0.005


def test_texts_that_read_like_a_neighbours_are_told_from_those_that_do_not() -> None:
    assert all(score.named >= 0.97 for score in duplicate_recalls(TUNING, count=100))
    assert near_neighbours(TUNING, count=400) < 0.05


@pytest.mark.slow
def test_no_fault_of_the_reserved_half_is_published() -> None:
    scores = list(recalls(RESERVED, count=200))
    assert sum(score.refused for score in scores) / len(scores) >= 0.98
    assert sum(score.named for score in scores) / len(scores) >= 0.97
    assert false_rejects(RESERVED, count=2000) <= 0.005


def test_good_texts_that_were_written_after_the_rules_pass() -> None:
    refused = {
        base.text: reasons
        for base in handwritten("handwritten_later.jsonl")
        if (reasons := validate(base.text, base.facts).reasons)
    }
    assert refused == {}


def test_faults_in_the_learning_half_of_independent_prose_are_named_and_its_good_texts_pass() -> (
    None
):
    assert {score.code for score in prose_scores("learning")} == _DOCUMENTED
    assert [score for score in prose_scores("learning") if score.named < score.count] == []
    assert refused_prose("learning") == {}
