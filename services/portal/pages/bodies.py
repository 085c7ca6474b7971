"""The bodies of pages that were made, bounded in bytes: the ones asked for last stay. Pure."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

_KEPT_SECONDS = 3600.0
_OVERHEAD_BYTES = 500


class Body(NamedTuple):
    version: str
    content: bytes
    made_at: float

    @property
    def size_bytes(self) -> int:
        return len(self.content) + len(self.version) + _OVERHEAD_BYTES


class Bodies:
    """Keeps one body for each slug; `of` gives it only to who knows its version."""

    def __init__(
        self, most_bytes: int, *, monotonic_seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._most_bytes = most_bytes
        self._now = monotonic_seconds
        self._bodies: OrderedDict[str, Body] = OrderedDict()
        self.size_bytes = 0

    def of(self, slug: str, version: str) -> bytes | None:
        body = self._bodies.get(slug)
        if body is None:
            return None
        if body.version != version or self._now() - body.made_at > _KEPT_SECONDS:
            self._drop(slug)
            return None
        self._bodies.move_to_end(slug)
        return body.content

    def keep(self, slug: str, version: str, content: bytes) -> None:
        self._drop(slug)
        body = Body(version, content, self._now())
        if body.size_bytes > self._most_bytes:
            return
        self._bodies[slug] = body
        self.size_bytes += body.size_bytes
        while self.size_bytes > self._most_bytes:
            self._drop(next(iter(self._bodies)))

    def _drop(self, slug: str) -> None:
        body = self._bodies.pop(slug, None)
        if body is not None:
            self.size_bytes -= body.size_bytes
