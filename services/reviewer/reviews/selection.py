"""The selection of an establishment's reviews: which are quoted, which are only counted. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.reviewer.reviews.quotability import BLAME, reasons_against_quoting
from services.reviewer.reviews.source import Source
from shared.sirene.facts import Facts

QUOTED = 3


@dataclass(frozen=True, slots=True)
class Selection:
    """`quoted` are the latest that may be quoted, the latest first.

    `unquotable` is the number of those that may not be quoted, whatever room there were. `accuses`:
    one of these accuses somebody, so that a person should see what is left out.
    """

    counted: tuple[Source, ...]
    quoted: tuple[Source, ...]
    unquotable: int
    accuses: bool

    @property
    def has_older(self) -> bool:
        """Return whether some are not quoted only because others are later."""
        return len(self.counted) > len(self.quoted) + self.unquotable


def select(facts: Facts, sources: Sequence[Source]) -> Selection:
    """Select from the establishment's reviews: the latest, whether they praise or blame."""
    ordered = sorted(sources, key=lambda each: (each.published_on, each.digest), reverse=True)
    against = [reasons_against_quoting(each, facts) for each in ordered]
    quotable = [each for each, reasons in zip(ordered, against, strict=True) if not reasons]
    return Selection(
        counted=tuple(ordered),
        quoted=tuple(quotable[:QUOTED]),
        unquotable=len(ordered) - len(quotable),
        accuses=any(not BLAME.isdisjoint(reasons) for reasons in against),
    )
