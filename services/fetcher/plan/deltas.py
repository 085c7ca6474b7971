"""The treatment windows that a delta walks, by INSEE's dates and the watermarks. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from services.fetcher.plan.windows import (
    MOST_ROWS_UNCUT,
    Count,
    PlannedBatch,
    cut_window,
    joined_windows,
)
from shared.errors import UserError
from shared.imports.scope import Scope
from shared.imports.treatments import TreatmentWindow, Watermark

_NAMES = {"etablissements": "establishments", "unites_legales": "legal units"}


@dataclass(frozen=True)
class Freshness:
    """The last treatment and publication of a collection, in Paris time without an offset."""

    is_up: bool
    treated_until: datetime
    made_available_at: datetime | None

    def window_of(self, collection: str, start: datetime | None) -> TreatmentWindow:
        """Return the treatments of this collection from `start` to the last one."""
        return TreatmentWindow(collection, start, self.treated_until, self.made_available_at)


@dataclass(frozen=True)
class DeltaOrder:
    """A delta as a person orders it; `since` is Paris time without an offset."""

    since: datetime | None = None
    overlap_hours: float = 0.0
    # The rest of the time for which the delta waits for INSEE to publish.
    wait_seconds: float = 0.0
    # All of France, not only what the database has been asked to hold.
    everything: bool = False


@dataclass(frozen=True)
class RunDraft:
    """The plan of a run: batches, the treatment windows that they bring, a warning for people."""

    plan: Sequence[PlannedBatch]
    windows: Sequence[TreatmentWindow] = ()
    warning: str | None = None


class NoWatermark(UserError):
    """Raised where a delta has no start: neither a watermark nor a date that a person gave."""

    def __init__(self, collection: str) -> None:
        super().__init__(
            f"nothing says how far the {_NAMES[collection]} are complete: give --since once, "
            "or import the whole register (import --all)"
        )


@dataclass(frozen=True)
class Decision:
    """The windows that can be walked now, and the reasons why others cannot."""

    windows: Sequence[TreatmentWindow]
    held_up: Sequence[str]


def decide(
    order: DeltaOrder, insee: Mapping[str, Freshness], complete: Mapping[str, Watermark]
) -> Decision:
    """Make a window for each collection that INSEE has treated since its watermark.

    A window begins before the watermark, by the overlap, or at an earlier `since`; a later start
    would leave a gap. It ends at INSEE's last treatment: a day that is still being written stays
    out. Raises NoWatermark.
    """
    windows, held_up = [], []
    for collection, freshness in insee.items():
        known = complete.get(collection)
        if known is None and order.since is None:
            raise NoWatermark(collection)
        start = _start(order, known)
        reason = _held_up(order, freshness, known, start)
        if reason is None:
            windows.append(freshness.window_of(collection, start))
        else:
            held_up.append(f"{_NAMES[collection]}: {reason}")
    return Decision(windows, held_up)


def _start(order: DeltaOrder, known: Watermark | None) -> datetime:
    starts = [] if order.since is None else [order.since]
    if known is not None:
        starts.append(known.treated_until - timedelta(hours=order.overlap_hours))
    return min(starts)


def _held_up(
    order: DeltaOrder, freshness: Freshness, known: Watermark | None, start: datetime
) -> str | None:
    last = f"{freshness.treated_until:%Y-%m-%d %H:%M}"
    if not freshness.is_up:
        return "INSEE says that the collection is not up"
    if freshness.treated_until < start:
        return f"INSEE has published nothing after {last}, before the window"
    if known is None or _has_moved(freshness, known):
        return None
    if order.since is not None and order.since < known.treated_until:
        return None
    return f"INSEE has published nothing after {last}"


def _has_moved(freshness: Freshness, known: Watermark) -> bool:
    if freshness.treated_until != known.treated_until:
        return freshness.treated_until > known.treated_until
    # INSEE has published the same days again: something in them is corrected.
    return (
        freshness.made_available_at is not None
        and known.made_available_at is not None
        and freshness.made_available_at > known.made_available_at
    )


def whole_windows(
    insee: Mapping[str, Freshness], bounds: Mapping[str, datetime] | None = None
) -> list[TreatmentWindow]:
    """Return the windows of an import: all treatments before it began, at most to `bounds`."""
    windows = (freshness.window_of(name, None) for name, freshness in insee.items())
    ends = bounds or {}
    return [
        replace(each, treated_until=min(each.treated_until, ends[each.collection]))
        if each.collection in ends
        else each
        for each in windows
    ]


def make_delta_plan(
    windows: Sequence[TreatmentWindow],
    scopes: Sequence[Scope],
    *,
    count: Count,
    most_rows: int = MOST_ROWS_UNCUT,
) -> list[PlannedBatch]:
    """Make the batches: one count for each window, mass days cut, empty windows left out."""
    plan: list[PlannedBatch] = []
    parts = joined_windows(scopes)
    for treated in _walked(windows):
        for part in parts:
            whole = replace(part, **treated)
            if rows := count(whole.query):
                plan += cut_window(whole, rows, most_rows=most_rows, count=count)
    return plan


def _walked(windows: Sequence[TreatmentWindow]) -> Iterator[dict[str, Any]]:
    """Yield the treatments as they are walked: a record that two of them hold is fetched once.

    A record carries its unit: the window of establishments brings the units of its rows as well.
    """
    ends = {each.collection: (each.treated_from, each.treated_until) for each in windows}
    start, until = ends.get("etablissements", (None, None))
    others = None if start is None or until is None else (start, until)
    for each in windows:
        yield {
            "collection": each.collection,
            "treated_from": each.treated_from,
            "treated_until": each.treated_until,
            "others_treated": others if each.collection == "unites_legales" else None,
        }
