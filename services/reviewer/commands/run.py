"""The command `avis run`: the forecast, then the texts or a sample of them.

Reviewers make the texts; this command sets the cap and the sample, and watches. To end it changes
nothing: a sample without a watcher stays the only work until a person resumes the run.
"""

import signal
import sys
from dataclasses import dataclass
from typing import Annotated, Any, NoReturn

import typer

from services.reviewer.commands.budget import Cap, NoCap, one_line
from services.reviewer.commands.databases import Databases, databases
from services.reviewer.commands.due import (
    choose_sample,
    count_under_way,
    mark_due,
    send_again,
)
from services.reviewer.commands.forecast import advice, as_plain, read_forecast, render, summary
from services.reviewer.commands.run_progress import RunReader
from services.reviewer.commands.run_view import RunView, watch_run
from services.reviewer.commands.show import read_avis, render_avis
from services.reviewer.money.budget import Budget
from services.reviewer.notices import template
from shared.clock import Clock
from shared.errors import UserError
from shared.money.amounts import json_default, parse_cap, plain
from shared.money.budget import ASKED, BudgetState, resume_under
from shared.money.due import read_providers_known
from shared.money.forecast import BillForecast, KnownProvider
from shared.terminal.cli import EXIT_BROKEN_PROMISE, EXIT_INTERRUPTED, print_json
from shared.terminal.console import Console
from shared.terminal.words import thousands

_WAIT_SECONDS = 0.5


