"""Tables and the language model are read before threads start.

Threads that meet a cold cache at the same time each fill it: 200 of them needed seconds for their
first text, and twice the memory.
"""

from services.reviewer.french.names import shown_name
from services.reviewer.notices import template
from services.reviewer.validation import validate
from shared.sirene import reference
from shared.sirene.facts import Facts


def warm_up() -> None:
    """Make and validate one text about an invented establishment, and write its name."""
    commune, activity, form, staff = "33063", "43.32A", "5499", "02"
    facts = Facts(
        siret="00000000000000",
        siren="000000000",
        nom="ATELIER DU MOULIN",
        forme=reference.libelle_categorie_juridique(form),
        categorie_juridique=form,
        activite=reference.libelle_activite(activity, None),
        commune=reference.libelle_commune(commune),
        code_commune=commune,
        departement=reference.departement_of(commune),
        tranche_effectifs=staff,
        effectif=reference.libelle_effectif(staff),
    )
    shown_name(facts)
    validate(template.generate(facts, 2026).text, facts)
