"""The order of hits (`tri`) and the counts of their values (`facette.champ`)."""

from collections import Counter
from collections.abc import Sequence

from services.simulator.errors import QuerySyntaxError
from services.simulator.query.comparison import as_text
from services.simulator.query.variables import Collection, fields_of
from services.simulator.register.registers import Register


def ordered(
    register: Register, collection: Collection, positions: Sequence[int], tri: str | None
) -> Sequence[int]:
    """Sort positions by these comma-separated fields; ` desc` reverses one; nulls come last.

    Raises QuerySyntaxError for a field that is historised, or that the collection does not have.
    """
    result = positions
    for clause in reversed((tri or "").split(",")):
        name, _, direction = clause.strip().partition(" ")
        if not name:
            continue
        _check(collection, name)
        values = {p: register.row(collection, p, None).value(name) for p in result}
        present = [p for p in result if values[p] is not None]
        absent = [p for p in result if values[p] is None]
        present.sort(key=lambda p, v=values: as_text(v[p]), reverse=direction.strip() == "desc")  # type: ignore[misc] # a default binds the loop's value
        result = present + absent
    return result


def facets(
    register: Register, collection: Collection, positions: Sequence[int], fields: Sequence[str]
) -> list[dict[str, object]]:
    """Count the values of each field among the hits, most frequent first."""
    found: list[dict[str, object]] = []
    for name in fields:
        _check(collection, name)
        counts: Counter[object] = Counter(
            register.row(collection, position, None).value(name) for position in positions
        )
        missing = counts.pop(None, 0)
        ranked = sorted(counts.items(), key=lambda item: (-item[1], as_text(item[0])))
        found.append(
            {
                "nom": name,
                "manquants": missing,
                "total": len(positions) - missing,
                "modalites": len(counts),
                "comptages": [{"valeur": value, "nombre": number} for value, number in ranked],
            }
        )
    return found


def _check(collection: Collection, name: str) -> None:
    field = fields_of(collection).get(name)
    if field is None or field.historise:
        raise QuerySyntaxError(name)
