import json
from pathlib import Path

import pytest

from services.reviewer.commands.check import check_lines

_REGISTER = Path(__file__).parents[3] / "fixtures" / "register"
_FACTS = {"nom": "GARAGE DU PORT", "forme": "SARL", "commune": "Vannes", "annee": "2011"}
_TEXT = (
    "GARAGE DU PORT est une SARL installée à Vannes. Elle a été créée en 2011 et figure au "
    "répertoire Sirene de l’Insee."
)


def _check(request: object) -> dict[str, object]:
    verdict: dict[str, object] = json.loads(next(check_lines([json.dumps(request)])))
    return verdict


def test_a_good_text_is_accepted() -> None:
    assert _check({"facts": _FACTS, "text": _TEXT}) == {"accepted": True, "reasons": []}


def test_a_bad_text_is_refused_with_its_reasons() -> None:
    verdict = _check({"facts": _FACTS, "text": _TEXT.replace("2011", "1998")})
    reasons = ["ungrounded_number", "ungrounded_date", "ungrounded_terms"]
    assert verdict == {"accepted": False, "reasons": reasons}


def test_other_keys_are_passed_over_and_a_year_may_be_a_number() -> None:
    facts = {**_FACTS, "annee": 2011, "couleur": "bleu", "effectif": None, "activite": ""}
    assert _check({"facts": facts, "text": _TEXT, "acceptable": True})["accepted"] is True


@pytest.mark.parametrize(
    ("facts", "sentence", "accepted"),
    [
        # Without a SIRET one year and one place are those of unit and establishment.
        ({"annee": 2011}, "La société, créée en 2011, a son siège à Vannes.", True),
        ({"annee_creation": 2011}, "La société a été créée en 2011.", True),
        ({"date_creation": "2011-03-01"}, "La société a été créée le 1er mars 2011.", True),
        ({"annee": 2011}, "La société a été créée le 1er janvier 2011.", False),
        ({"annee": 2011, "est_siege": False}, "Le siège de la société est à Vannes.", False),
        # A SIRET tells them apart: the year of a number off the siège is not the company's.
        ({"siret": "30010007000014", "annee": 2011}, "La société a été créée en 2011.", False),
        ({"annee": 2011, "est_siege": False}, "La société a été créée en 2011.", False),
        ({"annee": 2011, "est_siege": False}, "L’établissement a été créé en 2011.", True),
        (
            {"siret": "30010007000014", "est_siege": True, "annee": 2011},
            "La société a été créée en 2011.",
            True,
        ),
        (
            {"siret": "30010007000014", "annee": 2011},
            "La société a été créée le 1er janvier 2011.",
            False,
        ),
        (
            {"siret": "30010007000014", "annee_creation": 2011},
            "La société a été créée en 2011.",
            False,
        ),
        ({"siret": "30010007000014"}, "Le siège de la société est à Vannes.", False),
    ],
)
def test_facts_without_a_number_are_of_one_place(
    facts: dict[str, object], sentence: str, accepted: bool
) -> None:
    known = {"nom": "GARAGE DU PORT", "forme": "SARL", "commune": "Vannes"} | facts
    text = (
        "À Vannes se trouve un établissement de GARAGE DU PORT, SARL. Il figure au répertoire "
        f"Sirene de l’Insee. {sentence}"
    )
    assert _check({"facts": known, "text": text})["accepted"] is accepted


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "null",
        '{"facts": {"nom": "X"}}',
        '{"text": "x"}',
        '{"facts": [], "text": "x"}',
        '{"facts": {}, "text": "x"}',
        '{"facts": {"nom": ["x"]}, "text": "x"}',
        '{"facts": {"nom": true}, "text": "x"}',
        '{"facts": {"nom": "X", "annee": "MMXI"}, "text": "x"}',
        '{"facts": {"nom": "X", "date_creation": "hier"}, "text": "x"}',
        "[" * 100_000,
        b'{"facts": {"nom": "X"}, "text": "\xe9"}'.decode(errors="surrogateescape"),
    ],
)
def test_a_line_that_is_no_request_is_answered_by_an_error(line: str) -> None:
    assert list(json.loads(next(check_lines([line])))) == ["error"]


def test_each_line_has_its_answer_in_order_and_blank_lines_have_none() -> None:
    good = json.dumps({"facts": _FACTS, "text": _TEXT})
    answers = [json.loads(answer) for answer in check_lines([good, "\n", "{", good])]
    assert [answer.get("accepted", "error") for answer in answers] == [True, "error", True]


def test_the_trade_words_of_naf_2025_are_those_of_an_equal_label() -> None:
    lines = (_REGISTER / "trade_words.jsonl").read_text(encoding="utf-8").splitlines()
    verdicts = [json.loads(verdict) for verdict in check_lines(lines)]
    accepted = [verdict["accepted"] for verdict in verdicts]
    # The last two: a label that NAF rev. 2 does not have, and an activity that is not known.
    assert accepted == [True, True, True, True, False, False]
    assert all("ungrounded_terms" in verdict["reasons"] for verdict in verdicts[4:])
