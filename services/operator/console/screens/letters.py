"""Dead letters: messages that no actor could handle, replayed or dropped by the hundred."""

from collections import Counter
from collections.abc import Callable, Sequence

import dramatiq
from starlette.responses import Response

from services.operator.console.rights import Right
from services.operator.console.screen import Screen
from services.operator.console.visits import Visit, VisitRefused
from services.operator.failures import letters
from shared.errors import UserError

LETTERS = Screen("Messages morts", "/lettres")
_ROWS = 100
# Each waits for the broker's confirmation.
MOST_AT_ONCE = 500


@LETTERS.get("/lettres", Right.LOOK)
def show(visit: Visit) -> Response:
    with visit.reading() as (control, *_):
        rows = letters.latest(control, _ROWS, before=visit.number("avant"))
        waiting = letters.oldest_waiting(control, MOST_AT_ONCE + 1)
    after = rows[-1]["id"] if len(rows) == _ROWS else None
    return visit.page(
        "letters", rows=rows, next=after, waiting=len(waiting), most_at_once=MOST_AT_ONCE
    )


@LETTERS.get("/lettres/{id:int}", Right.LOOK)
def show_one(visit: Visit) -> Response:
    letter_id = int(visit.parameters["id"])
    with visit.reading() as (control, *_):
        try:
            letter = letters.opened(control, letter_id)
        except UserError:
            words = "Aucun message mort n’a ce numéro."
            raise VisitRefused(404, words, back="/lettres") from None
    inner = letter.pop("fields", None)
    return visit.page("letter", letter=letter, inner=inner if isinstance(inner, dict) else {})


@LETTERS.post("/lettres/rejouer", Right.OPERATE)
def replay(visit: Visit) -> Response:
    """Publish the chosen letters once more, or the oldest that were not replayed yet."""
    control = visit.engines[0]
    with control.connect() as connection:
        ids = _chosen(visit) or letters.oldest_waiting(connection, MOST_AT_ONCE)
        chosen = letters.choose(connection, ids, again=False) if ids else []
    if not chosen:
        raise VisitRefused(409, "Aucun message mort n’attend.", back="/lettres")
    outcomes = Counter[str | None]()
    try:
        for _, refusal in letters.replay_each(control, chosen, _broker(visit), again=False):
            outcomes[refusal] += 1
    finally:
        with control.begin() as connection:
            done = outcomes[None]
            visit.note(connection, "dead-letters.replay", f"replayed {done} of {len(chosen)}")
    refused = ", ".join(f"{number} × {why}" for why, number in outcomes.items() if why)
    notice = f"{outcomes[None]} messages republiés"
    return visit.done("/lettres", f"{notice} ; refusés : {refused}." if refused else f"{notice}.")


@LETTERS.post("/lettres/supprimer", Right.OPERATE)
def drop(visit: Visit) -> Response:
    ids = _chosen(visit)
    if not ids:
        raise VisitRefused(400, "Choisissez au moins un message.", back="/lettres")
    if not visit.is_confirmed:
        what = "ce message" if len(ids) == 1 else f"ces {len(ids)} messages"
        details = ["Aucun travail n’est perdu : ce qui reste dû est envoyé de nouveau."]
        question = f"Supprimer {what} pour toujours ?"
        return visit.ask(question, "Supprimer", back="/lettres", details=details)
    with visit.writing() as (control, *_):
        dropped = letters.drop(control, ids)
        visit.note(control, "dead-letters.drop", f"dropped {dropped}")
    return visit.done("/lettres", f"{dropped} messages supprimés.")


def _chosen(visit: Visit) -> Sequence[int]:
    sent = visit.all("lettre")
    if not all(each.isascii() and each.isdecimal() and len(each) < 19 for each in sent):  # noqa: PLR2004  digits of a bigint
        raise VisitRefused(400, "Ce numéro ne se lit pas.", back="/lettres")
    return [int(each) for each in sent[:MOST_AT_ONCE]]


def _broker(visit: Visit) -> Callable[[], dramatiq.Broker]:
    def opened() -> dramatiq.Broker:
        return letters.open_broker(visit.settings.broker_url.get_secret_value())

    return opened
