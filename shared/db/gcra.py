"""GCRA (generic cell rate algorithm) as SQL: limits of requests that all replicas keep together.

A row has one arrival time for each limit: the moment at which the limit is free again. A grant
takes the latest arrival time as its slot and moves each one on by what the request uses of its
limit. The server's clock decides. There is no burst: slots follow each other at even distances.
"""

from dataclasses import dataclass

# The rest is kept back for jitter on the way to the server: 0.9 s in each minute.
SHARE_OF_REQUESTS = 0.985
# A request that leaves later than this after its slot might meet the next ones at the server.
MAX_LATENESS_SECONDS = 0.4
# No wait is ever this long: the server's clock was ahead when the row was written.
MAX_WAIT_SECONDS = 7200.0
# A moment in which nobody was ready is made good: its slots are still granted, each at the time
# at which it could have been, and with the same lateness as any other.
_CATCH_UP_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of a row. `arrival` is a column of type timestamptz that is never NULL.

    `rate` is SQL for the units that a period allows; NULL means that there is no limit. `share`
    of the rate is used. A slot may lie `credit_seconds` behind the moment that the arrival time
    moves on from.
    """

    arrival: str
    rate: str
    period_seconds: int
    share: float = SHARE_OF_REQUESTS
    credit_seconds: float = 0

    def interval(self, units: str = "1") -> str:
        """Return SQL for the interval that this many units take of the limit."""
        return (
            f"make_interval(secs => {units} * {self.period_seconds} / ({self.rate} * {self.share}))"
        )

    def arrival_after(self, slot: str, units: str = "1") -> str:
        """Return SQL for the arrival time once `slot` is granted for this many units."""
        start = slot
        if self.credit_seconds:
            credit = f"make_interval(secs => {self.credit_seconds})"
            start = f"greatest({self.arrival}, {slot} - {credit})"
        return (
            f"CASE WHEN {self.rate} IS NULL THEN {self.arrival} "
            f"ELSE {start} + {self.interval(units)} END"
        )


def next_slot(*moments: str) -> str:
    """Return SQL for the next slot: no earlier than any of these moments that is not NULL."""
    catch_up = f"clock_timestamp() - make_interval(secs => {_CATCH_UP_SECONDS})"
    return f"greatest({', '.join(moments)}, {catch_up})"


def wait_seconds(slot: str, horizon: str) -> str:
    """Return SQL for the seconds until the slot may be granted, at most `horizon` ahead of it."""
    return f"extract(epoch FROM {slot} - clock_timestamp() - {horizon})::float"


def may_be_granted(slot: str, horizon: str) -> str:
    """Return SQL for the condition that the slot is at most `horizon` ahead."""
    return f"{slot} <= clock_timestamp() + {horizon}"


def forget_the_future(*limits: Limit) -> str:
    """Return the assignments of an UPDATE that brings arrival times back to the present."""
    return ", ".join(
        f"{limit.arrival} = least({limit.arrival}, clock_timestamp())" for limit in limits
    )
