"""A snapshot drawn for people: a panel for a terminal of 80 columns and 24 lines, or one line."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from services.operator.monitoring.outside import Memory
from services.operator.monitoring.snapshot import AvisProgress, QuotaUse, Snapshot
from shared.alerts import Alert
from shared.controls import shown
from shared.days import FRANCE
from shared.terminal.console import cell
from shared.terminal.panel import add_bar, make_bars, make_panel
from shared.terminal.words import (
    alarming,
    cents,
    duration,
    eta,
    mib,
    paused_texts,
    percent,
    thousands,
    throttled_texts,
)

MAX_WIDTH = 118
_MOST_REASONS = 4
_MOST_ALERTS = 5


def draw(snapshot: Snapshot, *, title: str, width: int, away: str | None = None) -> RenderableType:
    """Draw the panel; `away` says why the snapshot is not renewed."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for row in _lines(snapshot):
        table.add_row(*row)
    lines: list[RenderableType] = [_bars(snapshot), table]
    if away is not None:
        lines.insert(0, Text(away, style="bold yellow"))
    colour = "blue" if away is None else "yellow"
    return make_panel(title, *lines, width=width, colour=colour)


def one_line(snapshot: Snapshot) -> str:
    """Say the most of it in one line, for a log that people read."""
    rows, avis = snapshot.rows, snapshot.avis
    words = (
        f"{thousands(rows.received)} of {_number(rows.expected)} establishments, "
        f"{_rate(rows.per_second)}, {_eta(rows.eta_seconds, rows.eta_uncertainty_seconds)}, "
        f"avis {thousands(avis.accepted)} of {thousands(avis.due)}, "
        f"429: {snapshot.quota.http_429}, "
        f"failed items {thousands(sum(snapshot.failed_items_open.values()))}"
    )
    if snapshot.spend.paused_because is not None:
        words += f", {paused_texts(snapshot.spend.paused_because)}"
    if snapshot.spend.throttled:
        words += f", {throttled_texts(snapshot.spend.throttled)}"
    return "; ".join([words, *(f"{each.name}: {each.summary}" for each in snapshot.alerts)])


def _eta(seconds: float | None, uncertainty_seconds: float | None) -> str:
    if seconds is None:
        return f"ETA {eta(None)}"
    more_or_less = f" ± {duration(uncertainty_seconds)}" if uncertainty_seconds else ""
    return f"ETA {duration(seconds)}{more_or_less}"


def _bars(snapshot: Snapshot) -> Table:
    rows, avis = snapshot.rows, snapshot.avis
    bars = make_bars(2)
    for name, part, done, total in (
        ("rows", rows, rows.received, rows.expected),
        ("avis", avis, avis.accepted, avis.due),
    ):
        words = f"{thousands(done)} / {_number(total)}"
        end = _eta(part.eta_seconds, part.eta_uncertainty_seconds)
        add_bar(bars, name, done, total, words, end)
    return bars


def _lines(snapshot: Snapshot) -> Iterator[tuple[str, RenderableType]]:
    # Alerts come first: a small terminal cuts off the end.
    yield "alerts", _alerts(snapshot.alerts)
    if snapshot.note:
        yield "", Text(shown(snapshot.note), style="yellow")
    yield "rate", _rates(snapshot)
    yield "runs", _runs(snapshot)
    if snapshot.error:
        # A Text: INSEE's words are no markup.
        yield "", Text(shown(snapshot.error), style="bold red")
    if snapshot.warning:
        yield "", Text(shown(snapshot.warning), style="yellow")
    yield "quota", _quota(snapshot.quota)
    yield "queues", _queues(snapshot)
    yield "memory", Text(_memory(snapshot.memory))
    yield "avis", _avis(snapshot.avis)
    spend = snapshot.spend
    cap = "no cap" if spend.cap_eur is None else cents(spend.cap_eur)
    told = f"spent {cents(spend.spent_eur)} of {cap} · set aside {cents(spend.reserved_eur)}"
    money = Text(told)
    if spend.paused_because is not None:
        money.append(f"\n{paused_texts(spend.paused_because)}", style="yellow")
    if spend.throttled:
        money.append(f"\n{throttled_texts(spend.throttled)}", style="yellow")
    yield "money", money
    failed = alarming("items", sum(snapshot.failed_items_open.values()))
    letters = alarming("dead letters archived", snapshot.dead_letters_waiting)
    yield "failed", Text.from_markup(f"{failed} · {letters}")


