"""A synthese: the number of imported reviews, and the latest of them word for word.

No model takes part: a summary of what customers said would speak in their place.
"""

import datetime as dt
from collections.abc import Sequence
from urllib.parse import urlsplit

from services.reviewer.french.grammar import NBSP, date_en_lettres, lieu, nombre
from services.reviewer.french.labels import nom_de_commune
from services.reviewer.notices.template import DIGITAL_SOURCE_TYPE, MODEL, GeneratedText
from services.reviewer.reviews.source import Source
from shared.sirene.facts import Facts

PROMPT_VERSION = "synthese-1"
QUOTED = 3
LONGEST_QUOTE = 400
CUT = f"{NBSP}[…]"
"""The mark inside the quotation marks where a long review was cut."""


def generate(facts: Facts, sources: Sequence[Source]) -> GeneratedText:
    """Write the synthese; `sources` are the establishment's, at least one, the latest first.

    The latest are quoted whatever they say: a choice by content would be an opinion.
    """
    quoted = sources[:QUOTED]
    sentences = [_count(facts, sources), *map(_quote, quoted)]
    if len(quoted) < len(sources):
        sentences.insert(1, f"Les {QUOTED} plus récents sont cités ici.")
    return GeneratedText(
        text=" ".join(sentences),
        model=MODEL,
        prompt_version=PROMPT_VERSION,
        digital_source_type=DIGITAL_SOURCE_TYPE,
    )


def label(*, generated_on: dt.date, count: int) -> str:
    origin = (
        "d’un avis publié par un tiers, cité mot pour mot avec sa source"
        if count == 1
        else f"de {nombre(count)} avis publiés par des tiers, cités mot pour mot avec leur source"
    )
    return (
        f"Synthèse générée automatiquement le {date_en_lettres(generated_on)} à partir {origin}. "
        "L’éditeur n’y ajoute aucune appréciation."
    )


def _count(facts: Facts, sources: Sequence[Source]) -> str:
    commune = nom_de_commune(facts)
    place = "" if commune is None else f", {lieu(commune).a}"
    days = [source.published_on for source in sources]
    if len(sources) == 1:
        return (
            f"Un avis, publié le {date_en_lettres(days[0])}, a été recueilli au sujet de "
            f"l’établissement {facts.nom}{place}."
        )
    first, last = date_en_lettres(min(days)), date_en_lettres(max(days))
    when = f"le {last}" if first == last else f"entre le {first} et le {last}"
    return (
        f"{nombre(len(sources))} avis, publiés {when}, ont été recueillis au sujet de "
        f"l’établissement {facts.nom}{place}."
    )


def _quote(source: Source) -> str:
    experience = (
        "date de l’expérience non précisée"
        if source.experienced_on is None
        else f"expérience du {date_en_lettres(source.experienced_on)}"
    )
    return (
        f"«{NBSP}{cut(source.verbatim)}{NBSP}» ({source.author_label}, avis publié le "
        f"{date_en_lettres(source.published_on)}, {experience}{NBSP}; vérification{NBSP}: "
        f"{source.verification}{NBSP}; source{NBSP}: {_site(source)}, {source.licence})."
    )


def cut(verbatim: str) -> str:
    """Cut a long review at the end of a word."""
    if len(verbatim) <= LONGEST_QUOTE:
        return verbatim
    return verbatim[: LONGEST_QUOTE + 1].rsplit(" ", 1)[0][:LONGEST_QUOTE] + CUT


def _site(source: Source) -> str:
    return urlsplit(str(source.url)).hostname or str(source.url)
