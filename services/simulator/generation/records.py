"""Complete, unmasked API records from the facts of units and establishments."""

from collections.abc import Mapping, Sequence
from functools import cache

from services.simulator.generation import reference
from services.simulator.generation.adresses import address, second_address
from services.simulator.generation.dice import Dice
from services.simulator.generation.etablissements import Etablissements, InventedEtablissement
from services.simulator.generation.identifiers import LA_POSTE, SIREN_LENGTH
from services.simulator.generation.noms import Identite, identite
from services.simulator.generation.periodes import Histories
from services.simulator.generation.unites import Unite
from services.simulator.record import Draft

_TRANCHES = ("NN",) * 14 + ("00", "01", "01", "01", "02", "02", "03", "03", "11", "11", "12")
_LARGE_TRANCHES = ("12", "21", "22", "31", "32", "41", "42", "51", "52", "53")
_LARGE_UNIT = 6


class RecordBuilder:
    def __init__(self, etablissements: Etablissements) -> None:
        self._etablissements = etablissements
        self.periodes = Histories(etablissements).periodes

    def etablissement(self, index: int) -> Draft:
        """Make the establishment as `/siret` gives it, with nothing masked."""
        facts = self._etablissements.etablissement(index)
        dice = self._etablissements.dice("etablissement", index)
        tranche = _tranche(facts, dice)
        periodes = self.periodes(facts)
        open_with_code = not facts.ferme and facts.created is not None and dice.chance(970)
        return {
            "siren": facts.unite.siren,
            "nic": facts.siret[SIREN_LENGTH:],
            "siret": facts.siret,
            "statutDiffusionEtablissement": "P" if facts.partielle else "O",
            "dateCreationEtablissement": facts.created,
            "trancheEffectifsEtablissement": tranche,
            "anneeEffectifsEtablissement": None if tranche in {None, "NN"} else "2023",
            "activitePrincipaleRegistreMetiersEtablissement": _registre_metiers(facts, dice),
            "dateDernierTraitementEtablissement": facts.treated,
            "etablissementSiege": facts.siege,
            "nombrePeriodesEtablissement": len(periodes),
            "activitePrincipaleNAF25Etablissement": (
                facts.unite.metier.naf_2025 if open_with_code else None
            ),
            "uniteLegale": self._unit_block(facts.unite),
            "adresseEtablissement": address(facts, dice),
            "adresse2Etablissement": second_address(),
            "periodesEtablissement": periodes,
        }

    def unite(self, number: int) -> Draft:
        """Make the unit as `/siren` gives it, with nothing masked and one or two periods."""
        unite = self._etablissements.unites.unite(number)
        block = self._unit_block(unite)
        periodes = _unit_periods(unite, block, self._etablissements.calendar.day)
        return {
            "siren": unite.siren,
            **{name: block[name] for name in _unit_head() if name in block},
            "nombrePeriodesUniteLegale": len(periodes),
            **{name: block[name] for name in _UNIT_TAIL},
            "periodesUniteLegale": periodes,
        }

    def _unit_block(self, unite: Unite) -> Draft:
        seed = self._etablissements.seed
        dice = Dice(seed, "bloc", unite.number)
        who = identite(unite, seed)
        seat = self._etablissements.siret(self._etablissements.siege_index(unite.number))
        tranche = _unit_tranche(unite, dice)
        categorie = _categorie(unite, dice)
        return {
            "etatAdministratifUniteLegale": "C" if unite.cessee else "A",
            "statutDiffusionUniteLegale": "P" if unite.partielle else "O",
            **({"unitePurgeeUniteLegale": True} if unite.purgee else {}),
            "dateCreationUniteLegale": unite.created,
            "categorieJuridiqueUniteLegale": unite.forme,
            **_names(who),
            "activitePrincipaleUniteLegale": unite.metier.naf,
            "nomenclatureActivitePrincipaleUniteLegale": "NAFRev2",
            "identifiantAssociationUniteLegale": _rna(unite, dice),
            "economieSocialeSolidaireUniteLegale": _social(unite, dice),
            "societeMissionUniteLegale": "N"
            if unite.forme[:2] in {"54", "57"} and dice.chance(300)
            else None,
            "caractereEmployeurUniteLegale": None,
            "trancheEffectifsUniteLegale": tranche,
            "anneeEffectifsUniteLegale": None if tranche in {None, "NN"} else "2023",
            "nicSiegeUniteLegale": seat[SIREN_LENGTH:],
            "dateDernierTraitementUniteLegale": self._etablissements.calendar.treatment(
                dice, may_be_old=self._etablissements.unites.is_old(unite.number)
            ),
            "categorieEntreprise": categorie,
            "anneeCategorieEntreprise": None if categorie is None else "2023",
            "activitePrincipaleNAF25UniteLegale": None if unite.cessee else unite.metier.naf_2025,
        }


_UNIT_TAIL = (
    "categorieEntreprise", "anneeCategorieEntreprise", "activitePrincipaleNAF25UniteLegale",
)  # fmt: skip


