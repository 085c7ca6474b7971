"""A synthese: the number of imported reviews, and the latest of them word for word.

No model takes part: a summary of what customers said would speak in their place.
"""

import datetime as dt
from collections.abc import Sequence

from services.reviewer.french.grammar import NBSP, date_en_lettres, lieu, nombre
from services.reviewer.french.labels import nom_de_commune
from services.reviewer.notices.template import DIGITAL_SOURCE_TYPE, MODEL, GeneratedText
from services.reviewer.reviews.particulars import control_of, counterpart_of, terms_in_words
from services.reviewer.reviews.selection import Selection, select
from services.reviewer.reviews.source import Source
from shared.sirene.facts import Facts

PROMPT_VERSION = "synthese-2"
ORDER = "Les avis sont présentés par date de publication, du plus récent au plus ancien."


def generate(facts: Facts, sources: Sequence[Source]) -> GeneratedText:
    """Write the synthese; `sources` are the establishment's, at least one of them quotable."""
    selection = select(facts, sources)
    quotations = [f"{quotation(each.verbatim)} {attribution(each)}" for each in selection.quoted]
    return GeneratedText(
        text=" ".join([introduction(facts, selection), *quotations]),
        model=MODEL,
        prompt_version=PROMPT_VERSION,
        digital_source_type=DIGITAL_SOURCE_TYPE,
    )


def label(facts: Facts, sources: Sequence[Source], *, generated_on: dt.date) -> str:
    """Return the label: what the text is made of, and the terms under which reviews were made."""
    selection = select(facts, sources)
    terms = dict.fromkeys(each.terms for each in selection.quoted)
    made = f"Synthèse générée automatiquement le {date_en_lettres(generated_on)}"
    origin = f"{made} à partir {_origin(selection)}. L’éditeur n’y ajoute aucune appréciation."
    return " ".join([origin, *map(terms_in_words, terms)])


def introduction(facts: Facts, selection: Selection) -> str:
    """Return the sentences before the quotations: what is counted, what is quoted, which order."""
    sentences = [
        _count(facts, selection.counted),
        _quoted(selection),
        _unquotable(selection),
        ORDER,
    ]
    return " ".join(filter(None, sentences))


def quotation(verbatim: str) -> str:
    return f"«{NBSP}{verbatim}{NBSP}»"


def attribution(source: Source) -> str:
    """Return the parenthesis after a quotation."""
    updated = (
        "" if source.updated_on is None else f"mis à jour le {date_en_lettres(source.updated_on)}, "
    )
    return (
        f"({source.author_label}, avis publié le {date_en_lettres(source.published_on)}, {updated}"
        f"expérience du {date_en_lettres(source.experienced_on)}{NBSP}; "
        f"{control_of(source)}{NBSP}; {counterpart_of(source)}{NBSP}; source{NBSP}: {source.site}, "
        f"{source.url}, {source.licence})."
    )


def quoted_in(text: str, sources: Sequence[Source]) -> list[Source]:
    """Return the reviews that a synthese quotes with the particulars that they have now."""
    return [each for each in sources if f"{quotation(each.verbatim)} {attribution(each)}" in text]


def _origin(selection: Selection) -> str:
    count, quoted, unquotable = len(selection.counted), len(selection.quoted), selection.unquotable
    if count == 1:
        return "d’un avis publié par un tiers, cité en entier et mot pour mot avec sa source"
    own = f"de {nombre(count)} avis publiés par des tiers"
    if quoted == count:
        return f"{own}, tous cités en entier et mot pour mot avec leur source"
    cited = (
        "un seul est cité en entier et mot pour mot avec sa source"
        if quoted == 1
        else f"{nombre(quoted)} sont cités en entier et mot pour mot avec leur source"
    )
    return f"{own}{NBSP}: {cited}" + (
        ""
        if not unquotable
        else ", un ne peut pas être cité"
        if unquotable == 1
        else f", {nombre(unquotable)} ne peuvent pas être cités"
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


def _quoted(selection: Selection) -> str:
    quoted = len(selection.quoted)
    if quoted == len(selection.counted):
        return "Il est cité en entier." if quoted == 1 else "Tous sont cités en entier."
    if quoted == 1:
        return "L’un d’eux est cité en entier."
    if not selection.has_older:
        return f"{nombre(quoted)} d’entre eux sont cités en entier."
    able = " de ceux qui peuvent l’être" if selection.unquotable else ""
    return f"Les {nombre(quoted)} plus récents{able} sont cités en entier."


def _unquotable(selection: Selection) -> str:
    match selection.unquotable:
        case 0:
            return ""
        case 1:
            return "Un autre ne peut pas l’être, en raison de son contenu ou de sa longueur."
        case several:
            return (
                f"{nombre(several)} autres ne peuvent pas l’être, en raison de leur contenu ou de "
                "leur longueur."
            )
