"""The second level of the cache: pages that another process made, in a Redis that all share.

A name is a digest of page, version and build: who does not know the version of this moment cannot
ask for a page, so that an erased one is out of reach from the commit on. Value and name are sealed
with what only the portal's processes know: Redis cannot answer with another page, or a spoiled one.
"""

import hashlib
import hmac

from services.portal.web.redis import Redis
from shared.metrics import Metrics

KEPT_SECONDS = 3600
_SEAL_BYTES = 32


class SecondLevel:
    """Keeps pages for the other processes. `secret` is the same in all of them."""

    def __init__(self, redis: Redis, metrics: Metrics, *, build: str, secret: bytes) -> None:
        self._redis = redis
        self._metrics = metrics
        self._build = build
        self._key = hashlib.sha256(b"sirenade portal\n" + secret).digest()

    async def of(self, slug: str, version: str) -> bytes | None:
        """Return the page in this version, if somebody has made it in the last hour."""
        name = self._name(slug, version)
        value = await self._redis.get(name)
        outcome, content = "missing", None
        if value is not None:
            content = value[_SEAL_BYTES:]
            is_ours = hmac.compare_digest(value[:_SEAL_BYTES], self._digest(name, content))
            outcome, content = ("found", content) if is_ours else ("spoiled", None)
        self._metrics.portal_second_level.labels(outcome=outcome).inc()
        return content

    def keep(self, slug: str, version: str, content: bytes) -> None:
        name = self._name(slug, version)
        sealed = self._digest(name, content) + content
        self._redis.put(name, sealed, seconds=KEPT_SECONDS)

    def close(self) -> None:
        self._redis.close()

    def _name(self, slug: str, version: str) -> bytes:
        told = f"{self._build}\n{slug}\n{version}".encode()
        return b"sirenade:page:" + self._digest(told).hex()[:40].encode()

    def _digest(self, *parts: bytes) -> bytes:
        digest = hashlib.blake2b(key=self._key, digest_size=_SEAL_BYTES)
        for part in parts:
            digest.update(part)
        return digest.digest()
