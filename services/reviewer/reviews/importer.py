"""The import of reviews: it stores those that may be kept and refuses the others by line."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy import Connection, Engine, text

from services.reviewer.reviews import store
from services.reviewer.reviews.files import Refusal
from services.reviewer.reviews.source import Source
from shared.avis import RESET

_LINES_PER_TRANSACTION = 500

# In the order of the table; the claim finds out who must not be written about.
_MAKE_DUE = text(f"""
    INSERT INTO avis (pro_localisation_id, siret, siren, kind, outcome, facts_hash)
    SELECT p.id, p.siret, p.siren, 'synthese', 'pending', 'sources'
    FROM pro_localisations p
    WHERE p.siret = ANY(:sirets) AND p.status = 'open'
    ORDER BY p.id
    ON CONFLICT (pro_localisation_id, kind) DO UPDATE SET
      outcome = 'pending', {RESET}
""")


@dataclass
class Imported:
    """Counts of reviews: new, changed since an earlier import, and unchanged."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: list[Refusal] = field(default_factory=list)


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
    may_be_kept = store.open_sirets(connection, [source.siret for _, source in found])
    touched: set[str] = set()
    for number, source in sorted(found, key=lambda each: each[1].digest):
        if source.siret not in may_be_kept:
            reason = "the establishment is not stored, or its unit must not be written about"
            outcome.refused.append(Refusal(number, reason))
            continue
        match store.keep_source(connection, source):
            case True:
                outcome.new += 1
            case False:
                outcome.changed += 1
            case None:
                outcome.unchanged += 1
                continue
        touched.add(source.siret)
    make_due(connection, touched)


def make_due(connection: Connection, sirets: Iterable[str]) -> None:
    """Make the synthese of these establishments due; without a source it is taken back."""
    connection.execute(_MAKE_DUE, {"sirets": sorted(sirets)})
