"""The validator agrees with a person on sixteen outputs of a small model."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.reviewer.commands.check import check_lines

_RECORDED = Path(__file__).parents[3] / "fixtures" / "avis" / "model_outputs.jsonl"
_LINES = _RECORDED.read_text(encoding="utf-8").splitlines()

# Here the rules differ from the first judge: "transport routier" is grounded, and the garage's
# text holds no proper name besides its own facts.
_SEEN_OTHERWISE = {
    3: {"ungrounded_terms"},
    4: {"ungrounded_entity"},
}


def _verdict(line: str) -> dict[str, Any]:
    verdict: dict[str, Any] = json.loads(next(check_lines([line])))
    return verdict


@pytest.mark.parametrize("line", _LINES)
def test_a_recorded_output_gets_the_verdict_it_deserves(line: str) -> None:
    verdict = _verdict(line)
    assert verdict["accepted"] is json.loads(line)["acceptable"], verdict["reasons"]


@pytest.mark.parametrize("number", range(len(_LINES)))
def test_the_reasons_that_were_given_are_found_again(number: int) -> None:
    given = set(json.loads(_LINES[number])["reasons"]) - _SEEN_OTHERWISE.get(number, set())
    assert given <= set(_verdict(_LINES[number])["reasons"])
