"""The words to wrk and from it, without wrk."""

from tests.benchmarks.portal import load


def test_the_script_holds_each_path_and_its_headers() -> None:
    script = load._script(["/a", '/b?q="c"'], [{"If-None-Match": '"1"'}])
    assert r'local paths = {"/a", "/b?q=\"c\""}' in script
    assert r'local headers = {{["If-None-Match"] = "\"1\""}}' in script
    assert "at % #paths + 1" in script


def test_the_counts_are_read_from_the_last_line() -> None:
    told = (
        "Running 2s test\n  Latency  1.00ms\n\n"
        '{"requests": 3000, "microseconds": 2000000, "p50": 900, "p95": 1500, "p99": 2500, '
        '"refused": 2, "without": 1, "broken": 0}\n'
    )
    assert load._read(told) == load.Load(3000, 1500.0, 0.9, 1.5, 2.5, 2, 1, 0)
