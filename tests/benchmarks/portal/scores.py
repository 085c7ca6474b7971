"""Scores of a search: how often the right answer is the first, or among the first ten."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_FIRST_PAGE = 10


@dataclass(frozen=True)
class Score:
    """The rank from 0 of the first right answer for each of some pairs; None: there was none."""

    ranks: tuple[int | None, ...]

    @property
    def recall_at_1(self) -> float:
        return sum(rank == 0 for rank in self.ranks) / len(self.ranks)

    @property
    def recall_at_10(self) -> float:
        found = sum(rank is not None and rank < _FIRST_PAGE for rank in self.ranks)
        return found / len(self.ranks)

    @property
    def mean_reciprocal_rank(self) -> float:
        return sum(1 / (rank + 1) for rank in self.ranks if rank is not None) / len(self.ranks)


@dataclass
class Scores:
    """The ranks by kind of pair."""

    _ranks: defaultdict[str, list[int | None]] = field(default_factory=lambda: defaultdict(list))

    def add(self, kind: str, right: Iterable[bool]) -> int | None:
        """Take the answers of a pair in their order, whether each is right; return the rank."""
        rank = next((at for at, is_right in enumerate(right) if is_right), None)
        self._ranks[kind].append(rank)
        return rank

    @property
    def all(self) -> Score:
        return Score(tuple(rank for ranks in self._ranks.values() for rank in ranks))

    @property
    def by_kind(self) -> Mapping[str, Score]:
        return {kind: Score(tuple(ranks)) for kind, ranks in self._ranks.items()}

    def lines(self) -> Iterable[str]:
        yield f"{'kind':20} {'pairs':>5} {'@1':>6} {'@10':>6} {'MRR':>6}"
        for kind, score in [*self.by_kind.items(), ("all", self.all)]:
            yield (
                f"{kind:20} {len(score.ranks):5} {score.recall_at_1:6.3f}"
                f" {score.recall_at_10:6.3f} {score.mean_reciprocal_rank:6.3f}"
            )
