"""Pairs of neighbours’ texts that are nearly the same without their facts. Seeds are the bank's."""

import itertools
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from services.reviewer.notices.template import generate
from shared.sirene.facts import Facts
from shared.sirene.reference import libelle_effectif
from tests.mutations.bases import YEAR, Base, facts_at, handwritten

_SYNONYMS = (
    ("établissement", "entreprise"), ("créé", "fondé"), ("création", "fondation"),
    ("emploie", "compte"), ("déclare", "compte"), ("activité", "spécialité"),
    ("numéro", "identifiant"), ("situé", "installé"), ("exerce", "pratique"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair:
    first: Base
    second: Base


def exact_duplicates(half: int, count: int) -> Iterator[Pair]:
    """Return the same sentences about another firm of the trade in the same commune."""
    for number in range(count):
        seed = 2 * number + half
        chosen = random.Random(f"exact {seed}")
        if number % 2:
            yield _of_one_template(seed, chosen)
        else:
            yield _of_one_hand(chosen, half)


def near_duplicates(half: int, count: int) -> Iterator[Pair]:
    """Return the sentences with one word, the order or one short sentence changed."""
    for pair in exact_duplicates(half, count):
        chosen = random.Random(f"near {pair.second.text}")
        changed = chosen.choice((_one_word, _other_order, _one_sentence_less))(pair.second, chosen)
        yield Pair(pair.first, replace(pair.second, text=changed))


def neighbours(half: int, count: int) -> Iterator[Pair]:
    """Return good texts: the template's about two firms of one trade in one commune.

    Short lines are left out: they have no words of their own.
    """
    found = filter(_tells_more_than_a_line, map(_neighbours_at, itertools.count(half, 2)))
    return itertools.islice(found, count)


def _neighbours_at(seed: int) -> Pair:
    facts = facts_at(seed)
    other = _neighbour_of(facts, random.Random(f"neighbours {seed}"))
    return Pair(Base(generate(facts, YEAR).text, facts), Base(generate(other, YEAR).text, other))


def _tells_more_than_a_line(pair: Pair) -> bool:
    return all(each.text.count(". ") > 1 for each in (pair.first, pair.second))


def _neighbour_of(facts: Facts, chosen: random.Random) -> Facts:
    siren = f"{chosen.randrange(10**9):09d}"
    tranche = facts.tranche_effectifs
    if tranche not in {None, "NN", "00"}:
        tranche = chosen.choice(("01", "02", "03", "11", "12"))
    return replace(
        facts,
        nom=chosen.choice(("COMPTOIR DES ARTS", "DUMAS FRERES", "L'ATELIER BLEU", "NOVATIS")),
        siren=siren,
        siret=f"{siren}{chosen.randrange(10**5):05d}",
        annee_creation=None if facts.annee_creation is None else chosen.randrange(1950, 2026),
        tranche_effectifs=tranche,
        effectif=libelle_effectif(tranche),
    )


def _of_one_template(seed: int, chosen: random.Random) -> Pair:
    facts = facts_at(seed)
    other = _neighbour_of(facts, chosen)
    texts = [generate(one, YEAR, variant_seed=str(seed)).text for one in (facts, other)]
    return Pair(Base(texts[0], facts), Base(texts[1], other))


def _of_one_hand(chosen: random.Random, half: int) -> Pair:
    while True:
        base = chosen.choice(handwritten()[half::2])
        nom = chosen.choice(("Comptoir des Arts", "Dumas Frères", "L'Atelier bleu", "Novatis"))
        pattern = re.compile(re.escape(base.facts.nom), re.IGNORECASE)
        text = pattern.sub(nom, base.text)
        if nom in text:
            return Pair(base, Base(text, replace(base.facts, nom=nom)))


def _one_word(base: Base, chosen: random.Random) -> str:
    possible = [pair for pair in _SYNONYMS if pair[0] in base.text]
    if not possible:
        return f"{base.text} Elle figure au répertoire."
    word, other = chosen.choice(possible)
    return base.text.replace(word, other, 1)


def _other_order(base: Base, _chosen: random.Random) -> str:
    first, *rest = re.split(r"(?<=\.) ", base.text)
    return " ".join((first, *reversed(rest)))


def _one_sentence_less(base: Base, _chosen: random.Random) -> str:
    parts = re.split(r"(?<=\.) ", base.text)
    return " ".join(parts[:-1]) if len(parts) > 3 else base.text
