"""Codes in a chunk of a stock file that no table of this release knows."""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from shared.sirene.mapping.unknown_codes import CLOSED, Codes, only_unknown
from shared.sirene.reference import known_codes


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
