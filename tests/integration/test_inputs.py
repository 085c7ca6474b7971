"""Every input of the product, in a hostile form: little is given, and little memory is taken.

Each is read by a process of its own, which tells its greatest memory.
"""

import gzip
import os
import re
import struct
import subprocess
import sys
import tempfile
import textwrap
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

_ROOT = Path(__file__).parents[2]
_MIB = 1 << 20
_LARGE_BYTES = 400 * _MIB
_MOST_MIB = 300

_TELL_PEAK = """
import atexit, re, sys
peak_file, *sys.argv[1:] = sys.argv[1:]
def tell():
    with open("/proc/self/status") as status, open(peak_file, "w") as out:
        out.write(re.search(r"VmHWM:\\s+(\\d+)", status.read())[1])
atexit.register(tell)
"""
_LESS_MEMORY = """
from services.writer.stock import command
command._MEMORY_BYTES = 300 << 20
"""
_COMMAND = """
from services.{service}.__main__ import app
from shared.terminal.cli import run
run(app, name="sirenade")
"""


def _sparse(path: Path) -> None:
    """One line of NULs: it takes no place on the disk."""
    with path.open("ab") as file:
        file.truncate(file.tell() + _LARGE_BYTES)


def _sparse_after(head: bytes) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.write_bytes(head)
        _sparse(path)

    return make


