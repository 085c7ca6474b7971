"""Links of succession, the third collection of INSEE."""

import datetime as dt
from dataclasses import dataclass

from shared.sirene.identifiers import is_siret
from shared.sirene.values import MappingError, boolean, date, instant, json_object, text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class LienSuccession:
    siret_predecesseur: str
    siret_successeur: str
    date_lien_succession: dt.date
    transfert_siege: bool | None
    continuite_economique: bool | None
    date_dernier_traitement: dt.datetime | None

    @property
    def key(self) -> tuple[object, ...]:
        return self.siret_predecesseur, self.siret_successeur, self.date_lien_succession


def map_lien_succession(record: object) -> LienSuccession:
    """Map a record. Raises MappingError where it lacks a siret or the date: they identify it."""
    block = json_object(record, "lienSuccession")
    before = text_of(block, "siretEtablissementPredecesseur") or ""
    after = text_of(block, "siretEtablissementSuccesseur") or ""
    linked_on = date(block, "dateLienSuccession")
    if not is_siret(before) or not is_siret(after) or linked_on is None:
        raise MappingError("bad_link", "a link lacks a siret or its date")
    return LienSuccession(
        siret_predecesseur=before,
        siret_successeur=after,
        date_lien_succession=linked_on,
        transfert_siege=boolean(block, "transfertSiege"),
        continuite_economique=boolean(block, "continuiteEconomique"),
        date_dernier_traitement=instant(block, "dateDernierTraitementLienSuccession"),
    )
