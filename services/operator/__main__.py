"""Command line of the operator: schema, numbers, failures, archive."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from services.operator import main, runs_command
from services.operator.archive.commands import archive, backup
from services.operator.connections import all_urls, open_engines
from services.operator.console import commands as console_commands
from services.operator.failures import item_commands, letter_commands
from services.operator.jobs.commands import schedule
from services.operator.logs_command import logs
from services.operator.monitoring.command import monitor, status
from services.operator.numbers import failover
from services.operator.numbers import reconcile as counting
from services.operator.numbers.reconcile import Comparison
from services.operator.numbers.statement_command import statement
from services.operator.numbers.stats import described, read_stats
from services.operator.output import print_rows
from services.operator.reports import commands as report_commands
from services.operator.roles.command import roles
from shared.db import server_copies
from shared.db.shards import connected
from shared.settings import DatabaseSettings, load
from shared.terminal.cli import EXIT_BROKEN_PROMISE, AsJson, make_app, print_json, say, warn
from shared.terminal.cli import run as run_cli
from shared.terminal.console import Console, cell
from shared.terminal.words import thousands

app = make_app("Watch the whole system, and keep its schema current.")
app.add_typer(item_commands.app, name="failed")
app.add_typer(letter_commands.app, name="dead-letters")
app.add_typer(report_commands.app, name="reports")
app.add_typer(console_commands.app, name="console")
app.add_typer(runs_command.app, name="runs")
for command in (statement, schedule, logs, monitor, status, archive, backup, roles):
    app.command()(command)


@app.command()
def run() -> None:
    """Run the operator service until SIGTERM. Settings are SIRENADE_* variables."""
    main.main()


@app.command()
def migrate(
    no_way_back: Annotated[
        bool, typer.Option("--no-way-back", help="Let the last release work on it no longer.")
    ] = False,
) -> None:
    """Bring the schema of every database to the revision that this version needs.

    Services of the last release may work meanwhile, and work on afterwards. It warns where
    PostgreSQL itself would copy people's data into its log or its statistics.
    """
    from shared.db.migrate import migrate_all  # noqa: PLC0415  no service needs alembic

    settings = load(DatabaseSettings)
    for doubt in settings.doubts:
        warn(doubt)
    revision = migrate_all(settings, with_way_back=not no_way_back)
    say(f"the schema is at revision {revision}")
    found = [each for url in all_urls(settings) for each in server_copies.find_at(url)]
    for sentence in dict.fromkeys(found):
        warn(sentence)


@app.command()
def stats(as_json: AsJson = False) -> None:
    """Print the numbers of the whole system, by one query to each database."""
    with connected(open_engines()) as (control, *shards):
        numbers = read_stats(control, shards)
    if as_json:
        print_json(numbers)
        return
    table = Table("", "", title="Sirenade", title_justify="left", show_header=False)
    last = None
    for group, line in described(numbers):
        table.add_row(group if group != last else "", cell(line))
        last = group
    Console().print(table)


@app.command()
def reconcile(
    *,
    after_failover: Annotated[
        bool,
        typer.Option(
            "--after-failover", help="Find what a promotion lost, and order that it is fetched."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Count rows anew and compare them with the counters. Exit status 1 where they differ.

    Counts of trades that are wrong are mended. An import may run meanwhile. It reads whole tables,
    which takes minutes for a whole register.

    --after-failover, as the owner of the databases, is for a standby that was behind when it was
    promoted: new rows get numbers that no lost row had, and batches whose rows went with another
    database are fetched again. What else to do then is in docs/operations.md, After a promotion.
    """
    with connected(open_engines(statement_timeout_seconds=0)) as (control, *shards):
        if after_failover:
            for each in (control, *shards):
                failover.leap(each)
                each.commit()
        found = counting.reconcile(control, shards)
        if after_failover:
            lost = failover.fetch_again(control, found)
            control.commit()
            if lost.batches:
                say(
                    f"lost: {thousands(lost.rows)} establishments of {len(lost.batches)} batches;"
                    f" ordered: runs {', '.join(map(str, lost.runs))}"
                )
            else:
                say("no database lost rows that another one knows of")
            return
    if as_json:
        print_json(
            {
                "agrees": found.agrees,
                "batches": found.batches,
                "totals": [_compared(each) for each in found.totals],
                "differing": [_compared(each) for each in found.differing],
                "mended_trades": found.mended,
            }
        )
    else:
        rows = [_compared(each) for each in (*found.totals, *found.differing)]
        print_rows(rows, "counters compared with rows", as_json=False, empty="")
        verdict = "zero difference" if found.agrees else "the counters are wrong"
        mended = f", {thousands(found.mended)} counts of trades mended" if found.mended else ""
        say(f"{verdict}, {thousands(found.batches)} batches compared{mended}")
    if not found.agrees:
        raise typer.Exit(EXIT_BROKEN_PROMISE)


def _compared(comparison: Comparison) -> dict[str, object]:
    return asdict(comparison) | {"difference": comparison.difference}


if __name__ == "__main__":
    run_cli(app, name="sirenade")
