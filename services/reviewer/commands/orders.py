"""The commands `avis hold`, `release`, `reject`, `edit`, `regenerate`: a reviewer obeys them."""

import getpass
import re
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine, text

from shared.avis import OrderStatus, OrderVerb, TextOrder
from shared.clock import Clock
from shared.db.revision import current_engine
from shared.db.shards import url_for
from shared.errors import UserError
from shared.inputs import read_text
from shared.settings import DatabaseSettings, load
from shared.sirene.identifiers import is_siret, siren_of
from shared.terminal.cli import EXIT_BROKEN_PROMISE, AsJson, print_result
from shared.texts.orders import OrderOutcome, place_order, read_outcome

_POLL_SECONDS = 0.2
_REVIEWERS = text("""
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'sirenade-reviewer'
""")

Siret = Annotated[str, typer.Argument(help="SIRET of the establishment; spaces may stay.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept with the order.")]
By = Annotated[str | None, typer.Option(help="Who orders it; else the name of your account.")]
Kind = Annotated[str, typer.Option(help="Which text: notice or synthese.")]
Wait = Annotated[float, typer.Option(help="Seconds to wait for the outcome.", min=0)]


def hold(  # noqa: PLR0913, PLR0917  # the options of a command
    siret: Siret,
    reason: Reason,
    by: By = None,
    kind: Kind = "notice",
    wait: Wait = 15.0,
    as_json: AsJson = False,
) -> None:
    """Hold a text: it is served no more, nor a successor, until somebody releases it.

    Example: ./sirenade avis hold 55210055400013 --reason "a customer complains"
    """
    _order(_made(OrderVerb.HOLD, siret, reason, by, kind), wait, as_json=as_json)


def release(  # noqa: PLR0913, PLR0917  # the options of a command
    siret: Siret,
    reason: Reason,
    by: By = None,
    kind: Kind = "notice",
    wait: Wait = 15.0,
    as_json: AsJson = False,
) -> None:
    """Release a held text: it is served as it is."""
    _order(_made(OrderVerb.RELEASE, siret, reason, by, kind), wait, as_json=as_json)


def reject(  # noqa: PLR0913, PLR0917  # the options of a command
    siret: Siret,
    reason: Reason,
    by: By = None,
    kind: Kind = "notice",
    wait: Wait = 15.0,
    as_json: AsJson = False,
) -> None:
    """Take a text away; none is written again until the facts change."""
    _order(_made(OrderVerb.REJECT, siret, reason, by, kind), wait, as_json=as_json)


def regenerate(
    siret: Siret, reason: Reason, by: By = None, wait: Wait = 15.0, as_json: AsJson = False
) -> None:
    """Have a notice written again; the present one stays until its successor is accepted.

    A rejected one is written again, too. A hold stays over the successor. The template words the
    same facts alike; a model mostly does not.
    """
    _order(_made(OrderVerb.REGENERATE, siret, reason, by, "notice"), wait, as_json=as_json)


def edit(  # noqa: PLR0913, PLR0917  # the options of a command
    siret: Siret,
    reason: Reason,
    file: Annotated[Path, typer.Option(help="File of the new text; - is the standard input.")],
    by: By = None,
    override: Annotated[
        bool, typer.Option("--override", help="Keep the text although rules stand against it.")
    ] = False,
    wait: Wait = 15.0,
    as_json: AsJson = False,
) -> None:
    """Replace a notice by a person's text, which passes the same rules, or an override.

    Example: ./sirenade avis edit 55210055400013 --file text.txt --reason "clearer"
    """
    order = _made(
        OrderVerb.EDIT, siret, reason, by, "notice", words=read_words(file), override=override
    )
    _order(order, wait, as_json=as_json)


def _made(  # noqa: PLR0913  # the particulars of an order
    verb: OrderVerb,
    siret: str,
    reason: str,
    by: str | None,
    kind: str,
    *,
    words: str | None = None,
    override: bool = False,
) -> TextOrder:
    digits = "".join(siret.split())
    if not is_siret(digits):
        raise UserError("a SIRET has 14 digits")
    if kind not in {"notice", "synthese"}:
        raise UserError("--kind is notice or synthese")
    who = (getpass.getuser() if by is None else by).strip()
    if not who or not reason.strip():
        raise UserError("say who orders it, and why")
    return TextOrder(
        siret=digits,
        verb=verb,
        ordered_by=who,
        reason=reason.strip(),
        kind=kind,
        text=words,
        override=override,
    )


def read_words(file: Path) -> str:
    """Return the text on one line; non-breaking spaces stay."""
    words = re.sub(r"[ \t\r\n]+", " ", read_text(file)).strip()
    if not words or "\0" in words:
        raise UserError(f"{file} holds no text")
    return words


def _order(order: TextOrder, wait_seconds: float, *, as_json: bool) -> None:
    """Place the order and tell its outcome. Exit with status 1 where it is not done."""
    url = url_for(load(DatabaseSettings), siren_of(order.siret))
    with current_engine(url, application_name="sirenade-avis") as engine:
        with engine.begin() as connection:
            order_id = place_order(connection, order)
        outcome = _await(engine, order_id, wait_seconds)
        waiting = _waiting(engine, order_id) if _is_open(outcome) else ""
    status = "erased" if outcome is None else outcome.status.value
    refusal = None if outcome is None else outcome.refusal
    told = {"order": order_id, "status": status, "refusal": refusal, "note": waiting or None}
    line = {
        "done": f"done: {order.verb} {order.siret}",
        "refused": f"refused: {refusal}",
        "erased": "the establishment was erased, and the order with it",
    }.get(status, waiting)
    print_result(told, line, as_json=as_json)
    if status != OrderStatus.DONE:
        raise typer.Exit(EXIT_BROKEN_PROMISE)


def _await(engine: Engine, order_id: int, wait_seconds: float) -> OrderOutcome | None:
    clock = Clock()
    until = clock.monotonic_seconds() + wait_seconds
    while True:
        with engine.connect() as connection:
            outcome = read_outcome(connection, order_id)
        if not _is_open(outcome) or clock.monotonic_seconds() >= until:
            return outcome
        clock.wait(_POLL_SECONDS)


def _is_open(outcome: OrderOutcome | None) -> bool:
    return outcome is not None and outcome.status is OrderStatus.PENDING


def _waiting(engine: Engine, order_id: int) -> str:
    with engine.connect() as connection:
        reviewers = connection.execute(_REVIEWERS).scalar_one()
    if reviewers:
        return f"order {order_id} waits for a reviewer: it is kept, look again later"
    return f"no reviewer runs: order {order_id} is kept, and carried out when one starts"
