"""Figures of the benchmarks with their goals, kept as JSON, one file for each run."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from deploy.local.folders import LOCAL

FOLDER = LOCAL / "bench"
_GOAL = re.compile(r"(>=|<=|==) (\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class Figure:
    name: str
    """`benchmark.measure`."""
    value: float
    unit: str = ""
    goal: str | None = None
    """`>= 0.40`, `<= 5` or `== 0`."""
    note: str = ""

    def __post_init__(self) -> None:
        if self.goal is not None and not _GOAL.fullmatch(self.goal):
            raise ValueError(f"{self.name}: not a goal: {self.goal}")
        if not math.isfinite(self.value):
            raise ValueError(f"{self.name} is {self.value}")

    @property
    def met(self) -> bool | None:
        """None where there is no goal."""
        if self.goal is None:
            return None
        sign, bound = self.goal.split()
        match sign:
            case ">=":
                return self.value >= float(bound)
            case "<=":
                return self.value <= float(bound)
            case _:
                return self.value == float(bound)


@dataclass
class Figures:
    """The figures of one run."""

    found: dict[str, Figure] = field(default_factory=dict)

    def add(
        self, name: str, value: float, *, unit: str = "", goal: str | None = None, note: str = ""
    ) -> None:
        if name in self.found:
            raise ValueError(f"{name} is there already")
        self.found[name] = Figure(name, float(value), unit, goal, note)


@dataclass
class Run:
    at: str
    revision: str
    size: str
    settings: Mapping[str, str]
    """Variables that made it another size."""
    machine: Mapping[str, Any]
    complete: bool = False
    """False where it was interrupted, or a benchmark failed."""
    seconds: dict[str, float] = field(default_factory=dict)
    """The seconds by benchmark."""
    figures: list[Figure] = field(default_factory=list)

    @property
    def quick(self) -> bool:
        return self.size == "quick"

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        shown = {
            **asdict(self),
            "quick": self.quick,
            "figures": [{**asdict(each), "met": each.met} for each in self.figures],
        }
        path.write_text(json.dumps(shown, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Raise ValueError, KeyError or TypeError on what is not such a file."""
        known = json.loads(path.read_text(encoding="utf-8"))
        del known["quick"]
        for each in known["figures"]:
            del each["met"]
        known["figures"] = [Figure(**each) for each in known["figures"]]
        return cls(**known)


def kept() -> list[Path]:
    """The files of all runs, the latest last."""
    return sorted(FOLDER.glob("*.json"))
