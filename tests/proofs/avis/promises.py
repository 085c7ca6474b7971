"""The promises on generators, judged by the chat server's records and the ledger. Pure."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from tests.proofs.promises import MIB, Promise, at_most, exactly, judge_connections, judge_memory
from tests.proofs.samples import Sample

MOST_RSS_BYTES = 200 * MIB
# The goal of up to this many generators; two cores do more than wait for 200.
GOALS = {10: 0.97, 50: 0.95, 200: 0.80}
_ALL_AT_ONCE = 0.95
_MOST_FALLBACKS = 0.01
# A server that was quicker than asked would make the ideal too low.
_LEAST_OF_LATENCY = 0.95
_CALLS_OF_THE_END = 2


@dataclass(frozen=True)
class Call:
    """The begin and end of a call, in seconds of the chat server's clock."""

    begun: float
    ended: float


@dataclass(frozen=True)
class AvisOrder:
    texts: int
    generators: int
    least_latency_seconds: float
    most_latency_seconds: float

    @property
    def mean_latency_seconds(self) -> float:
        return (self.least_latency_seconds + self.most_latency_seconds) / 2

    @property
    def ideal_per_second(self) -> float:
        return self.generators / self.mean_latency_seconds


@dataclass(frozen=True)
class Ledger:
    """Sums over avis and attempts; `twice` counts avis with two accepted attempts of a model."""

    accepted: int
    by_template: int
    twice: int
    answers: int
    refused: int
    tokens_in: int
    tokens_out: int
    cost_eur: Decimal
    owed_eur: Decimal
    """The cost of the tokens at the provider's price."""
    spent_eur: Decimal
    """The amount in the budget."""


def steady_part(calls: Sequence[Call], asked: AvisOrder) -> tuple[float, float] | None:
    """Return the moments between which all generators were at work; None where there are none.

    The ramp lasts until one longest latency after nearly all were at the server at once: before,
    their answers come in waves. The end is the last calls, two of each generator.
    """
    changes = sorted([(each.begun, 1) for each in calls] + [(each.ended, -1) for each in calls])
    inside = itertools.accumulate(change for _, change in changes)
    enough = _ALL_AT_ONCE * asked.generators
    full = next((at for (at, _), now in zip(changes, inside, strict=True) if now >= enough), None)
    last = _CALLS_OF_THE_END * asked.generators
    if full is None or len(calls) <= last:
        return None
    begin = full + asked.most_latency_seconds
    end = sorted(each.begun for each in calls)[-last]
    return (begin, end) if end > begin else None


def rate_of(calls: Sequence[Call], part: tuple[float, float]) -> float:
    begin, end = part
    return sum(begin < each.ended <= end for each in calls) / (end - begin)


def mean_latency_of(calls: Sequence[Call]) -> float:
    return sum(each.ended - each.begun for each in calls) / max(1, len(calls))


def goal_of(generators: int) -> float:
    return next((goal for most, goal in GOALS.items() if generators <= most), GOALS[max(GOALS)])


def judge_avis(
    samples: Sequence[Sample], calls: Sequence[Call], ledger: Ledger, asked: AvisOrder
) -> list[Promise]:
    part = steady_part(calls, asked)
    share = 0.0 if part is None else rate_of(calls, part) / asked.ideal_per_second
    goal = goal_of(asked.generators)
    most_fallbacks = int(_MOST_FALLBACKS * asked.texts)
    latency = mean_latency_of(calls)
    least_latency = _LEAST_OF_LATENCY * asked.mean_latency_seconds
    return [
        Promise(
            "answers a second, of generators / mean latency",
            f"≥ {goal:.2f}",
            f"{share:.3f}",
            share >= goal,
        ),
        Promise(
            "mean latency of the server",
            f"≥ {least_latency:.2f} s",
            f"{latency:.2f} s",
            latency >= least_latency,
        ),
        exactly("texts accepted", asked.texts, ledger.accepted),
        exactly("texts lost", 0, asked.texts - ledger.accepted),
        exactly("texts paid for twice", 0, ledger.twice),
        exactly("answers of the server that are in the ledger", len(calls), ledger.answers),
        at_most("texts left to the template", most_fallbacks, ledger.by_template),
        _money("cost in the ledger, for its tokens", ledger.owed_eur, ledger.cost_eur),
        _money("cost in the budget", ledger.owed_eur, ledger.spent_eur),
        *judge_memory(samples, MOST_RSS_BYTES),
        judge_connections(samples),
    ]


def _money(name: str, promised: Decimal, measured: Decimal) -> Promise:
    return Promise(name, f"{promised:.8f} €", f"{measured:.8f} €", promised == measured)
