"""One provider, asked once: through its gate, with the money set aside, tried again where it helps.

Each try passes the gate and is reserved by itself. A 429 is no try: the gate makes everybody wait.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from services.reviewer.providers.answers import CONTENT_FILTER, ModelAnswer
from services.reviewer.providers.chat import (
    BadRequest,
    Chat,
    ChatError,
    ChatRefused,
    Messages,
    RateLimited,
    Reply,
    Transient,
)
from services.reviewer.providers.gate import PAUSE_SECONDS, End, Entry, Gate, Late, OutOfUse
from services.reviewer.providers.meter import BudgetReached, Meter, ProviderPaused, Reservation
from services.reviewer.providers.settings import Provider, StructuredOutput, TokenUsage
from shared.backoff import doubling
from shared.clock import Clock
from shared.db.outages import is_outage, slowing_down
from shared.errors import SlowDown
from shared.metrics import Metrics

log = structlog.get_logger()

TRIES = 3
_FIRST_BACKOFF_SECONDS = 0.5

UNAVAILABLE = "provider_unavailable"
BAD_REQUEST = "bad_request"

_LESS: dict[StructuredOutput, StructuredOutput] = {
    "json_schema": "json_object",
    "json_object": "plain",
}
# Of a token at least: what is set aside must not be too little.
_BYTES_PER_TOKEN_AT_LEAST = 2
_BYTES_PER_TOKEN_USUALLY = 4

Write = Callable[[StructuredOutput], Messages]
"""The messages for a server that can do so much."""


@dataclass(frozen=True, slots=True)
class CallWindow:
    """On the monotonic clock: the latest beginning of a first call, and the end of the last one."""

    begin_by: float
    finish_by: float

    def latest(self, timeout_seconds: float, *, first: bool) -> float:
        """The latest beginning of a call that takes up to so long."""
        latest = self.finish_by - timeout_seconds
        return min(latest, self.begin_by) if first else latest


@dataclass(frozen=True, slots=True)
class CallResult:
    """`usage` and `cost_eur` are of all tries; `failed` tells that there was no answer at all."""

    answer: ModelAnswer
    usage: TokenUsage
    cost_eur: Decimal
    failed: bool = False


class Bill:
    """What the tries at one text have used."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self.usage = TokenUsage(tokens_in=0, tokens_out=0)
        self.cost_eur = Decimal(0)

    def add(self, usage: TokenUsage) -> None:
        self.usage = TokenUsage(
            tokens_in=self.usage.tokens_in + usage.tokens_in,
            tokens_out=self.usage.tokens_out + usage.tokens_out,
            tokens_cached=self.usage.tokens_cached + usage.tokens_cached,
        )
        self.cost_eur += self._provider.price.cost_eur(usage)

    def told(self, answer: ModelAnswer) -> CallResult:
        return CallResult(answer, self.usage, self.cost_eur)

    def unfit(self, error: BadRequest) -> CallResult:
        if error.filtered:
            return self.told(ModelAnswer(None, (CONTENT_FILTER,), None))
        return self.failed(BAD_REQUEST)

    def failed(self, reason: str) -> CallResult:
        return CallResult(
            ModelAnswer(None, (reason,), None), self.usage, self.cost_eur, failed=True
        )


@dataclass(frozen=True, slots=True)
class _Try:
    """`most` is what it can use at most."""

    messages: Messages
    structured_output: StructuredOutput
    most: TokenUsage

    @classmethod
    def of(cls, write: Write, structured_output: StructuredOutput, provider: Provider) -> "_Try":
        messages = write(structured_output)
        return cls(messages, structured_output, most_of(messages, provider))


def told_reasons(reasons: Sequence[str]) -> list[str]:
    """Codes only, each once; a provider that was away says nothing to the next one."""
    return [reason for reason in dict.fromkeys(reasons) if reason != UNAVAILABLE]


def most_of(messages: Messages, provider: Provider) -> TokenUsage:
    """What an answer to these messages can use at most."""
    tokens_in = _bytes(messages) // _BYTES_PER_TOKEN_AT_LEAST
    return TokenUsage(tokens_in=tokens_in, tokens_out=provider.max_tokens)


