"""The comparison of two sorted lists of sirets in flat memory, and its verdict. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from services.fetcher.certificates.contents import Difference
from services.fetcher.plan.windows import Window
from shared.sirene.identifiers import siren_of

# More are counted, not kept: where this many differ, the scope is imported anew.
MOST_SIRETS_KEPT = 100_000

Side = Literal["missing", "surplus"]


def compare(listed: Iterable[str], stored: Iterable[str]) -> Iterator[tuple[Side, str]]:
    """Yield the sirets of one list only. Both must rise strictly; neither is read ahead."""
    at_insee, here = iter(listed), iter(stored)
    left, right = next(at_insee, None), next(here, None)
    while left is not None or right is not None:
        if right is None or (left is not None and left < right):
            assert left is not None
            yield "missing", left
            left = next(at_insee, None)
        elif left is None or right < left:
            yield "surplus", right
            right = next(here, None)
        else:
            left, right = next(at_insee, None), next(here, None)


@dataclass
class Tally:
    """The sirets of one side: the first ones are kept, the rest is counted."""

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
class Altered:
    """The establishments whose contents differ: the first ones are kept, the rest is counted."""

    kept: list[Difference] = field(default_factory=list)
    more: int = 0
    more_columns: Counter[str] = field(default_factory=Counter)

    def extend(self, differences: Iterable[Difference]) -> None:
        for each in differences:
            if len(self.kept) < MOST_SIRETS_KEPT:
                self.kept.append(each)
            else:
                self.more += 1
                self.more_columns.update((*each.unite, *each.own))

    def keep_unchanged(self, seen: Mapping[str, int]) -> None:
        """Forget those whose rows were written since they were compared."""
        self.kept = [each for each in self.kept if seen.get(each.siret) == each.seen]

    @property
    def sirets(self) -> Tally:
        return Tally([each.siret for each in self.kept], self.more)


@dataclass
class WindowFinding:
    """One window: what INSEE lists, what is stored, and how the two differ.

    `altered` is None where contents are not compared. `gone` are stored sirets that INSEE, asked by
    number, no longer lists; they are no surplus.
    """

    window: Window
    expected: int
    counted: int
    gone_counted: int
    is_walked: bool = False
    missing: Tally = field(default_factory=Tally)
    surplus: Tally = field(default_factory=Tally)
    altered: Altered | None = None
    gone: list[str] = field(default_factory=list)

    @property
    def counts_agree(self) -> bool:
        return self.expected == self.counted - self.gone_counted

    @property
    def compared(self) -> Literal["counts", "sirets", "contents"]:
        if self.altered is not None:
            return "contents"
        return "sirets" if self.is_walked else "counts"

    @property
    def gone_stored(self) -> int:
        return len(self.gone) if self.is_walked else self.gone_counted

    @property
    def stored(self) -> int:
        if not self.is_walked:
            return self.counted
        return self.expected - self.missing.count + self.surplus.count + len(self.gone)


def united(tallies: Iterable[Tally]) -> Tally:
    """Unite the tallies of windows that may overlap: a siret in two of them counts once."""
    every = list(tallies)
    kept = sorted({siret for each in every for siret in each.kept})
    return Tally(kept, sum(each.more for each in every))


def by_column(findings: Iterable[WindowFinding]) -> dict[str, int]:
    """Count the rows that differ by column, most first.

    A siret in two windows counts once, and so does a unit with establishments in two.
    """
    every = [each.altered for each in findings if each.altered is not None]
    own = {one.siret: one.own for each in every for one in each.kept}
    unites = {siren_of(one.siret): one.unite for each in every for one in each.kept if one.unite}
    counted: Counter[str] = Counter()
    for each in every:
        counted += each.more_columns
    _count(counted, own.values())
    _count(counted, unites.values())
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def _count(counted: Counter[str], rows: Collection[tuple[str, ...]]) -> None:
    for columns in rows:
        counted.update(columns)


def verdict(findings: Iterable[WindowFinding]) -> Literal["counts_agree", "agree", "differ"]:
    """Return the verdict on all windows; one window that was only counted allows no `agree`."""
    every = list(findings)
    if any(each.missing.count or each.surplus.count for each in every):
        return "differ"
    if any(each.altered is not None and each.altered.sirets.count for each in every):
        return "differ"
    return "agree" if all(each.is_walked for each in every) else "counts_agree"
