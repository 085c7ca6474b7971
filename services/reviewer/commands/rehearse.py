"""The command `rehearse naf2025`: the bill of 1 January 2027, and what to do in which order."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from services.reviewer.commands.databases import databases
from services.reviewer.commands.forecast import as_plain, told_about, told_hours
from services.reviewer.commands.recoded_pages import RecodedPages, read_recoded_pages
from services.reviewer.commands.renewals import read_renewals, renewals_line
from services.reviewer.texts.template_speed import TemplateSpeed, read_template_speed
from shared.clock import Clock
from shared.money.due import read_made, read_providers_known
from shared.money.forecast import (
    BillForecast,
    DueGroup,
    KnownProvider,
    MadeText,
    forecast,
)
from shared.terminal.cli import AsJson, make_app, print_json
from shared.terminal.console import Console, cell
from shared.terminal.watch import Lines
from shared.terminal.words import percent, thousands

rehearse = make_app("Say what a day to come will bring, from what is stored today.")

_TOP = 10
_PROGRESS_SECONDS = 5.0
_BRINGS_CODES = "a delta or the month's stock brings those that INSEE has"
# docs/operations.md says why.
_STEPS = """\
take the newest release, then ./sirenade migrate, ./sirenade delta, ./sirenade backup
./sirenade avis run --sample 20 --cap EUR, where no sample is known
on 31 December: ./sirenade avis pause, so that nothing is bought before you have looked
when INSEE has published the day: ./sirenade delta --plan; the month's stock where it is quicker
./sirenade rehearse naf2025 again: pages bear the new codes, and none is lost
./sirenade avis budget --renewals-per-day N spreads the renewals over weeks, the largest first
./sirenade avis forecast, then ./sirenade avis resume --cap EUR
./sirenade certify, one département after another
""".splitlines()


@rehearse.command()
def naf2025(as_json: AsJson = False) -> None:
    """Count the pages and texts whose words change with NAF 2025, and what the new texts cost.

    It reads the codes of NAF 2025 that INSEE sends already, and changes nothing. The weeks follow
    from the rate of renewals: ./sirenade avis budget --renewals-per-day N.

    Example: ./sirenade rehearse naf2025
    """
    with databases() as opened:
        lines = Lines(Console(stderr=True), Clock(), every_seconds=_PROGRESS_SECONDS)
        lines.pause()
        found = read_recoded_pages(
            opened.shards,
            lambda read, of: lines.show(f"{thousands(read)} of about {thousands(of)} pages read"),
        )
        with opened.control.connect() as connection:
            providers = read_providers_known(connection)
        made = read_made(opened.shards)
        speed = read_template_speed(opened.shards)
        waiting = read_renewals(opened)
    due = found.due_groups
    bills = [(provider, _bill_of(provider, due, made)) for provider in providers]
    together = forecast(due, providers, made)
    pace = replace(waiting, waiting=waiting.waiting + together.texts)
    if as_json:
        more = {
            "template_hours": round(speed.hours(together.texts), 2),
            "template_speed": speed.as_dict(),
            "renewals": pace.as_dict(),
        }
        print_json(_plain(found, together, [bill for _, bill in bills]) | more)
        return
    title = Text("on the day on which NAF 2025 becomes the reference", style="bold")
    parts = [
        title,
        _pages_of(found),
        _changes_of(found),
        _generators_of(together, bills, speed),
        Text(f"then {renewals_line(pace)}"),
        *_order(found),
    ]
    Console().print(Group(*parts))


def _bill_of(
    provider: KnownProvider, due: Sequence[DueGroup], made: Sequence[MadeText]
) -> BillForecast:
    """Forecast what it costs when this provider writes all; its weight among others is gone."""
    return forecast(due, [replace(provider, weight=1.0)], made)


def _plain(
    found: RecodedPages, together: BillForecast, bills: Sequence[BillForecast]
) -> dict[str, Any]:
    return {
        "pages": found.pages,
        "recoded_already": found.recoded,
        "change_words": found.changed_pages,
        "keep_words": found.same_words,
        "without_code": found.unknown,
        "texts_due": together.texts,
        "texts_kept": found.kept_texts,
        "due_today": found.due,
        "bill": as_plain(together),
        "by_generator": [share for bill in bills for share in as_plain(bill)["providers"]],
        "changes": [
            {"from": old, "to": new, "pages": pages}
            for (old, new), pages in found.changes.most_common()
        ],
    }


def _pages_of(found: RecodedPages) -> RenderableType:
    table = Table("open pages", "", "")
    for name, pages in (
        ("change words", found.changed_pages),
        ("keep their words under a new code", found.same_words),
        ("bear a code of NAF 2025 already", found.recoded),
        ("have no code of NAF 2025 yet: not known", found.unknown),
        ("in all", found.pages),
    ):
        share = percent(pages / found.pages, decimals=1) if found.pages else ""
        table.add_row(name, thousands(pages), share)
    return table


def _changes_of(found: RecodedPages) -> RenderableType:
    table = Table("activity today", "in NAF 2025", "pages")
    for (old, new), pages in found.changes.most_common(_TOP):
        table.add_row(cell(old or "none"), cell(new), thousands(pages))
    if len(found.changes) > _TOP:
        rest = found.changed_pages - sum(pages for _, pages in found.changes.most_common(_TOP))
        table.add_row(f"{len(found.changes) - _TOP} more (--json)", "", thousands(rest))
    return table


def _generators_of(
    together: BillForecast,
    bills: Sequence[tuple[KnownProvider, BillForecast]],
    speed: TemplateSpeed,
) -> RenderableType:
    title = f"{thousands(together.texts)} texts will be due; they stay up until each is replaced"
    table = Table("all by", "€", "time")
    table.add_row("template", "0.00 €", told_hours(speed.hours(together.texts)))
    for provider, bill in bills:
        known = not bill.unsampled
        table.add_row(
            cell(provider.name),
            told_about(bill.eur, bill.spread_eur) if known else "? (no sample)",
            told_hours(bill.hours) if known else "?",
        )
    if len(bills) > 1 and not together.unsampled:
        eur = told_about(together.eur, together.spread_eur)
        table.add_row("providers as weighted", eur, told_hours(together.hours))
    template = f"template: {speed.texts_per_second:.0f} texts/s, {speed.source}"
    return Group(Text(title, style="bold"), table, Text(template))


def _order(found: RecodedPages) -> list[Text]:
    """Say what to do first and what then; the manual says why."""
    steps = list(_STEPS)
    if found.unknown:
        pages = thousands(found.unknown)
        steps.insert(1, f"open pages without a known code of NAF 2025: {pages}; {_BRINGS_CODES}")
    if found.due:
        steps.insert(1, f"let the texts be written that are due today: {thousands(found.due)}")
    return [Text("What to do, in this order:", style="bold")] + [
        Text(f"{number}. {step}") for number, step in enumerate(steps, start=1)
    ]
