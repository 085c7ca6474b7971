from dataclasses import replace

import pytest

from tests.proofs.promises import MIB
from tests.proofs.usage_table import usage_of_services
from tests.unit.proofs.runs import creeping, steady_run, usage


def test_a_process_is_told_with_its_maxima_its_slope_and_its_share_of_a_core() -> None:
    samples = creeping(steady_run(), "rss_bytes", per_second=MIB)
    samples = [
        replace(
            each,
            processes={
                "fetcher-1": replace(
                    each.processes["fetcher-1"],
                    # Idle, but for twenty busy seconds.
                    cpu_seconds=min(20.0, max(0.0, each.at_seconds - 100)),
                )
            },
        )
        for each in samples
    ]
    [line] = usage_of_services(samples)
    assert line.name == "fetcher-1"
    assert line.rss_most_bytes == 600 * MIB
    assert line.rss_slope_bytes == pytest.approx(MIB)
    assert line.cpu_mean == pytest.approx(20 / 499)
    assert line.cpu_most == pytest.approx(1.0)
    assert (line.files_most, line.threads_most, line.connections_most) == (20, 8, 4)


def test_a_process_that_was_seen_once_has_no_line() -> None:
    samples = steady_run(seconds=10)
    samples[-1] = replace(samples[-1], processes={**samples[-1].processes, "late-1": usage()})
    assert [line.name for line in usage_of_services(samples)] == ["fetcher-1"]
