"""The queue of held texts: read one after another, by keys or by forms."""

import datetime as dt
import re

from starlette.responses import Response

from services.operator.console.rights import Right
from services.operator.console.screen import Screen
from services.operator.console.screens.text_orders import read_order, send_order
from services.operator.console.visits import Visit, VisitRefused
from services.operator.editorial import words
from services.operator.editorial.queue import (
    MOST_COUNTED,
    START,
    HeldTexts,
    QueuePlace,
    count_held,
    latest_decisions,
    read_debuts,
    read_queue,
)
from shared.avis import HoldReason, OrderVerb
from shared.texts.orders import TextHasChanged

QUEUE = Screen("À relire", "/file", Right.EDIT)
_PLACE = re.compile(r"(\d{1,18})-(\d{1,19})")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_IN_QUEUE = frozenset({OrderVerb.RELEASE, OrderVerb.REJECT})
_CHANGED = (
    "Quelqu’un d’autre a décidé de ce texte, ou ses faits ont changé, depuis que vous avez ouvert"
    " la file. Rien n’a été fait : le voici tel qu’il est maintenant, s’il attend encore."
)


@QUEUE.get("/file", Right.EDIT)
def show(visit: Visit) -> Response:
    return _show(visit)


@QUEUE.post("/file/{siret}/{kind}/{verb}", Right.EDIT)
def decide(visit: Visit) -> Response:
    """Release or reject a text of the queue, and stay in the queue."""
    wanted = read_order(visit)
    if wanted.verb not in _IN_QUEUE:
        raise VisitRefused(404, "Cet ordre n’existe pas ici.", back="/file")
    try:
        with visit.writing() as connections:
            send_order(visit, connections, wanted)
    except TextHasChanged:
        return _show(visit, status=409, fault=_CHANGED)
    told = f"Ordre placé : {words.VERBS[wanted.verb]} {wanted.siret}."
    return visit.done(f"/file{_query(visit)}", told)


@QUEUE.get("/file/regles", Right.EDIT)
def rules(visit: Visit) -> Response:
    """Show what is held by rule, and how far the first texts of each prompt are counted."""
    with visit.reading() as connections:
        counted, debuts = count_held(connections), read_debuts(connections)
    return visit.page(
        "sampling",
        held=counted,
        debuts=debuts,
        settings=visit.settings,
        words=words,
        most=MOST_COUNTED,
    )


def _show(visit: Visit, *, status: int = 200, fault: str = "") -> Response:
    held = visit.word("retenu")
    because = HoldReason(held) if held in words.HOLDS else None
    after = _place(visit.word("apres"))
    with visit.reading() as connections:
        found: HeldTexts = read_queue(connections, after, because)
        counted = count_held(connections)
        decisions = latest_decisions(connections)
    return visit.page(
        "queue",
        status=status,
        held=found.texts,
        next=None if found.after is None else _written(found.after),
        counted=counted,
        total=sum(counted.values()),
        most=MOST_COUNTED,
        because=because or "",
        after=visit.word("apres"),
        decisions=decisions,
        fault=fault,
        words=words,
    )


def _query(visit: Visit) -> str:
    """Return the query of the page on which the form stood."""
    because, after = visit.word("retenu"), visit.word("apres")
    told = [f"retenu={because}"] if because in words.HOLDS else []
    if _PLACE.fullmatch(after):
        told.append(f"apres={after}")
    return f"?{'&'.join(told)}" if told else ""


def _place(written: str) -> QueuePlace:
    found = _PLACE.fullmatch(written)
    if found is None:
        return START
    try:
        return QueuePlace(_EPOCH + dt.timedelta(microseconds=int(found[1])), int(found[2]))
    except OverflowError:
        return START


def _written(place: QueuePlace) -> str:
    return f"{(place.held_at - _EPOCH) // dt.timedelta(microseconds=1)}-{place.id}"
