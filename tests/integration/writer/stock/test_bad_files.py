"""A bad file gets one line, and changes nothing."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from services.writer.stock import command
from shared.errors import UserError
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records
from tests.integration.writer.stock.conftest import Stock

_ROOT = Path(__file__).parents[4]


def _cut(source: str, target: Path, share: float) -> str:
    data = Path(source).read_bytes()
    target.write_bytes(data[: int(len(data) * share)])
    return str(target)


def _damaged_zip(source: str, target: Path) -> str:
    data = bytearray(Path(source).read_bytes())
    middle = len(data) // 2
    data[middle : middle + 64] = bytes(64)
    target.write_bytes(data)
    return str(target)


def _zip_of(target: Path, **members: str) -> str:
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_csv", ".csv"), content)
    return str(target)


def _text(target: Path, content: bytes) -> str:
    target.write_bytes(content)
    return str(target)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda _files, folder: str(folder / "none.csv"), "cannot read .*No such file"),
        (lambda _files, folder: str(folder), "cannot read .*Is a directory"),
        (lambda files, folder: _cut(files["zip"][0], folder / "f", 0.5), "the zip is truncated"),
        (lambda files, folder: _cut(files["parquet"][0], folder / "f", 0.5), "parquet file is tr"),
        (lambda _files, folder: _text(folder / "f", b""), "is empty"),
        (lambda _files, folder: _text(folder / "f", b"\x89PNG\r\n\x1a\n"), "is no CSV"),
        (lambda _files, folder: _text(folder / "f", b"a,b\n1,2\n"), "no siren column"),
        (lambda _files, folder: _text(folder / "f", b"siren,siret,dateFin\n"), "history file"),
        (lambda _files, folder: _text(folder / "f", b"siren,siren\n"), "names a column twice"),
        (
            lambda _files, folder: _text(folder / "f", b"siren,nic,siret\n1,2,3\n"),
            "lacks the columns activitePrincipaleEtablissement, .* and 39 more",
        ),
        (lambda _files, folder: _zip_of(folder / "f", a_csv="", b_csv=""), "holds 2 CSV files"),
        (lambda _files, folder: _zip_of(folder / "f", readme="hello"), "holds 0 CSV files"),
    ],
)
def test_a_bad_file_is_named_with_what_is_wrong(
    make: Callable[[dict[str, list[str]], Path], str],
    said: str,
    stock_files: dict[str, list[str]],
    tmp_path: Path,
) -> None:
    with pytest.raises(UserError, match=said) as raised:
        command.plan([make(stock_files, tmp_path)])
    assert "\n" not in str(raised.value)


@pytest.mark.usefixtures("left_behind")
def test_damage_that_only_reading_shows_leaves_nothing_behind(
    stock: Stock, desk: Desk, stock_files: dict[str, list[str]], tmp_path: Path
) -> None:
    for made, said in (
        (_damaged_zip(stock_files["zip"][0], tmp_path / "f.zip"), "the zip is truncated"),
        (_cut(stock_files["csv"][0], tmp_path / "f.csv", 0.5), "the CSV is truncated"),
    ):
        with pytest.raises(UserError, match=said):
            stock.load(made)
        assert desk.number("etablissements") == 0
    assert {row["status"] for row in desk.execute("SELECT status FROM stock_loads")} == {
        "abandoned"
    }


def test_a_header_alone_is_refused(stock: Stock, desk: Desk) -> None:
    with pytest.raises(UserError, match="has no row that can be read"):
        stock.load(stock.write()[0])
    assert desk.one("SELECT to_regclass('stock_etablissements') AS t") == {"t": None}


def test_what_is_wrong_with_the_second_file_is_said_before_the_first_is_loaded(
    stock: Stock, desk: Desk, stock_files: dict[str, list[str]], tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="none"):
        stock.load(stock_files["csv"][1], str(tmp_path / "none"))
    assert desk.number("stock_loads") == 0


def test_two_files_of_a_kind_are_refused(stock_files: dict[str, list[str]]) -> None:
    with pytest.raises(UserError, match="are the same kind of file"):
        command.plan([stock_files["csv"][0], stock_files["zip"][0]])


def test_a_row_that_is_no_utf_8_is_damage_and_is_not_quoted(stock: Stock, records: Records) -> None:
    path = Path(stock.write(records.record(1, enseigne="NOM SECRET"))[0])
    path.write_bytes(path.read_bytes().replace(b"NOM SECRET", b"NOM SECRET\xff"))
    with pytest.raises(UserError, match="truncated or damaged") as raised:
        stock.load(str(path))
    assert "SECRET" not in str(raised.value)


def test_unknown_columns_are_reported_and_absent_young_ones_stay_empty(
    stock: Stock, desk: Desk, records: Records, capsys: pytest.CaptureFixture[str]
) -> None:
    young = "activitePrincipaleNAF25Etablissement"
    path = Path(stock.write(records.record(1, enseigne="A"), drop=(young,))[0])
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text(
        "".join(f"{line},{new}\n" for line, new in zip(lines, ("nouveau", "x"), strict=True)),
        encoding="utf-8",
    )
    (planned,) = command.plan([str(path)])
    assert (planned.unknown_columns, planned.absent_columns) == (["nouveau"], [young])
    stock.load(str(path))
    assert desk.one("SELECT enseigne1 FROM etablissements") == {"enseigne1": "A"}
    said = capsys.readouterr().err
    assert "unknown columns, not loaded: nouveau" in said
    assert f"absent columns, left empty: {young}" in said


def test_names_with_every_separator_arrive_as_they_are(
    stock: Stock, desk: Desk, records: Records
) -> None:
    names = ['LE "PETIT", CAFÉ', "A\nB", "A\tB\\C", "\\N", "\\.", "🍕 , ;", "a'b"]
    made = [records.record(n, enseigne=name) for n, name in enumerate(names, start=1)]
    stock.load(*stock.write(*made))
    rows = desk.execute("SELECT enseigne1 FROM etablissements ORDER BY siren")
    assert [row["enseigne1"] for row in rows] == names


def test_the_command_says_it_in_one_line_with_status_2(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "services.dispatch", "stock", str(tmp_path / "none.zip")],
        cwd=_ROOT,
        env={**os.environ, "SIRENADE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stdout == ""
