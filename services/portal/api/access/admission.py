"""The admission of the API: who asks, and whether there is a place for the request."""

import time
from typing import NamedTuple

from starlette.requests import Request

from services.portal.api.access.keys import hash_of
from services.portal.api.access.limits import BURST_SECONDS, AddressLimits, shortened
from services.portal.api.problems import key_needed, too_many_requests
from services.portal.api.statements import USE_OF_KEY
from services.portal.web.connections import Connections

_MOST_KEY_CHARACTERS = 200


class Use(NamedTuple):
    """The answer of a row of a key to one use of it."""

    is_valid: bool
    is_granted: bool
    wait_seconds: float


class Admission:
    """Lets requests in, up to the limit of their key or of their network."""

    def __init__(self, control: Connections, *, anonymous_per_minute: int) -> None:
        self._control = control
        self._networks = AddressLimits(anonymous_per_minute, time.monotonic)

    async def admit(self, request: Request, *, key_only: bool = False, cost: int = 1) -> None:
        """Take a place for a request. Raises Problem where there is none, or no valid key."""
        key = _key_of(request)
        if key is not None and await self._use(key, cost):
            return
        # Whoever tries keys has the limit of his network.
        network = shortened(request.client.host if request.client else None)
        if (wait := self._networks.wait(network)) > 0:
            raise too_many_requests(wait)
        if key is not None:
            raise key_needed("cette clé n'existe pas, ou ne vaut plus")
        if key_only:
            raise key_needed("cette adresse demande une clé : Authorization: Bearer CLÉ")

    async def _use(self, key: str, cost: int) -> bool:
        """Return whether the key is valid. Raises Problem where its limit is reached."""
        rows = await self._control.run(USE_OF_KEY, (hash_of(key), cost, BURST_SECONDS))
        if not rows or not (use := Use(*rows[0])).is_valid:
            return False
        if not use.is_granted:
            raise too_many_requests(use.wait_seconds)
        return True


def _key_of(request: Request) -> str | None:
    """Return the key of the header; an address never holds one, since logs keep addresses."""
    sent = request.headers.get("authorization")
    if sent is None:
        return None
    scheme, _, key = sent.partition(" ")
    if scheme.lower() != "bearer" or not (key := key.strip()) or len(key) > _MOST_KEY_CHARACTERS:
        raise key_needed("Authorization: Bearer CLÉ est attendu")
    return key
