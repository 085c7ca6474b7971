"""INSEE's labels and the names of establishments, made readable."""

import functools
import re
import unicodedata

from shared.sirene.commune_names import is_same_commune, plain_commune
from shared.sirene.facts import Facts
from shared.sirene.names.folded_names import FoldedNames
from shared.sirene.reference import libelle_commune, noms_de_communes

_SMALL_WORDS = frozenset(
    "a au aux d de des du en et l la le les lez lès les sous sur".split()  # noqa: SIM905 a word list
)
_ABBREVIATIONS = (
    (
        re.compile(
            r"^E(?=(?:dition|levage|tablissement|cole|limination|tirage|puration|tude|laboration))"
        ),
        "É",
    ),
    (re.compile(r"^Oe"), "Œ"),
    (re.compile(r"\bsf\b"), "sauf"),
    (re.compile(r"\byc\b"), "y compris"),
    (re.compile(r"\bFabric\. "), "Fabrication "),
    (re.compile(r"\s*\(?\bs\.a\.i\.\)?", re.IGNORECASE), ", sans autre indication"),
    (re.compile(r"\bm2(?=\b|et)"), "m²"),
    (re.compile(r"m²et"), "m² et"),
    (re.compile(r" P\.T\.T\.", re.IGNORECASE), " PTT"),
    (re.compile(r"^P\.T\.T\.\s*"), "PTT "),
    (re.compile(r" etc\.\.\. En\b"), ", etc., en"),
    (re.compile(r"\)\)$"), ")"),
)
_NCA = re.compile(r"\s*\bn\.?\s?c\.?\s?a\.?$")
_ARRONDISSEMENT = re.compile(r"(.+?) (\d{1,2}er?) Arrondissement")


def clean_name(nom: str) -> str:
    """Return the name in NFC, on one line, with single spaces and printable characters only."""
    if nom.isprintable():
        return " ".join(unicodedata.normalize("NFC", nom).split())
    kept = (
        " " if unicodedata.category(character) in {"Cc", "Zl", "Zp"} else character
        for character in unicodedata.normalize("NFC", nom)
        if unicodedata.category(character) not in {"Cf", "Cs", "Co", "Cn"}
    )
    return " ".join("".join(kept).split())


@functools.lru_cache(maxsize=4096)
def readable_activite(libelle: str) -> str:
    """Write the abbreviations of a label out; "n.c.a." agrees with its noun."""
    text = " ".join(libelle.replace("\x92", "’").replace("\x9c", "œ").replace("'", "’").split())
    for pattern, replacement in _ABBREVIATIONS:
        text = pattern.sub(replacement, text)
    match = _NCA.search(text)
    if match is not None:
        head = text[: match.start()].rstrip()
        text = f"{head} {_non_classe(head)} ailleurs"
    return text.rstrip(" .")


def _non_classe(head: str) -> str:
    if re.match(r"(Autre|Action) ", head) is not None:
        return "non classée" if head.startswith("Action") else "non classé"
    if re.search(r"(?i)\b(activités|organisations|intermédiations|industries)\b", head):
        return "non classées"
    return "non classées" if "machines d’usage" in head else "non classés"


@functools.cache
def _communes() -> FoldedNames:
    return FoldedNames(noms_de_communes(), plain_commune)


def nom_de_commune(facts: Facts) -> str | None:
    """Return the official spelling where code or label is known: INSEE's records say "LE MANS".

    A commune that has another name than the table's, though its code, keeps its own.
    """
    label = clean_name(facts.commune or "")
    official = libelle_commune(facts.code_commune)
    if official is not None and (not label or is_same_commune(label, official)):
        return official
    if not label:
        return None
    known = next(_communes().of(plain_commune(label)), None)
    return known or (_title(label) if label.isupper() else label)


def _title(label: str) -> str:
    def capitalise(match: re.Match[str]) -> str:
        word = match.group()
        if match.start() > 0 and word.lower() in _SMALL_WORDS:
            return word.lower()
        return word[0] + word[1:].lower()

    return re.sub(r"[^\W\d_]+", capitalise, label)


def split_arrondissement(nom: str) -> tuple[str, str] | None:
    """Return ("Paris", "7e") for "Paris 7e Arrondissement", None for any other commune."""
    match = _ARRONDISSEMENT.fullmatch(nom)
    return None if match is None else (match.group(1), match.group(2))
