"""People who object: what they wrote, what is held about a unit, and its erasure."""

import json

from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from services.operator.console.rights import Right
from services.operator.console.screen import Screen
from services.operator.console.visits import Visit, VisitRefused
from services.operator.editorial import words as french
from services.operator.editorial.people import (
    held_about,
    list_erasures,
    open_erasures,
    order_erasure,
    read_opposition,
)
from services.operator.reports.store import close_reports, list_reports
from shared.db.shards import connection_to
from shared.db.tables.page_reports import KEPT_DAYS
from shared.sirene.identifiers import has_valid_check_digit, is_siren, is_siret

PEOPLE = Screen("Personnes", "/personnes", Right.PEOPLE)
_MOST_REPORTS = 50
_MOST_REASON = 200
_WHAT_GOES = (
    "Noms, adresses, textes, essais, avis de clients et messages disparaissent, dans les pages"
    " comme dans la recherche. Rien ne les ramène, et aucun import ne les reprend tant que"
    " l’opposition dure."
)


@PEOPLE.get("/personnes", Right.PEOPLE)
def show(visit: Visit) -> Response:
    """Show open reports of readers, objections first, and the erasures that were ordered."""
    with visit.reading() as connections:
        reports = list_reports(connections, kind=None, done=False, limit=_MOST_REPORTS + 1)
        erasures, before = list_erasures(connections, visit.number("avant"))
    return visit.page(
        "people",
        reports=reports[:_MOST_REPORTS],
        has_more=len(reports) > _MOST_REPORTS,
        erasures=erasures,
        next=before,
        kept_days=KEPT_DAYS,
        words=french,
    )


@PEOPLE.post("/personnes/signalements/{id:int}", Right.PEOPLE)
def close(visit: Visit) -> Response:
    number = visit.parameters["id"]
    with visit.writing() as connections:
        closed = close_reports(connections, [number])
        if closed:
            visit.note(connections[0], "reports.close", f"report {number}")
    told = "Le message est classé." if closed else "Ce message était déjà classé, ou effacé."
    return visit.done("/personnes", told)


@PEOPLE.get("/personnes/unite", Right.PEOPLE)
def seek(visit: Visit) -> Response:
    return RedirectResponse(f"/personnes/unite/{_siren(visit.word('siren'))}", 303)


@PEOPLE.get("/personnes/unite/{siren}", Right.PEOPLE)
def show_unit(visit: Visit) -> Response:
    siren = _siren(visit.parameters["siren"])
    with visit.reading() as connections:
        shard = connection_to(visit.settings, connections, siren)
        held = [(name, len(rows)) for name, rows in held_about(shard, siren)]
        opposition = read_opposition(shard, siren)
        waiting = open_erasures(shard, siren)
    return visit.page(
        "unit",
        siren=siren,
        held=held,
        opposition=opposition,
        waiting=waiting,
        is_valid=has_valid_check_digit(siren),
        most_reason=_MOST_REASON,
    )


@PEOPLE.post("/personnes/unite/{siren}/export", Right.PEOPLE)
def export(visit: Visit) -> Response:
    """Give all that is held about a unit as a file, for whoever asks for it (RGPD, art. 15)."""
    siren = _siren(visit.parameters["siren"])
    with visit.writing() as connections:
        content = _exported(connection_to(visit.settings, connections, siren), siren)
        visit.note(connections[0], "people.export", f"siren {siren}")
    headers = {"Content-Disposition": f'attachment; filename="sirenade-{siren}.json"'}
    return Response(content, media_type="application/json", headers=headers)


@PEOPLE.post("/personnes/unite/{siren}/oubli", Right.PEOPLE)
def forget(visit: Visit) -> Response:
    """Order the erasure of a unit, once it is confirmed: nothing brings the data back."""
    siren = _siren(visit.parameters["siren"])
    back, reason = f"/personnes/unite/{siren}", visit.word("motif", most=_MOST_REASON)
    if not reason:
        raise VisitRefused(
            400, "Dites pourquoi : une date, un numéro de dossier, sans nom.", back=back
        )
    if not visit.is_confirmed:
        return visit.ask(
            f"Effacer tout ce qui est détenu sur l’unité {siren} ?",
            "Effacer",
            back=back,
            details=[_WHAT_GOES, f"Motif gardé : {reason}"],
        )
    with visit.writing() as connections:
        order_id = order_erasure(connection_to(visit.settings, connections, siren), siren, reason)
        visit.note(connections[0], "forget", f"siren {siren} order {order_id}")
    return visit.done(back, "L’effacement est ordonné : un rédacteur du registre l’exécute.")


def _siren(typed: str) -> str:
    digits = "".join(typed.split())
    if is_siret(digits):
        digits = digits[:9]
    if not is_siren(digits):
        raise VisitRefused(400, "Un SIREN a neuf chiffres.", back="/personnes")
    return digits


def _exported(shard: Connection, siren: str) -> str:
    held = dict(held_about(shard, siren))
    told = {"siren": siren, "source": "Sirene (Insee) et Sirenade", "detenu": held}
    return json.dumps(told, ensure_ascii=False, default=str, indent=1)