def _rates(snapshot: Snapshot) -> Text:
    rows = snapshot.rows
    return Text(
        f"{_rate(rows.per_second)} now · {_rate(rows.per_second_15_minutes)} over 15 min · "
        f"{_rate(rows.per_second_of_run)} over the run · texts {_rate(snapshot.avis.per_second)}"
    )


def _runs(snapshot: Snapshot) -> Text:
    batches, rows = snapshot.batches, snapshot.rows
    complete, of_all = thousands(batches["complete"]), thousands(sum(batches.values()))
    words = f"{snapshot.runs_open} open · batches {complete} of {of_all}"
    if rows.per_day:
        words += f" · today {thousands(rows.today or 0)} of {thousands(rows.per_day)}"
    if rows.resting_until:
        goes_on = datetime.fromisoformat(rows.resting_until).astimezone(FRANCE)
        words += f" · goes on {goes_on:%d/%m %H:%M:%S}"
    text = Text(words)
    if batches["failed"]:
        text.append(f" · failed: {batches['failed']}", style="bold red")
    return text


def _quota(quota: QuotaUse) -> Text:
    limit = quota.requests_per_minute
    words = (
        f"{quota.used_last_minute} of {'?' if limit is None else f'{limit:g}'} in the last 60 s, "
        f"{_number(quota.left_this_minute)} left · {alarming('429', quota.http_429)} · "
        f"slot use {percent(quota.slot_use)} · page fill {percent(quota.page_fill)}"
    )
    if quota.pause_seconds:
        words += f" · [yellow]paused for {quota.pause_seconds:.0f} s[/]"
    if quota.share_left_by_others not in {None, 1}:
        words += f" · [yellow]others leave {percent(quota.share_left_by_others)}[/]"
    return Text.from_markup(words)


def _queues(snapshot: Snapshot) -> RenderableType:
    if snapshot.queues_note or not snapshot.queues:
        return Text(snapshot.queues_note or "none yet")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("")
    for name in ("ready", "in progress", "delayed", "dead", "consumers"):
        table.add_column(name, justify="right")
    for queue in snapshot.queues:
        table.add_row(
            cell(queue.name),
            thousands(queue.ready),
            _number(queue.in_progress),
            thousands(queue.delayed),
            Text(thousands(queue.dead), style="bold red" if queue.dead else ""),
            thousands(queue.consumers),
        )
    return table


def _memory(memory: Sequence[Memory]) -> str:
    """Several replicas show their number and the largest one."""
    by_service = defaultdict(list)
    for each in memory:
        by_service[each.service].append(each.rss_bytes)
    words = (
        f"{service} {f'{len(sizes)} × ≤ ' if len(sizes) > 1 else ''}{mib(max(sizes))}"
        for service, sizes in by_service.items()
    )
    return " · ".join(words) or "no process of Sirenade is seen on this machine"


def _avis(avis: AvisProgress) -> Text:
    words = (
        f"accepted {thousands(avis.accepted)} · pending {thousands(avis.pending)} · "
        + alarming("rejected", avis.rejected)
    )
    reasons = avis.rejected_attempts_by_reason
    if reasons:
        most = sorted(reasons.items(), key=lambda each: -each[1])[:_MOST_REASONS]
        told = [f"{reason} {thousands(count)}" for reason, count in most]
        if len(reasons) > len(most):
            told.append(f"{len(reasons) - len(most)} more reasons")
        words += f"\nattempts rejected: {' · '.join(told)}"
    if avis.renewals_at_a_rate:
        words += f"\nrenewals that wait for their rate: {thousands(avis.renewals_at_a_rate)}"
    return Text.from_markup(words)


def _alerts(alerts: Sequence[Alert]) -> Text:
    if not alerts:
        return Text("none", style="green")
    text = Text()
    for number, alert in enumerate(alerts[:_MOST_ALERTS]):
        style = "bold red" if alert.severity == "critical" else "bold yellow"
        text.append("\n" if number else "")
        text.append(f"{alert.name}: ", style=style)
        text.append(shown(alert.summary))
    if len(alerts) > _MOST_ALERTS:
        text.append(f"\n{len(alerts) - _MOST_ALERTS} more")
    return text


def _number(number: int | None) -> str:
    return "?" if number is None else thousands(number)


def _rate(per_second: float | None) -> str:
    return "?/s" if per_second is None else f"{thousands(round(per_second))}/s"
