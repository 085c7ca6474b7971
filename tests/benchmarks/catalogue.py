"""The benchmarks by the names of `make bench ONLY=…`, in the order in which they run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.benchmarks.figures import Run
from tests.benchmarks.sizes import SIZES


@dataclass(frozen=True)
class Benchmark:
    name: str
    module: str
    minutes: tuple[float, float, float]
    """Quick, normal, full: a first guess, until a run has told."""

    @property
    def path(self) -> str:
        return f"tests/benchmarks/{self.module}.py"


BENCHMARKS = (
    Benchmark("writer", "test_writer", (0.5, 3, 3)),
    Benchmark("import", "test_import_path", (0.7, 1.5, 1.5)),
    Benchmark("messages", "test_messages", (0.7, 3, 3)),
    Benchmark("stock", "test_stock", (0.7, 3, 3)),
    Benchmark("shards", "test_shards", (0.5, 0.5, 0.5)),
    Benchmark("stats", "test_stats", (0.7, 1, 1)),
    Benchmark("certify", "test_certificates", (0.3, 0.6, 0.6)),
    Benchmark("outbox", "portal/test_outbox", (0.5, 3, 3)),
    Benchmark("pages", "portal/test_pages", (0.8, 2.5, 2.5)),
    Benchmark("redis", "portal/test_second_level", (0.8, 2.5, 2.5)),
    Benchmark("load", "portal/test_load", (1, 4, 22)),
    Benchmark("search", "portal/test_search", (0.7, 3, 20)),
    Benchmark("indexer", "portal/test_indexer", (1, 3, 20)),
    Benchmark("editors", "test_editors", (0.5, 1.5, 1.5)),
    Benchmark("pairs", "pairs/test_pairs", (0.5, 0.5, 0.5)),
    Benchmark("validator", "test_validation", (0.5, 1.5, 1.5)),
    Benchmark("simhashes", "test_simhashes", (0.2, 0.3, 0.3)),
    Benchmark("metrics", "test_stress_metrics", (0.2, 1.5, 1.5)),
    Benchmark("generators", "test_generators", (1.5, 6, 9)),
    Benchmark("reviewers", "test_reviewers", (0.8, 2, 10)),
    Benchmark("memory", "test_reviewer_memory", (0.5, 3, 8)),
    Benchmark("quota", "test_quota", (1, 13, 60)),
)


def named(names: Sequence[str]) -> list[Benchmark]:
    """All where no name is given; ValueError on a name that is none."""
    known = {each.name: each for each in BENCHMARKS}
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"no benchmark {unknown[0]!r}: there are {', '.join(known)}")
    return [each for each in BENCHMARKS if not names or each.name in names]


def expected_seconds(size: str, runs: Sequence[Run]) -> Mapping[str, float]:
    """Return the seconds of each benchmark in the latest whole run of that size, else the guess."""
    seconds = {each.name: 60 * each.minutes[SIZES.index(size)] for each in BENCHMARKS}
    for run in runs:
        if run.complete and run.size == size and not run.settings:
            seconds |= run.seconds
    return seconds
