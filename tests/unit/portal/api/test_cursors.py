"""A cursor opens with its own request only, and however it is spoiled it is refused."""

import random
from base64 import urlsafe_b64decode

import pytest

from services.portal.api.cursors import opened, seal
from services.portal.web.problems import Problem

_REQUEST = {"q": "dupont", "departement": ("33",), "etat": "A", "siege": None}


def _raw(cursor: str) -> bytes | None:
    try:
        return urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError:
        return None


def test_a_cursor_brings_its_position_back() -> None:
    cursor = seal(["12.5", 7], _REQUEST)
    assert opened(cursor, _REQUEST, str, int) == ["12.5", 7]
    assert opened(cursor, {**_REQUEST, "departement": ["33"]}, str, int) == ["12.5", 7]


def test_a_cursor_of_another_request_is_refused() -> None:
    with pytest.raises(Problem) as raised:
        opened(seal([1], _REQUEST), {**_REQUEST, "etat": "F"}, int)
    assert raised.value.kind == "curseur-invalide"


def test_a_cursor_with_other_items_is_refused() -> None:
    with pytest.raises(Problem):
        opened(seal(["1"], _REQUEST), _REQUEST, int)


def test_a_spoiled_cursor_is_refused() -> None:
    dice = random.Random(5)
    cursor = seal([1234567, "33063"], _REQUEST)
    for _ in range(500):
        at = dice.randrange(len(cursor))
        spoiled = cursor[:at] + dice.choice("abcXYZ019-_") + cursor[at + dice.randrange(2) :]
        if spoiled == cursor:
            continue
        # Some of the last bits of the alphabet are none of the cursor's.
        if _raw(spoiled) != _raw(cursor):
            with pytest.raises(Problem):
                opened(spoiled, _REQUEST, int, str)
