"""A run, or two of them side by side, as a table: for the terminal or as Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

from tests.benchmarks.catalogue import BENCHMARKS
from tests.benchmarks.figures import Figure, Run
from tests.benchmarks.machine import in_words

_SIGNS = {">=": "≥", "<=": "≤", "==": "="}
_MET = {True: "yes", False: "NO", None: "–"}


@dataclass(frozen=True)
class Sheet:
    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: frozenset[int]
    """Columns that are flush right."""
    notes: Sequence[str]

    def as_text(self) -> Table:
        table = Table(title=self.title, caption="\n".join(self.notes), caption_justify="left")
        for number, name in enumerate(self.header):
            table.add_column(
                name, justify="right" if number in self.numeric else "left", overflow="fold"
            )
        for row in self.rows:
            table.add_row(*row)
        return table

    def as_markdown(self) -> str:
        rule = ["--:" if number in self.numeric else "---" for number in range(len(self.header))]
        lines = [f"| {' | '.join(row)} |" for row in (self.header, rule, *self.rows)]
        return "\n".join([*lines, "", *self.notes])


def of_run(run: Run, *, only_judged: bool = False) -> Sheet:
    judged = [each.met for each in run.figures if each.met is not None]
    minutes = sum(run.seconds.values()) / 60
    met = f"{sum(judged)} of {len(judged)} goals met"
    notes = [
        f"{_command(run)}: revision {run.revision}, {run.at}, {minutes:.0f} minutes; {met}.",
        f"Machine: {in_words(dict(run.machine))}.",
    ]
    if not run.complete:
        notes.append("This run was interrupted, or a benchmark of it failed.")
    if run.settings:
        notes.append(f"Settings: {_pairs(run)}.")
    return Sheet(
        "Benchmarks" + (" (quick: smaller sizes, no results to quote)" if run.quick else ""),
        ("measure", "value", "", "goal", "met", "note"),
        [
            (each.name, number(each.value), each.unit, _goal(each), _MET[each.met], each.note)
            for each in run.figures
            if each.goal or not only_judged
        ],
        frozenset({1, 3}),
        notes,
    )


def of_two(a: Run, b: Run) -> Sheet:
    """Compare the figures that both have: A, B, and how B differs."""
    before, after = ({each.name: each for each in run.figures} for run in (a, b))
    rows = []
    for name in [*before, *(name for name in after if name not in before)]:
        first, second = before.get(name), after.get(name)
        rows.append((name, _value(first), _value(second), _change(first, second)))
    notes = [
        f"{letter}: {_command(run)}, revision {run.revision}, {run.at}"
        for letter, run in (("A", a), ("B", b))
    ]
    if (a.size, a.settings) != (b.size, b.settings):
        notes.append("These runs are of different sizes: little is to be learnt from them.")
    if _without_load(a) != _without_load(b):
        notes.append("These runs are of different machines: compare ratios only.")
    return Sheet("Two runs", ("measure", "A", "B", "change"), rows, frozenset({1, 2, 3}), notes)


def number(value: float) -> str:
    """Three digits that say something, and no more."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}".replace(",", " ")
    if abs(value) >= 100:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}" if abs(value) < 1 else f"{value:.2f}"


def _command(run: Run) -> str:
    size = {"quick": " QUICK=1", "full": " FULL=1"}.get(run.size, "")
    names = [each.name for each in BENCHMARKS if each.name in run.seconds]
    only = "" if len(names) == len(BENCHMARKS) else f' ONLY="{" ".join(names)}"'
    return f"`make bench{size}{only}`"


def _pairs(run: Run) -> str:
    return ", ".join(f"{name}={value}" for name, value in run.settings.items())


def _without_load(run: Run) -> dict[str, object]:
    return {name: value for name, value in run.machine.items() if name != "load_average"}


def _goal(figure: Figure) -> str:
    if figure.goal is None:
        return "–"
    sign, bound = figure.goal.split()
    return f"{_SIGNS[sign]} {bound}"


def _value(figure: Figure | None) -> str:
    return "–" if figure is None else f"{number(figure.value)} {figure.unit}".strip()


def _change(first: Figure | None, second: Figure | None) -> str:
    if first is None or second is None:
        return "–"
    if first.value == second.value:
        return "="
    return f"{second.value / first.value - 1:+.0%}" if first.value else "from 0"
