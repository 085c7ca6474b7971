"""Codes in a chunk of a stock file that no table of this release knows."""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from shared.sirene.mapping.unknown_codes import (
    CLOSED,
    NO_CODES,
    Codes,
    only_unknown,
    unknown_statuts,
)
from shared.sirene.records import (
    PERSONAL_ETABLISSEMENT_FIELDS,
    PERSONAL_UNITE_FIELDS,
    SOLE_TRADER,
)
from shared.sirene.reference import known_codes

_FORME = "categorie_juridique"


def codes_in_columns(columns: Mapping[str, pa.Array]) -> Codes:
    """Return the codes of open rows; only a chunk that has unknown codes is read row by row."""
    found: list[tuple[str, str]] = []
    for column, known in known_codes().items():
        values = columns.get(column)
        if values is None or known.issuperset(pc.unique(values).to_pylist()):
            continue
        states = columns.get("etat_administratif")
        if states is not None:
            values = values.filter(pc.invert(pc.is_in(states, pa.array(CLOSED))))
        found += [(column, value) for value in set(values.to_pylist()) - known]
    return only_unknown(found)


def hide_unknown(
    columns: Mapping[str, pa.Array], statuts: pa.Array
) -> tuple[dict[str, pa.Array], Codes]:
    """Mask the rows whose status of diffusion is not known, as sent; return those statuses, too.

    They count as P (`shared.sirene.diffusion`). The file of establishments does not tell the legal
    form: the signs go, too.
    """
    codes = unknown_statuts(pc.unique(statuts).to_pylist())
    if not codes:
        return dict(columns), NO_CODES
    unknown = [value for _, value in codes]
    hidden = pc.fill_null(pc.is_in(pc.utf8_trim_whitespace(statuts), pa.array(unknown)), False)
    names = PERSONAL_ETABLISSEMENT_FIELDS
    if _FORME in columns:
        forms = pc.fill_null(columns[_FORME], SOLE_TRADER)
        hidden = pc.and_(hidden, pc.equal(forms, SOLE_TRADER))
        names = PERSONAL_UNITE_FIELDS
    masked = {
        name: pc.if_else(hidden, None, values) if name in names else values
        for name, values in columns.items()
    }
    return masked, codes
