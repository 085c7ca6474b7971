"""Codes of open establishments that no table of this release knows. Pure.

Closed ones are left out: they may have codes that were out of use long before the tables. Their
status of diffusion is not: it says today who may see them.
"""

import functools
from collections.abc import Iterable, Mapping

from shared.sirene.diffusion import is_unknown
from shared.sirene.mapping import insee_keys
from shared.sirene.reference import known_codes
from shared.sirene.values import JsonObject

Codes = frozenset[tuple[str, str]]
"""Each with the column that holds it."""

NO_CODES: Codes = frozenset()
STATUT = "statut_diffusion"
CLOSED = ("F", "C")
"""The states of a closed establishment and of a unit that has ceased."""

_STATUTS = ("statutDiffusionEtablissement", "statutDiffusionUniteLegale")

_Keys = tuple[tuple[str, str, frozenset[str | None]], ...]


def _keys(names: Mapping[str, str]) -> _Keys:
    """Return INSEE's key, the column and the known codes of each coded column of a block."""
    known = known_codes()
    return tuple((key, column, known[column]) for column, key in names.items() if column in known)


@functools.cache
def _blocks() -> tuple[_Keys, ...]:
    own, unite = ({STATUT: key} for key in _STATUTS)
    names = (insee_keys.ETABLISSEMENT | own, insee_keys.ADRESSE)
    return tuple(map(_keys, (*names, insee_keys.PERIODE_ETABLISSEMENT, insee_keys.UNITE | unite)))


def codes_in_record(*blocks: JsonObject) -> Codes:
    """Return the codes of a record: of its establishment, address, current period and unit."""
    if blocks[2].get("etatAdministratifEtablissement") in CLOSED:
        sent = zip((blocks[0], blocks[3]), _STATUTS, strict=True)
        return unknown_statuts(block.get(key) for block, key in sent)
    found = [
        (column, str(value))
        for block, keys in zip(blocks, _blocks(), strict=True)
        for key, column, known in keys
        if (value := block.get(key)) not in known
    ]
    return only_unknown(found) if found else NO_CODES


def unknown_statuts(sent: Iterable[object]) -> Codes:
    """Return the statuses of diffusion that are not known."""
    return frozenset((STATUT, str(statut).strip()) for statut in sent if is_unknown(statut))


def only_unknown(found: Iterable[tuple[str, str]]) -> Codes:
    """Return the codes that are unknown without the spaces around them, too."""
    known = known_codes()
    trimmed = {(column, value.strip()) for column, value in found}
    return frozenset(each for each in trimmed if each[1] not in known[each[0]])
