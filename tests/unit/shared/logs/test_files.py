"""Log files that processes share: they have a bound, and no rotation loses a line."""

import errno
import io
import json
import os
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.logs.files import CLOSED_FILES, FILE_BYTES, LogFile, closed_files, log_bytes_cap
from shared.logs.output import Output

ROOT = Path(__file__).parents[4]


def _lines(directory: Path) -> list[str]:
    paths = [path for _, path in closed_files(directory)] + [directory / "writer.jsonl"]
    return [line for path in paths for line in path.read_text("utf-8").splitlines()]


@pytest.mark.parametrize(
    ("lines", "file_bytes", "closed"),
    [
        (40_000, 1_000_000, 9),
        pytest.param(1_000_000, FILE_BYTES, 4, marks=[pytest.mark.slow, pytest.mark.timeout(900)]),
    ],
)
def test_four_processes_lose_no_line_and_no_file_outgrows_its_size(
    tmp_path: Path, lines: int, file_bytes: int, closed: int
) -> None:
    writers = [
        subprocess.Popen(
            [
                *(
                    sys.executable,
                    "-m",
                    "tests.unit.shared.logs.log_writers",
                    tmp_path,
                    str(writer),
                ),
                *(str(lines // 4), str(file_bytes), str(closed)),
            ],
            cwd=ROOT,
        )
        for writer in range(4)
    ]
    assert [writer.wait() for writer in writers] == [0] * 4
    files = list(tmp_path.glob("*.jsonl"))
    assert len(files) > 2
    assert max(file.stat().st_size for file in files) <= file_bytes
    assert len(files) <= 1 + closed
    counted: Counter[int] = Counter()
    for line in _lines(tmp_path):
        event = json.loads(line)
        counted[event["writer"]] += 1
        # The lines of each process are in their order.
        assert event["number"] == counted[event["writer"]] - 1
    assert counted == dict.fromkeys(range(4), lines // 4)


def test_killed_writers_cost_the_others_no_line_and_leave_no_other_file(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.unit.shared.logs.log_writers", str(tmp_path)]
    doomed, staying = (
        [
            # Files are small, for a kill to meet a rotation often.
            subprocess.Popen([*command, str(number), lines, "20000", "1000"], cwd=ROOT)
            for number in numbers
        ]
        for numbers, lines in (((0, 1), "1000000"), ((2, 3), "3000"))
    )
    try:
        while len(closed_files(tmp_path)) < 20:
            assert all(each.poll() is None for each in doomed)
            time.sleep(0.01)
    finally:
        for each in doomed:
            each.kill()
            each.wait()
    assert [each.wait() for each in staying] == [0, 0]
    # A process that died in the middle of a line may have left a part of it.
    events = [json.loads(line) for line in _lines(tmp_path) if line.endswith("}")]
    for writer in (2, 3):
        numbers = [event["number"] for event in events if event["writer"] == writer]
        assert numbers == list(range(3000))
    assert {path.suffix for path in tmp_path.iterdir()} == {".jsonl", ".lock"}


def test_closing_for_the_archive_drops_nothing_that_it_has_not_seen(tmp_path: Path) -> None:
    file = LogFile(tmp_path, "writer", file_bytes=10, closed=2)
    long_ago = json.dumps({"timestamp": "2026-11-20T12:00:00+00:00"})
    for _ in range(3):
        file.write(long_ago)
    file.close_before(datetime.now(UTC))
    file.close()
    assert len(closed_files(tmp_path)) == 3


def test_beyond_the_cap_the_oldest_lines_go(tmp_path: Path) -> None:
    file = LogFile(tmp_path, "writer", file_bytes=1000, closed=2)
    for number in range(500):
        assert file.write(f"{number:099}")
    file.close()
    kept = [int(line) for line in _lines(tmp_path)]
    assert kept == list(range(500 - len(kept), 500))
    assert sum(path.stat().st_size for path in tmp_path.glob("*.jsonl")) <= 3 * 1000
    assert len(kept) >= 20


def test_what_was_begun_before_an_instant_is_closed_and_what_is_newer_goes_on(
    tmp_path: Path,
) -> None:
    file = LogFile(tmp_path, "writer")
    file.close_before(datetime.now(UTC))
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    file.write(json.dumps({"timestamp": now.isoformat()}))
    file.close_before(now - timedelta(hours=1))
    assert list(closed_files(tmp_path)) == []
    file.close_before(now + timedelta(hours=1))
    ((service, path),) = closed_files(tmp_path)
    assert (service, path.stat().st_size > 0) == ("writer", True)
    assert file.write("{}")
    file.close()
    assert (tmp_path / "writer.jsonl").read_text() == "{}\n"


def test_the_cap_is_what_the_files_of_all_services_take() -> None:
    assert log_bytes_cap(4) == 4 * (CLOSED_FILES + 1) * 50_000_000
    assert log_bytes_cap() <= 800_000_000


class _Told(list[tuple[str, dict[str, Any]]]):
    def __call__(self, event: str, **fields: Any) -> None:
        self.append((event, fields))


def test_a_folder_that_is_missing_is_told_once_and_stops_nothing(tmp_path: Path) -> None:
    stream, told = io.StringIO(), _Told()
    file = LogFile(tmp_path / "gone", "writer")
    output = Output(stream, file, told, try_again_seconds=0)
    for number in range(3):
        output.write(str(number))
    assert stream.getvalue() == "0\n1\n2\n"
    ((event, fields),) = told
    assert event == "log files are not written"
    assert fields["reason"].startswith("No such file or directory")
    (tmp_path / "gone").mkdir()
    output.write("3")
    file.close()
    assert told[1] == ("log files are written again", {"level": "warning", "lines_missing": 3})
    assert (tmp_path / "gone" / "writer.jsonl").read_text().split() == ["3"]


def test_a_full_disk_is_told_once_and_leaves_whole_lines_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, told = io.StringIO(), _Told()
    file = LogFile(tmp_path, "writer")
    output = Output(stream, file, told, try_again_seconds=0)
    output.write('{"line": 1}')

    def cut(self: LogFile, msg: str) -> None:
        assert self.stream is not None
        self.stream.write(msg[:5])
        self.stream.flush()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        full.setattr(LogFile, "do_write", cut)
        output.write('{"line": 2}')
        output.write('{"line": 3}')
    output.write('{"line": 4}')
    file.close()
    assert [fields.get("reason") for _, fields in told] == ["No space left on device", None]
    lines = (tmp_path / "writer.jsonl").read_text().splitlines()
    assert lines[0] == '{"line": 1}'
    assert lines[-1] == '{"line": 4}'
    assert len(stream.getvalue().splitlines()) == 4


def test_a_standard_output_that_cannot_be_written_stops_nothing() -> None:
    class Full(io.StringIO):
        def write(self, _text: str) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    Output(Full(), None, _Told()).write("line")
