"""The entry of a page in the index: its columns, its words, its filters as lexemes. Pure."""

import datetime as dt
import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from shared.search.communes import find_commune
from shared.search.planes import place_in_index
from shared.search.words import whole_name, words_of
from shared.sirene.names.choice import enseigne_of, meant

# The words of names come first; they weigh more, and a name is never that long.
_NAME_POSITIONS = 40
_PLACE_FROM = 50
_HIGHEST_RANK = 9
# Names of communes come again and again, and are nobody's.
_KEPT_PLACES = 4096
_TIERS = 5
_SIZES = {
    **dict.fromkeys(("01", "02", "03"), 1),
    **dict.fromkeys(("11", "12"), 2),
    **dict.fromkeys(("21", "22"), 3),
    **dict.fromkeys(("31", "32"), 4),
    **dict.fromkeys(("41", "42"), 5),
    **dict.fromkeys(("51", "52", "53"), 6),
}
UNKNOWN_DATE = dt.date(1900, 1, 1)
"""INSEE's own date of creation where it knows none."""
CLOSED, SIEGE = "o=0", "s=1"
TIER_LEXEMES = tuple(f"z={tier}" for tier in range(_TIERS, -1, -1))
"""Lexemes of the tiers of ranks, the highest first: each entry has one."""
BETWEEN_NAMES = " | "


class IndexedRow(NamedTuple):
    """The columns of page, establishment and unit that an entry is made of.

    Names that two of them share begin with the name of their table.
    """

    pro_localisation_id: int
    siret: str
    siren: str
    page_nom: str | None
    libelle_commune: str | None
    code_commune: str
    activite_principale: str
    status: str
    nic: str
    departement: str | None
    region: str | None
    code_postal: str | None
    tranche_effectifs: str | None
    siege: bool | None
    date_creation: dt.date | None
    coordonnee_lambert_abscisse: float | None
    coordonnee_lambert_ordonnee: float | None
    enseigne1: str | None
    enseigne2: str | None
    enseigne3: str | None
    denomination_usuelle: str | None
    denomination: str | None
    sigle: str | None
    nom: str | None
    nom_usage: str | None
    prenom1: str | None
    prenom_usuel: str | None
    categorie_juridique: str | None
    nic_siege: str | None


class SearchEntry(NamedTuple):
    """A row of `search_entries`, without its lexemes.

    `names` are the other names, after one another; `person`: one is a person's own. `x` and `y`
    are metres in a plane of `shared.search.planes`; `rank` is from 0 to 9, the largest open seat
    highest.
    """

    pro_localisation_id: int
    siret: str
    siren: str
    nom: str | None
    names: str | None
    person: bool
    libelle_commune: str | None
    code_postal: str | None
    code_commune: str
    activite_principale: str
    departement: str
    region: str | None
    open: bool
    siege: bool
    tranche_effectifs: str | None
    categorie_juridique: str | None
    date_creation: dt.date
    rank: int
    x: int | None
    y: int | None

    def words(self) -> tuple[list[str], list[str]]:
        """Return the words of the names, then those of the place."""
        return self._words(self._names())

    def places(self) -> dict[str, str]:
        """Return all lexemes, words with their positions: names weigh A, places C; filters none."""
        names = self._names()
        words, place = self._words(names)
        found: dict[str, str] = {}
        for first, weight, run in ((1, "A", words), (_PLACE_FROM, "C", place)):
            for at, word in enumerate(run, start=first):
                here = f"{at}{weight}"
                found[word] = f"{found[word]},{here}" if word in found else here
        for lexeme in self._filters(names):
            found.setdefault(lexeme, "")
        return found

    def lexemes(self) -> frozenset[str]:
        """Return all lexemes: words, whole names, filters."""
        return frozenset(self.places())

    def _names(self) -> list[list[str]]:
        """Return the words of each name."""
        return [words_of(name) for name in (self.nom or "", *self._other_names())]

    def _other_names(self) -> list[str]:
        return self.names.split(BETWEEN_NAMES) if self.names else []

    def _words(self, names: Sequence[Sequence[str]]) -> tuple[list[str], list[str]]:
        name = list(names[0])
        for other in names[1:]:
            name += [word for word in other if word not in name]
        place = [*_place_words(self.libelle_commune or ""), *words_of(self.code_postal or "")]
        return name[:_NAME_POSITIONS], place

    def _filters(self, names: Sequence[Sequence[str]]) -> Iterator[str]:
        """Yield the filters; of two states that each entry has one of, only the rarer."""
        for words in names:
            # Words of a name that name a commune are taken for the place that was asked for.
            if words and find_commune(words) is not None:
                yield whole_name(words)
        yield f"c={self.code_commune}"
        yield f"n={self.activite_principale}"
        yield f"n={self.activite_principale[:2]}"
        if not self.open:
            yield CLOSED
        if self.siege:
            yield SIEGE
        yield f"z={min(self.rank, _TIERS)}"
        for prefix, value in (
            ("d", self.departement),
            ("r", self.region),
            ("t", self.tranche_effectifs),
            ("j", self.categorie_juridique),
        ):
            if value:
                yield f"{prefix}={value}"


