"""A proof as one HTML page that stands alone, and as JSON."""

import datetime as dt
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it ships no types

from shared.private_files import write_private
from shared.report.page import render_page
from tests.proofs.promises import Promise
from tests.proofs.samples import Sample
from tests.proofs.usage_table import totals_of, usage_of_servers, usage_of_services


@dataclass(frozen=True)
class Proof:
    """The parts of a report: `told` stands below the title, only the JSON has `figures`.

    `plots` are SVG by title.
    """

    title: str
    told: str
    figures: Mapping[str, object]
    samples: Sequence[Sample]
    promises: Sequence[Promise]
    plots: Mapping[str, str]
    at: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))

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
    """Write `proof.json` and `proof.html`, and return the latter."""
    summary = {
        "title": proof.title,
        "at": proof.at.isoformat(),
        "machine": machine(),
        **proof.figures,
        "promises": [asdict(each) for each in proof.promises],
        "services": [asdict(each) for each in usage_of_services(proof.samples)],
        "servers": [asdict(each) for each in usage_of_servers(proof.samples)],
        "samples": [asdict(each) for each in proof.samples],
    }
    write_private(folder / "proof.json", json.dumps(summary) + "\n")
    page = folder / "proof.html"
    write_private(page, render(proof))
    return page


def render(proof: Proof) -> str:
    usage = usage_of_services(proof.samples) + usage_of_servers(proof.samples)
    return render_page(
        "tests.proofs",
        "proof.html.j2",
        proof.plots,
        proof=proof,
        machine=machine(),
        totals=totals_of(proof.samples),
        processes=[each.cells() for each in usage],
    )
