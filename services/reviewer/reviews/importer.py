"""The import of reviews: it stores those that may be kept and refuses the others by line."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy import Connection, Engine

from services.reviewer.reviews import store
from services.reviewer.reviews.authors import warning_about
from services.reviewer.reviews.files import Refusal
from services.reviewer.reviews.source import Source
from services.reviewer.reviews.store import ReviewedPlace, StoredReview
from shared.db.quotations import erase_quotations, make_due

_LINES_PER_TRANSACTION = 500


@dataclass
class Imported:
    """Counts of reviews: new, changed since an earlier import, and unchanged.

    Warnings are about reviews that were kept.
    """

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: list[Refusal] = field(default_factory=list)
    warnings: list[Refusal] = field(default_factory=list)


def import_reviews(engine: Engine, lines: Iterable[tuple[int, Source] | Refusal]) -> Imported:
    """Store the reviews, 500 to a transaction; a second import changes nothing."""
    outcome = Imported()
    remaining = iter(lines)
    while chunk := list(islice(remaining, _LINES_PER_TRANSACTION)):
        outcome.refused += [each for each in chunk if isinstance(each, Refusal)]
        found = [each for each in chunk if not isinstance(each, Refusal)]
        with engine.begin() as connection:
            _keep(connection, found, outcome)
    return outcome


def _keep(connection: Connection, found: list[tuple[int, Source]], outcome: Imported) -> None:
    withdrawn = store.read_withdrawn(connection, [source for _, source in found])
    places = store.read_places(connection, [source.siret for _, source in found])
    stored = store.read_stored(connection, [source for _, source in found])
    due: set[str] = set()
    reworded: set[str] = set()
    for number, source in sorted(found, key=lambda each: (each[1].digest, each[0])):
        former = stored.get(source.digest)
        refusal = (
            "the review was withdrawn"
            if source.digest in withdrawn
            else _refusal(source, places.get(source.siret), former)
        )
        if refusal is not None:
            outcome.refused.append(Refusal(number, refusal))
            continue
        warning = warning_about(source.author_label, places[source.siret].names)
        if warning is not None:
            outcome.warnings.append(Refusal(number, warning))
        match store.keep_source(connection, source):
            case True:
                outcome.new += 1
            case False:
                outcome.changed += 1
            case None:
                outcome.unchanged += 1
                continue
        stored[source.digest] = StoredReview(source.siret, source.last_changed_on, source.verbatim)
        due.add(source.siret)
        if former is not None and (former.siret, former.verbatim) != (
            source.siret,
            source.verbatim,
        ):
            # Words that the author took back, or said of another, are quoted nowhere from now on.
            reworded |= {former.siret, source.siret}
    erase_quotations(connection, reworded)
    make_due(connection, due | reworded)


def _refusal(
    source: Source, place: ReviewedPlace | None, former: StoredReview | None
) -> str | None:
    if place is None:
        return "the establishment is not stored"
    if place.refusal is not None or former is None:
        return place.refusal
    if source.last_changed_on < former.last_changed_on:
        return "a later update of the review is stored"
    if source.verbatim != former.verbatim and source.updated_on is None:
        return "the review is stored with other words: give the day of its update in updated_on"
    return None
