"""The sentences of a text, each read as statements of facts, or not understood."""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.reviewer.validation.known import Known
from services.reviewer.validation.masking import FoundFact
from services.reviewer.validation.sentences.agreement import disagree, words_of
from services.reviewer.validation.sentences.asides import Aside, meanings, without_asides
from services.reviewer.validation.sentences.connectors import without_connectors
from services.reviewer.validation.sentences.grammar import grammar
from services.reviewer.validation.sentences.lexis import Lexis
from services.reviewer.validation.sentences.matchers import MOST_TOKENS, Parse
from services.reviewer.validation.sentences.owners import slips
from services.reviewer.validation.sentences.tokens import Mark, tokens_of
from services.reviewer.validation.sentences.told import TAKEN_UP, counts_told, dates_told, undated
from shared.sirene.facts import Facts

# A question goes on with its answer: « Son activité ? Le tissage. »
_ENDS = frozenset({".", "!", "…"})


_SHAPES_OF_CLAUSES = 3
"""Clauses in free order are tried last, and have room for most asides themselves."""

Readings = frozenset[frozenset[str]]
_NOT_UNDERSTOOD: Readings = frozenset()


@dataclass(frozen=True, slots=True)
class Sentence:
    """`readings` are the facts that it may tell, one set for each way to read it.

    A sentence without any is not understood. `undated` are facts that it tells without their date,
    `dates` are the years and months that it tells of facts, `counted` those of counts alone.
    `asides` are the readings of each aside that was left out to understand it.
    """

    tokens: tuple[Mark, ...]
    readings: Readings
    undated: frozenset[str] = frozenset()
    dates: frozenset[object] = frozenset()
    counted: frozenset[object] = frozenset()
    disagrees: bool = False
    asides: tuple[Readings, ...] = ()

    @property
    def understood(self) -> bool:
        return bool(self.readings)

    @property
    def start(self) -> int:
        return self.tokens[0].start

    @property
    def end(self) -> int:
        return self.tokens[-1].end


# The facts that a sentence tells, by the symbols of its tokens.
_TOLD = {
    "<commune>": "lieu", "<a_commune>": "lieu", "<de_commune>": "lieu", "<commune_le>": "lieu",
    "<arrondissement>": "arrondissement", "<departement>": "departement", "<region>": "region",
    "<gentile>": "gentile", "<annee>": "annee", "<date>": "date", "<mois>": "date",
    "<siret>": "siret", "<siren>": "siren", "<ape>": "ape", "<forme>": "forme", "<sorte>": "sorte",
    "<libelle>": "activite", "<tete>": "activite", "<metier>": "metier", "<acte>": "acte",
    "<mot>": "mot", "<clause>": "clause", "enseigne": "enseigne", "<unite>": "unite",
    "entité": "unite", "siège": "siege",
    "sirene": "registre", "insee": "source", "nul": "effectif", "aucun": "effectif",
    "<zero>": "effectif", "salarié": "effectif", "salariés": "effectif", "agents": "effectif",
    "<ancien_libelle>": "ancien_libelle", "<ancienne_tete>": "ancien_libelle",
    "<ancienne_enseigne>": "ancienne_enseigne", "<voie_avant>": "voie_avant",
    "<commune_avant>": "commune_avant", "<a_commune_avant>": "commune_avant",
    "<de_commune_avant>": "commune_avant",
    "<n_fermes>": "fermes", "<n_communes>": "communes", "<n_employeurs>": "employeurs",
    "<n_sans>": "employeurs",
    "personnes": "effectif", "employés": "effectif", "effectif": "effectif",
}  # fmt: skip


_AFTER_THE_UNIT = frozenset({"apres_unite"})
"""The condition that « son effectif » may be the unit's."""
_AFTER_THE_ESTABLISHMENT = frozenset({"apres_etablissement"})
"""The condition that « sa création » may be the establishment's."""
_UNIT = frozenset({"<unite>", "<sorte>"})
_BOUNDS = frozenset({"<min>", "<max>"})
_NAMES = frozenset({"<nom>", "<etab>"})
_WORDS_OF_ACTIVITY = frozenset({"<tete>", "<mot>", "<metier>", "<acte>", "<sorte>"})


def facts_told(sentence: Sentence) -> frozenset[str]:
    """Return the kinds of facts; a word that may be of two kinds tells neither."""
    return frozenset(
        _TOLD[symbol]
        for token in sentence.tokens
        if _NAMES.isdisjoint(token.symbols) and not _is_ambiguous(token)
        for symbol in token.symbols
        if symbol in _TOLD
    )


def _is_ambiguous(token: Mark) -> bool:
    """Return whether a word is also one of the activity, or a year one of the headcount."""
    if "<annee>" in token.symbols and not _BOUNDS.isdisjoint(token.symbols):
        return True
    return not _WORDS_OF_ACTIVITY.isdisjoint(token.symbols) and any(
        symbol[0] != "<" for symbol in token.symbols
    )


_ONE_HEADCOUNT = (frozenset({"<min>", "<min_unite>"}), frozenset({"<zero>", "<zero_unite>"}))


