"""Two sorted lists of sirets compared in flat memory, and what the comparison amounts to. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from services.fetcher.plan.windows import Window

# More are counted and not kept: whoever misses as many imports the scope anew.
MOST_SIRETS_KEPT = 100_000

Side = Literal["missing", "surplus"]
CertificateVerdict = Literal["counts_agree", "agree", "differ"]


def compare(listed: Iterable[str], stored: Iterable[str]) -> Iterator[tuple[Side, str]]:
    """Yield what is in one only. Both must rise strictly; neither is read ahead of the other."""
    theirs, ours = iter(listed), iter(stored)
    left, right = next(theirs, None), next(ours, None)
    while left is not None or right is not None:
        if right is None or (left is not None and left < right):
            assert left is not None
            yield "missing", left
            left = next(theirs, None)
        elif left is None or right < left:
            yield "surplus", right
            right = next(ours, None)
        else:
            left, right = next(theirs, None), next(ours, None)


@dataclass
class Tally:
    """Sirets of one side: the first ones kept, the rest counted."""

    kept: list[str] = field(default_factory=list)
    more: int = 0

    def add(self, siret: str) -> None:
        if len(self.kept) < MOST_SIRETS_KEPT:
            self.kept.append(siret)
        else:
            self.more += 1

    @property
    def count(self) -> int:
        return len(self.kept) + self.more


@dataclass
class WindowFinding:
    """One window: what INSEE lists of it, what is stored of it, and how far that was compared.

    `gone`: stored, and INSEE does not list them any more, asked by number; no part of the surplus.
    """

    window: Window
    expected: int
    counted: int
    gone_counted: int
    is_walked: bool = False
    missing: Tally = field(default_factory=Tally)
    surplus: Tally = field(default_factory=Tally)
    gone: list[str] = field(default_factory=list)

    @property
    def counts_agree(self) -> bool:
        return self.expected == self.counted - self.gone_counted

    @property
    def gone_stored(self) -> int:
        return len(self.gone) if self.is_walked else self.gone_counted

    @property
    def stored(self) -> int:
        if not self.is_walked:
            return self.counted
        return self.expected - self.missing.count + self.surplus.count + len(self.gone)


def united(tallies: Iterable[Tally]) -> Tally:
    """One tally of several windows, which may overlap: a siret in two of them is one."""
    every = list(tallies)
    kept = sorted({siret for each in every for siret in each.kept})
    return Tally(kept, sum(each.more for each in every))


def verdict(findings: Iterable[WindowFinding]) -> CertificateVerdict:
    """A window that was only counted keeps the whole from more than `counts_agree`."""
    every = list(findings)
    if any(each.missing.count or each.surplus.count for each in every):
        return "differ"
    return "agree" if all(each.is_walked for each in every) else "counts_agree"
