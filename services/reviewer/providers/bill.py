"""The tokens and euros that the tries at one text use. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from services.reviewer.providers.answers import BAD_REQUEST, UNAVAILABLE, ModelAnswer
from services.reviewer.providers.settings import Provider, TokenUsage

# At least 2 bytes a token: a reservation must never be too small.
_BYTES_PER_TOKEN_AT_LEAST = 2
_BYTES_PER_TOKEN_USUALLY = 4
# A message's role and punctuation.
_BYTES_AROUND_A_MESSAGE = 16

Messages = Sequence[Mapping[str, str]]
"""The messages to a model, each with a `role` and a `content`."""


@dataclass(frozen=True, slots=True)
class CallResult:
    """`usage` and `cost_eur` add up all tries.

    Of those `unanswered` they hold the most that they can have cost.
    """

    answer: ModelAnswer
    usage: TokenUsage
    cost_eur: Decimal
    unanswered: int = 0

    @property
    def failed(self) -> bool:
        """Return whether no answer came."""
        return self.answer.reasons in {(UNAVAILABLE,), (BAD_REQUEST,)}


class Bill:
    """The sum of what the tries at one text have used."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self.usage = TokenUsage(tokens_in=0, tokens_out=0)
        self.cost_eur = Decimal(0)
        self.unanswered = 0

    def add(self, usage: TokenUsage) -> None:
        self.usage = TokenUsage(
            tokens_in=self.usage.tokens_in + usage.tokens_in,
            tokens_out=self.usage.tokens_out + usage.tokens_out,
            tokens_cached=self.usage.tokens_cached + usage.tokens_cached,
        )
        self.cost_eur += self._provider.price.cost_eur(usage)

    def result(self, answer: ModelAnswer) -> CallResult:
        return CallResult(answer, self.usage, self.cost_eur, self.unanswered)

    def without_text(self, reason: str) -> CallResult:
        return self.result(ModelAnswer(None, (reason,), None))


def largest_usage(messages: Messages, provider: Provider) -> TokenUsage:
    """Return the most tokens that a call with these messages can use."""
    tokens_in = _bytes(messages) // _BYTES_PER_TOKEN_AT_LEAST
    return TokenUsage(tokens_in=tokens_in, tokens_out=provider.max_tokens)


def estimated_usage(messages: Messages, text: str | None, provider: Provider) -> TokenUsage:
    """Return the usual tokens of a call whose answer names none.

    `text` is None for an answer that cannot be read: it counts as the longest one.
    """
    written = len((text or "").encode()) // _BYTES_PER_TOKEN_USUALLY
    return TokenUsage(
        tokens_in=_bytes(messages) // _BYTES_PER_TOKEN_USUALLY,
        tokens_out=written + 1 if text else provider.max_tokens,
    )


def _bytes(messages: Messages) -> int:
    return sum(len(message["content"].encode()) + _BYTES_AROUND_A_MESSAGE for message in messages)
