"""A line of a CSV that cannot be read is left out and named; the others come as they are."""

import io
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.writer.stock.files import csv_lines, csv_rows
from services.writer.stock.files.csv_rows import CsvReader
from services.writer.stock.files.readers import LINE, DamagedFile

_HEADER = "siren,nic,enseigne"


def _read(
    data: bytes, header: str = _HEADER
) -> tuple[list[tuple[int, str | None]], list[tuple[int, str]]]:
    reader = CsvReader("f.csv", io.BufferedReader(io.BytesIO(header.encode() + b"\n" + data)))
    names = list(reader.names())
    rows = [
        (row[LINE], row[names[-1]]) for batch in reader.batches(names) for row in batch.to_pylist()
    ]
    return rows, [(broken.line, broken.code) for broken in reader.broken]


def _lines(values: Sequence[str]) -> bytes:
    return "".join(f"{n:09d},00001,{value}\n" for n, value in enumerate(values)).encode()


def test_rows_know_their_line() -> None:
    rows, broken = _read(_lines(["a", '"b\nc"', '"d, ""e"""', "f"]))
    assert rows == [(2, "a"), (3, "b\nc"), (5, 'd, "e"'), (6, "f")]
    assert broken == []


def test_a_value_of_several_lines_does_not_cost_a_look_at_each_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_at: list[bytes] = []
    look = csv_lines.is_open

    def is_open(row: bytes, delimiter: bytes) -> bool:
        looked_at.append(row)
        return look(row, delimiter)

    monkeypatch.setattr(csv_lines, "is_open", is_open)
    values = [*"ab", '"c\nd"', *"e" * 100, '"f\n\ng"', "h"]
    rows, broken = _read(_lines(values))
    assert rows[2:4] == [(4, "c\nd"), (6, "e")]
    assert rows[-2:] == [(106, "f\n\ng"), (109, "h")]
    assert broken == []
    assert len(looked_at) <= 10


@pytest.mark.parametrize("line", ["x", "1,2,3,4", "1,2,3,é", '1,2,"3",4', "1,2"])
def test_a_line_of_too_few_or_too_many_values_is_left_out(line: str) -> None:
    data = _lines(["a", "b"]) + line.encode() + b"\n" + _lines(["c"])
    rows, broken = _read(data)
    assert rows == [(2, "a"), (3, "b"), (5, "c")]
    assert broken == [(4, "bad_row")]


def test_a_line_that_is_no_utf_8_is_left_out_and_its_column_is_named() -> None:
    stream = io.BytesIO(_HEADER.encode() + b"\n1,1,a\n000000002,1,CAF\xc9\n3,1,4,\xc9\n5,1,b\n")
    reader = CsvReader("f.csv", io.BufferedReader(stream))
    names = list(reader.names())
    (batch,) = reader.batches(names)
    assert batch.column(LINE).to_pylist() == [2, 5]
    assert [(row.line, row.code, row.column) for row in reader.broken] == [
        (3, "bad_encoding", "enseigne"),
        (4, "bad_encoding", None),
    ]


def test_an_empty_line_is_counted_and_refuses_nothing() -> None:
    rows, broken = _read(_lines(["a"]) + b"\n" + _lines(["b"]) + b"\n")
    assert rows == [(2, "a"), (4, "b")]
    assert broken == []


def test_a_quote_that_nothing_closes_costs_its_own_line() -> None:
    rows, broken = _read(_lines(["a", '"b', *"c" * 100, '"x, y"', "d"]))
    assert [line for line, _ in rows] == [2, *range(4, 106)]
    assert rows[-2:] == [(104, "x, y"), (105, "d")]
    assert broken == [(3, "open_quote")]


def test_a_quote_inside_a_value_is_a_sign_like_another() -> None:
    rows, broken = _read(_lines(['5" TUYAU', "a", 'LE "PETIT" CAFE']))
    assert rows == [(2, '5" TUYAU'), (3, "a"), (4, 'LE "PETIT" CAFE')]
    assert broken == []


def test_a_quote_that_opens_after_another_sign_like_it_is_seen() -> None:
    opened = b'5" TUYAU,00001,"b\n'
    rows, broken = _read(_lines(["a"]) + opened + _lines(["c", "d"]))
    assert rows == [(2, "a"), (4, "c"), (5, "d")]
    assert broken == [(3, "open_quote")]
    assert _read(_lines(["a"]) + opened) == ([(2, "a")], [(3, "open_quote")])


