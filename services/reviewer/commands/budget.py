"""The commands `avis budget`, `avis pause` and `avis resume`."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.table import Column, Table
from sqlalchemy import RowMapping, text

from services.reviewer.batches.figures import batches_line, read_batched
from services.reviewer.commands.databases import Databases, databases
from services.reviewer.commands.renewals import RenewalPace, count_renewals, renewals_line
from services.reviewer.money.renewal_rate import parse_renewals_per_day, set_renewals_per_day
from shared.money.amounts import plain
from shared.money.budget import BudgetState, read_budget, resume_under
from shared.money.budget import pause as pause_budget
from shared.terminal.cli import AsJson, print_json, say
from shared.terminal.console import Console, cell
from shared.terminal.words import euros, thousands

Cap = Annotated[
    str | None,
    typer.Option(metavar="EUR", help="The most that may be spent, in the past and from now on."),
]
RenewalsPerDay = Annotated[
    str | None,
    typer.Option(
        metavar="N",
        help="Let at most N texts that stand be renewed in a day; 0 holds them, none is no limit.",
    ),
]
NoCap = Annotated[bool, typer.Option("--no-cap", help="Spend without a limit.")]

_PROVIDERS = text("""
    SELECT name, model, prompt_version, charges, requests_per_minute, tokens_per_minute, calls,
           spent_eur
    FROM review_providers ORDER BY name
""")
_WHY = {
    "cap": "the cap is reached",
    "asked": "a person asked for it",
    "sample": "the sample is done: look at it, then ./sirenade avis resume",
}


def budget(renewals_per_day: RenewalsPerDay = None, as_json: AsJson = False) -> None:
    """Show what texts have cost, what they may cost, and whether the run is paused.

    A renewal is a due text whose former text stays up meanwhile.
    First texts go before renewals, then the largest establishments.
    The rate of renewals holds at once, for all reviewers together.

    Example: ./sirenade avis budget --renewals-per-day 100000
    """
    with databases() as opened:
        if renewals_per_day is not None:
            per_day = parse_renewals_per_day(renewals_per_day)
            with opened.control.begin() as connection:
                set_renewals_per_day(connection, per_day)
        batches = read_batched(opened.shards).as_dict()
        _tell(opened, as_json=as_json, batches=batches)


def pause(as_json: AsJson = False) -> None:
    """Begin no more texts. Calls under way end; due texts stay due."""
    with databases() as opened:
        with opened.control.begin() as connection:
            pause_budget(connection)
        _tell(opened, as_json=as_json)


def resume(cap: Cap = None, no_cap: NoCap = False, as_json: AsJson = False) -> None:
    """Go on with all texts that are due, under the present cap or a new one.

    Example: ./sirenade avis resume --cap 50
    """
    with databases() as opened:
        with opened.control.begin() as connection:
            resume_under(connection, cap, no_cap=no_cap)
        _tell(opened, as_json=as_json)


def _tell(opened: Databases, *, as_json: bool, **more: Any) -> None:
    """Tell the budget, as sentences and a table. In JSON money is a string: numbers are floats."""
    with opened.control.connect() as connection:
        state = read_budget(connection)
        providers = connection.execute(_PROVIDERS).mappings().all()
    renewals = RenewalPace(count_renewals(opened.shards), state.renewals_per_day)
    if as_json:
        found = {
            "status": state.status,
            "paused_because": state.paused_because,
            "cap_eur": None if state.cap_eur is None else plain(state.cap_eur),
            "spent_eur": plain(state.spent_eur),
            "reserved_eur": plain(state.reserved_eur),
            "left_eur": None if state.left_eur is None else plain(state.left_eur),
            "sample": None if state.sample_ids is None else len(state.sample_ids),
            "changed_at": state.changed_at.isoformat(),
            "renewals": renewals.as_dict(),
            "providers": [{**row, "spent_eur": plain(row["spent_eur"])} for row in providers],
        }
        print_json(found | more)
        return
    say(one_line(state))
    if renewals.waiting or renewals.per_day is not None:
        say(renewals_line(renewals))
    if more.get("batches"):
        say(batches_line(more["batches"]))
    if providers:
        Console().print(_table_of(providers))


def one_line(state: BudgetState) -> str:
    """Say the budget in a sentence."""
    cap = "without a cap" if state.cap_eur is None else f"of {euros(state.cap_eur)}"
    told = f"{state.status}: {euros(state.spent_eur)} spent {cap}"
    if state.reserved_eur:
        told += f", at most {euros(state.reserved_eur)} under way"
    if state.paused_because == "cap" and state.cap_eur == 0:
        return f"{state.status}: nothing may be spent yet: ./sirenade avis resume --cap EUR"
    if state.paused_because is not None:
        return f"{told}; {_WHY[state.paused_because]}"
    if state.sample_ids is not None:
        told += f"; only a sample of {thousands(len(state.sample_ids))} texts"
    if state.left_eur == 0:
        told += "; no room for a call with a price: ./sirenade avis resume --cap EUR"
    return told


def _table_of(providers: Sequence[RowMapping]) -> Table:
    table = Table(*(Column(name, overflow="fold") for name in ("provider", "model", "prompt")))
    for name in ("calls", "spent €", "requests/min", "tokens/min"):
        table.add_column(name, justify="right", overflow="fold")
    for row in providers:
        limits = (row["requests_per_minute"], row["tokens_per_minute"])
        table.add_row(
            *(cell(row[name] or "") for name in ("name", "model", "prompt_version")),
            thousands(row["calls"]),
            plain(round(row["spent_eur"], 4)),
            *("" if limit is None else thousands(limit) for limit in limits),
        )
    return table
