"""The statuses of diffusion, and the mask of a record whose status nobody knows yet. Pure.

INSEE masks what it publishes as P. What it may mean by a status that is new is not known: such a
record counts as P, and is masked here as INSEE masks a P (docs/adr/0009-erasure.md).
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from shared.sirene.records import OPEN_TO_ALL, PARTIAL, SOLE_TRADER
from shared.sirene.values import MASKED, JsonObject

_NOTHING: Final = frozenset({"", MASKED})
KNOWN_STATUTS: Final = frozenset({OPEN_TO_ALL, PARTIAL, "N"})
"""N, in use until March 2023, hid more than P."""

_USUAL = (OPEN_TO_ALL, PARTIAL)

_NAMES = re.compile(r"(?:denomination|sigle|sexe|nom(?!bre)|prenom|pseudonyme|enseigne)\w*")
# INSEE shows the commune and the country of a P.
_PLACES = frozenset(
    name + number + "Etablissement"
    for name in ("codeCommune", "libelleCommune", "libelleCommuneEtranger", "codePaysEtranger",
                 "libellePaysEtranger")
    for number in ("", "2")
)  # fmt: skip
_ADDRESSES = ("adresseEtablissement", "adresse2Etablissement")


def is_masking(statut: object) -> bool:
    """Return whether a status that was sent is any but O; none at all says nothing."""
    if isinstance(statut, str):
        statut = statut.strip()
    return statut is not None and statut not in (*_NOTHING, OPEN_TO_ALL)


def is_unknown(statut: object) -> bool:
    return is_masking(statut) and not (isinstance(statut, str) and statut.strip() in KNOWN_STATUTS)


def without_person(etablissement: JsonObject, unite: JsonObject) -> tuple[JsonObject, JsonObject]:
    """Return the two blocks of a record, masked where a status is not known; without a change else.

    A unit's status hides its establishments, too, which may be open by their own.
    """
    own, of_unite = (
        etablissement.get("statutDiffusionEtablissement"),
        unite.get("statutDiffusionUniteLegale"),
    )
    if (own in _USUAL and of_unite in _USUAL) or not (is_unknown(own) or is_unknown(of_unite)):
        return etablissement, unite
    forme = str(unite.get("categorieJuridiqueUniteLegale") or "").strip()
    is_person = forme in (*_NOTHING, SOLE_TRADER)
    masked = {**etablissement}
    for name in _ADDRESSES:
        masked[name] = _only_places(masked.get(name))
    if is_person:
        periods = masked.get("periodesEtablissement")
        if isinstance(periods, list):
            masked["periodesEtablissement"] = [_without_names(each) for each in periods]
        unite = _without_names(unite) if is_unknown(of_unite) else unite
    masked["uniteLegale"] = unite
    return masked, unite


def _only_places(address: Any) -> Any:
    if not isinstance(address, Mapping):
        return address
    return {key: value if key in _PLACES else None for key, value in address.items()}


def _without_names(block: Any) -> Any:
    if not isinstance(block, Mapping):
        return block
    return {key: None if _NAMES.fullmatch(key) else value for key, value in block.items()}
