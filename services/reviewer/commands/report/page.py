"""The report as one HTML page that stands alone."""

import datetime as dt
from collections.abc import Iterator
from importlib import resources

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from services.reviewer.commands.report import plots
from services.reviewer.commands.report.figures import LENGTH_STEP, TextReport
from shared.terminal.words import thousands


def render(report: TextReport, *, now: dt.datetime) -> str:
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.filters["number"] = thousands
    source = (resources.files(__package__ or __name__) / "report.html.j2").read_text("utf-8")
    return environment.from_string(source).render(
        report=report,
        now=f"{now:%Y-%m-%d %H:%M} UTC",
        numbers=list(_numbers(report)),
        plots={name: Markup(svg) for name, svg in _plots(report).items()},  # noqa: S704  our own SVG
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