class ProviderClient:
    """Thread-safe. What the server cannot do is remembered for the life of the process."""

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

    def ask(self, write: Write, window: CallWindow, *, first: bool) -> CallResult:
        """Raises Late or OutOfUse where nothing was asked, BudgetReached and SlowDown as they come.

        `first` tells that nothing has been paid for this text yet: then it may also wait too long.
        """
        bill = Bill(self.provider)
        structured_output = self._structured_output
        tries = 0
        while True:
            latest = window.latest(self.provider.timeout_seconds, first=first and tries == 0)
            try:
                answer = self._try(_Try.of(write, structured_output, self.provider), latest, bill)
            except (RateLimited, ProviderPaused):
                continue
            except (SlowDown, BudgetReached):
                if tries == 0:
                    raise
                # What was paid for is told first; the next call will meet the same.
                return bill.failed(UNAVAILABLE)
            except Transient as error:
                tries += 1
                if tries >= TRIES or not self._back_off(tries, error, window):
                    return bill.failed(UNAVAILABLE)
            except BadRequest as error:
                if error.filtered or structured_output == "plain":
                    return bill.unfit(error)
                structured_output = _LESS[structured_output]
            else:
                self._remember(structured_output)
                return bill.told(answer)

    def _try(self, one: _Try, latest: float, bill: Bill) -> ModelAnswer:
        entry = self.gate.enter(one.most.tokens, latest=latest)
        try:
            reservation = self._reserve(one, latest)
        except BaseException as error:
            if isinstance(error, ProviderPaused):
                self.gate.pause(error.retry_after_seconds)
            self.gate.leave(entry, End.NOT_MADE)
            raise
        reply = self._call(one, entry, reservation, bill)
        usage = reply.answer.usage or self._estimate(one, reply.answer)
        self._charge(bill, usage)
        self._settle(reservation, usage)
        return reply.answer

    def _reserve(self, one: _Try, latest: float) -> Reservation:
        most, cost_eur = one.most, self.provider.price.cost_eur(one.most)
        with slowing_down():
            reservation = self._meter.reserve(self.provider, tokens=most.tokens, cost_eur=cost_eur)
        if self._clock.monotonic_seconds() > latest:
            self._settle(reservation, None)
            raise Late(f"{self.provider.name}: no room in time", retry_after_seconds=1)
        return reservation

    def _call(self, one: _Try, entry: Entry, reservation: Reservation, bill: Bill) -> Reply:
        """The gate hears of every end, and the meter of every one without an answer."""
        start = self._clock.monotonic_seconds()
        try:
            reply = self._chat.post(one.messages, one.structured_output)
        except RateLimited as error:
            self._leave(entry, End.THROTTLED, "throttled", start, error)
            self._settle(reservation, None)
            asked = error.retry_after_seconds
            self._meter.pause(self.provider, PAUSE_SECONDS if asked is None else asked)
            raise
        except Transient as error:
            self._leave(entry, End.FAILED, "failed", start, error)
            if error.billed:
                self._charge(bill, one.most)
            self._settle(reservation, one.most if error.billed else None)
            raise
        except BadRequest as error:
            unfit = one.structured_output == "plain" and not error.filtered
            self._leave(entry, End.FAILED if unfit else End.NOT_MADE, "bad_request", start, error)
            self._settle(reservation, None)
            raise
        except ChatRefused as error:
            self._leave(entry, End.REFUSED, "refused", start, error)
            self._settle(reservation, None)
            raise OutOfUse(str(error), retry_after_seconds=self.gate.wait_seconds()) from None
        except BaseException:
            self.gate.leave(entry, End.FAILED)
            self._charge(bill, one.most)
            self._settle(reservation, one.most)
            raise
        self._leave(entry, End.ANSWERED, "answered", start, reply)
        return reply

    def _leave(
        self, entry: Entry, end: End, outcome: str, start: float, came: ChatError | Reply
    ) -> None:
        name = self.provider.name
        latency_seconds = self._clock.monotonic_seconds() - start
        out_of_use = self.gate.leave(
            entry,
            end,
            latency_seconds=latency_seconds,
            headers=came.headers if isinstance(came, RateLimited | Reply) else None,
            retry_after_seconds=(
                came.retry_after_seconds if isinstance(came, RateLimited) else None
            ),
        )
        self._metrics.chat_calls.labels(provider=name, outcome=outcome).inc()
        self._metrics.chat_call_seconds.labels(provider=name).observe(latency_seconds)
        if out_of_use:
            log.error("a provider is out of use", provider=name, reason=str(came))

    def _charge(self, bill: Bill, usage: TokenUsage) -> None:
        bill.add(usage)
        name, tokens = self.provider.name, self._metrics.chat_tokens
        tokens.labels(provider=name, kind="in").inc(usage.tokens_in)
        tokens.labels(provider=name, kind="cached").inc(usage.tokens_cached)
        tokens.labels(provider=name, kind="out").inc(usage.tokens_out)
        cost_euros = float(self.provider.price.cost_eur(usage))
        self._metrics.chat_cost_euros.labels(provider=name).inc(cost_euros)

    def _settle(self, reservation: Reservation, usage: TokenUsage | None) -> None:
        """A text that was paid for is not lost for a ledger that is away: the most stays aside."""
        try:
            self._meter.settle(reservation, usage)
        except (DBAPIError, PoolTimeoutError) as error:
            if not is_outage(error):
                raise
            log.warning("cannot settle a call", provider=self.provider.name)

    def _estimate(self, one: _Try, answer: ModelAnswer) -> TokenUsage:
        if not self._said_no_usage:
            self._said_no_usage = True
            log.warning(
                "no usage in the answers: tokens are estimated", provider=self.provider.name
            )
        written = len((answer.text or "").encode()) // _BYTES_PER_TOKEN_USUALLY
        return TokenUsage(
            tokens_in=_bytes(one.messages) // _BYTES_PER_TOKEN_USUALLY,
            # Of an answer that cannot be read nobody knows how long it was.
            tokens_out=written + 1 if answer.text else self.provider.max_tokens,
        )

    def _remember(self, structured_output: StructuredOutput) -> None:
        if structured_output in _below(self._structured_output):
            self._structured_output = structured_output
            log.warning(
                "the server answers only with less structure",
                provider=self.provider.name,
                structured_output=structured_output,
            )

    def _back_off(self, tries: int, error: Transient, window: CallWindow) -> bool:
        """Wait, and say whether another try can be begun."""
        jitter = random.uniform(0.5, 1.5)  # noqa: S311 no secret
        seconds = doubling(_FIRST_BACKOFF_SECONDS, tries - 1) * jitter
        seconds = max(seconds, error.retry_after_seconds or 0)
        latest = window.latest(self.provider.timeout_seconds, first=False)
        if self._clock.monotonic_seconds() + seconds > latest:
            return False
        return not self._clock.wait(seconds)


def _below(structured_output: StructuredOutput) -> list[StructuredOutput]:
    less = _LESS.get(structured_output)
    return [] if less is None else [less, *_below(less)]


def _bytes(messages: Messages) -> int:
    return sum(len(message["content"].encode()) + 16 for message in messages)
