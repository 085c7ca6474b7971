"""The trade of an establishment: how many others of its activity are open in its commune."""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from shared.db.tables.trades import TRADE
from shared.imports.completeness import Completeness, read_completeness
from shared.sirene.context import Trade
from shared.sirene.dates import is_plausible

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
_RANKED = 3
MOST_TO_RANK = 20
"""The largest trade whose members are read: to be the third of more tells little."""
FIND_OLDEST = text(f"""
    SELECT {", ".join(f"asked.{name}" for name in TRADE)}, e.siret, e.date_creation
    FROM unnest({", ".join(f"CAST(:{name} AS text[])" for name in TRADE)})
      AS asked ({", ".join(TRADE)})
    CROSS JOIN LATERAL (
      SELECT siret, date_creation FROM etablissements
      WHERE {_SAME} AND etat_administratif = 'A' LIMIT {2 * MOST_TO_RANK}) e
""")


@dataclass(frozen=True, slots=True)
class ToldTrades:
    """The trades of establishments by siret; nobody knows whether `unranked` ones have a rank."""

    told: dict[str, Trade]
    unranked: frozenset[str]


def trade_of(
    control: Connection,
    sirets: Collection[str],
    *,
    now: dt.datetime,
    shards: Sequence[Connection] = (),
    complete: Completeness | None = None,
) -> ToldTrades:
    """Return the trade of each establishment that is open, where its commune is complete.

    Nothing may be said of the others. `shards` are the databases of the register, over which a
    count is summed; without them it is in `control`. `complete` may have been read before. Look
    some hundred up at once.
    """
    register = shards or (control,)
    complete = complete or read_completeness(control, now=now, shards=shards)
    asked = {"sirets": list(sirets)}
    places = {row.siret: row[1:] for shard in register for row in shard.execute(FIND_PLACES, asked)}
    months = {code: complete.month_of(code) for code in {place[0] for place in places.values()}}
    told = {siret: (place, month) for siret, place in places.items() if (month := months[place[0]])}
    counts = _count(register, sorted({place for place, _ in told.values()}))
    small = [place for place, (number, _) in counts.items() if 1 < number <= MOST_TO_RANK]
    ranks = _rank(register, small)
    trades = {
        siret: Trade(
            etablissements=counts[place][0],
            with_employees=counts[place][1],
            month=month,
            rank=ranks.get(place, {}).get(siret),
        )
        for siret, (place, month) in told.items()
    }
    unranked = {place for place in small if place not in ranks}
    return ToldTrades(trades, frozenset(each for each in told if told[each][0] in unranked))


def _rank(register: Sequence[Connection], places: Sequence[_Place]) -> dict[_Place, dict[str, int]]:
    """Return the rank of those that are the first three of their trade by date of creation.

    A trade is left out where one has no plausible date: it may be the oldest.
    """
    members: dict[_Place, list[tuple[dt.date | None, str]]] = {place: [] for place in places}
    asked = {name: [place[at] for place in places] for at, name in enumerate(TRADE)}
    for shard in register if places else ():
        for *place, siret, day in shard.execute(FIND_OLDEST, asked):
            members[tuple(place)].append((day if is_plausible(day) else None, siret))
    ranks: dict[_Place, dict[str, int]] = {}
    for trade, found in members.items():
        same = Counter(day for day, _ in found)
        if None not in same:
            first = enumerate(sorted(found, key=_date)[:_RANKED], 1)
            ranks[trade] = {siret: rank for rank, (day, siret) in first if same[day] == 1}
    return ranks


def _date(member: tuple[dt.date | None, str]) -> tuple[dt.date, str]:
    day, siret = member
    return day or dt.date.max, siret


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
