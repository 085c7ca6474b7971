"""Codes of open establishments that no table of this release knows. Pure.

Closed ones are left out: they may have codes that were out of use long before the tables.
"""

import functools
from collections.abc import Iterable, Mapping

from shared.sirene.mapping import insee_keys
from shared.sirene.reference import known_codes
from shared.sirene.values import JsonObject

Codes = frozenset[tuple[str, str]]
"""Each with the column that holds it."""

NO_CODES: Codes = frozenset()
CLOSED = ("F", "C")
"""The states of a closed establishment and of a unit that has ceased."""

_Keys = tuple[tuple[str, str, frozenset[str | None]], ...]


def _keys(names: Mapping[str, str]) -> _Keys:
    """Return INSEE's key, the column and the known codes of each coded column of a block."""
    known = known_codes()
    return tuple((key, column, known[column]) for column, key in names.items() if column in known)


@functools.cache
def _blocks() -> tuple[_Keys, ...]:
    names = (insee_keys.ETABLISSEMENT, insee_keys.ADRESSE)
    return tuple(map(_keys, (*names, insee_keys.PERIODE_ETABLISSEMENT, insee_keys.UNITE)))


def codes_in_record(*blocks: JsonObject) -> Codes:
    """Return the codes of a record: of its establishment, address, current period and unit."""
    if blocks[2].get("etatAdministratifEtablissement") in CLOSED:
        return NO_CODES
    found = [
        (column, str(value))
        for block, keys in zip(blocks, _blocks(), strict=True)
        for key, column, known in keys
        if (value := block.get(key)) not in known
    ]
    return only_unknown(found) if found else NO_CODES


def only_unknown(found: Iterable[tuple[str, str]]) -> Codes:
    """Return the codes that are unknown without the spaces around them, too."""
    known = known_codes()
    trimmed = {(column, value.strip()) for column, value in found}
    return frozenset(each for each in trimmed if each[1] not in known[each[0]])
