"""Tables for people: no value is cut, neither in a pipe nor on a narrow terminal."""

import pytest

from services.operator.output import print_fields, print_rows

_CODE, _KEY = "a_code_of_some_length_that_retry_needs", "12345678900012"
_ROW: dict[str, object] = {
    "kind": "write",
    "code": _CODE,
    "items": 1,
    "first_at": "2026-12-01 05:58:18.123456+00:00",
    "example": _KEY,
}


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_a_row_in_a_pipe_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([_ROW], "causes", as_json=False, empty="")
    [line] = [line for line in capsys.readouterr().out.splitlines() if _CODE in line]
    assert all(str(value) in line for value in _ROW.values())


def test_a_narrow_terminal_gets_a_line_for_each_field(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    print_rows([_ROW, _ROW], "causes", as_json=False, empty="")
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    for name, value in _ROW.items():
        assert sum(name in line and str(value) in line for line in lines) == 2


def test_a_table_that_fits_stays_a_table(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    print_rows([{"kind": "write", "code": _CODE}], "causes", as_json=False, empty="")
    assert any("write" in line and _CODE in line for line in capsys.readouterr().out.splitlines())


def test_a_long_word_of_a_field_is_folded(capsys: pytest.CaptureFixture[str]) -> None:
    print_fields("item", {"path": "x" * 150})
    assert capsys.readouterr().out.count("x") == 150
