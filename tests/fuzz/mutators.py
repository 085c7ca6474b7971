"""Faults put into JSON and into bytes. Pure: a fault and a random number generator make a case."""

import copy
import gzip
import json
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

Place = tuple[Any, Any]
"""A dict or a list, and a key of it."""

NESTED: Any = "x"
for _ in range(300):  # Deeper than orjson writes, not as deep as it reads.
    NESTED = [NESTED]
ODD: tuple[Any, ...] = (
    None, True, False, -1, 0, 1, 2**31, 2**63 - 1, 2**63, 2**64, -(2**63), 1e308, 1.5, float("nan"),
    float("inf"), "", " ", "*", "\0", "a\0b", "\ud800", "a\udfffb", "\u202e", "[ND]", "1", "-1",
    "1e999", "null", "９９９", "A" * 5000, "é" * 70_000, [], {}, [None], [[]], {"": ""}, {"\0": 1},
    NESTED, "9999-12-31T23:59:59+14:00", "0001-01-01", "2026-02-30", "<b>x</b>", "'; --", "\\N\t\n",
)  # fmt: skip
JUNK = (
    b"", b"\0", b"\xff\xfe", b"null", b"[]", b"{}", b"7", b'"x"', b"<html><body>503</body></html>",
    b"[" * 100_000, b'{"a":' * 2000, b"\xef\xbb\xbf{}", b"NaN", b'{"header":', b" " * 100_000,
)  # fmt: skip


def places(node: Any, deep: int = 0) -> Iterator[Place]:
    """Every place of a document, itself excluded."""
    keys: Sequence[Any] = ()
    if isinstance(node, dict):
        keys = list(node)
    elif isinstance(node, list):
        keys = range(len(node))
    for key in keys:
        yield node, key
        if deep < 8:
            yield from places(node[key], deep + 1)


def _replace(place: Place, rng: random.Random) -> None:
    place[0][place[1]] = copy.deepcopy(rng.choice(ODD))


def _remove(place: Place, _rng: random.Random) -> None:
    del place[0][place[1]]


def _repeat(place: Place, rng: random.Random) -> None:
    value = place[0][place[1]]
    place[0][place[1]] = [value] * rng.choice((1, 2, 700))


def _wrap(place: Place, _rng: random.Random) -> None:
    place[0][place[1]] = {"value": place[0][place[1]]}


def _retype(place: Place, _rng: random.Random) -> None:
    value = place[0][place[1]]
    place[0][place[1]] = str(value) if not isinstance(value, str) else [value]


def _add(place: Place, rng: random.Random) -> None:
    if isinstance(place[0], dict):
        place[0][rng.choice(("nouvelleCle", "\0", "é" * 3000, ""))] = copy.deepcopy(rng.choice(ODD))
    else:
        place[0].insert(0, copy.deepcopy(rng.choice(ODD)))


def _rename(place: Place, rng: random.Random) -> None:
    holder, key = place
    if isinstance(holder, dict):
        holder[rng.choice((f"{key} ", str(key).upper(), ""))] = holder.pop(key)


def _swap(place: Place, rng: random.Random) -> None:
    holder, key = place
    other = rng.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    holder[key], holder[other] = holder[other], holder[key]


_JSON_FAULTS: tuple[Callable[[Place, random.Random], None], ...] = (
    _replace, _replace, _replace, _remove, _repeat, _wrap, _retype, _add, _rename, _swap,
)  # fmt: skip


def mutated(document: Any, rng: random.Random, *, below: str | None = None) -> Any:
    """A copy with one to three faults, in the top's block of that name where there is one."""
    document = copy.deepcopy(document)
    for _ in range(rng.randint(1, 3)):
        block = document
        if below is not None and isinstance(document, dict) and document.get(below):
            block = document[below]
        found = list(places(block))
        if found:
            rng.choice(_JSON_FAULTS)(rng.choice(found), rng)
    return document


def dumped(document: Any, rng: random.Random) -> bytes:
    """JSON as one may send it: escaped, or with its surrogates in bytes that are no UTF-8."""
    if rng.random() < 0.7:
        return json.dumps(document).encode()
    return json.dumps(document, ensure_ascii=False).encode("utf-8", errors="surrogatepass")


def _cut(body: bytes, rng: random.Random) -> bytes:
    return body[: rng.randrange(len(body) + 1)]


def _flip(body: bytes, rng: random.Random) -> bytes:
    octets = bytearray(body)
    for _ in range(min(len(octets), rng.choice((1, 1, 1, 4, 20)))):
        octets[rng.randrange(len(octets))] = rng.randrange(256)
    return bytes(octets)


def _insert(body: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(body) + 1)
    return (
        body[:at]
        + rng.choice((b"\0", b"\xff", b'"', b"{", b"\\ud800", b"\n", b"A" * 100))
        + body[at:]
    )


def _junk(_body: bytes, rng: random.Random) -> bytes:
    return rng.choice(JUNK)


def _recode(body: bytes, rng: random.Random) -> bytes:
    text = body.decode("utf-8", errors="replace")
    encoding = rng.choice(("utf-16", "utf-32", "latin-1", "utf-8-sig", "cp037"))
    return text.encode(encoding, errors="replace")


def _twice(body: bytes, rng: random.Random) -> bytes:
    return body + rng.choice((body, b"}", b"\0", b"\n{}"))


def _zip(body: bytes, _rng: random.Random) -> bytes:
    return gzip.compress(body, 1)


_BYTE_FAULTS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _cut, _cut, _flip, _flip, _insert, _junk, _recode, _twice, _zip,
)  # fmt: skip


def spoiled(body: bytes, rng: random.Random) -> bytes:
    """One or two faults of bytes."""
    for _ in range(rng.choice((1, 1, 2))):
        body = rng.choice(_BYTE_FAULTS)(body, rng)
    return body
