"""The options of a simulator, with the defaults of the public plan."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from services.simulator.errors import BadChangeError

ErrorShape = Literal["insee", "gateway"]


@dataclass(slots=True)
class Faults:
    """The knobs of what goes wrong; POST /__faults changes them while the server runs.

    The counters `next_*` lose one at each request. The rates are probabilities from 0 to 1, drawn
    from the seed and the request's number, so that a run can be repeated.
    """

    latency_ms: int = 0
    latency_jitter_ms: int = 0
    next_429: int = 0
    rate_429: float = 0.0
    next_errors: int = 0
    error_rate: float = 0.0
    error_status: int = 503
    next_cut: int = 0
    cut_rate: float = 0.0
    next_truncated: int = 0
    truncated_rate: float = 0.0
    next_html: int = 0
    html_rate: float = 0.0
    next_empty: int = 0
    new_keys: bool = False
    missing_keys: bool = False
    days_of_404: list[str] = field(default_factory=list)

    def change(self, values: dict[str, Any]) -> None:
        """Set these knobs. Raises BadChangeError for one that is unknown or ill-typed."""
        known = {knob.name: type(getattr(self, knob.name)) for knob in fields(self)}
        for name, value in values.items():
            kind = known.get(name)
            if kind is None:
                raise BadChangeError(f"unknown fault {name}; known: {', '.join(sorted(known))}")
            right = (int, float) if kind is float else kind
            if not isinstance(value, right) or (isinstance(value, bool) and kind is not bool):
                raise BadChangeError(f"fault {name} wants {kind.__name__}, not {value!r}")
        for name, value in values.items():
            setattr(self, name, float(value) if known[name] is float else value)


@dataclass(slots=True)
class SimulatorOptions:
    host: str = "127.0.0.1"
    port: int = 0
    establishments: int = 35_000
    seed: int = 1
    day: str = "2026-08-05"
    departements: Sequence[str] = ()
    records: Path | None = None
    naf_2025: str | None = None
    ready_made: bool = False
    requests_per_minute: int = 30
    requests_per_hour: int | None = None
    rate_headers: bool = True
    error_shape: ErrorShape = "gateway"
    key: str | None = None
    faults: Faults = field(default_factory=Faults)
