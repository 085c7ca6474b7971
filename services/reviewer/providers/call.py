"""One text from one provider, tried again where another try helps.

Each try passes the gate and has a reservation of its own. A 429 is not counted as a try: the gate
pauses all callers.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

import structlog

from services.reviewer.providers.answers import (
    BAD_REQUEST,
    CONTENT_FILTER,
    UNAVAILABLE,
    ModelAnswer,
)
from services.reviewer.providers.bill import (
    NOTHING,
    Bill,
    CallResult,
    Messages,
    counted_usage,
    is_above,
    largest_usage,
)
from services.reviewer.providers.chat import (
    BadRequest,
    Chat,
    ChatError,
    ChatRefused,
    RateLimited,
    Reply,
    Transient,
)
from services.reviewer.providers.gate import End, Entry, Gate
from services.reviewer.providers.limits import CallLimit, Meter, Reservation
from services.reviewer.providers.settings import StructuredOutput, TokenUsage
from shared.backoff import doubling
from shared.clock import Clock
from shared.db.outages import slowing_down
from shared.errors import SlowDown
from shared.metrics import Metrics

log = structlog.get_logger()

TRIES = 3
_FIRST_BACKOFF_SECONDS = 0.5

# A server that refuses one is asked for the next.
_STRUCTURED_OUTPUTS = get_args(StructuredOutput)
_ENDS: dict[type[ChatError], End] = {
    RateLimited: End.THROTTLED,
    Transient: End.FAILED,
    BadRequest: End.FAILED,
    ChatRefused: End.REFUSED,
}
# Each such call goes beyond the cap by what it took above its reservation.
_OVERBILLED = "it bills more than a call can take: raise max_tokens, or ask another"

Write = Callable[[StructuredOutput], Messages]
"""Writes the messages for a server with this structured output."""


@dataclass(frozen=True, slots=True)
class CallWindow:
    """On the monotonic clock: the latest start of a first call, and the end of the last call."""

    begin_by: float
    finish_by: float

    def latest(self, timeout_seconds: float, *, first: bool) -> float:
        """Return the latest start of a call that takes up to `timeout_seconds`."""
        latest = self.finish_by - timeout_seconds
        return min(latest, self.begin_by) if first else latest


@dataclass(frozen=True, slots=True)
class _Try:
    """`most` is the largest usage of the try."""

    messages: Messages
    structured_output: StructuredOutput
    most: TokenUsage


class ProviderClient:
    """Thread-safe. Remembers which structured output the server refuses, until the process ends."""

    def __init__(
        self, chat: Chat, gate: Gate, meter: Meter, clock: Clock, metrics: Metrics
    ) -> None:
        self.provider = chat.provider
        self.gate = gate
        self._chat = chat
        self._meter = meter
        self._clock = clock
        self._metrics = metrics
        self._structured_output: StructuredOutput = chat.provider.structured_output
        self._said_no_usage = False

    def wait_seconds(self) -> float:
        """Return the time until the provider is worth a text, 0 for now. Raises SlowDown."""
        return max(self.gate.wait_seconds(), self._meter.closed_seconds(self.provider))

    def judge(self, *, accepted: bool) -> None:
        """Learn the verdict on a text: a provider whose texts are all refused is doubted."""
        doubted_seconds = self._meter.judge(self.provider, accepted=accepted)
        if doubted_seconds:
            log.error(
                "a provider's texts are all refused: it is asked for one text from time to time",
                provider=self.provider.name,
                next_in_seconds=round(doubted_seconds),
            )

    def ask(self, write: Write, window: CallWindow, *, first: bool) -> CallResult:
        """Ask for one text.

        `first` says that nothing has been paid for this text yet: then `window.begin_by` counts
        too. Raises SlowDown where nothing was asked.
        """
        bill = Bill(self.provider)
        structured_output = self._structured_output
        tries = 0
        while True:
            latest = window.latest(self.provider.timeout_seconds, first=first and tries == 0)
            try:
                answer = self._try(write, structured_output, latest, bill)
            except (RateLimited, SlowDown) as error:
                if isinstance(error, RateLimited) or error.reason == CallLimit.PROVIDER_PAUSED:
                    continue
                if tries == 0 and bill.usage == NOTHING:
                    raise
                # The tries that were paid for are stored first; the next call meets the same.
                return bill.without_text(UNAVAILABLE)
            except Transient as error:
                tries += 1
                if tries >= TRIES or not self._back_off(tries, error, window):
                    return bill.without_text(UNAVAILABLE)
            except BadRequest as error:
                if error.filtered or structured_output == "plain":
                    return bill.without_text(CONTENT_FILTER if error.filtered else BAD_REQUEST)
                structured_output = _STRUCTURED_OUTPUTS[_rank(structured_output) + 1]
            else:
                self._remember(structured_output)
                return bill.result(answer)

    def _try(
        self, write: Write, structured_output: StructuredOutput, latest: float, bill: Bill
    ) -> ModelAnswer:
        messages = write(structured_output)
        one = _Try(messages, structured_output, largest_usage(messages, self.provider))
        entry = self.gate.enter(one.most.tokens, latest=latest)
        try:
            reservation = self._reserve(one, latest)
        except BaseException as error:
            if isinstance(error, SlowDown) and error.reason == CallLimit.PROVIDER_PAUSED:
                self.gate.pause(error.retry_after_seconds)
            self.gate.leave(entry, End.NOT_MADE)
            raise
        answer = self._call(one, entry, reservation, bill)
        usage = counted_usage(answer, one.most)
        if answer.usage is None or not answer.usage.tokens:
            self._say_no_usage()
        self._charge(bill, usage)
        self._settle(reservation, usage)
        return answer

    def _reserve(self, one: _Try, latest: float) -> Reservation:
        most, cost_eur = one.most, self.provider.price.cost_eur(one.most)
        with slowing_down():
            reservation = self._meter.reserve(self.provider, tokens=most.tokens, cost_eur=cost_eur)
        if self._clock.monotonic_seconds() > latest:
            self._settle(reservation, None)
            raise CallLimit.LATE.error(f"{self.provider.name}: no room in time", 1)
        return reservation

    def _call(self, one: _Try, entry: Entry, reservation: Reservation, bill: Bill) -> ModelAnswer:
        """Send the request. The gate learns every end, the meter every end without an answer."""
        start = self._clock.monotonic_seconds()
        try:
            reply = self._chat.post(one.messages, one.structured_output)
        except ChatError as error:
            self._fail(one, entry, start, error)
            self._settle(reservation, self._charge_failed(bill, one, error))
            if isinstance(error, RateLimited):
                self._meter.pause(self.provider, self.gate.paused_seconds())
            if isinstance(error, ChatRefused):
                raise CallLimit.OUT_OF_USE.error(str(error), self.gate.wait_seconds()) from None
            raise
        except BaseException:
            self.gate.leave(entry, End.FAILED)
            self._settle(reservation, self._charge_unanswered(bill, one))
            raise
        above = is_above(reply.answer, one.most, self.provider.price)
        self._leave(entry, End.OVERBILLED if above else End.ANSWERED, start, reply)
        self._meter.answered(self.provider)
        if above:
            self._overbilled()
        return reply.answer

    def _overbilled(self) -> None:
        seconds = round(self._meter.overbilled(self.provider))
        name = self.provider.name
        log.error(
            "a provider is out of use", provider=name, reason=_OVERBILLED, next_in_seconds=seconds
        )

    def _fail(self, one: _Try, entry: Entry, start: float, error: ChatError) -> None:
        unfit = one.structured_output == "plain" and not error.filtered
        end = _ENDS[type(error)]
        if error.failure is not None and is_above(error.failure, one.most, self.provider.price):
            end = End.OVERBILLED
            self._overbilled()
        elif isinstance(error, BadRequest) and not unfit:
            end = End.NOT_MADE
        self._leave(entry, end, start, error)

    def _leave(self, entry: Entry, end: End, start: float, came: ChatError | Reply) -> None:
        name = self.provider.name
        latency_seconds = self._clock.monotonic_seconds() - start
        out_of_use = self.gate.leave(
            entry,
            end,
            latency_seconds=latency_seconds,
            headers=came.headers,
            retry_after_seconds=came.retry_after_seconds if isinstance(came, ChatError) else None,
        )
        outcome = "bad_request" if isinstance(came, BadRequest) else end.value
        self._metrics.chat_calls.labels(provider=name, outcome=outcome).inc()
        self._metrics.chat_call_seconds.labels(provider=name).observe(latency_seconds)
        if out_of_use:
            log.error("a provider is out of use", provider=name, reason=str(came))

    def _charge_failed(self, bill: Bill, one: _Try, error: ChatError) -> TokenUsage | None:
        """Charge what a try without an answer costs; return None where that is nothing."""
        if error.billed:
            return self._charge_unanswered(bill, one)
        usage = NOTHING if error.failure is None else counted_usage(error.failure, one.most)
        if usage == NOTHING:
            return None
        self._charge(bill, usage)
        return usage

    def _charge_unanswered(self, bill: Bill, one: _Try) -> TokenUsage:
        bill.unanswered += 1
        self._charge(bill, one.most)
        return one.most

    def _charge(self, bill: Bill, usage: TokenUsage) -> None:
        bill.add(usage)
        name, tokens = self.provider.name, self._metrics.chat_tokens
        tokens.labels(provider=name, kind="in").inc(usage.tokens_in)
        tokens.labels(provider=name, kind="cached").inc(usage.tokens_cached)
        tokens.labels(provider=name, kind="out").inc(usage.tokens_out)
        cost_euros = float(self.provider.price.cost_eur(usage))
        self._metrics.chat_cost_euros.labels(provider=name).inc(cost_euros)

    def _settle(self, reservation: Reservation, usage: TokenUsage | None) -> None:
        """Settle, or keep the reservation while PostgreSQL is away: a paid text is never lost."""
        try:
            with slowing_down():
                self._meter.settle(reservation, usage)
        except SlowDown as error:
            log.warning("cannot settle a call", provider=self.provider.name, reason=str(error))

    def _say_no_usage(self) -> None:
        if not self._said_no_usage:
            self._said_no_usage = True
            log.warning("answers name no usage: tokens are estimated", provider=self.provider.name)

    def _remember(self, structured_output: StructuredOutput) -> None:
        if _rank(structured_output) > _rank(self._structured_output):
            self._structured_output = structured_output
            log.warning(
                "the server refuses this structured output: asking for less",
                provider=self.provider.name,
                structured_output=structured_output,
            )

    def _back_off(self, tries: int, error: Transient, window: CallWindow) -> bool:
        """Wait, and return whether there is time for another try."""
        jitter = random.uniform(0.5, 1.5)  # noqa: S311 no secret
        seconds = doubling(_FIRST_BACKOFF_SECONDS, tries - 1) * jitter
        seconds = max(seconds, error.retry_after_seconds or 0)
        latest = window.latest(self.provider.timeout_seconds, first=False)
        if self._clock.monotonic_seconds() + seconds > latest:
            return False
        return not self._clock.wait(seconds)


def _rank(structured_output: StructuredOutput) -> int:
    return _STRUCTURED_OUTPUTS.index(structured_output)
