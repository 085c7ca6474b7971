"""Imports: their progress, statement and certificate; ordered with their cost, and halted."""

import math
from collections.abc import Callable, Mapping

from sqlalchemy import Connection
from starlette.responses import Response

from services.operator.console.rights import Right
from services.operator.console.screen import Screen
from services.operator.console.visits import Visit, VisitRefused
from services.operator.numbers.run_figures import (
    RunCost,
    read_batches,
    read_certificate,
    read_cost,
    requests_per_minute,
)
from shared.db.locks import Lock, hold
from shared.imports import halts
from shared.imports.orders import order_delta, order_import
from shared.imports.repairs import RepairOrder, order_repair
from shared.imports.runs import RunState, RunSummary, list_runs, read_run
from shared.imports.scope import Scope
from shared.imports.statement import StatementSubject, read_statement
from shared.imports.treatments import COLLECTIONS
from shared.imports.watermarks import read_watermarks, settle_windows
from shared.sirene.reference import departements

RUNS = Screen("Imports", "/imports")
_ROWS, _BATCHES = 20, 50
_STATES: Mapping[RunState, tuple[str, str]] = {
    RunState.PENDING: ("en attente", ""),
    RunState.RUNNING: ("en cours", "good"),
    RunState.PAUSED: ("en pause", "bad"),
    RunState.COMPLETE: ("terminé", ""),
    RunState.FAILED: ("échoué", "bad"),
    RunState.CANCELLED: ("annulé", ""),
}
_KINDS = {"scope": "import", "delta": "delta", "refresh": "reprise"}


@RUNS.get("/imports", Right.LOOK)
def show(visit: Visit) -> Response:
    with visit.reading() as (control, *_):
        runs = list_runs(control, limit=_ROWS, before=visit.number("avant"))
        certificate = read_certificate(control)
    return visit.page(
        "runs",
        runs=runs,
        next=runs[-1].run_id if len(runs) == _ROWS else None,
        states=_STATES,
        kinds=_KINDS,
        certificate=certificate,
        departements={code: each.nom for code, each in departements().items()},
    )


@RUNS.get("/imports/{id:int}", Right.LOOK)
def show_run(visit: Visit) -> Response:
    run_id = int(visit.parameters["id"])
    # A statement by département reads receipts: it is made for whoever asks.
    is_stated = "etat" in visit.query and len(visit.engines) == 1
    with visit.reading() as (control, *_):
        run = _found(control, run_id)
        batches = read_batches(control, run_id, after=visit.number("avant"), limit=_BATCHES)
        statement = read_statement(control, StatementSubject(run_id=run_id)) if is_stated else None
    return visit.page(
        "run",
        run=run,
        batches=batches,
        next=batches[-1].id if len(batches) == _BATCHES else None,
        statement=statement,
        has_statement=len(visit.engines) == 1,
        states=_STATES,
        kinds=_KINDS,
    )


@RUNS.post("/imports", Right.OPERATE)
def order(visit: Visit) -> Response:
    """Order the import of a département, after its cost was seen."""
    code = visit.word("departement")
    if code not in departements():
        raise VisitRefused(400, "Choisissez un département.", back="/imports")
    if not visit.is_confirmed:
        with visit.reading() as (control, *_):
            cost = read_cost(control, code)
        name = f"{departements()[code].nom} ({code})"
        question = f"Importer le département {name} ?"
        return visit.ask(question, "Importer", back="/imports", details=_told(cost))
    with visit.writing() as (control, *_):
        run_id = order_import(control, Scope(departements=[code]))
        visit.note(control, "import", f"run {run_id} departement {code.lower()}")
    return visit.done(f"/imports/{run_id}", f"L’import {run_id} est commandé.")


@RUNS.post("/imports/delta", Right.OPERATE)
def bring_up_to_date(visit: Visit) -> Response:
    with visit.writing() as (control, *_):
        # The second of two people sees the first one's order.
        hold(control, Lock.DELTAS)
        settle_windows(control)
        if any(each not in read_watermarks(control) for each in COLLECTIONS):
            words = "Aucun point de départ n’est connu : ./sirenade delta --since DATE en donne un."
            raise VisitRefused(409, words, back="/imports")
        under_way = [
            run.run_id
            for run in list_runs(control, limit=_ROWS, open_only=True)
            if run.kind == "delta"
        ]
        if under_way:
            words = f"Le delta {under_way[0]} est encore en route."
            raise VisitRefused(409, words, back="/imports")
        if visit.is_confirmed:
            run_id = order_delta(control)
            visit.note(control, "delta", f"run {run_id}")
    if not visit.is_confirmed:
        with visit.reading() as (control, *_):
            cost = read_cost(control, None)
        question = "Mettre le registre à jour jusqu’au dernier jour de l’Insee ?"
        return visit.ask(question, "Commander le delta", back="/imports", details=_told(cost))
    return visit.done(f"/imports/{run_id}", f"Le delta {run_id} est commandé.")


