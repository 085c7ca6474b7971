"""`./sirenade logs` prints log lines for people."""

import gzip
import io
import json
from pathlib import Path

import pytest

from services.operator.__main__ import app
from tests.integration.commands import Sirenade, sirenade_of


@pytest.fixture
def sirenade(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Sirenade:
    """Run the command without a database."""
    monkeypatch.delenv("SIRENADE_DATABASE_URL", raising=False)
    return sirenade_of(app, monkeypatch, capsys)


def _line(event: str, *, second: int = 0, level: str = "info", **fields: object) -> str:
    timestamp = f"2026-11-23T12:00:{second:02}.000000Z"
    named = {"service": "writer", "replica": "host:1", "event": event, **fields}
    return json.dumps({**named, "level": level, "timestamp": timestamp}, separators=(",", ":"))


LINES = [
    _line("ready"),
    f"writer-1  | {_line('records failed', level='warning', run_id=7, failed=2)}",
    _line("asleep", level="error", service="fetcher"),
    "\x1b[2Kno JSON at all {",
    "\x1b[2K" + _line("shouted", level="debug", by="\x1b[31mred"),
]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], ["ready", "records failed", "asleep", "no JSON", "shouted by=red"]),
        (["--level", "warning"], ["records failed", "asleep"]),
        (["--service", "fetcher"], ["asleep"]),
        (["--where", "run_id=7"], ["records failed"]),
        (["--where", "run_id=8"], []),
    ],
)
def test_lines_of_standard_input_are_filtered(
    sirenade: Sirenade, monkeypatch: pytest.MonkeyPatch, options: list[str], told: list[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(LINES) + "\n"))
    answer = sirenade("logs", *options)
    assert answer.status == 0
    printed = answer.out.splitlines()
    # Lines of other programs bring codes for colours and erasures, which are no text.
    assert "\x1b" not in answer.out
    assert len(printed) == len(told)
    assert all(words in line for words, line in zip(told, printed, strict=True))
    if not options:
        assert printed[1].startswith("23/11 13:00:00")
        assert "run_id=7 failed=2" in printed[1]


def test_files_of_several_services_are_told_in_their_order_in_time(
    sirenade: Sirenade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "writer.jsonl").write_text(f"{_line('one', second=1)}\n{_line('three', second=3)}")
    with gzip.open(tmp_path / "old.jsonl.gz", "wt") as file:
        file.write(f"{_line('two', second=2)}\n")
    files = [tmp_path / "writer.jsonl", tmp_path / "old.jsonl.gz"]
    told = sirenade("logs", *files).out
    assert told.index("one") < told.index("two") < told.index("three")
    monkeypatch.setenv("SIRENADE_LOG_DIRECTORY", str(tmp_path))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    assert len(sirenade("logs").out.splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--level", "loud"], "--level loud is none of"),
        (["--where", "run"], "is not NAME=VALUE"),
        (["/no/such/file"], "No such file"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(
    sirenade: Sirenade, arguments: list[str], said: str
) -> None:
    answer = sirenade("logs", *arguments)
    assert answer.status == 2
    assert said in answer.err