def _facts_read(sentence: Sentence) -> frozenset[str]:
    """Return the facts of all readings: the employees of a trade are no headcount.

    Where unit and establishment have the same headcount, telling both says it again.
    """
    if not sentence.understood:
        return frozenset()
    facts = frozenset.intersection(*sentence.readings) - {TAKEN_UP}
    if any(both <= token.symbols for token in sentence.tokens for both in _ONE_HEADCOUNT):
        facts = frozenset(fact.replace("effectif_unite", "effectif") for fact in facts)
    return frozenset(f"read {fact}" for fact in facts)


def says_again(sentences: Sequence[Sentence]) -> bool:
    """Return whether a sentence only tells what earlier ones have told."""
    told: frozenset[str] = frozenset()
    for sentence in sentences:
        facts = facts_told(sentence) | _facts_read(sentence)
        is_certain = sentence.understood and not any(map(_is_ambiguous, sentence.tokens))
        if is_certain and facts and facts <= told:
            return True
        told |= facts
    return False


def read(text: str, facts: Facts, known: Known, found_facts: Sequence[FoundFact]) -> list[Sentence]:
    """Return the sentences; `disagrees` is told of those that are understood."""
    lexis = Lexis.of(facts, known)
    found: list[Sentence] = []
    tokens: list[Mark] = []
    for token in tokens_of(text, lexis, found_facts):
        tokens.append(token)
        if token.text in _ENDS or token.text == "...":
            found.append(_sentence(tokens, lexis, found))
            tokens = []
    if tokens:
        found.append(_sentence(tokens, lexis, found))
    return found


def _sentence(tokens: list[Mark], lexis: Lexis, before: Sequence[Sentence]) -> Sentence:
    if len(tokens) > MOST_TOKENS or slips(tokens):
        return Sentence(tuple(tokens), _NOT_UNDERSTOOD)
    tells = any(symbol in _TOLD for token in tokens for symbol in token.symbols)
    flags = lexis.flags
    if before and _is_of_the_unit(before[-1]):
        flags |= _AFTER_THE_UNIT
    elif before and _is_of_the_establishment(before[-1], flags):
        flags |= _AFTER_THE_ESTABLISHMENT
    for rule, said, asides in _tries(tokens, flags):
        readings = _readings(rule, tuple(token.symbols for token in said), flags)
        if not tells:
            readings = frozenset(filter(None, readings))
        told = meanings(readings, asides, last=len(tokens) - 1, flags=flags)
        if told:
            dates = next((one.dates for one in reversed(before) if one.dates), frozenset[object]())
            counted = frozenset[object]().union(*(one.counted for one in before))
            # The reading that leaves out the fewest dates is the one that was meant.
            lacking, meant = min(
                ((undated(one, lexis.dates, dates, counted), one) for one in told),
                key=lambda found: len(found[0]),
            )
            return Sentence(
                tokens=tuple(tokens),
                readings=readings,
                undated=lacking,
                dates=dates_told(meant, lexis.dates),
                counted=counts_told(meant, lexis.dates),
                disagrees=disagree(words_of(said)),
                asides=tuple(one.readings for one in asides),
            )
    return Sentence(tuple(tokens), _NOT_UNDERSTOOD)


def _tries(
    tokens: list[Mark], flags: frozenset[str]
) -> Iterator[tuple[str, list[Mark], Sequence[Aside]]]:
    """Yield each rule with the shape of the sentence that it is tried on; most need the first."""
    shapes = []
    for said, asides in _shapes(tokens, flags):
        shapes.append((said, asides))
        yield "PHRASE", said, asides
    for said, asides in shapes[:_SHAPES_OF_CLAUSES]:
        yield "PHRASE_LIBRE", said, asides


def _is_of_the_unit(sentence: Sentence) -> bool:
    """Return whether the unit is the subject: « la société … », « elle … »."""
    first, second = (*sentence.tokens[:2], sentence.tokens[0])[:2]
    if first.text.lower() == "elle":
        return True
    return not _UNIT.isdisjoint(first.symbols | second.symbols)


def _is_of_the_establishment(sentence: Sentence, flags: frozenset[str]) -> bool:
    """Return whether « l’établissement … », or an « il » that no unit is, is the subject."""
    first, second = (*sentence.tokens[:2], sentence.tokens[0])[:2]
    if second.text.lower() == "établissement":
        return True
    return first.text.lower() == "il" and "masculin" not in flags


def _shapes(
    tokens: list[Mark], flags: frozenset[str]
) -> Iterator[tuple[list[Mark], Sequence[Aside]]]:
    """Yield the sentence as it is, without connectors, and without asides, and these."""
    yield tokens, ()
    plain = without_connectors(tokens)
    if len(plain) < len(tokens):
        yield plain, ()
    yield from without_asides(plain, flags)


@functools.lru_cache(maxsize=512)
def _readings(rule: str, symbols: tuple[frozenset[str], ...], flags: frozenset[str]) -> Readings:
    return grammar().readings(rule, _parse(symbols, flags))


# A shape is tried by two rules, which share what they find.
@functools.lru_cache(maxsize=8)
def _parse(symbols: tuple[frozenset[str], ...], flags: frozenset[str]) -> Parse:
    return grammar().parse(symbols, flags)
