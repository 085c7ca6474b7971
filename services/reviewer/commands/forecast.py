"""The command `avis forecast`: the cost of due texts."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from services.reviewer.batches.figures import batches_line, read_batched
from services.reviewer.commands.databases import Databases, databases
from services.reviewer.commands.renewals import read_renewals, renewals_line
from shared.controls import shown
from shared.errors import UserError
from shared.money import forecast as bill
from shared.money.amounts import plain
from shared.money.due import read_due, read_made, read_providers_known
from shared.money.forecast import BillForecast, Share
from shared.terminal.cli import print_json
from shared.terminal.console import Console, cell
from shared.terminal.words import euros, thousands

_TOP = 10
_FEW = 20


def forecast(
    prompt: Annotated[
        str | None,
        typer.Option(metavar="VERSION", help="Forecast the texts that VERSION would replace."),
    ] = None,
    provider: Annotated[str | None, typer.Option(help="Let this provider write all texts.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object with all lines.")
    ] = False,
) -> None:
    """Forecast the cost of the texts that are due, from a sample of texts already made.

    Examples: ./sirenade avis forecast
              ./sirenade avis forecast --prompt notice-4
    """
    with databases() as opened:
        found = read_forecast(opened, prompt_version=prompt, only=provider)
        batches = read_batched(opened.shards).as_dict()
        renewals = read_renewals(opened)
    if as_json:
        more = {"batches": batches, "renewals": renewals.as_dict()}
        print_json(as_plain(found) | more)
        return
    console = Console()
    console.print(render(found, prompt_version=prompt))
    if renewals.waiting:
        console.print(f"of what is due, {renewals_line(renewals)}", soft_wrap=True)
    if batches is not None:
        console.print(f"of what is due, {batches_line(batches)}", soft_wrap=True)


def read_forecast(
    opened: Databases, *, prompt_version: str | None = None, only: str | None = None
) -> BillForecast:
    """Forecast the due texts, or the texts of other prompts than `prompt_version`.

    `only` names the provider that writes all. Raises UserError for an unknown provider.
    """
    with opened.control.connect() as connection:
        providers = read_providers_known(connection)
    if only is not None:
        known = ", ".join(provider.name for provider in providers) or "none"
        # Its weight among others does not matter.
        providers = [replace(each, weight=1.0) for each in providers if each.name == only]
        if not providers:
            raise UserError(f"no reviewer has a provider {only[:40]!r}; known: {known}")
    due = read_due(opened.shards, prompt_version)
    return bill.forecast(due, providers, read_made(opened.shards))


def as_plain(found: BillForecast) -> dict[str, Any]:
    """Describe the forecast for a program, with money as strings."""

    def groups(rows: Sequence[tuple[str, int, Decimal]], name: str) -> list[dict[str, object]]:
        return [{name: key, "texts": texts, "eur": _cents(eur)} for key, texts, eur in rows]

    def told(share: Share) -> dict[str, Any]:
        return {
            name: plain(round(value, 8)) if isinstance(value, Decimal) else value
            for name, value in asdict(share).items()
        }

    return {
        "texts": found.texts,
        "tokens": found.tokens,
        "eur": _cents(found.eur),
        "spread_eur": _cents(found.spread_eur),
        "hours": round(found.hours, 2),
        "unsampled": list(found.unsampled),
        "providers": [told(share) for share in found.shares],
        "by_activite": groups(found.by_activite, "activite"),
        "by_departement": groups(found.by_departement, "departement"),
    }


def _cents(amount: Decimal) -> str:
    return plain(round(amount, 4))


def advice(found: BillForecast) -> list[str]:
    """Return advice on how to make the forecast more reliable."""
    if not found.shares:
        return ["no reviewer has a provider: templates write all texts, at no cost"]
    lines = [
        f"no text of {name} is known: make some by ./sirenade avis run --sample {_FEW} --cap EUR"
        for name in found.unsampled
    ]
    lines += [
        f"{share.sample} texts of {share.provider} are a small sample: "
        f"./sirenade avis run --sample {_FEW} makes more"
        for share in found.shares
        if 0 < share.sample < _FEW
    ]
    return lines


def summary(found: BillForecast) -> str:
    """Say the forecast in one line."""
    texts = f"{thousands(found.texts)} texts"
    if not found.shares or not found.texts:
        return texts
    if found.unsampled:
        return f"{texts}, cost not known"
    about = told_about(found.eur, found.spread_eur)
    return (
        f"{texts}, {thousands(found.tokens)} tokens, about {about}, "
        f"{told_hours(found.hours)} at the limits"
    )


def render(found: BillForecast, *, prompt_version: str | None = None) -> RenderableType:
    what = "due" if prompt_version is None else f"to be written anew by prompt {prompt_version}"
    parts: list[RenderableType] = [Text(shown(f"{what}: {summary(found)}"), style="bold")]
    if found.shares and found.texts:
        parts.append(_table_of(found.shares))
    for title, rows in (("activity", found.by_activite), ("département", found.by_departement)):
        if rows:
            parts.append(_top(title, rows, known=found.text_eur is not None))
    parts += [Text(shown(line), style="yellow") for line in advice(found)]
    return Group(*parts)


def _table_of(shares: Sequence[Share]) -> Table:
    table = Table("provider", "sample", "texts", "tokens", "€", "a text (9 of 10)", "time")
    for share in shares:
        if not share.sample:
            table.add_row(cell(share.provider), "none", thousands(share.texts), "?", "?", "?", "?")
            continue
        table.add_row(
            cell(share.provider),
            cell(f"{thousands(share.sample)} of {share.prompt_version}"),
            thousands(share.texts),
            thousands(share.tokens_in + share.tokens_out),
            told_about(share.eur, share.spread_eur),
            f"{_tiny(share.text_eur)} ({_tiny(share.text_low_eur)} – {_tiny(share.text_high_eur)})",
            told_hours(share.hours),
        )
    return table


def _top(title: str, rows: Sequence[tuple[str, int, Decimal]], *, known: bool) -> Table:
    table = Table(title, "texts", "€")
    for key, texts, eur in rows[:_TOP]:
        table.add_row(cell(key), thousands(texts), euros(eur) if known else "?")
    if rest := rows[_TOP:]:
        texts = sum(texts for _, texts, _ in rest)
        eur = sum((eur for _, _, eur in rest), Decimal(0))
        more = f"{len(rest)} more (--json)"
        table.add_row(more, thousands(texts), euros(eur) if known else "?")
    return table


def _tiny(amount: Decimal) -> str:
    return f"{round(amount, 6):f}"


def told_about(eur: Decimal, spread_eur: Decimal) -> str:
    return f"{euros(eur)} ± {plain(round(spread_eur, 2))}"


def told_hours(hours: float) -> str:
    minutes = round(hours * 60)
    if minutes < 1:
        return "under a minute"
    return f"{minutes} min" if hours < 1 else f"{hours:.1f} h"
