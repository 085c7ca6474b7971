"""Pairs of a query and the establishment that is meant, of twelve kinds, drawn from stored pages.

Several establishments may be right: who asks for a name in a commune is content with any that has
this name there. `accepts` says so from the stored rows, not from the index.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from tests.benchmarks.portal.names import telling, words

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ACCENTS = {"e": "éèêe", "a": "àâ", "o": "ôo", "i": "îï", "u": "ùû", "c": "ç"}
_FORMS = ("SARL {}", "société {}", "{} sas", "S.A.R.L. {}", "Ets {}", "eurl {}")
_SHORT = {"saint": "st", "sainte": "ste"}
_LEAST_LETTERS = 5
_MOST_TELLING = 5
_MOST_WORDS = 7
_ONE_BY_POSTCODE = 0.1


@dataclass(frozen=True, slots=True)
class Page:
    """A page as the pairs need it; `names` are all that the establishment has, the page's first."""

    id: int
    siret: str
    names: Sequence[str]
    commune: str
    code_commune: str
    code_postal: str | None

    @property
    def name(self) -> list[str]:
        return words(self.names[0])

    @property
    def city(self) -> list[str]:
        return words(self.commune)


@dataclass(frozen=True, slots=True)
class Pair:
    kind: str
    query: str
    siret: str
    name: Sequence[str]
    """The words of the name that is meant."""
    code_commune: str | None
    """None where the query does not say where."""
    part: bool = False
    """The query gives only some words of the name."""

    def accepts(self, page: Page) -> bool:
        if self.code_commune not in {None, page.code_commune}:
            return False
        if self.part:
            return set(self.name) <= {word for name in page.names for word in words(name)}
        return any(words(name) == list(self.name) for name in page.names)


Way = Callable[[Page, Random], str | None]


def _exact(page: Page, _: Random) -> str:
    return f"{page.names[0]} {page.commune}".lower()


def _accents(page: Page, rng: Random) -> str:
    name = "".join(
        rng.choice(_ACCENTS[letter]) if letter in _ACCENTS and rng.random() < 0.4 else letter
        for letter in " ".join(page.name)
    )
    return f"{name} {page.commune.upper()}"


def _form(page: Page, rng: Random) -> str:
    return f"{rng.choice(_FORMS).format(' '.join(page.name))} {page.commune}"


def _typo(page: Page, rng: Random) -> str | None:
    name = _mistyped(telling(page.name), rng)
    return name and f"{name} {' '.join(page.city)}"


def _typo_in_city(page: Page, rng: Random) -> str | None:
    city = _mistyped(page.city, rng)
    return city and f"{' '.join(page.name)} {city}"


def _both(page: Page, rng: Random) -> str | None:
    name, city = _mistyped(telling(page.name), rng), _mistyped(page.city, rng)
    return f"{name} {city}" if name and city else None


def _order(page: Page, rng: Random) -> str:
    return " ".join([*page.city, *rng.sample(page.name, len(page.name))])


def _joined(page: Page, rng: Random) -> str | None:
    name = telling(page.name)
    if len(name) == 1:
        return None
    at = rng.randrange(len(name) - 1)
    return " ".join([*name[:at], name[at] + name[at + 1], *name[at + 2 :], *page.city])


def _short(page: Page, rng: Random) -> str | None:
    if _SHORT.keys() & set(page.city):
        return " ".join([*page.name, *(_SHORT.get(word, word) for word in page.city)])
    if page.code_postal and rng.random() < _ONE_BY_POSTCODE:
        return " ".join([*page.name, page.code_postal])
    return None


def _name_alone(page: Page, _: Random) -> str | None:
    return page.names[0] if len(telling(page.name)) > 1 else None


_WAYS: Mapping[str, Way] = {
    "exact": _exact,
    "accents": _accents,
    "legal form": _form,
    "typo": _typo,
    "typo in the city": _typo_in_city,
    "typos in both": _both,
    "word order": _order,
    "joined": _joined,
    "st or postcode": _short,
    "name alone": _name_alone,
}
_MISSING, _ANOTHER = "word missing", "another name"
KINDS = (*_WAYS, _MISSING, _ANOTHER)


def make_pairs(pages: Sequence[Page], *, each: int, seed: int) -> list[Pair]:
    """Make `each` pairs of each kind, one at most of a page; fewer where pages do not suffice."""
    rng = Random(seed)
    made: dict[str, list[Pair]] = {kind: [] for kind in KINDS}
    for page in pages:
        wanted = [kind for kind, pairs in made.items() if len(pairs) < each]
        if not wanted:
            break
        if len(telling(page.name)) > _MOST_TELLING or len(page.name) > _MOST_WORDS:
            continue
        kind = rng.choice(wanted)
        if pair := _pair(kind, page, rng):
            made[kind].append(pair)
    return [pair for pairs in made.values() for pair in pairs]


def _pair(kind: str, page: Page, rng: Random) -> Pair | None:
    if kind == _MISSING:
        return _with_a_word_missing(page, rng)
    if kind == _ANOTHER:
        return _by_another_name(page, rng)
    place = None if kind == "name alone" else page.code_commune
    query = _WAYS[kind](page, rng)
    return Pair(kind, query, page.siret, page.name, place) if query else None


def _with_a_word_missing(page: Page, rng: Random) -> Pair | None:
    name = telling(page.name)
    dropped = rng.randrange(len(name))
    kept = [word for at, word in enumerate(name) if at != dropped]
    if not any(len(word) >= _LEAST_LETTERS - 1 for word in kept):
        return None
    query = " ".join([*kept, *page.city])
    return Pair(_MISSING, query, page.siret, kept, page.code_commune, part=True)


def _by_another_name(page: Page, rng: Random) -> Pair | None:
    others = [name for name in page.names[1:] if words(name) not in ([], page.name)]
    if not others:
        return None
    name = rng.choice(others)
    query = f"{name} {page.commune}".lower()
    return Pair(_ANOTHER, query, page.siret, words(name), page.code_commune)


def _mistyped(name: Sequence[str], rng: Random) -> str | None:
    """Write one of the long words with a typing error; None where there is none."""
    long = [at for at, word in enumerate(name) if len(word) >= _LEAST_LETTERS and word.isalpha()]
    if not long:
        return None
    at = rng.choice(long)
    return " ".join([*name[:at], _typing_error(name[at], rng), *name[at + 1 :]])


def _typing_error(word: str, rng: Random) -> str:
    """Leave out, add, change or swap letters, never the first one alone."""
    at = rng.randrange(1, len(word))
    before, letter, after = word[:at], word[at], word[at + 1 :]
    match rng.randrange(4):
        case 0:
            return before + after
        case 1:
            return before + rng.choice(_LETTERS) + letter + after
        case 2:
            return before + rng.choice(_LETTERS.replace(letter, "")) + after
        case _ if after and after[0] != letter:
            return before + after[0] + letter + after[1:]
        case _:
            return before + after
