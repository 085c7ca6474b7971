"""The client of commands, whose user waits for the answer. Each request takes its slot."""

from collections.abc import Callable
from typing import Concatenate, ParamSpec

import structlog

from services.fetcher.insee.answers import AnswerT, InseeError, NoGoodAnswer, QuotaExceeded
from services.fetcher.insee.client import InseeClient
from services.fetcher.insee.ledger import Sender
from shared.backoff import doubling
from shared.clock import Clock
from shared.errors import SlowDown, UserError

log = structlog.get_logger()

# Pauses of 1, 2, 4 … 60 s, four minutes in all: the restart of a gateway must not end a long walk.
_ATTEMPTS = 9
_MAX_DELAY_SECONDS = 60.0
_SLOT_PATIENCE_SECONDS = 30.0

_P = ParamSpec("_P")


class Inquirer:
    """Asks again until there is an answer. Raises UserError where INSEE refuses, or gives none."""

    def __init__(self, sender: Sender, clock: Clock) -> None:
        self._sender = sender
        self._clock = clock
        self.requests = 0

    def count(self, query: str) -> int:
        """Ask how many establishments the query finds."""
        return self.ask(InseeClient.search_siret, query, nombre=0).total

    def ask(
        self,
        request: Callable[Concatenate[InseeClient, _P], AnswerT],
        *args: _P.args,
        **named: _P.kwargs,
    ) -> AnswerT:
        """Send a request with these arguments."""
        # An INSEE that cannot be reached is named at once, before the walk has cost anything.
        attempts = 1 if self.requests == 0 else _ATTEMPTS
        failures = 0
        while True:
            try:
                slot = self._sender.quota.take(patience_seconds=_SLOT_PATIENCE_SECONDS)
                self.requests += 1
                return self._sender.send(slot, lambda insee: request(insee, *args, **named))
            except QuotaExceeded as error:
                self._sender.quota.give_way(error.retry_after_seconds)
            except SlowDown:
                # Other processes have the slots for now.
                if self._clock.stopping.is_set():
                    raise UserError("interrupted") from None
            except NoGoodAnswer as error:
                failures += 1
                if failures >= attempts:
                    raise UserError(f"INSEE gives no good answer: {error}") from None
                delay_seconds = doubling(1.0, failures - 1, most=_MAX_DELAY_SECONDS)
                log.warning("no good answer", reason=str(error), again_in_seconds=delay_seconds)
                self._clock.wait(delay_seconds)
            except InseeError as error:
                raise UserError(str(error)) from None
