"""What was told, drawn for a person: a panel that fits a terminal of 80 columns and 24 lines."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from services.operator.monitoring.snapshot import Told
from shared.days import FRANCE
from shared.terminal.panel import add_bar, make_bars, make_panel
from shared.terminal.words import alarming, cents, duration, eta, mib, percent, thousands

MAX_WIDTH = 118
_MOST_REASONS = 4
_MOST_ALERTS = 5


def draw(told: Told, *, title: str, width: int, away: str | None = None) -> RenderableType:
    """`away`: since when, and why, the database does not answer; the rest is what it last said."""
    lines: list[RenderableType] = [_bars(told), _table(told)]
    if away is not None:
        lines.insert(0, Text(away, style="bold yellow"))
    colour = "blue" if away is None else "yellow"
    return make_panel(title, *lines, width=width, colour=colour)


def one_line(told: Told) -> str:
    """For a log that people read."""
    rows, avis = told["rows"], told["avis"]
    return (
        f"{thousands(rows['received'])} of {_number(rows['expected'])} establishments, "
        f"{_rate(rows['per_second'])}, {eta_words(rows)}, "
        f"avis {thousands(avis['accepted'])} of {thousands(avis['due'])}, "
        f"429: {told['quota']['http_429']}, "
        f"failed items {thousands(sum(told['failed_items_open'].values()))}"
        + "".join(f"; {alert['name']}: {alert['summary']}" for alert in told["alerts"])
    )


def eta_words(told: Mapping[str, Any]) -> str:
    seconds, uncertainty_seconds = told["eta_seconds"], told["eta_uncertainty_seconds"]
    if seconds is None:
        return f"ETA {eta(None)}"
    more_or_less = f" ± {duration(uncertainty_seconds)}" if uncertainty_seconds else ""
    return f"ETA {duration(seconds)}{more_or_less}"


def _bars(told: Told) -> Table:
    rows, avis = told["rows"], told["avis"]
    bars = make_bars(2)
    for name, line, done, total in (
        ("rows", rows, rows["received"], rows["expected"]),
        ("avis", avis, avis["accepted"], avis["due"]),
    ):
        words = f"{thousands(done)} / {_number(total)}"
        add_bar(bars, name, done, total, words, eta_words(line))
    return bars


def _table(told: Told) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for name, value in _lines(told):
        table.add_row(name, value)
    return table


def _lines(told: Told) -> Iterator[tuple[str, RenderableType]]:
    # First: what does not fit a small terminal is cut off at the end.
    yield "alerts", _alerts(told)
    if told["note"]:
        yield "", Text(told["note"], style="yellow")
    yield "rate", _rates(told)
    yield "runs", _runs(told)
    if told["error"]:
        # INSEE's words, which are no markup of ours.
        yield "", Text(told["error"], style="bold red")
    if told["warning"]:
        yield "", Text(told["warning"], style="yellow")
    yield "quota", _quota(told["quota"])
    yield "queues", _queues(told)
    yield "memory", Text(_memory(told["memory"]))
    yield "avis", _avis(told["avis"])
    yield "money", Text(_money(told["spend"]))
    failed = sum(told["failed_items_open"].values())
    letters = told["dead_letters_waiting"]
    yield (
        "failed",
        Text.from_markup(
            f"{alarming('items', failed)} · {alarming('dead letters archived', letters)}"
        ),
    )


def _rates(told: Told) -> Text:
    rows = told["rows"]
    return Text(
        f"{_rate(rows['per_second'])} now · {_rate(rows['per_second_15_minutes'])} over 15 min · "
        f"{_rate(rows['per_second_of_run'])} over the run · "
        f"texts {_rate(told['avis']['per_second'])}"
    )


def _runs(told: Told) -> Text:
    batches, rows = told["batches"], told["rows"]
    words = (
        f"{told['runs_open']} open · batches {thousands(batches['complete'])} of "
        f"{thousands(sum(batches.values()))}"
    )
    if rows["per_day"]:
        words += f" · today {thousands(rows['today'])} of {thousands(rows['per_day'])}"
    if rows["resting_until"]:
        goes_on = datetime.fromisoformat(rows["resting_until"]).astimezone(FRANCE)
        words += f" · goes on {goes_on:%d/%m %H:%M:%S}"
    text = Text(words)
    if batches["failed"]:
        text.append(f" · failed: {batches['failed']}", style="bold red")
    return text


def _quota(quota: Mapping[str, Any]) -> Text:
    limit, left = quota["requests_per_minute"], quota["left_this_minute"]
    words = (
        f"{quota['used_last_minute']} of {'?' if limit is None else f'{limit:g}'} in the last "
        f"60 s, {_number(left)} left · {alarming('429', quota['http_429'])} · "
        f"slot use {percent(quota['slot_use'])} · page fill {percent(quota['page_fill'])}"
    )
    if quota["pause_seconds"]:
        words += f" · [yellow]paused for {quota['pause_seconds']:.0f} s[/]"
    if quota["share_left_by_others"] not in {None, 1}:
        words += f" · [yellow]others leave {percent(quota['share_left_by_others'])}[/]"
    return Text.from_markup(words)


def _queues(told: Told) -> RenderableType:
    if told["queues_note"] or not told["queues"]:
        return Text(told["queues_note"] or "none yet")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("")
    for name in ("ready", "in progress", "delayed", "dead", "consumers"):
        table.add_column(name, justify="right")
    for queue in told["queues"]:
        table.add_row(
            queue["name"],
            thousands(queue["ready"]),
            _number(queue["in_progress"]),
            thousands(queue["delayed"]),
            Text(thousands(queue["dead"]), style="bold red" if queue["dead"] else ""),
            thousands(queue["consumers"]),
        )
    return table


def _memory(memory: Sequence[Mapping[str, Any]]) -> str:
    """Of several replicas how many there are, and the largest."""
    by_service: dict[str, list[int]] = {}
    for each in memory:
        by_service.setdefault(each["service"], []).append(each["rss_bytes"])
    return (
        " · ".join(
            f"{service} {f'{len(sizes)} × ≤ ' if len(sizes) > 1 else ''}{mib(max(sizes))}"
            for service, sizes in by_service.items()
        )
        or "no process of Sirenade is seen on this machine"
    )


def _avis(avis: Mapping[str, Any]) -> Text:
    words = (
        f"accepted {thousands(avis['accepted'])} · pending {thousands(avis['pending'])} · "
        + alarming("rejected", avis["rejected"])
    )
    reasons = avis["rejected_attempts_by_reason"]
    if reasons:
        most = sorted(reasons.items(), key=lambda each: -each[1])[:_MOST_REASONS]
        words += "\nattempts rejected: " + " · ".join(
            f"{reason} {thousands(count)}" for reason, count in most
        )
        if len(reasons) > len(most):
            words += f" · {len(reasons) - len(most)} more reasons"
    return Text.from_markup(words)


def _money(spend: Mapping[str, Any]) -> str:
    cap = spend["cap_eur"]
    return (
        f"spent {cents(spend['spent_eur'])} of {'no cap' if cap is None else cents(cap)} · "
        f"set aside {cents(spend['reserved_eur'])}"
    )


def _alerts(told: Told) -> Text:
    alerts = told["alerts"]
    if not alerts:
        return Text("none", style="green")
    text = Text()
    for number, alert in enumerate(alerts[:_MOST_ALERTS]):
        style = "bold red" if alert["severity"] == "critical" else "bold yellow"
        text.append("\n" if number else "")
        text.append(f"{alert['name']}: ", style=style)
        text.append(alert["summary"])
    if len(alerts) > _MOST_ALERTS:
        text.append(f"\n{len(alerts) - _MOST_ALERTS} more")
    return text


def _number(number: int | None) -> str:
    return "?" if number is None else thousands(number)


def _rate(per_second: float | None) -> str:
    return "?/s" if per_second is None else f"{thousands(round(per_second))}/s"
