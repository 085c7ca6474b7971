"""The usage that a chat server names is believed where it is credible."""

import json

import pytest

from services.reviewer.providers.answers import read_answer


@pytest.mark.parametrize("tokens", [-1, 2**31, 2**62, 1e30, 1e308, "many", None, [], {}])
@pytest.mark.parametrize("kind", ["prompt_tokens", "completion_tokens"])
def test_tokens_that_cannot_be_are_not_said(kind: str, tokens: object) -> None:
    usage = {"prompt_tokens": 900, "completion_tokens": 60, kind: tokens}
    assert read_answer(json.dumps({"usage": usage}).encode(), "plain").usage is None
