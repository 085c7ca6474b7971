"""The plots of what readers saw, each as SVG."""

from collections import defaultdict

from shared.report.plots import MUTED, make_axes, make_svg
from tests.proofs.reads.answers import ReadAnswer, ReadKind, ReadRun
from tests.proofs.reads.promises import MOST_LAG_SECONDS, MOST_MILLISECONDS, percentile

_SECONDS_OF_A_POINT = 10


def answer_times(run: ReadRun) -> str:
    """Draw the p95 of each kind of answer over ten seconds each."""
    figure, axes = make_axes()
    axes.set_xlabel("minutes")
    axes.set_ylabel("p95, ms")
    for kind in ReadKind:
        parts: defaultdict[int, list[ReadAnswer]] = defaultdict(list)
        for each in run.of(kind):
            parts[int(each.at_seconds // _SECONDS_OF_A_POINT)].append(each)
        points = [
            (part * _SECONDS_OF_A_POINT / 60, percentile((one.milliseconds for one in of), 0.95))
            for part, of in sorted(parts.items())
        ]
        axes.plot([at for at, _ in points], [p95 for _, p95 in points], label=kind.value)
    axes.axhline(MOST_MILLISECONDS, color=MUTED, linestyle="--", linewidth=1)
    axes.set_ylim(bottom=0)
    return make_svg(figure)


def index_lag(run: ReadRun) -> str:
    figure, axes = make_axes()
    axes.set_xlabel("minutes")
    axes.set_ylabel("seconds")
    minutes = [each.at_seconds / 60 for each in run.lags]
    axes.plot(minutes, [each.lag_seconds for each in run.lags], label="lag")
    axes.axhline(MOST_LAG_SECONDS, color=MUTED, linestyle="--", linewidth=1)
    axes.set_ylim(bottom=0)
    return make_svg(figure)
