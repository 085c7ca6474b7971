"""Answers of INSEE on the wire, recorded or simulated, then spoiled: body, headers, status line."""

import gzip
import json
import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fuzz.mutators import ODD, dumped, mutated, spoiled
from tests.integration.writer.records import Record

_RECORDED = Path(__file__).parents[1] / "fixtures" / "insee"
_NUMBERS = (
    "", "0", "-1", "1", "30", "nan", "inf", "1e999", "1_000", "9" * 400, "soon", "\xa0", "0x10",
    "1e14", "9999999999999", "  7  ", "１２",
)  # fmt: skip
_STATUSES = (
    "200 OK", "200 OK", "200 OK", "200 OK", "200 OK", "201 Created", "204 Nothing", "206 Partial",
    "301 Moved",
    "302 Found", "304 Not Modified", "308 x", "400 Bad Request",
    "401 Unauthorized", "403 Forbidden", "404 Not Found", "406 x", "414 x", "429 Too Many Requests",
    "429 x", "500 x", "502 Bad Gateway", "503 x", "504 x", "599 x", "999 x", "600", "418 \xe9",
)  # fmt: skip
_STATUS_LINES = (
    b"HTTP/1.1 OK\r\n", b"HTTP/9.9 200 OK\r\n", b"200\r\n", b"\r\n\r\n", b"HTTP/1.1 99 x\r\n",
    b"HTTP/1.1 200 " + b"x" * 70_000 + b"\r\n",
    b"<html>", b"\0\0\0\0", b"HTTP/1.1 100 Continue\r\n",
    b"HTTP/1.1 2000 OK\r\n", b"ICY 200 OK\r\n", b"",
)  # fmt: skip
_LOCATIONS = (
    b"/siret/77887067500015", b"http://[", b"//", b"\xff\xfe\xe9", b"http://127.0.0.1:1/", b"",
    b"/siret/1", b"javascript:alert(1)", b"http://a b/", b"/" + b"x" * 5000, b"http://\0/",
)  # fmt: skip
_ODD_HEADERS = (
    b"Content-Length: x", b"Content-Length: -5", b"Content-Length: 5, 6", b"Content-Length: 9" * 2,
    b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"no colon here",
    b": no name", b"Set-Cookie: a=b; Expires=never; Max-Age=x", b"Set-Cookie: \xff", b"X: \0",
    b"X: " + b"y" * 70_000, b"\r\n".join([b"X: y"] * 150), b" folded: x", b"Connection: close\xff",
    b"Content-Encoding: br", b"Content-Encoding: zstd", b"Content-Encoding: gzip, gzip, deflate",
    b"Content-Encoding: " + b", ".join([b"gzip"] * 9), b"Content-Type: text/html; charset=utf-7",
)  # fmt: skip


@dataclass(frozen=True)
class Spoiled:
    """`octets` are all that is sent; the connection is closed afterwards, unless `kept_open`."""

    octets: bytes
    kept_open: bool = False


def answer(
    body: bytes, status: str = "200 OK", *headers: bytes, length: int | None = None
) -> bytes:
    lines = [f"HTTP/1.1 {status}".encode("latin-1")]
    lines.append(b"Content-Length: %d" % (len(body) if length is None else length))
    return b"\r\n".join([*lines, *headers]) + b"\r\n\r\n" + body


def page(records: Sequence[Any], *, total: int, cursor: str = "*", next_cursor: Any) -> Any:
    header = {
        "statut": 200,
        "message": "ok",
        "total": total,
        "debut": 0,
        "nombre": len(records),
        "curseur": cursor,
        "curseurSuivant": next_cursor,
    }
    return {"header": header, "etablissements": list(records)}


def recorded_bodies() -> list[Any]:
    """Return INSEE's recorded answers, errors too, and its answers about its own state."""
    lines = (_RECORDED / "http_traces.jsonl").read_text(encoding="utf-8").splitlines()
    bodies = [json.loads(line).get("body") for line in lines]
    parsed = [json.loads(body) if isinstance(body, str) else body for body in bodies if body]
    informations = (_RECORDED / "informations_2026-08-05.json").read_text(encoding="utf-8")
    return [*parsed, json.loads(informations)]


def _body(records: Sequence[Record], others: Sequence[Any], rng: random.Random) -> bytes:
    if rng.random() < 0.15:
        return dumped(mutated(rng.choice(others), rng), rng)
    chosen: list[Any] = [rng.choice(records) for _ in range(rng.choice((0, 1, 1, 2, 3)))]
    document = page(chosen, total=rng.choice((0, 1, len(chosen), 3, 9999)), next_cursor="b")
    kind = rng.randrange(10)
    if kind < 3:
        document = mutated(document, rng, below="header")
    elif kind < 6:
        document = mutated(document, rng, below="etablissements")
    elif kind == 6:
        document = mutated(document, rng)
    elif kind == 7:
        document["header"][rng.choice(("total", "curseurSuivant", "message"))] = rng.choice(ODD)
    body = dumped(document, rng)
    return spoiled(body, rng) if kind == 8 else body


def _headers(rng: random.Random) -> list[bytes]:
    found = []
    for name in ("x-rate-limit", "x-quota"):
        if rng.random() < 0.15:
            found += [
                f"{name}-{part}: {rng.choice(_NUMBERS)}".encode()
                for part in ("limit", "remaining", "reset")
            ]
    if rng.random() < 0.1:
        found.append(f"Retry-After: {rng.choice(_NUMBERS)}".encode())
    if rng.random() < 0.15:
        found.append(b"Location: " + rng.choice(_LOCATIONS))
    if rng.random() < 0.1:
        found.append(rng.choice(_ODD_HEADERS))
    return found


def make_answer(records: Sequence[Record], others: Sequence[Any], rng: random.Random) -> Spoiled:
    body = _body(records, others, rng)
    headers = _headers(rng)
    kind = rng.randrange(20)
    if kind == 0:
        return Spoiled(rng.choice(_STATUS_LINES) + answer(body, "200 OK", *headers)[15:])
    if kind == 1:
        length = rng.choice((0, 1, len(body) // 2, len(body) + 1, 10**9, 10**30))
        return Spoiled(answer(body, "200 OK", *headers, length=length))
    if kind == 2:
        packed = rng.choice((gzip.compress(body, 1), zlib.compress(body, 1), body))
        encoding = rng.choice((b"gzip", b"deflate", b"identity", b"x-gzip"))
        return Spoiled(answer(spoiled(packed, rng), "200 OK", b"Content-Encoding: " + encoding))
    if kind == 3:
        return Spoiled(spoiled(answer(body, "200 OK", *headers), rng))
    status = rng.choice(_STATUSES) if kind < 9 else "200 OK"
    # A client would wait for the end of an odd length.
    is_plain = not set(headers) & set(_ODD_HEADERS)
    return Spoiled(answer(body, status, *headers), kept_open=is_plain and rng.random() < 0.7)
