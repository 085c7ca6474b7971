"""Money: what texts have cost and may cost, the cap, a pause, batches, and a forecast."""

from decimal import Decimal

from starlette.responses import Response

from services.operator.console.rights import Right
from services.operator.console.screen import Screen
from services.operator.console.visits import Visit, VisitRefused
from services.operator.editorial.money import MOST_COUNTED, read_forecast, read_money
from shared.errors import UserError
from shared.money.amounts import MOST_EUROS, parse_cap
from shared.money.budget import pause, read_budget, resume_under

MONEY = Screen("Argent", "/argent", Right.LOOK)
_NO_AMOUNT = f"Un plafond est une somme comme 50 ou 12,50, au plus {MOST_EUROS:.0f} €."


@MONEY.get("/argent", Right.LOOK)
def show(visit: Visit) -> Response:
    with visit.reading() as connections:
        money = read_money(connections[0], connections)
    cap = money.budget.cap_eur
    used = money.budget.spent_eur + money.budget.reserved_eur
    share = None if not cap else min(Decimal(100), round(100 * used / cap, 1))
    return visit.page("money", money=money, budget=money.budget, share=share, most=MOST_COUNTED)


@MONEY.get("/argent/prevision", Right.LOOK)
def forecast(visit: Visit) -> Response:
    """Forecast the cost of what is due: it counts every due text, which may take seconds."""
    with visit.reading() as (control, *_):
        found = read_forecast(control, visit.engines)
    return visit.page("forecast", found=found)


@MONEY.post("/argent/pause", Right.OPERATE)
def stop(visit: Visit) -> Response:
    with visit.writing() as (control, *_):
        pause(control)
        visit.note(control, "avis.pause")
    return visit.done("/argent", "Aucun texte ne commence plus. Ceux en cours se terminent.")


@MONEY.post("/argent/reprise", Right.OPERATE)
def go_on(visit: Visit) -> Response:
    """Go on, under the present cap or a new one; ask first, because texts then cost money."""
    typed = visit.word("plafond").removesuffix("€").strip() or None
    with visit.reading() as (control, *_):
        state = read_budget(control)
    amount = _amount(typed)
    if amount is not None and amount < state.spent_eur + state.reserved_eur:
        words = "Ce plafond est au-dessous de ce qui est déjà dépensé ou réservé."
        raise VisitRefused(400, words, back="/argent")
    cap = amount if amount is not None else state.cap_eur
    if not visit.is_confirmed:
        told = "sans plafond" if cap is None else f"jusqu’à {_euros(cap)} en tout"
        return visit.ask(
            f"Écrire les textes {told} ?",
            "Continuer",
            back="/argent",
            details=[f"Déjà dépensé ou réservé : {_euros(state.spent_eur + state.reserved_eur)}."],
        )
    with visit.writing() as (control, *_):
        resume_under(control, typed)
        visit.note(control, "avis.resume", "" if amount is None else f"cap {amount:f}")
    return visit.done("/argent", "Les textes continuent.")


def _amount(typed: str | None) -> Decimal | None:
    if typed is None:
        return None
    try:
        return parse_cap(typed)
    except UserError:
        raise VisitRefused(400, _NO_AMOUNT, back="/argent") from None


def _euros(amount: Decimal) -> str:
    return f"{amount:.2f} €".replace(".", ",")
