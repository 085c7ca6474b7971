"""The examples for a model: sentences of the templates on given facts, with slots for names. Pure.

Each has the names of the facts that it tells. A word that a stranger chose never stands in one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from services.reviewer.french.legal_entity import is_foreign
from services.reviewer.french.phrases import forme
from services.reviewer.notices.draws import Draws
from services.reviewer.notices.matters import matters_of
from services.reviewer.notices.outline import ACTIVITY
from services.reviewer.notices.sentences import Variant, fill, sections
from services.reviewer.notices.values import values_of
from shared.sirene.facts import Facts

_OF_FIRST = 2
"""The sentences of the opening and of the activity. All else has one; neighbours get others."""
_ANY_YEAR = 0
"""The year of a text in which no figure is too old: the model is told its date."""

# The slots of a prompt in place of names, streets and communes.
_SLOTS: Mapping[str, str] = MappingProxyType(
    {
        "NOM": "{NOM}",
        "SUJET": "{NOM}",
        "LIEU": "à {COMMUNE}",
        "LIEU_MAJ": "À {COMMUNE}",
        "A_COMMUNE": "à {COMMUNE}",
        "A_COMMUNE_MAJ": "À {COMMUNE}",
        "ENSEIGNE": "{ENSEIGNE}",
        "ENSEIGNE_PASSEE": "{ANCIENNE_ENSEIGNE}",
        "LIEU_PASSE": "à {PREDECESSEUR}",
    }
)
_FACTS_OF_SLOTS: Mapping[str, str] = MappingProxyType(
    {
        "NOM": "nom",
        "SUJET": "nom",
        "LIEU": "commune",
        "LIEU_MAJ": "commune",
        "ENSEIGNE": "enseigne",
        "FORME": "forme",
        "FORME_DEVANT": "forme",
        "UNE_FORME": "forme",
        "ACTIVITE": "activite",
        "DOMAINE": "activite",
        "INTITULE": "activite",
        "RUBRIQUE": "activite",
        "GROUPE": "activite",
        "GROUPE_SINGULIER": "activite",
    }
)
_FACTS_OF_SECTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "siege": ("siege",),
        "etablissement": (),
        "nom_seul": (),
        ACTIVITY: (),
        "depuis": ("annee",),
        "effectif": ("effectif",),
        "effectif_nul": ("effectif",),
        "unite_creee": ("annee_unite",),
        "unite_effectif": ("effectif_unite",),
        "unite_effectif_total": ("effectif_unite",),
        "sites": ("etablissements",),
        "site": ("etablissements",),
        "categorie": ("categorie",),
        "solidaire": ("economie_sociale_solidaire",),
        "mission": ("societe_mission",),
        "employeur": ("employeur",),
        "metier": ("metier",),
        "rang": ("rang", "metier"),
        "seul": ("metier",),
        "activite_passee": ("ancienne_activite",),
        "enseigne_passee": ("ancienne_enseigne",),
        "siege_transfere": ("predecesseur",),
        "adresse_remplacee": ("predecesseur",),
        "succession": ("predecesseur",),
        "porte_enseigne": (),
    }
)
# Parts of sentences that tell another fact, or hold a stranger's word: they are left out.
_WITHOUT = ("CREEE", "CREEE_INCISE", "CREEE_FIN", "UNITE_CREEE", "SOIT", "VOIE", "VOIE_ET")
_PAST_PLACE = ("VOIE_PASSEE", "IL_ETAIT", "DEUX_POINTS_PASSE")
# The slots whose values are INSEE's words, numbers and dates, or ours.
_SAFE = frozenset(
    """
    FORME FORME_DEVANT UNE_FORME E_FORME ACTIVITE DOMAINE INTITULE RUBRIQUE GROUPE GROUPE_SINGULIER
    DEBUT DU_DEBUT AN_EFFECTIF EFFECTIF PERSONNES D_PERSONNES D_EFFECTIF UNITE UNITE_MAJ DE_UNITE
    LE_PRONOM E_UNITE CREE LE_DEBUT_UNITE DU_DEBUT_UNITE EFFECTIF_UNITE AN_EFFECTIF_UNITE CATEGORIE
    AN_CATEGORIE MOIS_METIER COMPRIS ETABLISSEMENTS DONT ONT SALARIANTS PLUS_ANCIEN PREMIER
    LA_COMMUNE MOIS_SITES OUVERTS TOUS_DANS TOUTES_DANS FERMES FERMEES AUTRES_ADRESSES SONT_FERMEES
    LE_CHANGEMENT INTITULE_PASSE ACTIVITE_PASSEE LE_JOUR_ENSEIGNE LE_TRANSFERT LA_SUCCESSION
    LA_SUCCESSION_MAJ
    """.split()  # noqa: SIM905 a word list
)
_FORM = frozenset({"FORME", "FORME_DEVANT", "UNE_FORME"})


@dataclass(frozen=True, slots=True)
class ExampleSentence:
    """`names` are the facts that it tells, as the prompt names them."""

    text: str
    names: tuple[str, ...]


def examples(facts: Facts) -> list[ExampleSentence]:
    """Return sentences for each thing that there is to say, the opening first."""
    draws = Draws(f"examples {facts.siret}")
    values = _values(facts, draws)
    matters = [matter.section for matter in matters_of(facts, year=_ANY_YEAR)]
    wanted = [_opening(facts), ACTIVITY, *matters, "unite_creee"]
    if "effectifs" in wanted:
        wanted += ["effectif", "unite_effectif_total"]
    return [
        ExampleSentence(fill(variant.text, values), tuple(_names(section, variant)))
        for section in dict.fromkeys(wanted)
        if section in _FACTS_OF_SECTIONS
        for variant in _drawn(section, values, draws)[: _OF_FIRST if section in wanted[:2] else 1]
    ]


def _opening(facts: Facts) -> str:
    if facts.denomination is not None or forme(facts) is None:
        return "nom_seul"
    return "siege" if facts.est_siege and not is_foreign(facts) else "etablissement"


def _values(facts: Facts, draws: Draws) -> Mapping[str, str]:
    known = values_of(facts, year=_ANY_YEAR, draws=draws)
    # A name that is not the unit's has no legal form.
    safe = _SAFE if facts.denomination is None else _SAFE - _FORM
    return {
        **{slot: value for slot, value in known.items() if slot in safe},
        **{slot: words for slot, words in _SLOTS.items() if slot in known},
        **dict.fromkeys((*_WITHOUT, *_PAST_PLACE), ""),
    }


def _drawn(section: str, values: Mapping[str, str], draws: Draws) -> list[Variant]:
    possible = [variant for variant in sections()[section] if variant.slots <= values.keys()]
    start = draws.below(max(1, len(possible)), section)
    return [*possible[start:], *possible[:start]]


def _names(section: str, variant: Variant) -> Iterator[str]:
    told = {_FACTS_OF_SLOTS[slot] for slot in variant.slots & _FACTS_OF_SLOTS.keys()}
    yield from sorted(told.union(_FACTS_OF_SECTIONS[section]))
