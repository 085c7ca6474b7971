"""Contents that a file given to a command may have, none of them as it should be."""

import gzip
import io
import json
import random
import zipfile
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet

from tests.fuzz.mutators import JUNK

_LINE = {"siret": "00000000100011", "siren": "000000001", "text": "x", "facts": {}, "format": 2}


def _zip_of(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", content)
    return out.getvalue()


def _parquet() -> bytes:
    out = io.BytesIO()
    pyarrow.parquet.write_table(pa.table({"siren": ["000000001"] * 50, "siret": ["x"] * 50}), out)
    return out.getvalue()


def sound() -> list[bytes]:
    """Return what is near to a file that some command takes."""
    line = json.dumps(_LINE).encode() + b"\n"
    return [
        line * 3,
        b"siren,nic,siret\n1,2,3\n",
        gzip.compress(line * 3),
        gzip.compress(b"siren,nic,siret\n1,2,3\n"),
        _zip_of(b"siren,nic,siret\n1,2,3\n"),
        _parquet(),
        b'[[provider]]\nname = "a"\nbase_url = "http://127.0.0.1:1"\nmodel = "m"\n',
    ]


def fixed() -> Iterator[bytes]:
    """Yield contents that have made a command stumble, or might."""
    yield from JUNK
    deep = b"[" * 100_000
    digits = b"1" * 5000
    yield b'{"a": ' + digits + b"}"
    yield b'{"text": "' + digits + b'", "facts": {"annee": ' + digits + b"}}"
    yield b'{"text": ' + deep
    yield b"a = " + deep
    yield b'{"siren": "\\ud800", "text": "\\udfff\\u0000"}'
    yield '{"text": "\u202e\x1b]0;T\x07\x9b", "facts": {}}'.encode()
    yield b"\xef\xbb\xbfsiren,siret\n" + b'"' * 3001
    yield b"siren,siret\n" + b"\xff\xfe,\n" * 20
    yield b"format\n2\n" * 3
    yield b"\r\r\r\n\x0b\x0c\x1c\x85"
    yield b'{"event": [], "service": {}, "level": {}, "timestamp": "0001-01-01T00:00:00+14:00"}'
    yield b'{"event": "x", "a": ' + b"[" * 900 + b"]" * 900 + b"}"
    for whole in sound():
        yield whole
        yield whole[: len(whole) // 2]
        yield whole[:-1]
        yield b"\0" + whole
    for magic in (
        b"PK\x03\x04",
        b"PAR1",
        b"\x1f\x8b",
        b"\x1f\x8b\x08\0",
        b"BZh",
        b"\x28\xb5\x2f\xfd",
    ):
        yield magic
        yield magic + bytes(100)
        yield magic + random.Random(1).randbytes(2000) + magic


def spoiled(rng: random.Random) -> bytes:
    """Return a content with some of its bytes changed, cut out or put in."""
    octets = bytearray(rng.choice(sound()))
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(octets) + 1)
        match rng.randrange(3):
            case 0:
                octets[at : at + 1] = rng.randbytes(1)
            case 1:
                del octets[at : at + rng.randrange(40)]
            case _:
                octets[at:at] = rng.randbytes(rng.randrange(40))
    return bytes(octets)
