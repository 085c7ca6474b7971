"""Texts: the search, and one text beside its facts, verdicts, versions and orders."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from services.operator.console.rights import Right
from services.operator.console.screen import Screen
from services.operator.console.screens.text_orders import KINDS, read_order, send_order
from services.operator.console.visits import Visit, VisitRefused
from services.operator.editorial import words
from services.operator.editorial.facts import fact_lines
from services.operator.editorial.register_now import present_facts
from services.operator.editorial.search import FoundTexts, TextCriteria, find_texts
from services.operator.editorial.sheet import TextSheet, read_sheet
from shared.avis import AvisOutcome, HoldReason, OrderVerb
from shared.db.shards import connection_to
from shared.sirene.identifiers import is_siren, is_siret
from shared.texts.orders import TextHasChanged

TEXTS = Screen("Textes", "/textes", Right.EDIT)
_ANY_HOLD = "tous"
_CHANGED = (
    "Depuis que vous avez ouvert cette page, quelqu’un d’autre a décidé de ce texte, ou ses faits"
    " ont changé. Rien n’a été fait : relisez le texte, puis décidez."
)


@TEXTS.get("/textes", Right.EDIT)
def search(visit: Visit) -> Response:
    """Look for texts; without criteria show the newest ones."""
    criteria = _criteria(visit)
    before = visit.number("avant")
    with visit.reading() as connections:
        found: FoundTexts = find_texts(connections, criteria, before)
    return visit.page(
        "texts",
        found=found,
        criteria=criteria,
        next=found.before,
        words=words,
        any_hold=_ANY_HOLD,
    )


@TEXTS.get("/textes/{siret}/{kind}", Right.EDIT)
def show(visit: Visit) -> Response:
    return _show(visit)


@TEXTS.post("/textes/{siret}/{kind}/{verb}", Right.EDIT)
def order(visit: Visit) -> Response:
    """Order something of a text; whoever comes second is told, and keeps their words."""
    wanted = read_order(visit)
    try:
        with visit.writing() as connections:
            send_order(visit, connections, wanted)
    except TextHasChanged:
        return _show(visit, status=409, fault=_CHANGED, draft=wanted.text)
    told = f"Ordre placé : {words.VERBS[wanted.verb]}. Un relecteur l’exécute dans un instant."
    return visit.done(f"/textes/{wanted.siret}/{wanted.kind}", told)


def _show(
    visit: Visit, *, status: int = 200, fault: str = "", draft: str | None = None
) -> Response:
    siret, kind = visit.parameters["siret"], visit.parameters["kind"]
    if not is_siret(siret) or kind not in KINDS:
        raise VisitRefused(404, "Ce texte n’existe pas.", back="/textes")
    with visit.reading() as connections:
        shard = connection_to(visit.settings, connections, siret[:9])
        sheet = read_sheet(shard, siret, kind)
        if sheet is None:
            raise VisitRefused(404, "Cet établissement n’a pas de texte.", back="/textes")
        now = present_facts(shard, siret) if sheet.facts_have_changed else None
    answer = visit.page(
        "text",
        status=status,
        sheet=sheet,
        avis=sheet.avis,
        facts=_facts_of(sheet),
        now=None if now is None else fact_lines(now),
        fault=fault,
        draft=draft if draft is not None else _draft_of(sheet),
        decisions=_decisions_on(sheet),
        words=words,
    )
    if visit.is_part and not sheet.open_orders:
        # The order is carried out: the rest of the page has changed, too.
        answer.headers["HX-Refresh"] = "true"
    return answer


def _facts_of(sheet: TextSheet) -> Mapping[str, Any] | None:
    """Return the facts of the attempt that made the text, else of the newest one."""
    made = sheet.of_text or next(iter(sheet.attempts), None)
    if made is None or made.facts is None:
        return None
    return {"at": made.attempted_at, "lines": fact_lines(made.facts)}


def _draft_of(sheet: TextSheet) -> str:
    """Return the words for the form: a refused edit may be mended, else the present text."""
    last = next(iter(sheet.orders), None)
    if last is not None and last.verb == OrderVerb.EDIT and last.status == "refused":
        return last.text or ""
    return sheet.avis["text"] or ""


def _decisions_on(sheet: TextSheet) -> list[OrderVerb]:
    """Return the orders that make sense now; a reviewer looks again when it carries one out."""
    avis = sheet.avis
    if sheet.open_orders:
        return []
    found = []
    if avis["text"] is not None:
        found.append(OrderVerb.HOLD if avis["held_because"] is None else OrderVerb.RELEASE)
    if avis["outcome"] == AvisOutcome.ACCEPTED:
        found.append(OrderVerb.REJECT)
    if avis["kind"] == "notice" and avis["outcome"] in {AvisOutcome.ACCEPTED, AvisOutcome.REJECTED}:
        found.append(OrderVerb.REGENERATE)
    return found


def _criteria(visit: Visit) -> TextCriteria:
    number = "".join(visit.word("numero").split())
    if number and not (is_siren(number) or is_siret(number)):
        raise VisitRefused(400, "Un SIREN a neuf chiffres, un SIRET quatorze.", back="/textes")
    outcome, held = visit.word("etat"), visit.word("retenu")
    return TextCriteria(
        number=number,
        name=visit.word("nom"),
        outcome=AvisOutcome(outcome) if outcome in words.OUTCOMES else None,
        held=HoldReason(held) if held in words.HOLDS else None,
        is_held=held == _ANY_HOLD,
        activite=visit.word("activite", most=6).upper(),
        departement=visit.word("departement", most=3).upper(),
    )