@RUNS.post("/imports/reparer", Right.OPERATE)
def repair(visit: Visit) -> Response:
    """Fetch the differences of a run, or of the latest certificate, anew."""
    of_run = visit.number("import")
    back = "/imports" if of_run is None else f"/imports/{of_run}"
    if len(visit.engines) > 1:
        words = "Une réparation demande que le registre soit dans une seule base."
        raise VisitRefused(409, words, back=back)
    if not visit.is_confirmed:
        # The order is made to know its cost, and taken back.
        with visit.engines[0].connect() as control:
            meant = order_repair(control, certificate_id=None, of_run=of_run)
            minutes = _minutes(meant.requests, requests_per_minute(control))
        if meant.run_id is None:
            raise VisitRefused(409, "Il n’y a aucun écart à réparer.", back=back)
        details = [
            f"{meant.sirets} établissements, {meant.requests} requêtes{minutes}.",
            *([f"{meant.left} autres écarts ne sont pas connus par numéro."] * bool(meant.left)),
        ]
        return visit.ask("Réparer ces écarts ?", "Réparer", back=back, details=details)
    with visit.writing() as (control, *_):
        placed: RepairOrder = order_repair(control, certificate_id=None, of_run=of_run)
        if placed.run_id is not None:
            visit.note(control, "repair", f"run {placed.run_id}: {placed.sirets}")
    if placed.run_id is None:
        raise VisitRefused(409, "Il n’y a plus d’écart à réparer.", back=back)
    return visit.done(f"/imports/{placed.run_id}", f"La réparation {placed.run_id} est commandée.")


@RUNS.post("/imports/{id:int}/pause", Right.OPERATE)
def pause(visit: Visit) -> Response:
    words = ("est en pause", "était déjà en pause")
    return _halt(visit, "runs.pause", halts.pause, words)


@RUNS.post("/imports/{id:int}/annuler", Right.OPERATE)
def cancel(visit: Visit) -> Response:
    run_id, reason = int(visit.parameters["id"]), visit.word("raison")
    if reason and not visit.is_confirmed:
        with visit.reading() as (control, *_):
            run = _found(control, run_id)
        details = [
            f"{run.received} lignes sont écrites : elles restent.",
            "Un import annulé ne reprend pas : il se commande de nouveau.",
        ]
        question = f"Annuler l’import {run_id} pour toujours ?"
        return visit.ask(question, "Annuler l’import", back=f"/imports/{run_id}", details=details)
    return _halt(visit, "runs.cancel", halts.cancel, ("est annulé", "était déjà annulé"))


@RUNS.post("/imports/{id:int}/reprendre", Right.OPERATE)
def resume(visit: Visit) -> Response:
    run_id = int(visit.parameters["id"])
    with visit.writing() as (control, *_):
        changed = halts.resume(control, run_id)
        if changed:
            visit.note(control, "runs.resume", f"run {run_id}")
    words = "continue" if changed else "n’était pas en pause"
    return visit.done(f"/imports/{run_id}", f"L’import {run_id} {words}.")


def _halt(
    visit: Visit,
    action: str,
    halt: Callable[[Connection, int, str, str], bool],
    words: tuple[str, str],
) -> Response:
    run_id, reason = int(visit.parameters["id"]), visit.word("raison")
    back = f"/imports/{run_id}"
    if not reason:
        raise VisitRefused(400, "Dites pourquoi : d’autres le liront.", back=back)
    with visit.writing() as (control, *_):
        changed = halt(control, run_id, visit.who.account.login, reason)
        if changed:
            visit.note(control, action, f"run {run_id}")
    return visit.done(back, f"L’import {run_id} {words[0] if changed else words[1]}.")


def _found(control: Connection, run_id: int) -> RunSummary:
    run = read_run(control, run_id)
    if run is None:
        raise VisitRefused(404, "Aucun import n’a ce numéro.", back="/imports")
    return run


def _told(cost: RunCost) -> list[str]:
    if cost.rows is None:
        known = "Son coût n’est pas connu : il n’a jamais été importé."
        return [f"{known} ./sirenade import --plan le demande à l’Insee."]
    minutes = _minutes(cost.requests, cost.per_minute)
    return [f"La dernière fois : {cost.rows} lignes, {cost.requests} requêtes{minutes}."]


def _minutes(requests: int, per_minute: float | None) -> str:
    if not per_minute:
        return ""
    minutes = max(1, math.ceil(requests / per_minute))
    return f", environ {minutes} min au quota"