def run(  # noqa: PLR0913, PLR0917  # the options of a command
    sample: Annotated[
        int | None, typer.Option(help="Make this many texts, then pause.", min=1, max=1000)
    ] = None,
    cap: Cap = None,
    no_cap: NoCap = False,
    prompt: Annotated[
        str | None,
        typer.Option(metavar="VERSION", help="Also replace the texts of other prompts."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Replace texts without a question.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")] = False,
) -> None:
    """Forecast the cost of due texts, let reviewers make them under a cap, and watch.

    Examples: ./sirenade avis run --sample 20 --cap 50
              ./sirenade avis run
    """
    clock = Clock()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: clock.stopping.set())
    with databases() as opened:
        budget = Budget(opened.control)
        runner = _Runner(opened, budget, budget.read(), clock, cap, no_cap, as_json)
        runner.tell_bill(read_forecast(opened), "forecast")
        if prompt is not None:
            runner.redo(prompt, yes=yes)
        if sample is not None:
            runner.make_sample(sample)
        else:
            runner.make_all()


@dataclass
class _Runner:
    opened: Databases
    budget: Budget
    before: BudgetState
    clock: Clock
    cap: str | None
    no_cap: bool
    as_json: bool
    bill: BillForecast | None = None
    redone: bool = False

    def tell_bill(
        self, bill: BillForecast, event: str, *, prompt_version: str | None = None
    ) -> None:
        self.bill = self.bill or bill
        self._tell(event, as_plain(bill), render(bill, prompt_version=prompt_version))

    def redo(self, prompt_version: str, *, yes: bool) -> None:
        """Make the texts of other prompts due, after a person has agreed to the cost."""
        versions = {provider.prompt_version for provider in self._providers()}
        known = {version for version in versions if version} or {template.PROMPT_VERSION}
        if prompt_version not in known:
            raise UserError(
                f"reviewers use the prompt {', '.join(sorted(known))}, not "
                f"{prompt_version[:40]!r}: start them with the new prompt first"
            )
        anew = read_forecast(self.opened, prompt_version=prompt_version)
        self.tell_bill(anew, "redo", prompt_version=prompt_version)
        if anew.texts == 0:
            return
        if not yes:
            if not sys.stdin.isatty():
                raise UserError(f"{summary(anew)} would be written again: confirm with --yes")
            typer.confirm("Write them again?", abort=True, err=True)
        # Pause: nothing begins before the whole order is clear.
        self.budget.pause(ASKED)
        self.redone = True
        marked = mark_due(self.opened.shards, prompt_version)
        self.bill = read_forecast(self.opened)
        self._tell("marked", {"texts": marked}, f"{thousands(marked)} texts are due again")

    def make_sample(self, texts: int) -> None:
        charges = any(provider.charges for provider in self._providers())
        if charges and self.cap is None and not self.no_cap and self.before.left_eur == 0:
            raise UserError(
                f"no room for a call with a price ({one_line(self.before).split(';')[0]}): "
                "set the most that all texts may cost with --cap EUR"
            )
        if self.cap is not None:
            parse_cap(self.cap)
        ids = choose_sample(self.opened.shards, texts)
        if ids:
            self._let_texts_end()
            ids = choose_sample(self.opened.shards, texts)
        if not ids:
            self._leave_as_it_was()
            return
        send_again(self.opened.shards, ids)
        self._resume(sample_ids=ids)
        due = self._watch(f"sample of {len(ids)}", ids)
        if self.clock.stopping.is_set():
            self._interrupt("reviewers make the sample to its end, and nothing else")
        self.budget.pause("sample", sample_ids=ids)
        contexts = self.opened.contexts
        for engine in self.opened.shards:
            for one in read_avis(engine, contexts, ids):
                self._tell("text", one, render_avis(one))
        rest = read_forecast(self.opened)
        self._tell("forecast", as_plain(rest), f"the rest: {summary(rest)}")
        for line in advice(rest):
            self._tell("advice", {"line": line}, line)
        self._end(due, "make the rest by ./sirenade avis resume")

    def _leave_as_it_was(self) -> None:
        """End without a text: neither the cap nor a pause of this command stays."""
        if not self.before.paused:
            ids = self.before.sample_ids
            self.budget.resume(sample_ids=None if ids is None else list(ids))
        now = one_line(self.budget.read())
        self._tell("end", {"status": "nothing due"}, f"nothing is due, and nothing changes; {now}")

    def _let_texts_end(self) -> None:
        """Pause until no text is under way: it would go on with the sample."""
        self.budget.pause(ASKED)
        told = 0
        while under_way := count_under_way(self.opened.shards):
            if under_way != told:
                told = under_way
                shown = f"waiting for {thousands(under_way)} texts under way"
                self._tell("waiting", {"under_way": under_way}, shown)
            if self.clock.wait(_WAIT_SECONDS):
                self._tell("end", {"status": "paused"}, "stopped waiting; the run is paused")
                raise typer.Exit(EXIT_INTERRUPTED)

    def make_all(self) -> None:
        if self.cap is not None or self.no_cap or self.redone:
            self._resume()
        due = self._watch("avis", None)
        if self.clock.stopping.is_set():
            self._interrupt("reviewers go on: stop them by ./sirenade avis pause")
        self._end(due, "go on by ./sirenade avis resume --cap EUR")

    def _interrupt(self, consequence: str) -> NoReturn:
        self._tell("end", {"status": "interrupted"}, f"stopped watching; {consequence}")
        raise typer.Exit(EXIT_INTERRUPTED)

    def _resume(self, *, sample_ids: list[int] | None = None) -> None:
        with self.opened.control.begin() as connection:
            resume_under(connection, self.cap, no_cap=self.no_cap, sample_ids=sample_ids)

    def _providers(self) -> list[KnownProvider]:
        with self.opened.control.connect() as connection:
            return read_providers_known(connection)

    def _watch(self, title: str, sample_ids: list[int] | None) -> int:
        """Watch until the texts are made or the run is paused; return how many are left."""
        reader = RunReader(self.opened.control, self.opened.shards, sample_ids)
        view = RunView(title, text_eur=self.bill.text_eur if self.bill else None)
        return watch_run(reader.read, view, clock=self.clock, as_json=self.as_json)

    def _end(self, due: int, advised: str) -> None:
        """Tell the end. Exit with status 1 when texts are left that nobody makes."""
        state = self.budget.read()
        told = {
            "status": state.status,
            "paused_because": state.paused_because,
            "due": due,
            "spent_eur": plain(state.spent_eur),
        }
        paused = f"{one_line(state)}\n{advised}" if state.paused else one_line(state)
        self._tell("end", told, paused)
        if due:
            raise typer.Exit(EXIT_BROKEN_PROMISE)

    def _tell(self, event: str, told: dict[str, Any], shown: Any) -> None:
        if self.as_json:
            line = {"event": event, **told}
            print_json(line, default=json_default, ascii_only=False)
        else:
            Console().print(shown, highlight=False, soft_wrap=isinstance(shown, str))
