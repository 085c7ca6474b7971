"""The pages and texts whose words change with NAF 2025, counted in each shard."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, text

from shared.db.connections.deadlines import lift_limit
from shared.money.due import PLACE
from shared.money.forecast import DueGroup
from shared.sirene.reference import libelles_de

# A label of the present nomenclature, and that of NAF 2025.
Words = tuple[str | None, str]

# The pages of one range of sirets, so that a person sees how far the count is. Few rows come back:
# one for each pair of codes in a département. Notices alone: a synthese quotes reviews, and costs
# nothing.
_PAGES = text(f"""
    SELECT p.activite_principale AS activite, e.activite_principale_naf25 AS naf_2025,
      p.libelle_activite AS libelle, {PLACE} AS departement, count(*) AS pages,
      count(*) FILTER (WHERE a.outcome IN ('accepted', 'rejected')) AS texts,
      count(*) FILTER (WHERE a.outcome = 'pending') AS due
    FROM pro_localisations p
    JOIN etablissements e ON e.siret = p.siret
    LEFT JOIN avis a ON a.pro_localisation_id = p.id AND a.kind = 'notice'
      AND a.siret > :after AND a.siret <= :last
    WHERE p.status = 'open' AND p.siret > :after AND p.siret <= :last
      AND e.siret > :after AND e.siret <= :last
    GROUP BY 1, 2, 3, 4
""")
_LAST_OF_RANGE = text("""
    SELECT siret FROM pro_localisations WHERE siret > :after
    ORDER BY siret OFFSET :others LIMIT 1
""")
_ESTIMATE = text(
    "SELECT greatest(0, reltuples)::bigint FROM pg_class WHERE oid = 'pro_localisations'::regclass"
)
_RANGE = 100_000
_AFTER_ALL = "9" * 15


@dataclass(slots=True)
class RecodedPages:
    """The counts of open pages, and of texts that NAF 2025 makes due.

    `recoded` pages bear a code of NAF 2025 already. `unknown` ones have none that the tables hold:
    nobody can tell today what they will say. `due` texts wait already, whatever the day brings.
    """

    pages: int = 0
    recoded: int = 0
    same_words: int = 0
    unknown: int = 0
    due: int = 0
    kept_texts: int = 0
    changes: Counter[Words] = field(default_factory=Counter)
    texts: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def changed_pages(self) -> int:
        return self.changes.total()

    @property
    def due_groups(self) -> list[DueGroup]:
        return [DueGroup(*key, texts) for key, texts in self.texts.items() if texts]

    def add(self, row: Mapping[str, Any], naf_2025: Mapping[str, str]) -> None:
        """Count a group of pages; `naf_2025` has the labels by code."""
        pages: int = row["pages"]
        self.pages += pages
        self.due += row["due"]
        label = naf_2025.get(row["naf_2025"] or "")
        if row["activite"] in naf_2025:
            self.recoded += pages
        elif label is None:
            self.unknown += pages
        elif label == row["libelle"]:
            self.same_words += pages
            self.kept_texts += row["texts"]
        else:
            self.changes[row["libelle"], label] += pages
            self.texts[row["naf_2025"], row["departement"]] += row["texts"]


def read_recoded_pages(
    shards: Sequence[Engine], tell: Callable[[int, int], None] = lambda _read, _of: None
) -> RecodedPages:
    """Count the open pages of each shard, however long that takes.

    `tell` learns how many pages were read, closed ones too, and about how many there are.
    """
    found = RecodedPages()
    naf_2025 = libelles_de("NAF2025")
    estimate = read = 0
    for engine in shards:
        with engine.connect() as connection:
            estimate += connection.execute(_ESTIMATE).scalar_one()
    for engine in shards:
        with engine.begin() as connection:
            lift_limit(connection)
            for after, last in _ranges(connection):
                for row in connection.execute(_PAGES, {"after": after, "last": last}).mappings():
                    found.add(dict(row), naf_2025)
                read += _RANGE
                tell(min(read, estimate), estimate)
    return found


def _ranges(connection: Connection) -> Iterator[tuple[str, str]]:
    """Yield ranges of sirets without the first one, each of as many pages."""
    after = ""
    while after != _AFTER_ALL:
        values = {"after": after, "others": _RANGE - 1}
        last = connection.execute(_LAST_OF_RANGE, values).scalar_one_or_none() or _AFTER_ALL
        yield after, last
        after = last
