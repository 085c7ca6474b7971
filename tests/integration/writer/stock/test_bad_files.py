"""A bad file gets one line, and changes nothing."""

import bz2
import csv
import gzip
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from services.writer.stock import command
from shared.controls import without_controls
from shared.errors import UserError
from shared.http.egress import Egress
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records
from tests.integration.writer.stock.conftest import Stock

_ROOT = Path(__file__).parents[4]
_REGISTER = _ROOT / "tests/fixtures/register"


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
        (lambda files, folder: _cut(files["zip"][0], folder / "f", 0.5), "archive is truncated"),
        (lambda files, folder: _cut(files["parquet"][0], folder / "f", 0.5), "parquet file is tr"),
        (lambda _files, folder: _text(folder / "f", b""), "is empty"),
        (lambda _files, folder: _text(folder / "f", b"\x89PNG\r\n\x1a\n"), "is no CSV"),
        (lambda _files, folder: _text(folder / "f", b"a,b\n1,2\n"), "no siren column"),
        (lambda _files, folder: _text(folder / "f", b"siren,siret,dateFin\n"), "history file"),
        (lambda _files, folder: _text(folder / "f", b"siren,siren\n"), "names a column twice"),
        (
            lambda _files, folder: _text(folder / "f", b"siren,nic,siret\n1,2,3\n"),
            "lacks the columns activitePrincipaleEtablissement, .* and 22 more",
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
        command.plan([make(stock_files, tmp_path)], Egress())
    assert "\n" not in str(raised.value)


@pytest.mark.usefixtures("left_behind")
def test_damage_that_only_reading_shows_leaves_nothing_behind(
    stock: Stock, desk: Desk, stock_files: dict[str, list[str]], tmp_path: Path
) -> None:
    for made, said in (
        (_damaged_zip(stock_files["zip"][0], tmp_path / "f.zip"), "the archive is truncated"),
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
        command.plan([stock_files["csv"][0], stock_files["zip"][0]], Egress())


def test_rows_that_cannot_be_read_are_refused_alone_by_their_line(
    stock: Stock, desk: Desk, records: Records, capsys: pytest.CaptureFixture[str]
) -> None:
    signs = ["BON", "NOM SECRET\xff", "TROP,NOM SECRET", '"NOM SECRET', "x" * 1001, "BON AUSSI"]
    made = [records.record(n, enseigne=f"SIGNE {n}") for n in range(1, len(signs) + 1)]
    path = Path(stock.write(*made)[0])
    octets = path.read_bytes()
    for n, sign in enumerate(signs, start=1):
        octets = octets.replace(f"SIGNE {n},".encode(), f"{sign},".encode("latin-1"))
    path.write_bytes(octets)
    (load,) = stock.load(str(path))
    rows = desk.execute("SELECT enseigne1 FROM etablissements ORDER BY siret")
    assert [row["enseigne1"] for row in rows] == ["BON", "BON AUSSI"]
    assert (load.rows, load.refused, load.inserted, load.status) == (2, 4, 2, "complete")
    said = capsys.readouterr().err
    for line, why in (
        (3, "enseigne1Etablissement: bad_encoding"),
        (4, "bad_row"),
        (5, "open_quote"),
        (6, "enseigne1Etablissement: too_long"),
    ):
        assert why in next(words for words in said.splitlines() if f"line {line}" in words)
    assert "SECRET" not in said
    failed = desk.execute("SELECT key, code FROM failed_items ORDER BY key")
    assert [item["key"] for item in failed] == [record["siret"] for record in made[1:5]]
    assert {item["code"] for item in failed} == {
        "bad_encoding",
        "bad_row",
        "open_quote",
        "too_long",
    }


@pytest.mark.parametrize("name", ["StockUniteLegale_ok", "StockEtablissement_one_latin1_byte"])
def test_one_byte_that_is_no_utf_8_costs_one_row_of_either_file(
    name: str, stock: Stock, tmp_path: Path
) -> None:
    source = _REGISTER / "14_stock_one_bad_row" / f"{name}.csv"
    path = tmp_path / "f.csv"
    path.write_bytes(source.read_bytes().replace(b"LIGNE 2", b"LIGNE \xc9"))
    (load,) = stock.load(str(path))
    assert (load.rows, load.refused) == (4, 1)


def test_a_refused_row_of_a_unit_is_counted_and_asked_for_by_nobody(
    stock: Stock, desk: Desk, records: Records
) -> None:
    path = Path(stock.write(records.record(1), records.record(2))[1])
    path.write_text(path.read_text("utf-8").replace("000000002", "00000002"), "utf-8")
    (load,) = stock.load(str(path))
    assert (load.rows, load.refused) == (1, 1)
    assert desk.number("failed_items") == 0


def test_a_file_of_many_bad_rows_is_refused_unless_forced(
    stock: Stock, desk: Desk, records: Records
) -> None:
    made = [records.record(n, enseigne="CAFE") for n in range(1, 300)]
    path = Path(stock.write(*made)[0])
    rows = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(
        b"".join(r.replace(b"CAFE", b"CAF\xc9") for r in rows[:120]) + b"".join(rows[120:])
    )
    with pytest.raises(UserError, match=r"119 rows that cannot be read: line 2, ens.*bad_enc"):
        stock.load(str(path))
    assert desk.number("etablissements") == 0
    (load,) = stock.load(str(path), force=True)
    assert (load.rows, load.refused) == (180, 119)


def test_a_row_that_the_database_refuses_is_named_by_its_line(
    stock: Stock, desk: Desk, records: Records
) -> None:
    desk.execute("ALTER TABLE etablissements ADD CHECK (enseigne1 <> 'NON') ")
    made = [records.record(n, enseigne="NON" if n == 3 else "OUI") for n in range(1, 6)]
    (load,) = stock.load(stock.write(*made)[0])
    assert (load.rows, load.refused) == (4, 1)
    chunk = desk.one("SELECT refused_lines, refused_codes FROM stock_chunks")
    assert chunk == {"refused_lines": [4], "refused_codes": ["sqlstate_23514"]}


def test_the_command_ends_with_status_1_where_rows_were_refused(
    stock: Stock, records: Records
) -> None:
    path = Path(stock.write(records.record(1), records.record(2, enseigne="CAFE"))[0])
    path.write_bytes(path.read_bytes().replace(b"CAFE", b"CAF\xc9"))
    ended = _run(stock.database_url, str(path))
    assert ended.returncode == 1
    assert "1 refused" in ended.stdout
    assert "line 3, enseigne1Etablissement: bad_encoding" in ended.stderr


def test_columns_that_insee_calls_obsolete_may_go(
    stock: Stock, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    (load,) = stock.load(str(_REGISTER / "15_stock_obsolete_columns_gone/StockUniteLegale.csv"))
    assert (load.status, load.rows) == ("complete", 5)
    assert "absent columns, left empty: caractereEmployeurUniteLegale, denom" in (
        capsys.readouterr().err
    )
    assert desk.one("SELECT min(denomination) AS nom FROM unites_legales") == {"nom": "LIGNE 0"}


@pytest.mark.parametrize(
    "column",
    ["statutDiffusionEtablissement", "dateDernierTraitementEtablissement", "nic"],
)
def test_columns_that_identify_or_protect_are_required(
    column: str, stock: Stock, records: Records
) -> None:
    with pytest.raises(UserError, match=f"lacks the columns {column}$"):
        stock.load(stock.write(records.record(1), drop=[column])[0])


def test_gzip_and_other_delimiters_are_read_and_other_archives_named(
    stock: Stock, desk: Desk, records: Records, tmp_path: Path
) -> None:
    path = Path(stock.write(records.record(1, enseigne="UN; DEUX"))[0])
    rows = list(csv.reader(path.read_text("utf-8").splitlines()))
    with path.open("w", encoding="utf-8", newline="") as target:
        csv.writer(target, delimiter=";").writerows(rows)
    zipped = tmp_path / "f.csv.gz"
    zipped.write_bytes(gzip.compress(path.read_bytes()))
    stock.load(str(zipped))
    assert desk.one("SELECT enseigne1 FROM etablissements") == {"enseigne1": "UN; DEUX"}
    whole = zipped.read_bytes()
    zipped.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="archive is truncated"):
        stock.load(str(zipped), force=True)
    zipped.write_bytes(bz2.compress(path.read_bytes()))
    with pytest.raises(UserError, match="is compressed with bzip2: decompress it first"):
        stock.load(str(zipped))


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
    (planned,) = command.plan([str(path)], Egress())
    assert (planned.unknown_columns, planned.absent_columns) == (["nouveau"], [young])
    stock.load(str(path))
    assert desk.one("SELECT enseigne1 FROM etablissements") == {"enseigne1": "A"}
    said = capsys.readouterr().err
    assert "unknown columns, not loaded: nouveau" in said
    assert f"absent columns, left empty: {young}" in said


def test_names_with_every_separator_arrive_without_controls(
    stock: Stock, desk: Desk, records: Records
) -> None:
    names = ['LE "PETIT", CAFÉ', "A\nB", "A\tB\\C", "\\N", "\\.", "🍕 , ;", "a'b"]
    made = [records.record(n, enseigne=name) for n, name in enumerate(names, start=1)]
    stock.load(*stock.write(*made))
    rows = desk.execute("SELECT enseigne1 FROM etablissements ORDER BY siren")
    assert [row["enseigne1"] for row in rows] == list(map(without_controls, names))


def test_the_command_says_it_in_one_line_with_status_2(tmp_path: Path) -> None:
    ended = _run("postgresql://nobody@127.0.0.1:1/none", str(tmp_path / "none.zip"))
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stdout == ""


def _run(database_url: str, place: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "services.dispatch", "stock", place],
        cwd=_ROOT,
        env={**os.environ, "SIRENADE_DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        check=False,
    )
