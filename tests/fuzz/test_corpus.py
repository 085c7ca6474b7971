"""Cases that fuzzing found are replayed: each of `corpus/` ends as its note says."""

import json
from pathlib import Path
from typing import Any

import pytest

from shared.broker import make_broker
from tests.fuzz import test_chat_answers, test_messages
from tests.fuzz.chats import ChatAnswer
from tests.fuzz.insee import Spoiled
from tests.fuzz.test_insee_answers import Client, client

__all__ = ["client"]
_CORPUS = Path(__file__).parent / "corpus"
_NESTED = "DEEP"


def _cases(kind: str) -> list[Any]:
    """`octets` are Latin-1; `DEEP` in them stands for three hundred lists in each other."""
    cases = []
    for path in sorted((_CORPUS / kind).glob("*.json")):
        case = json.loads(path.read_text(encoding="utf-8"))
        case["octets"] = case["octets"].replace(_NESTED, 300 * "[" + 300 * "]").encode("latin-1")
        cases.append(pytest.param(case, id=path.stem))
    return cases


@pytest.mark.parametrize("case", _cases("insee"))
def test_an_answer_of_insee_still_has_its_verdict(case: dict[str, Any], client: Client) -> None:
    assert client.become(Spoiled(case["octets"])) == case["becomes"]


@pytest.mark.parametrize("case", _cases("messages"))
def test_a_message_still_ends_as_it_should(case: dict[str, Any]) -> None:
    make_broker("memory://").close()
    assert test_messages.become((case["queue"], case["octets"])) == case["becomes"]


@pytest.mark.parametrize("case", _cases("chat"))
def test_a_chat_servers_answer_still_becomes_what_it_should(case: dict[str, Any]) -> None:
    answer = ChatAnswer(case["octets"], case.get("status", 200), case.get("headers", {}))
    assert test_chat_answers.become(answer) == case["becomes"]
