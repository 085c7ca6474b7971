"""Readers of the portal: they keep copies, and know what was taken before they asked."""

import gzip
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyarrow import BufferReader
from pyarrow import parquet as pq

_ADDRESS = re.compile(r"portal: (http://\S+?)/?\s")


def portal_address(log: Path) -> str | None:
    """Return the address that a portal has told in its log, as soon as it has."""
    found = _ADDRESS.search(log.read_text(encoding="utf-8")) if log.exists() else None
    return None if found is None else found[1]


def shown_text(answer: Any) -> str:
    """Return all that an answer of `requests` tells, in its body or by where it leads."""
    content: bytes = answer.content
    kind = answer.headers.get("Content-Type", "")
    if kind == "application/gzip":
        content = gzip.decompress(content)
    if "parquet" in kind:
        content = str(pq.read_table(BufferReader(content)).to_pylist()).encode()
    leads_to: str = answer.headers.get("Location", "")
    return f"{content.decode()}\n{leads_to}"


@dataclass
class KeptCopies:
    """The answers that one client keeps, by path: as a browser does, it asks whether they hold."""

    _kept: dict[str, tuple[str, str]] = field(default_factory=dict)

    def condition(self, path: str) -> dict[str, str]:
        """Return the header of a request for this path."""
        etag, _ = self._kept.get(path, ("", ""))
        return {"If-None-Match": etag} if etag else {}

    def seen(self, path: str, answer: Any) -> str:
        """Return what the client shows: the copy, where he is told that nothing has changed."""
        _, text = self._kept.get(path, ("", ""))
        if answer.status_code != 304:
            text = shown_text(answer)
        if etag := answer.headers.get("ETag", ""):
            self._kept[path] = (etag, text)
        else:
            self._kept.pop(path, None)
        return text


@dataclass
class TakenMarks:
    """Marks that an answer may tell no more, each from the commit that took it.

    A client reads `marks` before it sends a request, and looks for these in the answer.
    """

    marks: frozenset[str] = frozenset()

    def add(self, marks: Iterable[str]) -> None:
        """Call it after the commit. One thread alone adds."""
        self.marks |= frozenset(marks)


def told_of(marks: Iterable[str], text: str) -> set[str]:
    """Return the marks that a text tells, in whatever case."""
    text = text.upper()
    return {mark for mark in marks if mark.upper() in text}
