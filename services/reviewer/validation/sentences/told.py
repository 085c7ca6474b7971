"""The facts that symbols and conditions of the grammar's table tell.

A fact has the name that a prompt calls it by. `fact@` is its date: what was counted is told with
the year or month of the count.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

_DATE = "@"
TAKEN_UP = "rappel"
_SYMBOLS: Mapping[str, str] = {
    "nom": "<nom> <etab>",
    "denomination": "<unite>",
    "enseigne": "<enseigne>",
    "commune": "<commune> <commune_entiere> <a_commune> <de_commune> <commune_le> <arrondissement>",
    "departement": "<departement> <numero_departement>",
    "region": "<region>",
    "voie": "<voie>",
    "code_postal": "<code_postal>",
    "siret": "<siret> <siren>",
    "forme": "<forme> <mot_forme>",
    "activite": "<libelle> <tete> <mot> <metier> <acte> <acte_passe> <acte_ant>"
    " <ape> <ape_2> <ape_2025> <clause>",
    "annee": "<annee> <date> <mois>",
    "annee_unite": "<annee_unite> <date_unite> <mois_unite>",
    "siege": "?siege ?secondaire",
    "effectif": "<min> <max> <apres_max> <zero> ?nul",
    "effectif@": "<an_effectif> <fin_effectif>",
    "effectif_unite": "<min_unite> <max_unite> <apres_max_unite> <zero_unite> ?nul_unite",
    "effectif_unite@": "<an_effectif_unite> <fin_effectif_unite>",
    "categorie": "?pme ?eti ?ge",
    "categorie@": "<an_categorie>",
    "economie_sociale_solidaire": "?ess",
    "societe_mission": "?mission",
    "employeur": "?employeur ?non_employeur",
    "etablissements": "<n_ouverts> <n_autres> <n_fermes> <n_communes> <n_autres_communes>"
    " ?une_commune ?seul_site ?par_commune ?autre_commune",
    "etablissements@": "<mois_sites>",
    "metier": "<n_metier> <n_autres_metier> <n_employeurs> <n_sans>"
    " ?seul_metier ?sans_employeur ?tous_employeurs ?seul_employeur ?du_metier",
    "metier@": "<mois_metier>",
    "rang": "?rang1 ?rang2 ?rang3",
    "rappel": "?rappel",
    "ancienne_activite": "<ancien_libelle> <ancienne_tete> <ancien_mot>"
    " <jour_activite> <mois_activite> <an_activite>"
    " <veille_activite> <mois_veille_activite> <an_veille_activite>",
    "ancienne_enseigne": "<ancienne_enseigne> <jour_enseigne> <mois_enseigne> <an_enseigne>"
    " <veille_enseigne> <mois_veille_enseigne> <an_veille_enseigne>",
    "predecesseur": "<commune_avant> <a_commune_avant> <de_commune_avant> <voie_avant>"
    " <siret_avant> <jour_avant> <mois_avant> <an_avant>",
    "successeur": "<jour_apres> <mois_apres> <an_apres>",
}
TELLS: Mapping[str, str] = MappingProxyType(
    {symbol: fact for fact, symbols in _SYMBOLS.items() for symbol in symbols.split()}
)
"""The fact that each symbol, or condition that holds, tells."""

FACT_NAMES = frozenset(fact.removesuffix(_DATE) for fact in _SYMBOLS) - {TAKEN_UP}
"""The names that a model may say it uses."""

OF_UNIT: Mapping[str, str] = MappingProxyType(
    {f"<{name}>": f"<{name}_unite>" for name in (
        "annee", "date", "mois", "min", "max", "apres_max", "zero", "an_effectif", "fin_effectif",
    )}
    | {"nul": "nul_unite", "muet": "muet_unite"}
)  # fmt: skip
"""The unit's symbol or condition for the establishment's."""


_YEAR_OF_CLASS = "categorie" + _DATE
"""« Classée PME en 2022, avec 3 à 5 salariés »: one year for both."""
_COUNTED = frozenset({"effectif", "effectif_unite", "etablissements", "metier"})
"""The facts whose date holds for the counts that follow it in a text."""


def undated(
    reading: Iterable[str],
    dates: Mapping[str, object],
    before: Iterable[object] = (),
    counted: Iterable[object] = (),
) -> frozenset[str]:
    """Return the facts of a reading that have a date, in `dates`, and are told without it.

    A count needs no date of its own where the sentence tells it with another count, or where it
    tells no date of a count and the text before it did (`counted`). « Alors » and « d’entre eux »
    take up any date of the sentence, or of the last one `before` it that tells one.
    """
    told = frozenset(reading)
    known = {*(counts_told(told, dates) or counted), *dates_told(told & {_YEAR_OF_CLASS}, dates)}
    if TAKEN_UP in told:
        known |= {*before, *dates_told(told, dates)}
    return frozenset(
        fact
        for fact in told & dates.keys()
        if fact + _DATE not in told and dates[fact] not in known
    )


def dates_told(reading: Iterable[str], dates: Mapping[str, object]) -> frozenset[object]:
    told = frozenset(reading)
    return frozenset(date for fact, date in dates.items() if fact + _DATE in told)


def counts_told(reading: Iterable[str], dates: Mapping[str, object]) -> frozenset[object]:
    """Return the dates of the counts that a reading tells with them."""
    return dates_told(frozenset(reading) & {fact + _DATE for fact in _COUNTED}, dates)


def facts_dated(reading: Iterable[str]) -> frozenset[str]:
    """Return the facts whose dates a reading tells."""
    return frozenset(fact.removesuffix(_DATE) for fact in reading if fact.endswith(_DATE))


def names_told(reading: Iterable[str]) -> frozenset[str]:
    """Return the facts of a reading; neither a date nor what « alors » takes up has a name."""
    return frozenset(fact.removesuffix(_DATE) for fact in reading) - {TAKEN_UP}


_BEYOND_THE_PAGE = frozenset(
    """metier rang etablissements ancienne_activite ancienne_enseigne predecesseur successeur
    effectif@ categorie@ economie_sociale_solidaire societe_mission annee_unite
    voie""".split()  # noqa: SIM905 a word list
)


def beyond_the_page(sentences: Iterable[Iterable[frozenset[str]]]) -> frozenset[str]:
    """Return what sentences surely tell that the table of the page does not show.

    A headcount is one fact whether it is the unit's or the establishment's.
    """
    told = frozenset[str]()
    for readings in sentences:
        facts = (
            {fact.replace("effectif_unite", "effectif") for fact in _dated(one)} for one in readings
        )
        told |= _BEYOND_THE_PAGE.intersection(*facts)
    return told


def _dated(reading: frozenset[str]) -> frozenset[str]:
    """Return the facts with the dates that « cette année-là » takes up."""
    taken = {"effectif", "categorie"} & reading if TAKEN_UP in reading else frozenset[str]()
    return reading | {fact + _DATE for fact in taken}
