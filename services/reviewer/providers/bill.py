"""The tokens and euros that the tries at one text use. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from services.reviewer.providers.answers import BAD_REQUEST, UNAVAILABLE, ModelAnswer
from services.reviewer.providers.settings import Price, Provider, TokenUsage

# At least 2 bytes a token: a reservation must never be too small.
_BYTES_PER_TOKEN_AT_LEAST = 2
_BYTES_PER_TOKEN_USUALLY = 4
# A message's role and punctuation.
_BYTES_AROUND_A_MESSAGE = 16
# The most credible count, many times what a call can use. More would overflow the sums.
_MOST_TOKENS = 100_000

NOTHING = TokenUsage(tokens_in=0, tokens_out=0)

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
        self.usage = NOTHING
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


def counted_usage(answer: ModelAnswer, most: TokenUsage) -> TokenUsage:
    """Return the usage that counts, of an answer to a request that could use `most`.

    What the server tells counts, but never less than a prompt and a text of that length usually
    take, and nothing that is beyond belief: then `most` does. Zero counts as untold: so an answer
    takes what is usual, as long as can be where it cannot be read, and a failure nothing.
    """
    told = answer.usage if answer.usage and answer.usage.tokens else None
    if told is None and answer.failed:
        return NOTHING
    usual_in = most.tokens_in * _BYTES_PER_TOKEN_AT_LEAST // _BYTES_PER_TOKEN_USUALLY
    written = min(-(-answer.written_bytes // _BYTES_PER_TOKEN_USUALLY), _MOST_TOKENS)
    if told is None:
        return TokenUsage(tokens_in=usual_in, tokens_out=written or most.tokens_out)
    if _is_beyond_belief(told):
        told = most
    return TokenUsage(
        tokens_in=max(told.tokens_in, usual_in),
        tokens_out=max(told.tokens_out, written),
        tokens_cached=told.tokens_cached,
    )


def is_above(answer: ModelAnswer, most: TokenUsage, price: Price) -> bool:
    """Return whether an answer costs more than was set aside, as its server tells or as it is."""
    if answer.usage is not None and _is_beyond_belief(answer.usage):
        return price.charges
    return price.cost_eur(counted_usage(answer, most)) > price.cost_eur(most)


def _is_beyond_belief(usage: TokenUsage) -> bool:
    return max(usage.tokens_in, usage.tokens_out) > _MOST_TOKENS


def _bytes(messages: Messages) -> int:
    return sum(len(message["content"].encode()) + _BYTES_AROUND_A_MESSAGE for message in messages)
