"""Runs of a fuzz test: a number of cases, each counted by its end."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

CaseT = TypeVar("CaseT")
# A class may be rare by chance in fewer cases than this.
_ENOUGH = 1000
_MOST_OF_ONE_CLASS = 0.8


@dataclass
class Tally:
    """Counts the ends of the cases of one test."""

    name: str
    counts: Counter[str] = field(default_factory=Counter)

    def require_variety(self, *classes: str) -> None:
        """Each of these was met, and none is nearly all: otherwise the cases try one thing only."""
        total = self.counts.total()
        if total < _ENOUGH:
            return
        assert not set(classes) - set(self.counts), dict(self.counts)
        assert max(self.counts.values()) <= _MOST_OF_ONE_CLASS * total, dict(self.counts)


@dataclass(frozen=True)
class Fuzz:
    """`examples` cases for each test; without a seed they are the same in each run."""

    examples: int
    seed: int | None
    tallies: list[Tally]

    def share(self, part: int) -> int:
        """Return the number of costly cases: one in `part` of all, and a few at least."""
        return max(20, self.examples // part)

    def __call__(
        self, name: str, make: Callable[[random.Random], CaseT], become: Callable[[CaseT], str]
    ) -> Tally:
        """Make each case and count what it becomes; one that breaks something fails the test.

        A case is all that `make` draws from its generator, so that its number alone makes it
        again. It is not made simpler: that would make thousands of large answers more.
        """
        tally = Tally(name)
        self.tallies.append(tally)

        def each(number: int) -> None:
            case = make(random.Random(number))
            note(repr(case)[:4000])
            tally.counts[become(case)] += 1

        run = settings(
            max_examples=self.examples,
            database=None,
            deadline=None,
            derandomize=self.seed is None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )(given(number=st.integers(0, 2**64 - 1))(each))
        run()
        return tally

    def some(self, name: str, part: int) -> tuple[Tally, list[random.Random]]:
        """Yield a tally and the generators of its cases, for tests that go through real servers."""
        tally = Tally(name)
        self.tallies.append(tally)
        seed = random.Random(f"{name}/{self.seed or 0}")
        return tally, [random.Random(seed.getrandbits(64)) for _ in range(self.share(part))]
