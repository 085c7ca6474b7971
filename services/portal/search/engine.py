"""The question of a search, its answer, and the interface of an engine (docs/adr/0036-search.md).

An engine answers ids: rows are always read from the register afterwards. An id whose row must not
be shown any more is dropped and counted (`sirenade_portal_hits_dropped`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Literal, Protocol

from shared.errors import UserError

Order = Literal["relevance", "distance", "creation"]
Facet = Literal["activite_principale", "departement", "tranche_effectifs", "etat"]
FACETS: tuple[Facet, ...] = ("activite_principale", "departement", "tranche_effectifs", "etat")

MOST_COUNTED = 10_000
"""The largest total and the most hits that facets count: beyond it `total_exact` is False."""
MOST_HITS = 25
MOST_SUGGESTIONS = 10
LARGEST_RADIUS_KM = 50.0


class UnknownPlace(UserError):
    """Raised when the cursor of a search was not made by the same search."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Conditions that each hit meets; one list is met by any of its values, none by all hits.

    `activite_principale` holds codes, or their first two digits. `etat` is A or F.
    """

    code_commune: Sequence[str] = ()
    code_postal: Sequence[str] = ()
    departement: Sequence[str] = ()
    region: Sequence[str] = ()
    activite_principale: Sequence[str] = ()
    tranche_effectifs: Sequence[str] = ()
    categorie_juridique: Sequence[str] = ()
    etat: str | None = None
    siege: bool | None = None

    def __bool__(self) -> bool:
        """Return whether there is any condition."""
        return any(getattr(self, each.name) not in ((), [], None) for each in fields(self))


@dataclass(frozen=True, slots=True)
class Near:
    """A circle on the ground."""

    latitude: float
    longitude: float
    radius_km: float = 5.0


@dataclass(frozen=True, slots=True)
class Search:
    """A search: `q` for names and places or a number, `nom` for names alone; both may be empty.

    `after` is the `next` of the answer before; everything else must be as it was then.
    """

    q: str = ""
    nom: str = ""
    filters: Filters = field(default_factory=Filters)
    near: Near | None = None
    order: Order = "relevance"
    limit: int = 10
    after: str | None = None
    facets: Sequence[Facet] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """A page that was found: `id` is of `pro_localisations`; `siret` tells its shard."""

    id: int
    siret: str
    distance_m: int | None = None


@dataclass(frozen=True, slots=True)
class Understood:
    """The reading of a query: words that were mended or left out, communes, activities.

    `communes` are codes; `activites` has those of what a word calls, as far as they were found.
    `corrected` leads from a word as it was typed to the word that was found. `ignored` tell nobody
    apart, `left_out` are in no entry beside the others.
    """

    corrected: Mapping[str, str] = field(default_factory=dict)
    ignored: Sequence[str] = ()
    left_out: Sequence[str] = ()
    communes: Sequence[str] = ()
    activites: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """The hits, at most `limit` of them, the best first.

    `total` is at most `MOST_COUNTED`. `facets` count the same rows: value and number, the largest
    first. `next` is None after the last hit; a search by words ends after its 200 best.
    """

    hits: Sequence[Hit] = ()
    total: int = 0
    total_exact: bool = True
    facets: Mapping[Facet, Sequence[tuple[str, int]]] = field(default_factory=dict)
    understood: Understood = field(default_factory=Understood)
    next: str | None = None


class Engine(Protocol):
    """Finds pages. Raises SlowDown where its server is away or takes too long."""

    async def find(self, search: Search) -> Found:
        """Answer a search. Raises UnknownPlace for a cursor of another search."""

    async def suggest(
        self, q: str, *, code_commune: str | None = None, limit: int = MOST_SUGGESTIONS
    ) -> Sequence[Hit]:
        """Return pages whose names go on as `q` begins, the largest first."""
