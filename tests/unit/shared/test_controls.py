"""No sign of a value steers a terminal, ends a line, or is stored in a name."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.controls import shown, shown_json, shown_lines, without_controls, without_steering

STEERING = [chr(point) for point in (*range(0x20), *range(0x7F, 0xA0), 0x61C, 0x2028, 0x2029)]
STEERING += [chr(p) for p in (0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))]


@pytest.mark.parametrize("sign", STEERING, ids=ascii)
def test_a_sign_that_steers_is_neither_shown_nor_stored(sign: str) -> None:
    value = f"AVANT{sign}APRES"
    assert shown(value) == f"AVANT{sign.encode('unicode_escape').decode()}APRES"
    assert without_controls(value).replace(" ", "") == "AVANTAPRES"
    assert without_steering(value) == (value if sign == "\n" else "AVANTAPRES")
    line = shown_json(json.dumps({"nom": value}, ensure_ascii=False))
    assert line.isascii()
    assert json.loads(line) == {"nom": value}


def test_what_people_read_stays() -> None:
    value = "« L’ÉPICERIE »\u00a0: 10\u202f% 🍕 CAFE\u0301 \\ 100 %"
    assert shown(value) == without_controls(value) == without_steering(value) == value
    assert shown_json(json.dumps(value, ensure_ascii=False)) == json.dumps(
        value, ensure_ascii=False
    )


def test_what_has_no_sign_is_shown_as_an_escape() -> None:
    assert shown("A\u200bB\ufeffC\u00adD\udc80") == r"A\u200bB\ufeffC\xadD\udc80"


def test_a_value_has_one_line_and_a_text_its_own() -> None:
    assert shown("un\ndeux\r\n") == r"un\ndeux\r\n"
    assert shown_lines("un\ndeux\x1b") == "un\ndeux\\x1b"


@given(st.text())
def test_json_says_the_same_and_every_sign_is_seen(value: str) -> None:
    line = shown_json(json.dumps([value], ensure_ascii=False))
    assert json.loads(line) == [value]
    for text in (line, shown(value)):
        assert all(sign.isprintable() or unicodedata.category(sign) == "Zs" for sign in text)
