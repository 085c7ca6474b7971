"""The client of commands, whose user waits for the answer. Each request takes its slot."""

from collections.abc import Callable

import structlog

from services.fetcher.insee.answers import (
    Informations,
    InseeError,
    NoGoodAnswer,
    OneAnswer,
    PageAnswer,
    QuotaExceeded,
)
from services.fetcher.insee.ledger import AnswerT, Sender
from shared.backoff import doubling
from shared.clock import Clock
from shared.errors import SlowDown, UserError
from shared.sirene.identifiers import is_siret

log = structlog.get_logger()

# Pauses of 1, 2, 4 … 60 s, four minutes in all: the restart of a gateway must not end a long walk.
_ATTEMPTS = 9
_MAX_DELAY_SECONDS = 60.0
_SLOT_PATIENCE_SECONDS = 30.0


class Inquirer:
    """Asks again until there is an answer. Raises UserError where INSEE refuses, or gives none."""

    def __init__(self, sender: Sender, clock: Clock) -> None:
        self._sender = sender
        self._client, self._quota = sender.client, sender.quota
        self._clock = clock
        self.requests = 0

    def informations(self) -> Informations:
        """Ask how far INSEE's data goes."""
        return self._ask(self._client.informations)

    def one(self, number: str) -> OneAnswer:
        """Ask what became of one siren or siret."""
        return self._ask(lambda: self._client.one(number))

    def successions(self, query: str, *, nombre: int, curseur: str) -> PageAnswer:
        """Ask for one page of links of succession."""
        return self._ask(
            lambda: self._client.search_successions(query, nombre=nombre, curseur=curseur)
        )

    def count(self, query: str) -> int:
        """Ask how many establishments the query finds."""

        def send() -> PageAnswer:
            return self._client.search_siret(query, nombre=0, curseur=None)

        return self._ask(send).total

    def list_sirets(self, query: str, *, nombre: int, curseur: str) -> tuple[PageAnswer, list[str]]:
        """Ask for one page of sirets, in INSEE's order."""
        sirets: list[str] = []

        def send() -> PageAnswer:
            answer = self._client.search_siret(
                query, nombre=nombre, curseur=curseur, champs="siret"
            )
            sirets[:] = _sirets_of(answer)
            return answer

        return self._ask(send), sirets

    def _ask(self, send: Callable[[], AnswerT]) -> AnswerT:
        # An INSEE that cannot be reached is named at once, before the walk has cost anything.
        attempts = 1 if self.requests == 0 else _ATTEMPTS
        failures = 0
        while True:
            try:
                return self._once(send)
            except QuotaExceeded as error:
                self._quota.give_way(error.retry_after_seconds)
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

    def _once(self, send: Callable[[], AnswerT]) -> AnswerT:
        slot = self._quota.take(patience_seconds=_SLOT_PATIENCE_SECONDS)
        self.requests += 1
        return self._sender.send(slot, send)


def _sirets_of(answer: PageAnswer) -> list[str]:
    sirets = [record.get("siret") for record in answer.records if isinstance(record, dict)]
    good = [siret for siret in sirets if isinstance(siret, str) and is_siret(siret)]
    if len(good) != len(answer.records):
        raise NoGoodAnswer("malformed", "a record of the page has no siret", status=answer.status)
    return good