@pytest.mark.parametrize("value", ["x\ry", "x\r,00001,y\rz"])
def test_a_carriage_return_within_a_line_costs_that_line_alone(value: str) -> None:
    rows, broken = _read(_lines(["a", "b", value, "c"]))
    assert rows == [(2, "a"), (3, "b"), (5, "c")]
    assert broken == [(4, "bad_row")]


def test_a_refused_line_may_be_of_any_length() -> None:
    for bad in ('"' + "x" * 5_000_000, "x,y" + "z" * 5_000_000):
        rows, broken = _read(_lines(["a", bad, "c"]))
        assert rows == [(2, "a"), (4, "c")]
        assert {line for line, _ in broken} == {3}


def test_lines_may_end_as_windows_ends_them() -> None:
    rows, broken = _read(_lines(["a", '"b\nc"', "d,e", "f"]).replace(b"\n", b"\r\n"))
    assert rows == [(2, "a"), (3, "b\r\nc"), (6, "f")]
    assert broken == [(5, "bad_row")]


def test_a_row_that_goes_on_in_the_next_block_is_read_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(csv_rows, "_BLOCK_BYTES", 20)
    rows, broken = _read(_lines(["a", '"b\n\n\n\nc"', "d", '"', "e"]))
    assert rows == [(2, "a"), (3, "b\n\n\n\nc"), (8, "d"), (10, "e")]
    assert broken == [(9, "open_quote")]


def test_the_siren_of_a_refused_line_is_known_where_it_can_be_read() -> None:
    stream = io.BytesIO(b"siren,nic\n000000001,00001,x\n12,1,1\n")
    reader = CsvReader("f.csv", io.BufferedReader(stream))
    list(reader.batches(list(reader.names())))
    assert [row.key for row in reader.broken] == ["000000001", None]


def test_a_file_without_a_good_line_has_no_row() -> None:
    assert _read(b"\n") == ([], [])
    assert _read(b"") == ([], [])
    assert _read(b'1,2,"x\n') == ([], [(2, "open_quote")])
    assert _read(b"1,2\n") == ([], [(2, "bad_row")])


@pytest.mark.parametrize("end", [b"000000009,000", b'000000009,00001,"x'])
def test_a_file_that_ends_in_the_middle_of_a_row_is_truncated(end: bytes) -> None:
    with pytest.raises(DamagedFile, match="ends in the middle of a row"):
        _read(_lines(["a"]) + end)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_the_header_tells_the_delimiter(delimiter: str) -> None:
    rows, broken = _read(
        _lines(["a", '"b"']).replace(b",", delimiter.encode()), _HEADER.replace(",", delimiter)
    )
    assert rows == [(2, "a"), (3, "b")]
    assert broken == []


_VALUES = st.sampled_from(("a", "", '"b"', '"c, d"', '"e\nf"', '"g ""h"""', 'i"j', '"x\r\ny"'))
_BAD = st.sampled_from(("k,l", "m,n,o", '"p', "q,\xff"))


@given(values=st.lists(st.one_of(_VALUES, _BAD), max_size=60), block_bytes=st.integers(30, 200))
def test_good_rows_come_whatever_stands_between_them(values: list[str], block_bytes: int) -> None:
    """Two quotes left open may close one another: no more than one stands here."""
    opened = [at for at, value in enumerate(values) if value == '"p']
    values = [value for at, value in enumerate(values) if at not in opened[1:]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_rows, "_BLOCK_BYTES", block_bytes)
        patch.setattr(csv_lines, "_MOST_LINES", 3)
        lines, line = [], 2
        for n, value in enumerate(values):
            lines.append((line, f"{n:09d},00001,{value}\n"))
            line += 1 + value.count("\n")
        rows, broken = _read("".join(text for _, text in lines).encode("latin-1"))
    good = {line for (line, _), value in zip(lines, values, strict=True) if value not in _ALL_BAD}
    assert {line for line, _ in rows} == good
    assert len(broken) == len(values) - len(good)


_ALL_BAD = {"k,l", "m,n,o", '"p', "q,\xff"}
