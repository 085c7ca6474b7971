"""Failures: their causes, the items of one, and thousands of them tried again at once."""

from starlette.responses import Response

from services.operator.console.journal import subject_of
from services.operator.console.rights import Right
from services.operator.console.screen import Screen
from services.operator.console.visits import Visit, VisitRefused
from services.operator.failures import causes, retries
from services.operator.failures.retries import Retry

FAILURES = Screen("Échecs", "/echecs")
_ROWS = 50
# One order takes as many; an import by number asks for a hundred establishments a request.
MOST_AT_ONCE = 5_000
_KINDS = {"write": "établissement", "review": "texte"}


@FAILURES.get("/echecs", Right.LOOK)
def show(visit: Visit) -> Response:
    with visit.reading() as connections:
        found = causes.read_causes(connections)
        endings = causes.read_endings(connections)
    return visit.page(
        "failures",
        causes=found,
        endings=endings,
        kinds=_KINDS,
        most_counted=causes.MOST_COUNTED,
        most_at_once=MOST_AT_ONCE,
    )


@FAILURES.get("/echecs/cause", Right.LOOK)
def show_cause(visit: Visit) -> Response:
    kind, code = visit.word("genre"), visit.word("cause")
    with visit.reading() as connections:
        rows = causes.read_items(connections, kind, code, after=visit.number("avant"), limit=_ROWS)
    after = rows[-1].id if len(rows) == _ROWS else None
    return visit.page("failed_items", rows=rows, kind=kind, code=code, kinds=_KINDS, next=after)


@FAILURES.post("/echecs", Right.OPERATE)
def retry(visit: Visit) -> Response:
    kind, code = visit.word("genre"), visit.word("cause")
    with visit.writing() as connections:
        ids = causes.waiting_ids(connections, kind, code, limit=MOST_AT_ONCE)
        if not ids:
            words = "Rien n’attend plus pour cette cause : tout est déjà repris, ou résolu."
            raise VisitRefused(409, words, back="/echecs")
        outcome = retries.retry(connections, ids, code=None)
        subject = f"{kind} {subject_of(code)}: {len(ids)}"
        visit.note(connections[0], "failed.retry", subject)
    return visit.done("/echecs", _told(outcome))


def _told(outcome: Retry) -> str:
    parts = {
        f"redemandés à l’Insee par l’import {outcome.run_id}": outcome.fetched,
        "déjà en route dans un import ouvert": outcome.under_way,
        "rendus à la rédaction des textes": outcome.reviewed,
        "fermés, car plus personne ne les attend": outcome.no_longer_due,
        "sans siret : importez de nouveau la fenêtre de leur lot": outcome.without_siret,
    }
    counted = [f"{len(ids)} {what}" for what, ids in parts.items() if ids]
    return f"Repris : {', '.join(counted)}. Un échec reste ouvert jusqu’à son résultat."
