"""Names by a folded form of theirs, small in memory. Pure."""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator


class FoldedNames:
    """Finds the names of one folded form.

    It keeps the forms' hashes and not the forms: of 37 000 communes these take as much memory as
    the names themselves, once for each way to fold them.
    """

    def __init__(self, names: Iterable[str], fold: Callable[[str], str]) -> None:
        by_hash = sorted((hash(fold(name)), name) for name in names)
        self._fold = fold
        self._hashes = array("q", [hashed for hashed, _ in by_hash])
        self._names = [name for _, name in by_hash]

    def of(self, folded: str) -> Iterator[str]:
        """Yield the names of this form, in order."""
        hashed = hash(folded)
        place = bisect_left(self._hashes, hashed)
        while place < len(self._names) and self._hashes[place] == hashed:
            if self._fold(self._names[place]) == folded:
                yield self._names[place]
            place += 1

    def __contains__(self, folded: str) -> bool:
        return next(self.of(folded), None) is not None
