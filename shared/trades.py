"""The trade of an establishment: how many others of its activity are open in its commune."""

import datetime as dt
from collections.abc import Collection, Sequence

from sqlalchemy import Connection, text

from shared.db.tables.trades import TRADE
from shared.imports.completeness import complete_communes
from shared.sirene.context import Trade

_Place = tuple[str, str, str]

COUNTS = """count(*) AS etablissements,
    count(*) FILTER (WHERE tranche_effectifs NOT IN ('NN', '00')) AS with_employees"""
"""SQL of both counts over rows of the register, as the triggers have them."""


def is_counted(row: str = "") -> str:
    """Return the condition that a row of `etablissements` counts; `row` is its alias."""
    prefix = f"{row}." if row else ""
    named = " AND ".join(f"{prefix}{name} IS NOT NULL" for name in TRADE)
    return f"({prefix}etat_administratif = 'A' AND {named})"


FIND_PLACES = text(f"""
    SELECT siret, {", ".join(TRADE)} FROM etablissements
    WHERE siret = ANY(CAST(:sirets AS text[])) AND {is_counted()}
""")
_SAME = " AND ".join(f"{name} = asked.{name}" for name in TRADE)
# A subquery for each trade is a probe of the keys in every plan; a join is not.
COUNT_TRADES = text(f"""
    SELECT {", ".join(f"asked.{name}" for name in TRADE)},
      counted.etablissements, counted.with_employees
    FROM unnest({", ".join(f"CAST(:{name} AS text[])" for name in TRADE)})
      AS asked ({", ".join(TRADE)})
    CROSS JOIN LATERAL (
      SELECT coalesce(sum(etablissements), 0)::int AS etablissements,
        coalesce(sum(with_employees), 0)::int AS with_employees
      FROM (
        SELECT etablissements, with_employees FROM trade_counts WHERE {_SAME}
        UNION ALL
        SELECT etablissements, with_employees FROM trade_count_changes WHERE {_SAME}) noted
      ) counted
""")


def trade_of(
    control: Connection,
    sirets: Collection[str],
    *,
    now: dt.datetime,
    shards: Sequence[Connection] = (),
) -> dict[str, Trade]:
    """Return the trade of each establishment that is open, where its commune is complete.

    Nothing may be said of the others. `shards` are the databases of the register, over which a
    count is summed; without them it is in `control`. Look some hundred up at once.
    """
    register = shards or (control,)
    asked = {"sirets": list(sirets)}
    places = {row.siret: row[1:] for shard in register for row in shard.execute(FIND_PLACES, asked)}
    communes = {code_commune for code_commune, *_ in places.values()}
    months = complete_communes(control, communes, now=now, shards=shards)
    told = {siret: place for siret, place in places.items() if place[0] in months}
    counts = _count(register, sorted({*told.values()}))
    return {
        siret: Trade(
            etablissements=counts[place][0],
            with_employees=counts[place][1],
            month=months[place[0]],
        )
        for siret, place in told.items()
    }


def _count(
    register: Sequence[Connection], places: Sequence[_Place]
) -> dict[_Place, tuple[int, int]]:
    counts = dict.fromkeys(places, (0, 0))
    asked = {name: [place[at] for place in places] for at, name in enumerate(TRADE)}
    for shard in register if places else ():
        for *place, etablissements, with_employees in shard.execute(COUNT_TRADES, asked):
            so_far = counts[tuple(place)]
            counts[tuple(place)] = (so_far[0] + etablissements, so_far[1] + with_employees)
    return counts