@cache
def _unit_head() -> Sequence[str]:
    """Return the keys of a unit outside of its periods that stand before their number."""
    unit = (variable for variable in reference.variables() if variable.bloc == "uniteLegale")
    return [v.nom for v in unit if not v.historise and v.nom not in _UNIT_TAIL]


def _names(who: Identite) -> Draft:
    given: Sequence[str | None] = [*who.prenoms, None, None, None, None][:4]
    return {
        "denominationUniteLegale": who.denomination,
        "sigleUniteLegale": who.sigle,
        "denominationUsuelle1UniteLegale": who.usuelle,
        "denominationUsuelle2UniteLegale": None,
        "denominationUsuelle3UniteLegale": None,
        "sexeUniteLegale": who.sexe,
        "nomUniteLegale": who.nom,
        "nomUsageUniteLegale": who.nom_usage,
        **{f"prenom{rank}UniteLegale": name for rank, name in enumerate(given, start=1)},
        "prenomUsuelUniteLegale": given[0],
        "pseudonymeUniteLegale": who.pseudonyme,
    }


def _tranche(facts: InventedEtablissement, dice: Dice) -> str | None:
    if facts.ferme or dice.chance(30):
        return "NN" if dice.chance(800) else None
    if facts.unite.count >= _LARGE_UNIT and dice.chance(100):
        return dice.pick(_LARGE_TRANCHES[:6])
    return dice.pick(_TRANCHES[:20] if facts.unite.personne_physique else _TRANCHES)


def _unit_tranche(unite: Unite, dice: Dice) -> str | None:
    if unite.cessee or dice.chance(30):
        return "NN" if dice.chance(800) else None
    return dice.pick(_LARGE_TRANCHES if unite.count >= _LARGE_UNIT else _TRANCHES)


def _categorie(unite: Unite, dice: Dice) -> str | None:
    if unite.siren == LA_POSTE:
        return "GE"
    if unite.cessee or dice.chance(400):
        return None
    if unite.count >= _LARGE_UNIT:
        return dice.pick(("PME", "ETI", "ETI", "GE"))
    return "PME"


def _rna(unite: Unite, dice: Dice) -> str | None:
    association = unite.forme in {"9220", "9230", "9260"}
    place = unite.commune.departement[:2].replace("A", "0").replace("B", "0")
    number = f"W{place}{dice.below(10**7):07d}"
    return number if association and dice.chance(700) else None


def _social(unite: Unite, dice: Dice) -> str | None:
    known = dice.chance(500)
    if unite.forme.startswith("92"):
        return "O"
    return "N" if known and not unite.personne_physique else None


def _registre_metiers(facts: InventedEtablissement, dice: Dice) -> str | None:
    """Draw a craft code, used before 2023: the NAF code without its dot, and a letter."""
    craft = facts.unite.metier.naf[:2] in {"43", "10", "95", "96", "41"}
    letter = dice.pick("PABQZ")
    return facts.unite.metier.naf.replace(".", "") + letter if craft and dice.chance(350) else None


def _unit_periods(unite: Unite, block: Draft, day: str) -> list[Draft]:
    """Make the periods, newest first: the unit as it is, and as it was before it ceased."""
    history = Dice(0, "fin", unite.number)
    current: Draft = {"dateFin": None, "dateDebut": unite.created}
    for name, changed in _UNIT_PERIOD.items():
        current[name] = block[name]
        if changed is not None:
            current[changed] = False
    if not unite.cessee or unite.created >= day:
        return [current]
    ended = f"{min(int(day[:4]), max(int(unite.created[:4]), 1990) + 1 + history.below(15))}-01-01"
    if ended <= unite.created:
        return [current]
    before = current | {
        "dateFin": f"{int(ended[:4]) - 1}-12-31",
        "etatAdministratifUniteLegale": "A",
    }
    after = current | {"dateDebut": ended, "changementEtatAdministratifUniteLegale": True}
    return [after, before]


# The values of a unit's period, each with the mark of its change where INSEE has one.
_UNIT_PERIOD: Mapping[str, str | None] = {
    "etatAdministratifUniteLegale": "changementEtatAdministratifUniteLegale",
    "nomUniteLegale": "changementNomUniteLegale",
    "nomUsageUniteLegale": "changementNomUsageUniteLegale",
    "denominationUniteLegale": "changementDenominationUniteLegale",
    "denominationUsuelle1UniteLegale": None,
    "denominationUsuelle2UniteLegale": None,
    "denominationUsuelle3UniteLegale": "changementDenominationUsuelleUniteLegale",
    "categorieJuridiqueUniteLegale": "changementCategorieJuridiqueUniteLegale",
    "activitePrincipaleUniteLegale": None,
    "nomenclatureActivitePrincipaleUniteLegale": "changementActivitePrincipaleUniteLegale",
    "nicSiegeUniteLegale": "changementNicSiegeUniteLegale",
    "economieSocialeSolidaireUniteLegale": "changementEconomieSocialeSolidaireUniteLegale",
    "societeMissionUniteLegale": "changementSocieteMissionUniteLegale",
    "caractereEmployeurUniteLegale": "changementCaractereEmployeurUniteLegale",
}
