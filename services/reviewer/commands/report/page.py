"""The report on the texts as one HTML page."""

import datetime as dt
from collections.abc import Iterator

from services.reviewer.commands.report import plots
from services.reviewer.commands.report.figures import LENGTH_STEP, Model, TextReport
from shared.report.page import render_page
from shared.terminal.words import thousands


def render(report: TextReport, *, now: dt.datetime) -> str:
    return render_page(
        "services.reviewer.commands.report",
        "report.html.j2",
        _plots(report),
        report=report,
        now=f"{now:%Y-%m-%d %H:%M} UTC",
        numbers=list(_numbers(report)),
        generators=[_cells(model) for model in report.models],
    )


def _plots(report: TextReport) -> dict[str, str]:
    return {
        "outcomes": plots.outcomes(report.outcomes),
        "throughput": plots.throughput(report.minutes) if report.minutes else "",
        "quality": plots.quality(report.firsts) if report.firsts else "",
        "costs": plots.costs(report.models) if report.cost_eur else "",
        "rejections": plots.rejections(report.reasons) if report.reasons else "",
        "lengths": plots.lengths(report.lengths, step=LENGTH_STEP) if report.lengths else "",
    }


def _numbers(report: TextReport) -> Iterator[tuple[str, str]]:
    first, cost = report.first, report.cost_eur_per_1000_accepted
    yield "accepted", thousands(report.accepted)
    yield "accepted at once", _share(first.accepted, first.texts)
    yield "grounded at once", _share(first.grounded, first.texts)
    yield "near another text", _share(first.duplicates, first.texts)
    yield "fallen back to the template", _share(report.fallbacks, report.accepted)
    yield "spent", f"{report.cost_eur:.2f} €"
    yield "per 1 000 accepted", "–" if cost is None else f"{cost:.4f} €"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def _cells(model: Model) -> tuple[str, ...]:
    return (
        model.model,
        thousands(model.attempts),
        thousands(model.accepted),
        thousands(model.tokens_in),
        thousands(model.tokens_out),
        f"{model.cost_eur:.4f}",
        f"{model.median_seconds:.3f}",
        f"{model.p95_seconds:.3f}",
    )
