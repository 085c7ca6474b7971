"""Numbers, durations and money as people read them."""

import time
from collections.abc import Mapping
from decimal import Context, Decimal

_SPACE = "\N{NO-BREAK SPACE}"
_DAY_SECONDS = 86_400
_CENT = Decimal("0.01")
_THREE_DIGITS = Context(prec=3)


_PAUSES = {
    "cap": "the cap is reached",
    "asked": "somebody asked for it",
    "sample": "the sample is made",
}


def paused_texts(because: str) -> str:
    """Say that no text is begun, and why (`review_budget.paused_because`)."""
    return f"texts are paused ({_PAUSES[because]}): ./sirenade avis resume"


def throttled_texts(since_by_provider: Mapping[str, float]) -> str:
    """Say which chat servers answer nothing but 429; nothing where none does."""
    told = (
        (name, time.strftime("%d/%m %H:%M", time.localtime(since)))
        for name, since in sorted(since_by_provider.items())
    )
    return ", ".join(f"{name} answers nothing but 429 since {since}" for name, since in told)


def paused_run(run_id: int, by: str, because: str, at: float) -> str:
    """Say who paused a run, when and why, and what lets it go on; `at` is since the epoch."""
    since = time.strftime("%d/%m %H:%M", time.localtime(at))
    return (
        f"run {run_id} is paused by {by} since {since} ({because}): ./sirenade runs resume {run_id}"
    )


def waiting_renewals(number: int, per_day: int) -> str:
    """Say the renewals for whose end nobody waits."""
    pace = f"at most {thousands(per_day)} a day begin" if per_day else "held"
    return f"renewals: {thousands(number)} wait, {pace}"


def thousands(number: int) -> str:
    """Group three digits as the French do, apart by a space that does not break."""
    return f"{number:,}".replace(",", _SPACE)


def counted(number: int, one: str, many: str) -> str:
    """Write the number with the words for one, or for any other number."""
    return f"{thousands(number)} {one if number == 1 else many}"


def percent(share: float | None, *, decimals: int = 0) -> str:
    """Write 0.5 as 50 %, and an unknown share as a question mark."""
    return "?" if share is None else f"{share:.{decimals}%}".replace("%", f"{_SPACE}%")


def alarming(name: str, count: int) -> str:
    """Return rich markup: green for zero, bold red for anything else."""
    return f"[bold red]{name}: {thousands(count)}[/]" if count else f"[green]{name}: 0[/]"


def mib(size_bytes: float) -> str:
    return f"{thousands(round(size_bytes / 2**20))}{_SPACE}MiB"


def duration(seconds: float) -> str:
    """Write 00:16:20, with the days before it where there are some."""
    days, rest = divmod(round(seconds), _DAY_SECONDS)
    return (f"{days}d " if days else "") + time.strftime("%H:%M:%S", time.gmtime(rest))


def eta(seconds: float | None) -> str:
    """Write the time to the end in at most eight columns; None is a time that nobody knows."""
    if seconds is None:
        return "--:--:--"
    return time.strftime("%H:%M:%S", time.gmtime(seconds)) if seconds < _DAY_SECONDS else "> 1 day"


def euros(amount: Decimal) -> str:
    """Write cents, and four decimals or three digits where a small amount needs them."""
    if 0 < amount < _CENT:
        return f"{_THREE_DIGITS.plus(amount).normalize():f} €"
    if _CENT <= amount < 1:
        return f"{amount.quantize(Decimal('0.0001')):f} €"
    return cents(amount)


def cents(amount: Decimal | float) -> str:
    """Write two decimals, however small the amount is."""
    whole, rest = divmod(round(amount * 100), 100)
    return f"{thousands(whole)}.{rest:02d} €"
