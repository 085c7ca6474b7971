"""The report on the texts as one HTML page."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Row

from services.reviewer.commands.report import plots
from services.reviewer.commands.report.figures import LENGTH_STEP, TextReport, eur_per_1000
from shared.report.page import render_page
from shared.terminal.words import thousands

_MOST_ACTIVITIES = 20


def render(report: TextReport, *, now: dt.datetime) -> str:
    return render_page(
        "services.reviewer.commands.report",
        "report.html.j2",
        _plots(report),
        report=report,
        now=f"{now:%Y-%m-%d %H:%M} UTC",
        numbers=list(_numbers(report)),
        held=", ".join(
            f"{kind} {because} {thousands(texts)}" for (kind, because), texts in report.held.items()
        ),
        activities=[_usefulness(each) for each in report.usefulness[:_MOST_ACTIVITIES]],
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
    texts, accepted, grounded, duplicates = (
        sum(getattr(first, name) for first in report.firsts)
        for name in ("texts", "accepted", "grounded", "duplicates")
    )
    cost = eur_per_1000(report.cost_eur, sum(model.accepted for model in report.models))
    yield "accepted", thousands(report.accepted)
    yield "accepted at once", _share(accepted, texts)
    yield "grounded at once", _share(grounded, texts)
    yield "near another text at first", _share(duplicates, texts)
    yield "kept although near", _share(report.kept_near, report.accepted)
    yield "fallen back to the template", _share(report.fallbacks, report.accepted)
    short = sum(division.short for division in report.usefulness)
    yield "short lines", _share(short, sum(division.texts for division in report.usefulness))
    for kind in sorted({kind for kind, _ in report.held}):
        texts = sum(number for (of, _), number in report.held.items() if of == kind)
        yield f"held for a person: {kind}", thousands(texts)
    yield "spent", f"{report.cost_eur:.2f} €"
    yield "per 1 000 accepted", "–" if cost is None else f"{cost:.4f} €"


def _usefulness(row: Row[Any]) -> tuple[str, ...]:
    facts = "–" if row.facts is None else f"{row.facts:.1f}"
    short = _share(row.short, row.texts)
    return row.division, thousands(row.texts), facts, short, thousands(row.held)


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def _cells(model: Row[Any]) -> tuple[str, ...]:
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
