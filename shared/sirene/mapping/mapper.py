"""The mapping of a record of INSEE's API to rows of the register. Pure.

A key may be absent: older and reduced payloads lack some. New keys appear without notice: they are
named in the result and never fail a record.
"""

import datetime as dt
from functools import partial
from typing import NamedTuple

from shared.sirene.dates import LAST_DAY
from shared.sirene.digests import SplitRecord, split_record
from shared.sirene.identifiers import is_siren, siren_of
from shared.sirene.mapping import copy_values, insee_keys
from shared.sirene.mapping.copy_values import BETWEEN, Keys, Texts
from shared.sirene.mapping.periods import held_on, periods_of
from shared.sirene.mapping.rows import UNITE_COLUMNS, MappedRecord, MappedUnite, record_of
from shared.sirene.mapping.unknown_codes import codes_in_record
from shared.sirene.records import UniteLegale
from shared.sirene.reference import departement_et_region
from shared.sirene.values import JsonObject, MappingError, date, json_object, text_of

_ETABLISSEMENT_KEYS = Keys(insee_keys.ETABLISSEMENT.values())
_PERIODE_KEYS = Keys(insee_keys.PERIODE_ETABLISSEMENT.values())
_CHANGEMENT_KEYS = Keys(insee_keys.CHANGEMENTS.values())
_ADRESSE_KEYS = Keys(insee_keys.ADRESSE.values())
_ADRESSE2_KEYS = Keys(insee_keys.ADRESSE2.values())
_UNITE_KEYS = Keys(insee_keys.UNITE.values())
_CODE_COMMUNE = list(insee_keys.ADRESSE).index("code_commune")


class _Periode(NamedTuple):
    """A period, and the texts of its keys: for the establishment and for the history."""

    block: JsonObject
    textes: Texts


_NO_PERIODE = _Periode({}, _PERIODE_KEYS.texts({}))


def map_record(record: object, *, on: dt.date = LAST_DAY) -> MappedRecord:
    """Map one establishment with its unit's block, as `/siret` gives it.

    `on` is the day whose state is wanted: on the last day it is that of the newest period. Raises
    MappingError with a bounded `code`.
    """
    return map_split(split_record(record), on=on)


def map_split(
    split: SplitRecord, unite: MappedRecord | None = None, *, on: dt.date = LAST_DAY
) -> MappedRecord:
    """Map a split record; take the unit's line from `unite`, a record of the same unit version."""
    siret, block = split.siret, split.etablissement
    adresse = json_object(block.get("adresseEtablissement") or {}, "adresse")
    adresse2 = json_object(block.get("adresse2Etablissement") or {}, "adresse2")
    blocks = periods_of(block.get("periodesEtablissement"))
    sent = [_Periode(each, _PERIODE_KEYS.texts(each)) for each in blocks]
    held = held_on(on, blocks, partial(date, block, "dateCreationEtablissement"))
    periode = _NO_PERIODE if held.place is None else sent[held.place]
    return MappedRecord(
        siret,
        unite.unite_line if unite else _unite(siren_of(siret), split.unite),
        _etablissement(siret, block, adresse, adresse2, periode),
        [_periode(siret, rang, each) for rang, each in enumerate(reversed(sent))],
        insee_keys.unknown_keys(
            etablissement=block,
            unite=split.unite,
            adresse=adresse,
            adresse2=adresse2,
            periode=periode.block,
        ),
        held.turns_on,
        codes_in_record(block, adresse, periode.block, split.unite),
    )


def map_unite_legale(record: object, *, on: dt.date = LAST_DAY) -> MappedUnite:
    """Map one unit as `/siren` gives it, with its changing values in its periods.

    `on` is that of `map_record`. Raises MappingError with a bounded `code`.
    """
    block = json_object(record, "unite")
    siren = text_of(block, "siren")
    if siren is None:
        raise MappingError("missing_siren", "the unit has no siren")
    if not is_siren(siren):
        raise MappingError("bad_siren", "the siren is not nine digits")
    periods = periods_of(block.get("periodesUniteLegale"))
    place, _ = held_on(on, periods, partial(date, block, "dateCreationUniteLegale"))
    merged = {**({} if place is None else periods[place]), **block}
    unite = record_of(UniteLegale, UNITE_COLUMNS, _unite(siren, merged))
    return MappedUnite(unite, insee_keys.unknown_keys(unite=merged))


# Each function reads in the order of its columns in `rows`.
def _etablissement(
    siret: str, block: JsonObject, adresse: JsonObject, adresse2: JsonObject, periode: _Periode
) -> str:
    textes_adresse = _ADRESSE_KEYS.texts(adresse)
    return BETWEEN.join(
        [
            siret,
            siren_of(siret),
            siret[9:],
            copy_values.statut(block, "statutDiffusionEtablissement"),
            copy_values.moment(block, "dateDernierTraitementEtablissement"),
            copy_values.day(block, "dateCreationEtablissement"),
            copy_values.truth(block, "etablissementSiege"),
            copy_values.small_number(block, "nombrePeriodesEtablissement"),
            copy_values.day(periode.block, "dateDebut"),
            copy_values.decimal(adresse, "coordonneeLambertAbscisseEtablissement"),
            copy_values.decimal(adresse, "coordonneeLambertOrdonneeEtablissement"),
            *departement_et_region(textes_adresse[_CODE_COMMUNE]),
            *_ETABLISSEMENT_KEYS.texts(block),
            *periode.textes,
            *textes_adresse,
            *_ADRESSE2_KEYS.texts(adresse2),
        ]
    )


def _unite(siren: str, block: JsonObject) -> str:
    return BETWEEN.join(
        [
            siren,
            copy_values.statut(block, "statutDiffusionUniteLegale"),
            copy_values.moment(block, "dateDernierTraitementUniteLegale"),
            copy_values.day(block, "dateCreationUniteLegale"),
            # The key is there only when it is true.
            copy_values.truth(block, "unitePurgeeUniteLegale") or "f",
            *_UNITE_KEYS.texts(block),
        ]
    )


def _periode(siret: str, rang: int, periode: _Periode) -> str:
    block = periode.block
    return BETWEEN.join(
        [
            siret,
            siren_of(siret),
            str(rang),
            copy_values.sent_day(block, "dateDebut"),
            copy_values.sent_day(block, "dateFin"),
            *periode.textes,
            *_CHANGEMENT_KEYS.truths(block),
        ]
    )
