"""A proof as one HTML page that stands alone, and as JSON."""

import datetime as dt
import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it ships no types
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from deploy.proving import plots
from deploy.proving.promises import Promise
from deploy.proving.sampling import Sample


@dataclass(frozen=True)
class Proof:
    title: str
    quota_per_minute: int
    samples: Sequence[Sample]
    promises: Sequence[Promise]
    at: dt.datetime
    seconds: float
    """From the order to the last row and the last text."""
    import_seconds: float

    @property
    def kept(self) -> bool:
        return all(each.kept for each in self.promises)


def machine() -> str:
    memory_gib = psutil.virtual_memory().total / 2**30
    return (
        f"{psutil.cpu_count()} cores, {memory_gib:.0f} GiB, "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    )


def write(proof: Proof, folder: Path) -> Path:
    """Write `proof.json` and `proof.html`; returns the latter."""
    summary = {
        "title": proof.title,
        "at": proof.at.isoformat(),
        "machine": machine(),
        "quota_per_minute": proof.quota_per_minute,
        "seconds": proof.seconds,
        "import_seconds": proof.import_seconds,
        "promises": [asdict(each) for each in proof.promises],
        "samples": [asdict(each) for each in proof.samples],
    }
    (folder / "proof.json").write_text(json.dumps(summary) + "\n", encoding="utf-8")
    page = folder / "proof.html"
    page.write_text(render(proof), encoding="utf-8")
    return page


def render(proof: Proof) -> str:
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    source = (resources.files("deploy.proving") / "proof.html.j2").read_text("utf-8")
    drawn = {
        "Throughput": plots.throughput(proof.samples),
        "Quota": plots.quota(proof.samples, per_minute=proof.quota_per_minute),
        "Memory by process": plots.memory(proof.samples),
        "Queues": plots.queues(proof.samples),
        "Error of the ETA": plots.eta(proof.samples),
    }
    return environment.from_string(source).render(
        proof=proof,
        machine=machine(),
        plots={name: Markup(svg) for name, svg in drawn.items()},  # noqa: S704  our own SVG
    )
