"""The context of an establishment: what rows beside its own and its unit's say of it.

Nothing of it is known to the writer when it stores a record; the reviewer reads it for each text.
"""

import datetime as dt
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import orjson

TradeSize = Literal["alone", "2-5", "6-20", "21-100", "more"]
_SIZES: Sequence[tuple[float, TradeSize]] = (
    (1, "alone"),
    (5, "2-5"),
    (20, "6-20"),
    (100, "21-100"),
    (float("inf"), "more"),
)


def size_of(etablissements: int) -> TradeSize:
    """Return the class of a count; one opening more changes it rarely."""
    return next(size for most, size in _SIZES if etablissements <= most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """The open establishments of one activity in one commune, as of a month.

    `month` is the first day of the month. The counts hold the establishment itself, P units and
    sole traders (`shared/db/tables/trades.py`). `rank` is its place by date of creation among
    them, 1 to 3, where no other has the same date; else None.
    """

    etablissements: int
    with_employees: int
    month: dt.date
    rank: int | None = None

    @property
    def size(self) -> TradeSize:
        return size_of(self.etablissements)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sites:
    """The unit's establishments over all of France, this one among them, as of a month.

    `communes` are those of the open ones.
    """

    open: int
    closed: int
    communes: int
    month: dt.date


@dataclass(frozen=True, slots=True, kw_only=True)
class Former:
    """An activity's label, or an enseigne, that held until the day before `until`."""

    value: str
    until: dt.date


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """The other establishment of a succession, and the day of the link.

    `commune` and `voie` are told only of the same unit's establishment, whose move it then is.
    """

    siret: str
    day: dt.date
    same_unit: bool
    transfert_siege: bool
    continuite_economique: bool
    commune: str | None = None
    voie: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """None or empty where the register says nothing, or may not be believed to be complete.

    The newest of `former_activites` and `former_enseignes` comes first, as does the newest of
    `predecessors` and `successors`.
    """

    trade: Trade | None = None
    sites: Sites | None = None
    former_activites: tuple[Former, ...] = ()
    former_enseignes: tuple[Former, ...] = ()
    predecessors: tuple[Succession, ...] = ()
    successors: tuple[Succession, ...] = ()


NO_CONTEXT = Context()

CONTEXT_VERSION = "context-1"
_NOTHING = "-"
_UNKNOWN = "?"
_BETWEEN = "+"


def context_hash(context: Context, unknown: Collection[str] = ()) -> str:
    """Return the hashes of what a text tells of each part, in the order of `PARTS`.

    Counts enter it by class and without their month, so that one opening changes nearly nothing.
    The parts of `unknown` tell nothing, and nobody knows whether there is something to tell.
    """
    return _BETWEEN.join(
        _UNKNOWN if part in unknown else _hash(values) if values else _NOTHING
        for part, values in _parts(context).items()
    )


def is_other(kept: str | None, present: str) -> bool:
    """Return whether a text with this context would say something else now.

    What is only unknown now is no other: a count stays true of its month, and a history true. The
    kept hash stays, too: what becomes known again is compared with what the text tells.
    """
    if kept is None:
        return True
    then, now = kept.split(_BETWEEN), present.split(_BETWEEN)
    return len(then) != len(now) or any(
        after not in {_UNKNOWN, before} for before, after in zip(then, now, strict=True)
    )


def _parts(context: Context) -> Mapping[str, Sequence[object]]:
    trade, sites = context.trade, context.sites
    return {
        "trade": () if trade is None else _class_of(trade),
        "rank": () if trade is None or trade.rank is None else (trade.rank,),
        "sites": () if sites is None else _classes_of(sites),
        "former_activites": [(each.value, each.until) for each in context.former_activites],
        "former_enseignes": [(each.value, each.until) for each in context.former_enseignes],
        "predecessors": [_values(each) for each in context.predecessors],
        "successors": [_values(each) for each in context.successors],
    }


PARTS = tuple(_parts(NO_CONTEXT))
"""The names of what may change, or become unknown, by itself."""


def _class_of(trade: Trade) -> tuple[str, str]:
    return trade.size, _class(trade.with_employees)


def _classes_of(sites: Sites) -> list[str]:
    return [_class(count) for count in (sites.open, sites.closed, sites.communes)]


def _class(count: int) -> str:
    return size_of(count) if count else "none"


def _values(link: Succession) -> list[object]:
    return [
        link.siret,
        link.day,
        link.same_unit,
        link.transfert_siege,
        link.continuite_economique,
        link.commune,
        link.voie,
    ]


def _hash(values: object) -> str:
    return hashlib.sha256(CONTEXT_VERSION.encode() + orjson.dumps(values)).hexdigest()[:16]
