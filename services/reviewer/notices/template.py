"""The template: French sentences from Jinja2 templates, chosen by a hash of the SIRET.

A Jinja2 template never sees a fact. It is rendered with grammar only (gender, number, the facts
that exist) and leaves slots such as {NOM}. They are filled afterwards in one pass, so that a name
made of markup, of Jinja or of other slots stays a name.
"""

import functools
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources

from jinja2 import Environment, StrictUndefined, Template

from services.reviewer.french.folding import fold
from services.reviewer.french.grammar import NBSP, capital, date_en_lettres, lieu, que
from services.reviewer.french.labels import clean_name, nom_de_commune
from services.reviewer.french.legal_entity import entite, is_public
from services.reviewer.french.phrases import activite, effectif, forme, numero
from services.reviewer.notices.slots import other_name
from shared.sirene.facts import Facts
from shared.sirene.records import SOLE_TRADER

MODEL = "template"
PROMPT_VERSION = "template-4"
DIGITAL_SOURCE_TYPE = "algorithmicMedia"

# The subject of a sentence; « L’établissement {NOM}, situé … » names it again.
_SUBJECT = "L’établissement "
_SLOT = re.compile(r"\{([A-Z_]+)\}")
# The first mention in a text is the full name.
_REGISTER = re.compile(r"répertoire\b(?: Sirene)?")
_ORDERS = (
    ("activite", "creation", "effectif", "enseigne"),
    ("enseigne", "activite", "creation", "effectif"),
    ("creation", "activite", "effectif", "enseigne"),
    ("activite", "effectif", "creation", "enseigne"),
    ("activite", "enseigne", "creation", "effectif"),
    ("creation", "enseigne", "activite", "effectif"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedText:
    """`digital_source_type` is IPTC's term for the text's origin, as the AI Act's marking asks."""

    text: str
    model: str
    prompt_version: str
    digital_source_type: str


def generate(facts: Facts, *, variant_seed: str | None = None) -> GeneratedText:
    """Write the text; the same facts and seed (by default the SIRET) give the same text."""
    seed = facts.siret if variant_seed is None else variant_seed
    slots = _slots(facts)
    grammar = _grammar(facts)
    order = _ORDERS[_draw(seed, "order", len(_ORDERS))]
    sentences = ["identite", *order, "siret", "source"]
    files = _files(facts, slots, seed)
    variants = {sentence: _variants(files[sentence]) for sentence in sentences if sentence in files}
    rendered = (
        found[_draw(seed, sentence, len(found))].render(grammar)
        for sentence, found in variants.items()
    )
    written = _REGISTER.sub("répertoire Sirene", " ".join(_with_pronouns(rendered)), count=1)
    text = _SLOT.sub(lambda slot: slots[slot.group(1)], written)
    return GeneratedText(
        text=text,
        model=MODEL,
        prompt_version=PROMPT_VERSION,
        digital_source_type=DIGITAL_SOURCE_TYPE,
    )


def _with_pronouns(sentences: Iterable[str]) -> Iterator[str]:
    """Write « Il » in every second one of neighbouring sentences with « L’établissement »."""
    named = False
    for sentence in sentences:
        follows = named and sentence.startswith(_SUBJECT)
        named = sentence.startswith(_SUBJECT) and not follows
        yield f"Il {sentence.removeprefix(_SUBJECT)}" if follows else sentence


def _draw(seed: str, sentence: str, count: int) -> int:
    digest = hashlib.blake2b(f"{sentence}\0{seed}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) % count


@functools.cache
def _variants(file_name: str) -> tuple[Template, ...]:
    environment = Environment(
        autoescape=False,  # noqa: S701 plain text, escaped where a page is rendered
        undefined=StrictUndefined,
    )
    path = resources.files(__package__ or __name__) / "templates" / f"{file_name}.j2"
    lines = path.read_text(encoding="utf-8").splitlines()
    return tuple(environment.from_string(line) for line in lines if line)


def _files(facts: Facts, slots: Mapping[str, str], seed: str) -> dict[str, str]:
    """Return the template file of each sentence that the facts allow."""
    files = {"identite": _identite(facts, slots), "source": "source"}
    if "GROUPE" in slots and _draw(seed, "group", 4):
        plural = slots["GROUPE"].startswith("les ")
        files["activite"] = "activite_groupe_pluriel" if plural else "activite_groupe"
    elif "INTITULE" in slots:
        files["activite"] = "activite_intitule"
    if "DATE" in slots and _draw(seed, "precision", 2):
        files["creation"] = "creation_date"
    elif "ANNEE" in slots:
        files["creation"] = "creation_annee"
    dated = "" if facts.annee_effectifs is None else "_date"
    if facts.tranche_effectifs == "00":
        files["effectif"] = f"effectif_nul{dated}"
    elif "EFFECTIF" in slots:
        files["effectif"] = f"effectif{dated}"
    if "ENSEIGNE" in slots:
        files["enseigne"] = "enseigne"
    if "SIRET" in slots:
        files["siret"] = "siret"
    return files


def _identite(facts: Facts, slots: Mapping[str, str]) -> str:
    """Say "is a" with a legal form only of a name that is surely the unit's own."""
    if "A_COMMUNE" not in slots:
        return _identite_sans_commune(facts, slots)
    if facts.denomination is not None:
        return "identite_etablissement"
    if "FORME" not in slots:
        return "identite_sans_forme"
    if facts.categorie_juridique == SOLE_TRADER:
        return "identite_rattachee" if _is_over_the_door(facts) else "identite_nommee"
    return _identite_de_personne_morale(facts, slots["FORME"])


def _identite_de_personne_morale(facts: Facts, form: str) -> str:
    unit = entite(facts)
    over_the_door = _is_over_the_door(facts)
    if unit.nommee and (not unit.precision or (is_public(facts) and not over_the_door)):
        # « La SCI DU PORT a son siège … », not « SCI DU PORT est une société civile … ».
        return "identite_nommee"
    if is_public(facts) or over_the_door:
        return "identite_categorie"
    # « Fondation, X a son siège … » reads badly: a form of one word needs its own verb.
    return "identite_forme_breve" if form.isalpha() else "identite"


def _is_over_the_door(facts: Facts) -> bool:
    return facts.enseigne is not None and fold(facts.enseigne) == fold(facts.nom)


def _identite_sans_commune(facts: Facts, slots: Mapping[str, str]) -> str:
    if facts.denomination is not None:
        return "identite_etablissement_sans_commune"
    if "FORME" not in slots or _is_over_the_door(facts) or is_public(facts):
        return "identite_seule"
    return "identite_sans_commune"


def _grammar(facts: Facts) -> dict[str, object]:
    form = forme(facts)
    feminine = form is not None and form.genre == "f"
    activity = activite(facts)
    return {
        "une": "une" if feminine else "un",
        "e": "e" if feminine else "",
        "siege": facts.est_siege,
        "nt": "nt" if activity is not None and activity.composee else "",
    }


def _slots(facts: Facts) -> dict[str, str]:
    nom = clean_name(facts.nom)
    slots = {"NOM": nom, "QUE_NOM": que(nom), "NBSP": NBSP}
    unit = entite(facts)
    slots |= {
        "ENTITE_MAJ": capital(unit.le) + (f"{unit.precision}," if unit.precision else ""),
        "DE_ENTITE": unit.de + unit.precision,
        "A_ENTITE": unit.a + unit.precision,
    }
    form = forme(facts)
    if form is not None:
        slots |= {
            "FORME": form.libelle,
            "FORME_MAJ": capital(form.libelle),
            "QUE_FORME": que(form.libelle),
        }
    commune = nom_de_commune(facts)
    if commune is not None:
        place = lieu(commune)
        slots |= {"A_COMMUNE": place.a, "DE_COMMUNE": place.de}
    activity = activite(facts)
    if activity is not None:
        slots["INTITULE"] = activity.intitule
        if activity.groupe is not None:
            slots |= {"GROUPE": activity.groupe, "GROUPE_MAJ": capital(activity.groupe)}
    return slots | _figures(facts)


def _figures(facts: Facts) -> dict[str, str]:
    found = {
        "DATE": None if facts.date_creation is None else date_en_lettres(facts.date_creation),
        "ANNEE": None if facts.annee_creation is None else str(facts.annee_creation),
        "EFFECTIF": effectif(facts.tranche_effectifs),
        "AN_EFFECTIF": None if facts.annee_effectifs is None else str(facts.annee_effectifs),
        "SIRET": numero(facts.siret),
        "ENSEIGNE": other_name(facts.enseigne, facts),
    }
    return {slot: value for slot, value in found.items() if value}
