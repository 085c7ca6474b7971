"""Load on an HTTP server by wrk: it asks again as soon as it is answered, from one thread."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.servers.programs import find_or_fetch_program

# Each connection asks for one path after the other; `done` tells what wrk has counted.
_SCRIPT = """
local paths = {%s}
local headers = {%s}
local at = 0
request = function()
  at = at %% #paths + 1
  return wrk.format("GET", paths[at], headers[at])
end
-- Each thread counts refusals that do not say when to come again; `done` is in another one.
unasked = 0
local threads = {}
setup = function(thread) table.insert(threads, thread) end
if %s then
  response = function(status, headers)
    if status == 429 or status == 503 then
      for name in pairs(headers) do
        if name:lower() == "retry-after" then return end
      end
      unasked = unasked + 1
    end
  end
end
done = function(summary, latency, requests)
  local e = summary.errors
  local without = 0
  for _, thread in ipairs(threads) do without = without + thread:get("unasked") end
  io.write(string.format(
    '\\n{"requests": %%d, "microseconds": %%d, "p50": %%d, "p95": %%d, "p99": %%d, '
      .. '"refused": %%d, "without": %%d, "broken": %%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(95),
    latency:percentile(99), e.status, without, e.connect + e.read + e.write + e.timeout))
end
"""


@dataclass(frozen=True)
class Load:
    """The answers that wrk saw; times in milliseconds of wall clock, its own queue included."""

    requests: int
    per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    refused: int
    """Answers of status 400 and above."""
    without_time: int
    """Answers of status 429 and 503 without a time to come again, where they are looked at."""
    broken: int
    """Connections that failed, and requests that nobody answered in time."""


def load(
    address: str,
    paths: Sequence[str],
    folder: Path,
    *,
    seconds: int,
    connections: int = 16,
    headers: Sequence[Mapping[str, str]] = (),
    looks_at_refusals: bool = False,
) -> Load:
    """Ask `http://host:port` for the paths in turn; `headers` are those of each path."""
    script = folder / "load.lua"
    script.write_text(
        _script(paths, headers, looks_at_refusals=looks_at_refusals), encoding="utf-8"
    )
    wrk = find_or_fetch_program("wrk")
    command = [str(wrk.path), "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"]
    ended = subprocess.run(
        [*command, "-s", str(script), address],
        env=wrk.environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds + 60,
    )
    return _read(ended.stdout)


def _script(
    paths: Sequence[str], headers: Sequence[Mapping[str, str]], *, looks_at_refusals: bool = False
) -> str:
    tables = (
        "{" + ", ".join(f"[{_quoted(k)}] = {_quoted(v)}" for k, v in each.items()) + "}"
        for each in headers
    )
    looks = "true" if looks_at_refusals else "false"
    return _SCRIPT % (", ".join(map(_quoted, paths)), ", ".join(tables), looks)


def _quoted(text: str) -> str:
    """Write an ASCII text without control characters as Lua does, which for these JSON does too."""
    return json.dumps(text)


def _read(output: str) -> Load:
    told = json.loads(next(line for line in output.splitlines() if line.startswith("{")))
    return Load(
        requests=told["requests"],
        per_second=told["requests"] / told["microseconds"] * 1e6,
        p50_ms=told["p50"] / 1000,
        p95_ms=told["p95"] / 1000,
        p99_ms=told["p99"] / 1000,
        refused=told["refused"],
        without_time=told["without"],
        broken=told["broken"],
    )