def terms_of(places: Mapping[str, str]) -> str:
    """Return the lexemes as PostgreSQL reads a tsvector."""
    return " ".join([f"'{lexeme}':{at}" if at else quoted(lexeme) for lexeme, at in places.items()])


def quoted(lexeme: str) -> str:
    r"""Return the lexeme as tsvector and tsquery read it: quotes and backslashes are doubled."""
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


def is_word(lexeme: str) -> bool:
    """Return whether a lexeme is a word, and not a filter or a whole name."""
    return "=" not in lexeme


def entry_of(row: IndexedRow) -> SearchEntry:
    """Make the entry of a page that is open to all."""
    is_open = row.status == "open"
    # `shared.sirene.pages.is_siege` has it so.
    siege = row.siege is True if row.nic_siege is None else row.nic == row.nic_siege
    others = [name for name in dict.fromkeys(_names(row)) if name != row.page_nom]
    x, y = place_in_index(
        row.code_commune, row.coordonnee_lambert_abscisse, row.coordonnee_lambert_ordonnee
    )
    rank = _SIZES.get(row.tranche_effectifs or "", 0) + 2 * is_open + siege
    return SearchEntry(
        pro_localisation_id=row.pro_localisation_id,
        siret=row.siret,
        siren=row.siren,
        nom=row.page_nom,
        names=BETWEEN_NAMES.join(others) or None,
        person=any((row.nom, row.nom_usage, row.prenom1, row.prenom_usuel)),
        libelle_commune=row.libelle_commune,
        code_postal=row.code_postal,
        code_commune=row.code_commune,
        activite_principale=row.activite_principale,
        departement=row.departement or "",
        region=row.region,
        open=is_open,
        siege=siege,
        tranche_effectifs=row.tranche_effectifs,
        categorie_juridique=row.categorie_juridique,
        date_creation=row.date_creation or UNKNOWN_DATE,
        rank=min(rank, _HIGHEST_RANK),
        x=x,
        y=y,
    )


@functools.lru_cache(maxsize=_KEPT_PLACES)
def _place_words(libelle_commune: str) -> Sequence[str]:
    return words_of(libelle_commune)


def _names(row: IndexedRow) -> Iterator[str]:
    """Yield every name of the establishment and its unit that means somebody."""
    signs = (enseigne_of(row), row.enseigne1, row.enseigne2, row.enseigne3)
    for name in (*signs, row.denomination_usuelle, row.denomination, row.sigle):
        if (said := meant(name)) is not None:
            yield said
    first = row.prenom_usuel or row.prenom1
    for last in (row.nom_usage, row.nom):
        if last is not None:
            yield last if first is None else f"{first} {last}"