def _packed(piece: bytes, head: bytes = b"") -> Callable[[Path], None]:
    def make(path: Path) -> None:
        with gzip.open(path, "wb", compresslevel=1) as file:
            file.write(head)
            for _ in range(_LARGE_BYTES // len(piece)):
                file.write(piece)

    return make


def _zipped(piece: bytes, head: bytes = b"") -> Callable[[Path], None]:
    def make(path: Path) -> None:
        with (
            zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
            archive.open("a.csv", "w") as file,
        ):
            file.write(head)
            for _ in range(_LARGE_BYTES // len(piece)):
                file.write(piece)

    return make


def _zip_of_many(path: Path) -> None:
    """A directory of half a million files, each of which takes 46 bytes of it."""
    entry = b"PK\x01\x02" + bytes(24) + struct.pack("<H", 1) + bytes(16) + b"a"
    assert len(entry) == 47
    number = 500_000
    size = len(entry) * number
    with path.open("wb") as file:
        file.write(b"PK\x03\x04")
        file.write(entry * number)
        file.write(b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 65535, 65535, size, 4, 0))


def _repeated(piece: bytes) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.write_bytes(piece * (_LARGE_BYTES // 4 // len(piece)))

    return make


def _parquet_that_repeats(path: Path) -> None:
    one = pa.DictionaryArray.from_arrays(pa.array([0] * 20_000, pa.int32()), ["x" * 400_000])
    _write_parquet(path, one)


def _parquet_that_lies(path: Path) -> None:
    """A page of half a gigabyte, of which the footer says that it has a few bytes."""
    _write_parquet(path, pa.array(["x" * (_LARGE_BYTES)] * 2), use_dictionary=False)
    octets = bytearray(path.read_bytes())
    (length,) = struct.unpack("<I", octets[-8:-4])
    at = len(octets) - 8 - length
    footer = bytes(octets[at:-8])
    size = pyarrow.parquet.ParquetFile(path).metadata.row_group(0).column(1).total_uncompressed_size
    told = _varint(2 * size)
    assert told in footer
    octets[at:-8] = footer.replace(told, _varint(2 * 20, width=len(told)))
    path.write_bytes(octets)


def _varint(number: int, width: int = 0) -> bytes:
    out: list[int] = []
    while number > 0x7F or len(out) < width - 1:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _write_parquet(path: Path, signs: pa.Array, **options: object) -> None:
    columns = {"siren": ["000000001"] * len(signs), "enseigne1Etablissement": signs}
    rest = {name: pa.nulls(len(signs), pa.string()) for name in _columns() if name not in columns}
    pyarrow.parquet.write_table(
        pa.table({**columns, **rest}), path, compression="zstd", store_schema=False, **options
    )


def _columns() -> list[str]:
    from services.simulator.register.stock_files import columns  # noqa: PLC0415  Arrow's tests only

    return list(columns("StockEtablissement"))


def _header() -> bytes:
    return ",".join(_columns()).encode() + b"\n"


@dataclass(frozen=True)
class _Input:
    """An input: who reads it, a hostile form of it, and what is said of that."""

    name: str
    service: str
    command: str
    file: str
    make: Callable[[Path], None]
    said: str
    setting: str = ""
    before: str = ""
    most_mib: int = _MOST_MIB


_LONG = "is longer than 1048576"
_FILES = [
    _Input("records", "writer", "inspect", "a.jsonl", _sparse, _LONG),
    _Input("texts", "reviewer", "avis check", "a.jsonl", _sparse, _LONG),
    _Input("log", "operator", "logs", "a.jsonl", _sparse, _LONG),
    _Input("packed log", "operator", "logs", "a.jsonl.gz", _packed(bytes(_MIB)), _LONG),
    _Input("text", "reviewer", "avis whose", "a.txt", _sparse, _LONG),
    _Input("edit", "reviewer", "avis edit 00000000100011 --reason x --file", "a", _sparse, _LONG),
    _Input("reviews", "reviewer", "reviews import", "a.jsonl", _sparse, _LONG),
    _Input(
        "a row of reviews without an end",
        "reviewer",
        "reviews import",
        "a.csv",
        _repeated(b'"a\n",'),
        "lacks the columns|a row is longer",
    ),
    _Input("erasures", "writer", "forget --apply", "a.jsonl", _sparse, _LONG),
    _Input(
        "setting",
        "operator",
        "stats",
        "a",
        _sparse,
        _LONG,
        setting="SIRENADE_SHARD_DATABASE_URLS_FILE",
    ),
    _Input("CSV", "writer", "stock", "a.csv", _sparse_after(b""), "no siren column|is no CSV"),
    _Input("CSV's line", "writer", "stock", "a.csv", _sparse_after(_header()), "."),
    _Input("gzip", "writer", "stock", "a.gz", _packed(bytes(_MIB), _header()), "."),
    _Input(
        "gzip of bad rows",
        "writer",
        "stock",
        "a.gz",
        _packed(b"x\n" * _MIB, _header()),
        "too many",
        most_mib=_MOST_MIB + 100,
    ),
    _Input("zip", "writer", "stock", "a.zip", _zipped(bytes(_MIB), _header()), "."),
    _Input(
        "zip of bad rows",
        "writer",
        "stock",
        "a.zip",
        _zipped(b"x\n" * _MIB, _header()),
        "too many",
        most_mib=_MOST_MIB + 100,
    ),
    _Input("zip of many files", "writer", "stock", "a.zip", _zip_of_many, "more than one CSV"),
    _Input("parquet", "writer", "stock", "a.parquet", _parquet_that_repeats, "holds a value of"),
    _Input(
        "lying parquet",
        "writer",
        "stock",
        "a.parquet",
        _parquet_that_lies,
        "more memory",
        before=_LESS_MEMORY,
        most_mib=600,
    ),
]


_SLOW = {"gzip", "zip", "gzip of bad rows", "zip of bad rows", "lying parquet"}


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param(each, id=each.name, marks=[pytest.mark.slow] if each.name in _SLOW else [])
        for each in _FILES
    ],
)
def test_a_hostile_file_is_refused_before_it_grows(
    hostile: _Input, tmp_path: Path, database_url: str
) -> None:
    path = tmp_path / hostile.file
    hostile.make(path)
    words = hostile.command.split()
    environment = {"SIRENADE_DATABASE_URL": database_url, "SIRENADE_BROKER_URL": "memory://"}
    if hostile.setting:
        environment[hostile.setting] = str(path)
    else:
        words.append(str(path))
    code = hostile.before + _COMMAND.format(service=hostile.service)
    done, peak_mib = _run(code, *words, **environment)
    assert done.returncode in {1, 2}, done.stderr[-500:]
    assert "Traceback" not in done.stderr
    assert re.search(hostile.said, done.stderr), done.stderr[-500:]
    assert peak_mib < hostile.most_mib


_DATA = {
    "providers": """
        import pathlib
        from services.reviewer.providers.settings import read_providers
        read_providers(pathlib.Path("/dev/zero"))
        """,
    "key": """
        from pathlib import Path
        from services.reviewer.providers.chat import read_key
        from services.reviewer.providers.settings import Provider
        free = {"input_eur_per_million": 0, "output_eur_per_million": 0}
        here = {"base_url": "http://127.0.0.1:1", "key_file": Path("/dev/zero")}
        read_key(Provider(name="a", model="m", price=free, **here))
        """,
    "INSEE page": """
        from services.fetcher.insee.answers import RateHeaders, page_answer, rate_headers
        body = b'{"header": {"total": 1}, "etablissements": [' + b"[]," * 16_000_000 + b"[]]}"
        page_answer(body, rate_headers({}), "etablissements", most=1000)
        """,
    "manifest of a backup": """
        import pathlib, tempfile
        from shared.archive.cipher import Cipher
        from shared.archive.manifest import manifests
        from shared.archive.storage import open_storage
        from shared.archive.vault import Vault
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "backup=20260101T000000Z", "manifest")
            path.parent.mkdir()
            with path.open("wb") as file:
                file.truncate(1 << 40)
            list(manifests(Vault(open_storage(f"file://{folder}"), "", Cipher())))
        """,
    "message": """
        import zstandard
        from shared.wire import decode
        decode(zstandard.ZstdCompressor().compress(b"[" + b"[]," * 10_000_000 + b"[]]"))
        """,
    "long texts of a message": """
        from shared.wire import decode
        decode(b'{"kwargs":{}}\\0{' + b",".join(b'"%d":-1' % n for n in range(100_000)) + b"}\\0x")
        """,
    "records of a slice": """
        from services.writer.slices.decode import read_slice
        from shared.messages import WriteSlice
        records = "[" + "{}," * 3_000_000 + "{}]"
        read_slice(WriteSlice(1, 1, 1, 0, "2026-08-05T12:00:00+00:00", records))
        """,
}


@pytest.mark.parametrize("name", _DATA)
def test_hostile_data_are_refused_before_they_grow(name: str) -> None:
    done, peak_mib = _run(textwrap.dedent(_DATA[name]))
    *_, last = done.stderr.splitlines()
    assert re.match(
        r"[\w.]+\.(UserError|StorageError|NoGoodAnswer|NotAMessage|ContractError): ", last
    ), last
    assert peak_mib < _MOST_MIB


def _run(
    code: str, *words: str, **environment: str
) -> tuple[subprocess.CompletedProcess[str], int]:
    inherited = {n: value for n, value in os.environ.items() if not n.startswith("SIRENADE_")}
    with tempfile.NamedTemporaryFile("r") as peak:
        done = subprocess.run(
            [sys.executable, "-c", _TELL_PEAK + code, peak.name, *words],
            cwd=_ROOT,
            env={**inherited, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return done, int(peak.read() or -1) // 1024
